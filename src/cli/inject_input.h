/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define INJECT_LINE_MAX 65536 /* what is longer is cut */

/* Lines out of a descriptor. */
struct inject_input {
	int fd;
	char *buf;
	size_t at, len;
	bool ended;
	bool in_rest; /* of a line that was cut */
};

/* 0 or -ENOMEM. */
int inject_input_init(struct inject_input *in, int fd);
void inject_input_done(struct inject_input *in);

/* Reads what is there; waits if nothing is. To be called when all lines read were taken. */
void inject_input_read(struct inject_input *in);

/*
 * The next whole line, without LF or CR LF, and the last one even if it is not: false when more has
 * to be read. It stays where it is until the next read. *ret_cut is set if it was too long.
 */
bool inject_input_line(struct inject_input *in, const char **ret, size_t *ret_len, bool *ret_cut);

/* Puts the line that was taken last back. */
void inject_input_back(struct inject_input *in, const char *line);
