/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections for syslog between two guards: the one that leaves hands them over, and the next is
 * born with them. keeper never reads from them.
 */
#include "base/util.h"
#include "keeper/internal.h"
#include "source/frames.h"

#include <string.h>

/* What can come of frames that are not whole. */
#define KEPT_MAX ((size_t)STREAMS_MAX * FRAMES_SMALL + STREAMS_LONG_MAX)

static void let_go(struct keeper *k, size_t i)
{
	struct guard_stream *s = &k->held[i];

	close(s->fd);
	k->held_bytes -= s->n_kept;
	free(s->m);
	*s = k->held[--k->n_held];
}

void held_take(struct keeper *k, const struct msg_stream *m, size_t len, int fd)
{
	size_t n_kept = len - sizeof(*m), max = guard_streams_max(k->plan->rs);
	struct guard_stream *held;
	struct msg_stream *copy;

	if (fd < 0) {
		log_warning("a connection for syslog is lost: too many open files");
		return;
	}
	if (k->state != RELOADING || k->n_held >= max || n_kept > KEPT_MAX - k->held_bytes) {
		close(fd);
		return;
	}
	held = reallocarray(k->held, k->n_held + 1, sizeof(*held));
	copy = malloc(len);
	if (held != NULL)
		k->held = held;
	if (held == NULL || copy == NULL) {
		free(copy);
		close(fd);
		return;
	}
	memcpy(copy, m, len);
	k->held[k->n_held++] = (struct guard_stream) {.fd = fd, .m = copy, .n_kept = n_kept};
	k->held_bytes += n_kept;
}

/* The listener's place in the new list, or -1. */
static int place_of(const struct syslog_settings *new, const char *url)
{
	for (size_t i = 0; i < new->n_listen; i++)
		if (strcmp(new->listen[i].url, url) == 0)
			return (int)i;
	return -1;
}

void held_settle(struct keeper *k, const struct ruleset *old)
{
	const struct syslog_settings *from = &old->syslog, *to = &k->plan->rs->syslog;

	for (size_t i = k->n_held; i-- > 0;) {
		struct msg_stream *m = k->held[i].m;
		int place = m->listener < from->n_listen
				    ? place_of(to, from->listen[m->listener].url)
				    : -1;

		if (place < 0)
			let_go(k, i);
		else
			m->listener = (uint8_t)place;
	}
}

void held_done(struct keeper *k)
{
	while (k->n_held > 0)
		let_go(k, k->n_held - 1);
	free(k->held);
	k->held = NULL;
}
