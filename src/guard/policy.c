/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/policy.h"

#define WIDEST4 (96 + 8)
#define WIDEST6 16

enum refusal policy_check(const struct ruleset *rs, const struct addr *own, size_t n_own,
	unsigned jail, const struct prefix *p)
{
	if (jail >= rs->n_jails)
		return REFUSED_JAIL;
	if (p->len > 128 || p->len < (addr_is4(&p->addr) ? WIDEST4 : WIDEST6))
		return REFUSED_WIDE;
	if (prefixset_overlaps(&rs->allow, p) || prefixset_overlaps(&rs->jails[jail].ignoreip, p))
		return REFUSED_ALLOWED;
	if (!rs->jails[jail].ignoreself)
		return 0;
	for (size_t i = 0; i < n_own; i++)
		if (prefix_contains(p, &own[i]))
			return REFUSED_OWN;
	return 0;
}
