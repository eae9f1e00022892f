/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * e2e-tls ADDRESS PORT N CERTIFICATE KEY: opens N connections with TLS, prints "ready" when all
 * have shaken hands, and sends each line of standard input on all of them, then "sent" when they
 * have taken it. Exit 1 if one cannot be opened, or is closed before the input ends. With "keys"
 * for N it opens one, on which it sends new keys without end.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

static SSL *open_one(SSL_CTX *ctx, const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(ctx);

	if (fd < 0 || ssl == NULL || connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
		SSL_set_fd(ssl, fd) != 1 || SSL_connect(ssl) != 1)
		return NULL;
	return ssl;
}

/* Has the other side said good-bye, or is it gone? */
static int is_closed(SSL *ssl)
{
	char byte;
	ssize_t n = recv(SSL_get_fd(ssl), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	/* Nothing else is said to us once hands are shaken. */
	return n >= 0;
}

/* Only the other side's going ends it. */
static int send_keys(SSL_CTX *ctx, const struct sockaddr_in *to)
{
	SSL *ssl = open_one(ctx, to);

	while (ssl != NULL && SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
		SSL_do_handshake(ssl) == 1)
		;
	return 1;
}

static int run(SSL_CTX *ctx, const struct sockaddr_in *to, int n)
{
	SSL **links = calloc((size_t)n, sizeof(SSL *));
	char line[4096];

	for (int i = 0; i < n; i++) {
		links[i] = open_one(ctx, to);
		if (links[i] == NULL) {
			fprintf(stderr, "connection %d cannot be opened\n", i);
			ERR_print_errors_fp(stderr);
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		for (int i = 0; i < n; i++) {
			if (is_closed(links[i]) ||
				SSL_write(links[i], line, (int)strlen(line)) <= 0) {
				fprintf(stderr, "connection %d was closed\n", i);
				return 1;
			}
		}
		puts("sent");
		fflush(stdout);
	}
	for (int i = 0; i < n; i++) {
		SSL_shutdown(links[i]);
		close(SSL_get_fd(links[i]));
		SSL_free(links[i]);
	}
	free(links);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct rlimit files;
	SSL_CTX *ctx;
	int r;

	if (argc != 6 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons((uint16_t)atoi(argv[2]));
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	ctx = SSL_CTX_new(TLS_client_method());
	if (ctx == NULL || SSL_CTX_use_certificate_file(ctx, argv[4], SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, argv[5], SSL_FILETYPE_PEM) != 1)
		return 2;
	r = strcmp(argv[3], "keys") == 0 ? send_keys(ctx, &to) : run(ctx, &to, atoi(argv[3]));
	SSL_CTX_free(ctx);
	return r;
}
