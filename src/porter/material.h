/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ruleset.h"
#include "porter/porter.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

/* What stands in the files that [syslog] names for TLS. */
struct material {
	X509 *cert;
	STACK_OF(X509) * chain; /* what stands behind the certificate in its file */
	EVP_PKEY *key;
	STACK_OF(X509) * authorities;  /* NULL: no `ca` */
	uint8_t digest[PORTER_DIGEST]; /* of the files and of what else a porter depends on */
};

/* Reads and checks everything; all faults go to f. 0, -EINVAL, or -ENOMEM; *ret is to be done with
 * in any case. */
int material_load(struct material *ret, const struct syslog_settings *s, struct faults *f);
void material_done(struct material *m);
