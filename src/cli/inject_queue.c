/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject_queue.h"

#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define SHORT_MESSAGE 32 /* bytes; of shorter ones fewer fit than there is room for */

static char *map_twice(size_t size)
{
	_cleanup_close_ int fd = memfd_create("inject", MFD_CLOEXEC);
	char *p;

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		return MAP_FAILED;
	p = mmap(NULL, size * 2, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return p;
	for (size_t i = 0; i < 2; i++)
		if (mmap(p + i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			    0) == MAP_FAILED) {
			munmap(p, size * 2);
			return MAP_FAILED;
		}
	return p;
}

int inject_queue_init(struct inject_queue *q, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*q = (struct inject_queue) {.size = (bytes + page - 1) / page * page, .n_lens = 1};
	while (q->n_lens < q->size / SHORT_MESSAGE)
		q->n_lens *= 2;
	q->data = map_twice(q->size);
	if (q->data == MAP_FAILED) {
		q->data = NULL;
		return -errno;
	}
	/* Untouched it costs nothing. */
	q->lens = calloc(q->n_lens, sizeof(*q->lens));
	if (q->lens == NULL) {
		inject_queue_done(q);
		return -ENOMEM;
	}
	return 0;
}

void inject_queue_done(struct inject_queue *q)
{
	if (q->data != NULL)
		munmap(q->data, q->size * 2);
	free(q->lens);
	*q = (struct inject_queue) {0};
}

static uint32_t *len_of(const struct inject_queue *q, uint64_t msg)
{
	return &q->lens[msg & (q->n_lens - 1)];
}

char *inject_queue_room(struct inject_queue *q, size_t len)
{
	if (q->size - inject_queue_used(q) < len || q->tail_msg - q->head_msg == q->n_lens)
		return NULL;
	return q->data + q->tail % q->size;
}

void inject_queue_add(struct inject_queue *q, size_t len)
{
	*len_of(q, q->tail_msg++) = (uint32_t)len;
	q->tail += len;
}

size_t inject_queue_used(const struct inject_queue *q)
{
	return (size_t)(q->tail - q->head);
}

uint64_t inject_queue_unsent(const struct inject_queue *q)
{
	return q->tail_msg - q->sent_msg;
}

const char *inject_queue_bytes(const struct inject_queue *q, size_t *ret_len)
{
	*ret_len = (size_t)(q->tail - q->sent);
	return q->data + q->sent % q->size;
}

size_t inject_queue_pieces(const struct inject_queue *q, struct iovec *iov, size_t max)
{
	uint64_t at = q->sent;
	size_t n = 0;

	for (; n < max && q->sent_msg + n < q->tail_msg; n++) {
		iov[n].iov_base = q->data + at % q->size;
		iov[n].iov_len = *len_of(q, q->sent_msg + n);
		at += iov[n].iov_len;
	}
	return n;
}

void inject_queue_sent(struct inject_queue *q, size_t bytes)
{
	q->sent += bytes;
	while (q->sent_msg < q->tail_msg && q->sent_at + *len_of(q, q->sent_msg) <= q->sent)
		q->sent_at += *len_of(q, q->sent_msg++);
}

void inject_queue_release(struct inject_queue *q, size_t keep)
{
	while (q->head_msg < q->sent_msg && q->head + *len_of(q, q->head_msg) + keep <= q->sent)
		q->head += *len_of(q, q->head_msg++);
	/* From the start again: the same few pages stay in the cache. */
	if (q->head == q->tail) {
		q->head = q->sent = q->sent_at = q->tail = 0;
		q->head_msg = q->sent_msg = q->tail_msg = 0;
	}
}

void inject_queue_rewind(struct inject_queue *q)
{
	q->sent = q->sent_at = q->head;
	q->sent_msg = q->head_msg;
}

void inject_queue_rewind_last(struct inject_queue *q, uint64_t n)
{
	q->sent = q->sent_at;
	for (; n > 0 && q->sent_msg > q->head_msg; n--)
		q->sent_at -= *len_of(q, --q->sent_msg);
	q->sent = q->sent_at;
}
