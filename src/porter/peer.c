/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "porter/peer.h"

#include "base/text.h"
#include "config/fingerprint.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define NAME_MAX_LEN 256

bool peer_has_fingerprints(const struct peers *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (fingerprint_is(p->items[i]))
			return true;
	return false;
}

bool peer_is_pinned(const struct peers *p, X509 *cert)
{
	uint8_t is[EVP_MAX_MD_SIZE], wanted[FINGERPRINT_LEN];
	unsigned len;

	if (X509_digest(cert, EVP_sha256(), is, &len) != 1 || len != sizeof(wanted))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (fingerprint_parse(wanted, p->items[i]) == 0 &&
			memcmp(is, wanted, sizeof(wanted)) == 0)
			return true;
	return false;
}

/* What a certificate has in it may be anything: a NUL would end the name before its end. */
static bool take_name(const ASN1_STRING *s, char name[static NAME_MAX_LEN])
{
	int len = s != NULL ? ASN1_STRING_length(s) : 0;
	const unsigned char *data = s != NULL ? ASN1_STRING_get0_data(s) : NULL;

	if (len <= 0 || len >= NAME_MAX_LEN || memchr(data, '\0', (size_t)len) != NULL)
		return false;
	memcpy(name, data, (size_t)len);
	name[len] = '\0';
	return true;
}

static bool is_on_list(const struct peers *p, const ASN1_STRING *s)
{
	char name[NAME_MAX_LEN];

	if (!take_name(s, name))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (!fingerprint_is(p->items[i]) && fnmatch(p->items[i], name, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static const ASN1_STRING *common_name(const X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int last = -1;

	/* The last one is the most specific. */
	for (int i; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, last)) >= 0;)
		last = i;
	return last < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
}

/* The next dNSName from *at on; NULL: no more. */
static const ASN1_STRING *next_dns(const GENERAL_NAMES *names, int *at)
{
	while (*at < sk_GENERAL_NAME_num(names)) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, (*at)++);

		if (n->type == GEN_DNS)
			return n->d.dNSName;
	}
	return NULL;
}

bool peer_is_named(const struct peers *p, X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	const ASN1_STRING *dns;
	bool found = false, any = false;
	int at = 0;

	while (!found && (dns = next_dns(names, &at)) != NULL) {
		any = true;
		found = is_on_list(p, dns);
	}
	GENERAL_NAMES_free(names);
	return found || (!any && is_on_list(p, common_name(cert)));
}

void peer_describe(X509 *cert, char *buf, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char name[NAME_MAX_LEN];
	int at = 0;

	if (take_name(next_dns(names, &at), name) || take_name(common_name(cert), name))
		text_escape(buf, size, name, strlen(name));
	else
		snprintf(buf, size, "nobody by name");
	GENERAL_NAMES_free(names);
}
