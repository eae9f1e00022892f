/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "porter/material.h"

#include "base/text.h"
#include "base/util.h"
#include "porter/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define FILE_BYTES_MAX (1 << 20)
#define AUTHORITIES_MAX 1000

/* The file of one setting. */
struct reading {
	const char *key; /* "certificate" */
	const struct conf_text *path;
	struct faults *f;
	mode_t mode;
	char *data;
	size_t len;
	char shown[256];
};

#define complain(r, severity, fmt, ...)                                                            \
	fault_add((r)->f, severity, (r)->path->where, "%s '%s' " fmt, (r)->key,                    \
		(r)->shown __VA_OPT__(, ) __VA_ARGS__)

static int read_all(struct reading *r, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return -EINVAL;
	r->mode = st.st_mode;
	r->data = malloc((size_t)st.st_size + 1);
	if (r->data == NULL)
		return -ENOMEM;
	while (r->len < (size_t)st.st_size) {
		ssize_t n = read(fd, r->data + r->len, (size_t)st.st_size - r->len);

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		r->len += (size_t)n;
	}
	return 0;
}

/* 0, or -EINVAL, and told. What was read is part of the digest, and to be closed. */
static int reading_open(struct reading *r, EVP_MD_CTX *digest)
{
	const char *path = r->path->text;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	int e = fd < 0 ? -errno : read_all(r, fd);

	text_escape(r->shown, sizeof(r->shown), path, strlen(path));
	if (e == -EINVAL)
		complain(r, FAULT_ERROR, "is no file of at most 1 MiB: write the path of one");
	else if (e == -ENOENT)
		complain(r, FAULT_ERROR, "is not there: put it there, or correct the path");
	else if (e == -EACCES && geteuid() != 0)
		complain(r, FAULT_WARNING, "can be read by root, maybe, but not by who asks now");
	else if (e < 0)
		complain(r, FAULT_ERROR, "cannot be read: %s", strerror(-e));
	if (e < 0)
		return -EINVAL;
	EVP_DigestUpdate(digest, &r->len, sizeof(r->len));
	EVP_DigestUpdate(digest, r->data, r->len);
	return 0;
}

static void reading_close(struct reading *r)
{
	if (r->data != NULL)
		OPENSSL_cleanse(r->data, r->len);
	free(r->data);
}

static bool is_over(X509 *cert)
{
	return X509_cmp_current_time(X509_get0_notAfter(cert)) < 0;
}

static void check_time(struct reading *r, X509 *cert)
{
	char name[128];

	peer_describe(cert, name, sizeof(name));
	if (is_over(cert))
		complain(r, FAULT_WARNING,
			"has expired (it is for %s): senders will refuse it, renew it", name);
	else if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
		complain(r, FAULT_WARNING, "is not valid yet (it is for %s): is the clock right?",
			name);
}

static void load_certificate(struct material *m, struct reading *r)
{
	BIO *bio = BIO_new_mem_buf(r->data, (int)r->len);
	X509 *next;

	m->cert = bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL) : NULL;
	m->chain = sk_X509_new_null();
	if (m->cert == NULL) {
		complain(r, FAULT_ERROR,
			"has no certificate in it: it has to begin with "
			"'-----BEGIN CERTIFICATE-----' (PEM)");
	} else {
		while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
			if (sk_X509_push(m->chain, next) <= 0)
				X509_free(next);
		check_time(r, m->cert);
		if (X509_check_purpose(m->cert, X509_PURPOSE_SSL_SERVER, 0) != 1)
			complain(r, FAULT_WARNING,
				"is not made for servers (extendedKeyUsage lacks serverAuth): "
				"senders will refuse it");
	}
	BIO_free(bio);
}

/* There is nobody to ask. */
static int no_password(char *buf, int size, int writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static void load_key(struct material *m, struct reading *r)
{
	BIO *bio = BIO_new_mem_buf(r->data, (int)r->len);
	bool asked = false;

	m->key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked) : NULL;
	BIO_free(bio);
	if (m->key == NULL && asked)
		complain(r, FAULT_ERROR,
			"is locked with a password, and nobody is there to say it: unlock it with "
			"'openssl pkey -in OLD -out NEW'");
	else if (m->key == NULL)
		complain(r, FAULT_ERROR,
			"has no key in it: it has to begin with '-----BEGIN PRIVATE KEY-----' "
			"(PEM)");
	else if (m->cert != NULL && X509_check_private_key(m->cert, m->key) != 1)
		complain(r, FAULT_ERROR,
			"is not the key of the certificate: write the one that it was made with");
	if ((r->mode & (S_IWGRP | S_IRWXO)) != 0)
		complain(r, FAULT_ERROR,
			"is open to others (mode %04o): whoever has read it can pass for this "
			"server; chmod 600, and better make a new one",
			(unsigned)r->mode & 07777);
}

static void complain_of_authority(struct reading *r, X509 *cert)
{
	char name[128];

	peer_describe(cert, name, sizeof(name));
	complain(r, FAULT_WARNING,
		"has expired (it is %s): whomever it vouches for is turned away, renew it", name);
}

static void load_authorities(struct material *m, struct reading *r)
{
	BIO *bio = BIO_new_mem_buf(r->data, (int)r->len);
	size_t n = 0, n_over = 0;
	X509 *next, *over = NULL;

	m->authorities = sk_X509_new_null();
	while (bio != NULL && n < AUTHORITIES_MAX &&
		(next = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		n++;
		if (sk_X509_push(m->authorities, next) <= 0) {
			X509_free(next);
			continue;
		}
		if (is_over(next)) {
			n_over++;
			over = next;
		}
	}
	BIO_free(bio);
	if (n == 0)
		complain(r, FAULT_ERROR,
			"has no certificate in it: it has to begin with "
			"'-----BEGIN CERTIFICATE-----' (PEM)");
	else if (n_over > 0 && n_over == n)
		complain_of_authority(r, over);
}

/* A file that cannot be read is told; then there is nothing to load. */
static void load(struct material *m, const char *key, const struct conf_text *path,
	void (*from)(struct material *m, struct reading *r), EVP_MD_CTX *digest, struct faults *f)
{
	struct reading r = {.key = key, .path = path, .f = f};

	if (reading_open(&r, digest) == 0)
		from(m, &r);
	reading_close(&r);
	ERR_clear_error();
}

static void digest_text(EVP_MD_CTX *digest, const char *text)
{
	EVP_DigestUpdate(digest, text, strlen(text) + 1);
}

/* What porter knows beside the files. */
static void digest_settings(EVP_MD_CTX *digest, const struct syslog_settings *s)
{
	for (size_t i = 0; i < s->n_listen; i++)
		if (s->listen[i].kind == LISTEN_TLS)
			digest_text(digest, s->listen[i].url);
	digest_text(digest, s->ca.text != NULL ? s->ca.text : "");
	for (size_t i = 0; i < s->n_peers; i++)
		digest_text(digest, s->peers[i]);
	digest_text(digest, "");
	for (size_t i = 0; i < s->from.n; i++) {
		EVP_DigestUpdate(digest, &s->from.items[i].addr, sizeof(struct addr));
		EVP_DigestUpdate(digest, &s->from.items[i].len, 1);
	}
}

int material_load(struct material *ret, const struct syslog_settings *s, struct faults *f)
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	size_t errors_before = f->n_errors;

	*ret = (struct material) {0};
	if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
		EVP_MD_CTX_free(digest);
		return -ENOMEM;
	}
	load(ret, "certificate", &s->certificate, load_certificate, digest, f);
	load(ret, "key", &s->key, load_key, digest, f);
	if (s->ca.text != NULL)
		load(ret, "ca", &s->ca, load_authorities, digest, f);
	digest_settings(digest, s);
	EVP_DigestFinal_ex(digest, ret->digest, NULL);
	EVP_MD_CTX_free(digest);
	return f->n_errors > errors_before ? -EINVAL : 0;
}

void material_done(struct material *m)
{
	X509_free(m->cert);
	sk_X509_pop_free(m->chain, X509_free);
	sk_X509_pop_free(m->authorities, X509_free);
	EVP_PKEY_free(m->key);
	*m = (struct material) {0};
}
