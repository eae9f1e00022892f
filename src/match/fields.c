/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/fields.h"

#include <string.h>

void field_names_init(struct field_names *n)
{
	*n = (struct field_names) {
		.name =
			{
				[FIELD_ID] = "fid",
				[FIELD_IP4] = "ip4",
				[FIELD_IP6] = "ip6",
				[FIELD_DNS] = "dns",
				[FIELD_CIDR] = "cidr",
				[FIELD_COUNT] = "count",
				[FIELD_CONTENT] = "content",
				[FIELD_FORGET] = "mlfforget",
				[FIELD_MLFID] = "mlfid",
				[FIELD_NOFAIL] = "nofail",
				[FIELD_GAINED] = "mlfgained",
				[FIELD_USER] = "user",
			},
		.n = FIELDS_KNOWN,
	};
}

size_t field_names_slot(struct field_names *n, struct arena *arena, const char *name, size_t len)
{
	for (size_t i = 0; i < n->n; i++) {
		if (strlen(n->name[i]) == len && memcmp(n->name[i], name, len) == 0)
			return i;
	}
	/* An older spelling of <HOST>. */
	if (len == 4 && memcmp(name, "host", 4) == 0)
		return FIELD_DNS;
	if (n->n == FIELDS_MAX) {
		n->dropped = true;
		return FIELDS_MAX;
	}
	n->name[n->n] = arena_strndup(arena, name, len);
	return n->n++;
}
