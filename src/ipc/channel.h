/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;

/*
 * One end of a SOCK_SEQPACKET pair between two of our processes: typed, bounded messages, at most
 * one descriptor each, queued when the other side is slow.
 */
struct channel;

#define CHANNEL_BODY_MAX (65536 + 1024) /* the longest line, and what is said of it */

/* Queued beyond this, the other side does not read: the channel ends. */
#define CHANNEL_QUEUE_MAX (64u << 20)
#define CHANNEL_QUEUE_FDS_MAX 8192

/*
 * A message arrived; body is borrowed, aligned to 8 bytes, fd is -1 or the receiver's own now. A
 * descriptor that could not be taken (too many open files) is CHANNEL_FD_LOST. Returning <0 ends
 * the channel (a message unknown, ill-sized or not permitted).
 */
#define CHANNEL_FD_LOST (-2)
typedef int channel_fn(void *arg, uint32_t type, const void *body, size_t len, int fd);

/* The other side is gone or sent nonsense; called once, nothing more comes. The owner frees it
 * later. */
typedef void channel_end_fn(void *arg, const char *why);

/* Takes over fd (non-blocking from now on); NULL when out of memory: fd is then the caller's still.
 */
struct channel *channel_new(
	struct event_base *base, int fd, channel_fn *fn, channel_end_fn *end, void *arg);

/* Closes; what is queued is lost. Takes NULL. */
void channel_free(struct channel *c);

/*
 * Sends or queues; fd (-1: none) is duplicated, the caller keeps its own. Returns 0, -EPIPE when
 * the channel has ended, -ENOMEM, -EMSGSIZE, or -ENOBUFS when too much is queued already: the
 * channel then ends at the next turn of the loop.
 */
int channel_send(struct channel *c, uint32_t type, const void *body, size_t len, int fd);

/* Blocks until the queue is empty or timeout_ms has passed. 0, -ETIMEDOUT or -EPIPE. */
int channel_flush(struct channel *c, int timeout_ms);

/* What comes waits with the sender, or goes on (the start). */
void channel_hold(struct channel *c, bool hold);

/* Bytes waiting in the queue. */
size_t channel_queued(const struct channel *c);
