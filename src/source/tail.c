/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/tail.h"

#include "base/hash.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void tail_init(struct tail *t, int fd, uint64_t dev, uint64_t ino)
{
	*t = (struct tail) {.fd = fd, .dev = dev, .ino = ino};
}

void tail_done(struct tail *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static ssize_t read_at(int fd, void *buf, size_t len, uint64_t off)
{
	ssize_t n;

	do
		n = pread(fd, buf, len, (off_t)off);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int64_t tail_size(const struct tail *t)
{
	struct stat st;

	return fstat(t->fd, &st) < 0 ? -errno : st.st_size;
}

bool tail_is(const struct tail *t, uint64_t head_hash, uint32_t head_len)
{
	char head[TAIL_HEAD_MAX];

	if (head_len == 0)
		return true;
	if (head_len > sizeof(head))
		return false;
	return read_at(t->fd, head, head_len, 0) == (ssize_t)head_len &&
	       hash_fingerprint(head, head_len) == head_hash;
}

/* Remembers the first line once it is complete, or long enough. */
static void learn_head(struct tail *t)
{
	char head[TAIL_HEAD_MAX];
	const char *newline;
	ssize_t n;

	if (t->head_len != 0)
		return;
	n = read_at(t->fd, head, sizeof(head), 0);
	if (n <= 0)
		return;
	newline = memchr(head, '\n', (size_t)n);
	if (newline == NULL && (size_t)n < sizeof(head))
		return;
	t->head_len = newline != NULL ? (uint32_t)(newline - head) + 1 : sizeof(head);
	t->head_hash = hash_fingerprint(head, t->head_len);
}

/* Was the last byte before the offset something else than the end of a line? */
static bool inside_line(const struct tail *t)
{
	char before;

	return t->offset > 0 && read_at(t->fd, &before, 1, t->offset - 1) == 1 && before != '\n';
}

int tail_resume(struct tail *t, uint64_t offset)
{
	int64_t size = tail_size(t);

	if (size < 0)
		return (int)size;
	t->offset = 0;
	t->skipping = false;
	learn_head(t);
	if (offset > (uint64_t)size)
		return -EINVAL;
	t->offset = offset;
	t->skipping = inside_line(t);
	return 0;
}

int tail_seek_end(struct tail *t)
{
	int64_t size = tail_size(t);

	return size < 0 ? (int)size : tail_resume(t, (uint64_t)size);
}

/* Shorter than what was read, or another first line: somebody began it anew. */
static int check_restart(struct tail *t)
{
	int64_t size = tail_size(t);

	if (size < 0)
		return (int)size;
	if ((uint64_t)size >= t->offset &&
		(t->head_len == 0 || tail_is(t, t->head_hash, t->head_len)))
		return 0;
	t->offset = 0;
	t->head_len = 0;
	t->skipping = false;
	t->restarts++;
	return 0;
}

static void hand_on(struct tail *t, const char *line, size_t len, bool cut, tail_fn *fn, void *arg)
{
	uint64_t off = t->offset;

	while (len > 0 && line[len - 1] == '\r')
		len--;
	t->lines++;
	fn(arg, line, len, off, cut);
}

/* Hands on the lines in buf[0..len), which stand at t->offset; returns how many bytes are dealt
 * with. */
static size_t split(struct tail *t, const char *buf, size_t len, tail_fn *fn, void *arg)
{
	size_t at = 0;

	while (at < len) {
		const char *newline = memchr(buf + at, '\n', len - at);
		size_t line_len = newline != NULL ? (size_t)(newline - (buf + at)) : len - at;
		bool cut = line_len > TAIL_LINE_MAX;

		if (newline == NULL && !t->skipping && !cut)
			break; /* half-written: once more when its end is there */
		if (!t->skipping) {
			hand_on(t, buf + at, cut ? TAIL_LINE_MAX : line_len, cut, fn, arg);
			t->long_lines += cut;
		}
		t->skipping = newline == NULL;
		line_len += newline != NULL;
		at += line_len;
		t->offset += line_len;
	}
	return at;
}

/* What is not there on disk holds no newline: the rest of a too long line may be a vast hole. */
static void skip_hole(struct tail *t)
{
	off_t data;

	if (!t->skipping)
		return;
	data = lseek(t->fd, (off_t)t->offset, SEEK_DATA);
	if (data < 0 && errno == ENXIO)
		data = tail_size(t);
	if (data > (off_t)t->offset)
		t->offset = (uint64_t)data;
}

int tail_read(struct tail *t, char buf[static TAIL_BUFFER], size_t budget, tail_fn *fn, void *arg)
{
	size_t done = 0;
	int r = check_restart(t);

	if (r < 0)
		return r;
	skip_hole(t);
	while (done < budget) {
		ssize_t n = read_at(t->fd, buf, TAIL_BUFFER, t->offset);
		size_t used;

		if (n < 0)
			return (int)n;
		used = split(t, buf, (size_t)n, fn, arg);
		learn_head(t);
		done += used;
		if (n < TAIL_BUFFER || used == 0)
			return 0;
	}
	return 1;
}

int tail_finish(struct tail *t, char buf[static TAIL_BUFFER], tail_fn *fn, void *arg)
{
	ssize_t n = read_at(t->fd, buf, TAIL_LINE_MAX, t->offset);

	if (n < 0)
		return (int)n;
	if (n == 0 || t->skipping)
		return 0;
	hand_on(t, buf, (size_t)n, false, fn, arg);
	t->offset += (uint64_t)n;
	return 0;
}
