/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/feed.h"
#include "source/tail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UNPACKED_MAX (64 << 20) /* a small archive may hold gigabytes, which only takes time */

static void check(const struct chunk *c)
{
	size_t n = 0;

	if (c->len == 0 || c->text[c->len - 1] != '\n')
		abort();
	for (size_t at = 0; at < c->len; n++) {
		const char *end = memchr(c->text + at, '\n', c->len - at);

		at = (size_t)(end + 1 - c->text);
	}
	if (c->n_times != 0 && c->n_times != n)
		abort();
}

/* Any file, packed or not: chunks are whole lines, and an end stays one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC), r;
	struct chunk c = {0};
	const char *unfit;
	struct feed *f;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	if (feed_open(&f, fd, &(struct feed_conf) {0}, &unfit) < 0)
		return 0;
	for (size_t all = 0; (r = feed_next(f, &c)) > 0 && all < UNPACKED_MAX; all += c.len)
		check(&c);
	if (r <= 0 && feed_next(f, &c) != r)
		abort();
	if (feed_taken(f) > size)
		abort();
	chunk_done(&c);
	feed_close(f);
	return 0;
}
