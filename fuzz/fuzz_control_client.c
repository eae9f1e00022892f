/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whatever a daemon, or something in its place, answers: each command reads and prints it. */
#include "cli/cli.h"

#include "base/util.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ARGS_MAX 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const calls[][ARGS_MAX] = {
	{"stockade", "status"},
	{"stockade", "banned"},
	{"stockade", "explain", "192.0.2.1"},
	{"stockade", "ban", "sshd", "192.0.2.1"},
	{"stockade", "unban", "192.0.2.1"},
	{"stockade", "reload"},
	{"stockade", "version"},
	{"stockade", "banned", "--json"},
	{"stockade", "reload", "--json"},
};

/* The first byte picks the command, the rest is the answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[ARGS_MAX + 1] = {0}, words[ARGS_MAX][16], *text = NULL;
	struct cli c = {.argv = argv, .width = 80, .color = true};
	const char *const *call;
	size_t len = 0;
	int pair[2];

	/* More would not fit the socket. */
	if (size < 1 || size > 65536)
		return 0;
	call = calls[data[0] % ARRAY_SIZE(calls)];
	for (; c.argc < ARGS_MAX && call[c.argc] != NULL; c.argc++) {
		snprintf(words[c.argc], sizeof(words[0]), "%s", call[c.argc]);
		argv[c.argc] = words[c.argc];
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	if (write(pair[1], data + 1, size - 1) != (ssize_t)size - 1)
		abort();
	shutdown(pair[1], SHUT_WR);
	c.fd = pair[0];
	c.out = c.err = open_memstream(&text, &len);
	if (c.out == NULL)
		abort();
	cli_run(&c);
	fclose(c.out);
	/* Colours are the only escapes that may reach a terminal. */
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)text[i];

		if (ch < ' ' && ch != '\n' && ch != '\033')
			abort();
		/* JSON leaves DEL as it is; to a terminal it is nothing. */
		if (ch == 127 && !c.json)
			abort();
		if (ch == '\033' && (i + 1 == len || text[i + 1] != '['))
			abort();
	}
	free(text);
	close(pair[1]);
	return 0;
}
