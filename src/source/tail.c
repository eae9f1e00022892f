/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/tail.h"

#include "base/hash.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who gets lines. */
struct taker {
	tail_block_fn *block; /* or NULL */
	tail_fn *line;
	void *arg;
};

void tail_init(struct tail *t, int fd, uint64_t dev, uint64_t ino)
{
	*t = (struct tail) {.fd = fd, .dev = dev, .ino = ino, .unit = 1, .line_max = TAIL_LINE_MAX};
}

void tail_init_from(struct tail *t, const struct tail_ops *ops, void *arg)
{
	tail_init(t, -1, 0, 0);
	t->ops = ops;
	t->ops_arg = arg;
}

void tail_done(struct tail *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static ssize_t read_at(const struct tail *t, void *buf, size_t len, uint64_t off)
{
	ssize_t n;

	if (t->ops != NULL)
		return t->ops->read_at(t->ops_arg, buf, len, off);
	do
		n = pread(t->fd, buf, len, (off_t)off);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

size_t tail_peek(const struct tail *t, char *buf, size_t size, uint64_t off)
{
	ssize_t n = read_at(t, buf, size, off);

	return n > 0 ? (size_t)n : 0;
}

int64_t tail_size(const struct tail *t)
{
	struct stat st;

	if (t->ops != NULL)
		return t->ops->size(t->ops_arg);
	return fstat(t->fd, &st) < 0 ? -errno : st.st_size;
}

bool tail_is(const struct tail *t, uint64_t head_hash, uint32_t head_len)
{
	char head[TAIL_HEAD_MAX];

	if (head_len == 0)
		return true;
	if (head_len > sizeof(head))
		return false;
	return read_at(t, head, head_len, 0) == (ssize_t)head_len &&
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
	n = read_at(t, head, sizeof(head), 0);
	if (n <= 0)
		return;
	newline = memchr(head, '\n', (size_t)n);
	if (newline == NULL && (size_t)n < sizeof(head))
		return;
	t->head_len = newline != NULL ? (uint32_t)(newline - head) + 1 : sizeof(head);
	t->head_hash = hash_fingerprint(head, t->head_len);
}

/* Is the code unit at p that ASCII character? */
static bool is_unit(const struct tail *t, const char *p, char c)
{
	size_t last = t->unit - 1, low = t->big_endian ? last : 0;

	for (size_t i = 0; i <= last; i++)
		if (p[i] != (i == low ? c : 0))
			return false;
	return true;
}

/* The line end in text[0..len), which begins with a whole unit; NULL if there is none. */
static const char *find_newline(const struct tail *t, const char *text, size_t len)
{
	const char *p = text, *end = text + len - len % t->unit;
	size_t low = t->big_endian ? t->unit - 1 : 0;

	if (t->unit == 1)
		return memchr(text, '\n', len);
	while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		const char *unit = p - (size_t)(p - text) % t->unit;

		if ((size_t)(p - unit) == low && is_unit(t, unit, '\n'))
			return unit;
		p++;
	}
	return NULL;
}

/* Was the last character before the offset something else than the end of a line? */
static bool inside_line(const struct tail *t)
{
	char before[4];

	return t->offset >= t->unit &&
	       read_at(t, before, t->unit, t->offset - t->unit) == t->unit &&
	       !is_unit(t, before, '\n');
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
	t->offset = offset - offset % t->unit;
	t->skipping = inside_line(t);
	return 0;
}

int tail_seek_end(struct tail *t)
{
	int64_t size = tail_size(t);

	return size < 0 ? (int)size : tail_resume(t, (uint64_t)size);
}

/* Shorter than what was read, or another first line: somebody began it anew. 1 if so. */
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
	return 1;
}

/* used: how much of the file the line stands for. */
static void hand_on(
	struct tail *t, const char *text, size_t len, size_t used, const struct taker *to)
{
	struct tail_line line = {
		.text = text, .len = len, .off = t->offset, .end = t->offset + used};

	if (len > t->line_max) {
		line.len = t->line_max;
		line.cut = true;
		t->long_lines++;
	}
	while (line.len >= t->unit && is_unit(t, text + line.len - t->unit, '\r'))
		line.len -= t->unit;
	t->lines++;
	to->line(to->arg, &line);
}

/* How much of text[0..len) are whole lines, up to the first that is too long. */
static size_t whole_lines(const struct tail *t, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t most = len - at <= t->line_max ? len - at : (size_t)t->line_max + 1;
		const char *newline = memrchr(text + at, '\n', most);

		/* Each line up to there ends within line_max. */
		if (newline == NULL)
			break;
		at = (size_t)(newline - text) + 1;
	}
	return at;
}

/* Hands on what can be of text[0..len) as a block; returns how many bytes were taken. */
static size_t hand_on_block(struct tail *t, const char *text, size_t len, const struct taker *to)
{
	struct tail_block block = {.text = text, .off = t->offset};
	uint64_t lines = 0;
	size_t taken;

	if (to->block == NULL || t->unit != 1 || t->skipping)
		return 0;
	block.len = whole_lines(t, text, len);
	if (block.len == 0)
		return 0;
	taken = to->block(to->arg, &block, &lines);
	t->lines += lines;
	t->offset += taken;
	return taken;
}

/* Hands on the lines in buf[0..len), which stand at t->offset; returns how many bytes are dealt
 * with. */
static size_t split(struct tail *t, const char *buf, size_t len, const struct taker *to)
{
	size_t at = 0;

	while (at < len) {
		size_t taken = hand_on_block(t, buf + at, len - at, to), line_len, used;
		const char *newline;

		at += taken;
		if (taken > 0)
			continue;
		newline = find_newline(t, buf + at, len - at);
		line_len = newline != NULL ? (size_t)(newline - (buf + at))
					   : (len - at) - (len - at) % t->unit;
		used = line_len + (newline != NULL ? t->unit : 0);
		if (newline == NULL && ((!t->skipping && line_len <= t->line_max) || used == 0))
			break; /* half-written: once more when its end is there */
		if (!t->skipping)
			hand_on(t, buf + at, line_len, used, to);
		t->skipping = newline == NULL;
		at += used;
		t->offset += used;
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
		t->offset = (uint64_t)data - (uint64_t)data % t->unit;
}

static int read_for(
	struct tail *t, char buf[static TAIL_BUFFER], size_t budget, const struct taker *to)
{
	size_t done = 0;
	int r = check_restart(t);

	if (r != 0)
		return r;
	skip_hole(t);
	while (done < budget) {
		ssize_t n = read_at(t, buf, TAIL_BUFFER, t->offset);
		size_t used;

		if (n < 0)
			return (int)n;
		used = split(t, buf, (size_t)n, to);
		learn_head(t);
		done += used;
		if (n < TAIL_BUFFER || used == 0)
			return 0;
	}
	return 1;
}

int tail_read(struct tail *t, char buf[static TAIL_BUFFER], size_t budget, tail_fn *fn, void *arg)
{
	return read_for(t, buf, budget, &(struct taker) {NULL, fn, arg});
}

int tail_read_blocks(struct tail *t, char buf[static TAIL_BUFFER], size_t budget,
	tail_block_fn *block_fn, tail_fn *fn, void *arg)
{
	return read_for(t, buf, budget, &(struct taker) {block_fn, fn, arg});
}

int tail_finish(struct tail *t, char buf[static TAIL_BUFFER], tail_fn *fn, void *arg)
{
	ssize_t n = read_at(t, buf, t->line_max, t->offset);

	if (n < 0)
		return (int)n;
	n -= n % t->unit;
	if (n == 0 || t->skipping)
		return 0;
	hand_on(t, buf, (size_t)n, (size_t)n, &(struct taker) {NULL, fn, arg});
	t->offset += (uint64_t)n;
	return 0;
}
