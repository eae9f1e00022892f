/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/unpack.h"

#include "base/util.h"
#include "replay/packing.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PACKED_ROOM (128 * 1024)
#define MAGIC_MAX 6

struct unpack {
	int fd;
	uint64_t taken;
	const struct kind *kind; /* NULL: not packed */
	void *state;             /* of its decoder */
	bool looked;             /* at the beginning */
	bool at_end;             /* of the file */
	bool in_member;          /* one was begun, and its end did not come */
	int error;               /* what the last read ended with: nothing comes behind it */
	size_t at, have;         /* what was read and not yet taken is packed[at..have) */
	uint8_t packed[PACKED_ROOM];
};

#ifdef HAVE_ZLIB
#define GZIP &packing_gzip
#else
#define GZIP NULL
#endif
#ifdef HAVE_LZMA
#define XZ &packing_xz
#else
#define XZ NULL
#endif
#ifdef HAVE_ZSTD
#define ZSTD &packing_zstd
#else
#define ZSTD NULL
#endif

static const struct kind {
	const struct packing *packing; /* NULL: not built in */
	uint8_t magic[MAGIC_MAX], mask0;
	size_t len;
} kinds[] = {
	{GZIP, {0x1f, 0x8b, 0x08}, 0xff, 3},
	{XZ, {0xfd, '7', 'z', 'X', 'Z', 0}, 0xff, 6},
	{ZSTD, {0x28, 0xb5, 0x2f, 0xfd}, 0xff, 4},
	/* A frame to be skipped, which may stand before the first one (RFC 8878). */
	{ZSTD, {0x50, 0x2a, 0x4d, 0x18}, 0xf0, 4},
};

int unpack_open(struct unpack **ret, int fd)
{
	struct unpack *u = malloc(sizeof(*u));

	if (u == NULL) {
		close(fd);
		return -ENOMEM;
	}
	memset(u, 0, offsetof(struct unpack, packed));
	u->fd = fd;
	*ret = u;
	return 0;
}

void unpack_close(struct unpack *u)
{
	if (u == NULL)
		return;
	if (u->state != NULL)
		u->kind->packing->free(u->state);
	close(u->fd);
	free(u);
}

uint64_t unpack_taken(const struct unpack *u)
{
	return u->taken;
}

/* 0 at the end. */
static ssize_t read_some(struct unpack *u, void *buf, size_t len)
{
	ssize_t n;

	if (u->at_end)
		return 0;
	do
		n = read(u->fd, buf, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	u->at_end = n == 0;
	u->taken += (uint64_t)n;
	return n;
}

/* Reads until `want` bytes wait, or the end. 0 or -errno. */
static int fill(struct unpack *u, size_t want)
{
	if (u->have - u->at >= want)
		return 0;
	memmove(u->packed, u->packed + u->at, u->have - u->at);
	u->have -= u->at;
	u->at = 0;
	while (u->have < want) {
		ssize_t n = read_some(u, u->packed + u->have, sizeof(u->packed) - u->have);

		if (n <= 0)
			return (int)n;
		u->have += (size_t)n;
	}
	return 0;
}

static const struct kind *kind_of(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct kind *k = &kinds[i];

		if (len >= k->len && (head[0] & k->mask0) == k->magic[0] &&
			memcmp(head + 1, k->magic + 1, k->len - 1) == 0)
			return k;
	}
	return NULL;
}

static int look(struct unpack *u)
{
	int r = fill(u, MAGIC_MAX);

	if (r < 0)
		return r;
	u->looked = true;
	u->kind = kind_of(u->packed + u->at, u->have - u->at);
	if (u->kind == NULL)
		return 0;
	if (u->kind->packing == NULL)
		return -ENOTSUP;
	u->state = u->kind->packing->new ();
	return u->state != NULL ? 0 : -ENOMEM;
}

/* A member has ended: is there another? 1, 0 at the end, or -errno. */
static int next_member(struct unpack *u)
{
	const struct kind *k;
	int r;

	/* Tapes and xz fill up with zeros. */
	do {
		while (u->at < u->have && u->packed[u->at] == 0)
			u->at++;
		r = fill(u, 1);
		if (r < 0)
			return r;
	} while (u->at < u->have && u->packed[u->at] == 0);
	r = fill(u, MAGIC_MAX);
	if (r < 0)
		return r;
	if (u->at == u->have)
		return 0;
	k = kind_of(u->packed + u->at, u->have - u->at);
	if (k == NULL || k->packing != u->kind->packing)
		return -EBADMSG;
	r = k->packing->reset(u->state);
	return r < 0 ? r : 1;
}

static ssize_t read_packed(struct unpack *u, void *buf, size_t len)
{
	struct packing_bytes b = {.out = buf, .out_left = len};
	int r;

	for (;;) {
		size_t before;

		if (!u->in_member) {
			r = next_member(u);
			if (r <= 0)
				return r;
			u->in_member = true;
		}
		r = fill(u, 1);
		if (r < 0)
			return r;
		b.in = u->packed + u->at;
		b.in_left = before = u->have - u->at;
		r = u->kind->packing->step(u->state, &b);
		u->at += before - b.in_left;
		u->in_member = r != PACKING_END;
		if (b.out_left < len)
			return (ssize_t)(len - b.out_left);
		if (r < 0)
			return r;
		if (u->in_member && before == 0)
			return -ENODATA;
	}
}

static ssize_t read_plain(struct unpack *u, void *buf, size_t len)
{
	size_t n = u->have - u->at;

	if (n == 0)
		return read_some(u, buf, len);
	if (n > len)
		n = len;
	memcpy(buf, u->packed + u->at, n);
	u->at += n;
	return (ssize_t)n;
}

ssize_t unpack_read(struct unpack *u, void *buf, size_t len)
{
	ssize_t n = u->error;

	if (n == 0 && !u->looked)
		n = look(u);
	if (n == 0)
		n = u->kind != NULL ? read_packed(u, buf, len) : read_plain(u, buf, len);
	u->error = n < 0 ? (int)n : 0;
	return n;
}

ssize_t unpack_peek(const struct unpack *u, void *buf, size_t len, uint64_t off)
{
	ssize_t n;

	if (u->kind != NULL)
		return -ESPIPE;
	do
		n = pread(u->fd, buf, len, (off_t)off);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}
