/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In the place of all others where there is no OpenSSL. */
#include "porter/porter.h"

#include <errno.h>

bool porter_is_built(void)
{
	return false;
}

int porter_check(
	const struct syslog_settings *s, struct faults *f, uint8_t ret_digest[PORTER_DIGEST])
{
	(void)ret_digest;
	for (size_t i = 0; i < s->n_listen; i++) {
		if (s->listen[i].kind != LISTEN_TLS)
			continue;
		fault_add(f, FAULT_ERROR, s->listen[i].where,
			"listen '%s': this program was built without TLS: take it out, or build it "
			"with OpenSSL (-Dtls=enabled)",
			s->listen[i].url);
		return -EINVAL;
	}
	return 0;
}

int porter_run(const struct porter_options *o)
{
	(void)o;
	return 1;
}
