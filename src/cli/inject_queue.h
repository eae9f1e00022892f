/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/*
 * Messages that wait to be sent, and those sent that the other side has not confirmed, in their
 * order and bounded. Positions are bytes since the start.
 */
struct inject_queue {
	char *data; /* the ring is mapped twice, one after the other: every message is in one piece
		     */
	size_t size;
	uint32_t *lens; /* of each message */
	size_t n_lens;  /* a power of two */
	uint64_t head, sent, tail;
	uint64_t head_msg, sent_msg, tail_msg; /* messages, those sent in whole */
	uint64_t sent_at;                      /* where the message sent_msg begins */
};

/* Bytes are rounded up to whole pages. 0 or -errno. */
int inject_queue_init(struct inject_queue *q, size_t bytes);
void inject_queue_done(struct inject_queue *q);

/* Where a message of at most len bytes can be written, or NULL: there is no room. */
char *inject_queue_room(struct inject_queue *q, size_t len);

/* It has been written, and has this length (above 0). */
void inject_queue_add(struct inject_queue *q, size_t len);

/* Bytes that are taken. */
size_t inject_queue_used(const struct inject_queue *q);

/* Messages of which not everything was sent. */
uint64_t inject_queue_unsent(const struct inject_queue *q);

/* All that is to be sent, one piece; for streams. */
const char *inject_queue_bytes(const struct inject_queue *q, size_t *ret_len);

/* The next messages to be sent, a piece each, at most max; returns how many. */
size_t inject_queue_pieces(const struct inject_queue *q, struct iovec *iov, size_t max);

/* So many bytes were sent. */
void inject_queue_sent(struct inject_queue *q, size_t bytes);

/* Forgets messages all of whose bytes were sent, but the last `keep` bytes sent. */
void inject_queue_release(struct inject_queue *q, size_t keep);

/* What was sent since the last release is to be sent again. */
void inject_queue_rewind(struct inject_queue *q);

/* The same for the last n messages of it. */
void inject_queue_rewind_last(struct inject_queue *q, uint64_t n);
