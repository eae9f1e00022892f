/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/unwrap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char buffer[TAIL_BUFFER];

struct reading {
	struct tail tail;
	struct unwrap unwrap;
	uint64_t hash;
};

static void on_logged(void *arg, const struct unwrap_line *line)
{
	struct reading *r = arg;

	if (line->len > TAIL_LINE_MAX || memchr(line->text, '\n', line->len) != NULL)
		abort();
	for (size_t i = 0; i < line->len; i++)
		r->hash = (r->hash ^ (uint8_t)line->text[i]) * 1099511628211U;
	r->hash = (r->hash ^ line->off) * 1099511628211U;
}

static void on_line(void *arg, const struct tail_line *line)
{
	struct reading *r = arg;

	unwrap_take(&r->unwrap, &r->tail, line, on_logged, r);
}

static void start(struct reading *r, int fd, const struct charset *charset)
{
	tail_init(&r->tail, dup(fd), 1, 1);
	r->unwrap = (struct unwrap) {.named = charset};
	unwrap_look(&r->unwrap, &r->tail, false);
}

static void drain(struct reading *r)
{
	while (tail_read(&r->tail, buffer, 1 << 20, on_line, r) == 1)
		;
}

/* A log read at once, and one read in two pieces by two readers: the same lines. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"auto", "utf-16", "utf-16be", "utf-32", "latin1", "gb18030"};
	static struct charset *charsets[sizeof(names) / sizeof(names[0])];
	struct reading whole = {0}, parts = {0};
	const struct charset *charset;
	uint64_t offset;
	size_t cut;
	int fd;

	if (size < 2)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (charsets[i] == NULL && charset_open(&charsets[i], names[i]) < 0)
			abort();
	charset = charsets[data[0] % (sizeof(names) / sizeof(names[0]))];
	cut = (size_t)data[1] * (size - 2) / 255;
	fd = memfd_create("log", MFD_CLOEXEC);
	/* A beginning too short to be looked at is looked at again. */
	if (fd < 0 || write(fd, data + 2, cut) != (ssize_t)cut)
		abort();
	start(&parts, fd, charset);
	if (parts.unwrap.looked)
		drain(&parts);
	offset = parts.tail.offset;
	tail_done(&parts.tail);
	if (write(fd, data + 2 + cut, size - 2 - cut) != (ssize_t)(size - 2 - cut))
		abort();
	start(&parts, fd, charset);
	tail_resume(&parts.tail, offset);
	unwrap_resume(&parts.unwrap, &parts.tail, buffer);
	drain(&parts);
	start(&whole, fd, charset);
	drain(&whole);
	if (size < CONTAINER_REACH && whole.hash != parts.hash)
		abort();
	unwrap_finish(&whole.unwrap, &whole.tail, on_logged, &whole);
	tail_done(&whole.tail);
	tail_done(&parts.tail);
	close(fd);
	return 0;
}
