/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How TLS is spoken: with what, and with whom. */
#include "porter/internal.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

static void note(struct porter *p, X509 *cert, const char *what)
{
	char name[128];

	peer_describe(cert, name, sizeof(name));
	snprintf(p->noted, sizeof(p->noted), "its certificate is for %s: %s", name, what);
}

/*
 * Is a client's certificate good? A fingerprint on the list says so alone (RFC 5425 4.2.2); else
 * one of the authorities has to vouch for it, for this purpose, and its name be on the list.
 */
static int judge(X509_STORE_CTX *ctx, void *arg)
{
	X509 *cert = X509_STORE_CTX_get0_cert(ctx);
	struct porter *p = arg;

	if (peer_is_pinned(&p->peers, cert)) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (p->o->settings->ca.text == NULL) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_UNTRUSTED);
		note(p, cert, "its fingerprint is not on the list (peers)");
		return 0;
	}
	if (X509_verify_cert(ctx) != 1) {
		note(p, cert, X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
		return 0;
	}
	if (p->peers.n == 0 || peer_is_named(&p->peers, cert))
		return 1;
	X509_STORE_CTX_set_error(ctx, X509_V_ERR_HOSTNAME_MISMATCH);
	note(p, cert, "that name is not on the list (peers)");
	return 0;
}

static int use_certificate(SSL_CTX *tls, const struct material *m)
{
	if (SSL_CTX_use_certificate(tls, m->cert) != 1 || SSL_CTX_use_PrivateKey(tls, m->key) != 1)
		return -1;
	for (int i = 0; i < sk_X509_num(m->chain); i++)
		if (SSL_CTX_add1_chain_cert(tls, sk_X509_value(m->chain, i)) != 1)
			return -1;
	return 0;
}

static int use_authorities(SSL_CTX *tls, const struct porter *p, const struct material *m)
{
	X509_STORE *store = SSL_CTX_get_cert_store(tls);
	/* Who has a certificate of his own making shows it only if nobody asks for one of these. */
	bool tell = !peer_has_fingerprints(&p->peers);

	for (int i = 0; i < sk_X509_num(m->authorities); i++) {
		X509 *one = sk_X509_value(m->authorities, i);

		if (X509_STORE_add_cert(store, one) != 1)
			return -1;
		if (tell && SSL_CTX_add_client_CA(tls, one) != 1)
			return -1;
	}
	/* What stands in the file is trusted, be it a root or not. */
	return X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN) == 1 ? 0 : -1;
}

static int set_up(SSL_CTX *tls, struct porter *p, const struct material *m)
{
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* An idle connection keeps no buffers. */
	SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
	/* Or one that sends new keys without end would keep us from all others. */
	SSL_CTX_clear_mode(tls, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_num_tickets(tls, 0) != 1 || SSL_CTX_set_dh_auto(tls, 1) != 1 ||
		use_certificate(tls, m) < 0)
		return -1;
	if (m->authorities != NULL && use_authorities(tls, p, m) < 0)
		return -1;
	if (m->authorities != NULL || p->peers.n > 0)
		SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(tls, judge, p);
	return 0;
}

static void tell_faults(const struct faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].severity == FAULT_ERROR)
			log_error("%s", f->items[i].message);
}

SSL_CTX *context_new(struct porter *p)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	struct faults f = {0};
	struct material m;
	int r = material_load(&m, p->o->settings, &f);

	if (r < 0)
		tell_faults(&f);
	else if (m.cert == NULL || m.key == NULL)
		log_error("TLS cannot be spoken: certificate or key cannot be read");
	else if (tls == NULL || set_up(tls, p, &m) < 0)
		log_error("TLS cannot be spoken with this certificate: %s",
			ERR_reason_error_string(ERR_peek_last_error()) != NULL
				? ERR_reason_error_string(ERR_peek_last_error())
				: "out of memory");
	else
		p->tls = tls;
	if (p->tls == NULL)
		SSL_CTX_free(tls);
	material_done(&m);
	faults_done(&f);
	return p->tls;
}
