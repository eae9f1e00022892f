/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* Certificates made up by a test. */

struct identity {
	X509 *cert;
	EVP_PKEY *key;
};

struct identity_of {
	const char *cn;
	size_t cn_len;             /* 0: strlen */
	const char *san;           /* "DNS:web1.example"; NULL: none */
	const char *usage;         /* "clientAuth"; NULL: any */
	long from_sec, until_sec;  /* from now; both 0: it is valid for a day */
	const struct identity *by; /* NULL: signs itself */
	bool is_ca;
};

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	if (value == NULL)
		return;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(e);
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

static struct identity identity_new(const struct identity_of *o)
{
	struct identity i = {X509_new(), EVP_EC_gen("P-256")};
	const struct identity *by = o->by != NULL ? o->by : &i;
	static long serial = 1;
	X509_NAME *name;

	assert_true(i.cert != NULL && i.key != NULL);
	X509_set_version(i.cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(i.cert), serial++);
	X509_gmtime_adj(X509_getm_notBefore(i.cert), o->until_sec != 0 ? o->from_sec : -60);
	X509_gmtime_adj(X509_getm_notAfter(i.cert), o->until_sec != 0 ? o->until_sec : 86400);
	name = X509_get_subject_name(i.cert);
	X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
		(const unsigned char *)o->cn, o->cn_len != 0 ? (int)o->cn_len : -1, -1, 0);
	X509_set_issuer_name(i.cert, X509_get_subject_name(by->cert));
	X509_set_pubkey(i.cert, i.key);
	add_extension(i.cert, by->cert, NID_basic_constraints,
		o->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	add_extension(i.cert, by->cert, NID_subject_alt_name, o->san);
	add_extension(i.cert, by->cert, NID_ext_key_usage, o->usage);
	assert_int_not_equal(X509_sign(i.cert, by->key, EVP_sha256()), 0);
	return i;
}

static void identity_done(struct identity *i)
{
	X509_free(i->cert);
	EVP_PKEY_free(i->key);
}

static void identity_write(const struct identity *i, const char *cert, const char *key)
{
	FILE *f = fopen(cert, "w");

	assert_true(f != NULL && PEM_write_X509(f, i->cert) == 1 && fclose(f) == 0);
	if (key == NULL)
		return;
	f = fopen(key, "w");
	assert_true(f != NULL && PEM_write_PrivateKey(f, i->key, NULL, NULL, 0, NULL, NULL) == 1 &&
		    fclose(f) == 0 && chmod(key, 0600) == 0);
}
