/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/syslog.h"

#include "base/clock.h"
#include "base/sockaddr.h"
#include "guard/senders.h"
#include "source/syslog_date.h"
#include "source/syslog_wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Lines are judged when there are so many of them, or when nothing more comes. */
#define BLOCK_BYTES 32768
#define BLOCK_LINES 1024
#define NAMES_BYTES 16384
#define BLOCK_REPEATED 256
#define NAME_BYTES 256 /* of a name that jails may ask for; longer ones are nobody's */

/* What the message of a line said of where it is from, as far as jails may ask. */
struct line_origin {
	size_t off; /* of the line in the block */
	int facility;
	struct syslog_sender sender;
	struct syslog_part program, host;
};

/* A line that stands for several. */
struct repeated {
	size_t off;
	unsigned times;
};

/* One listener's lines of one form, and who reads them. */
struct feed {
	struct source source;
	bool has_conditions; /* a jail has some */
	bool one_by_one;     /* a jail has some, and looks at several lines together */
	char *text;          /* the block: BLOCK_BYTES and a line more */
	size_t len;
	struct line_origin *lines; /* BLOCK_LINES, if there are conditions */
	size_t n_lines;
	struct repeated repeated[BLOCK_REPEATED];
	size_t n_repeated;
	char *names; /* NAMES_BYTES and two names more, if there are conditions */
	size_t n_names;
};

struct syslog_listener {
	struct guard *g;
	struct feed feeds[SYSLOG_FORMS]; /* whole lines, and texts alone */
	struct syslog_counts counts;
	char now[40]; /* the present second, for messages without a date */
	int64_t now_sec;
	int year; /* of that second */
};

static const struct syslog_want *want_of(const struct feed *f, const struct guard *g, size_t i)
{
	return &g->rs->jails[f->source.jails[i].jail].syslog;
}

static int feed_init(struct feed *f, struct guard *g, const char *name, bool text_only)
{
	if (source_init(&f->source, name) < 0)
		return -ENOMEM;
	f->source.live = true;
	f->source.is_bare = text_only;
	f->source.way = WAY_SYSLOG;
	for (size_t i = 0; i < g->rs->n_jails; i++) {
		const struct jail *j = &g->rs->jails[i];

		if ((j->sources & SOURCE_SYSLOG) == 0 || j->syslog.text_only != text_only)
			continue;
		if (source_add_jail(g, &f->source, (uint16_t)i) < 0)
			return -ENOMEM;
		if (syslog_has_conditions(&j->syslog)) {
			f->has_conditions = true;
			f->one_by_one |= filter_maxlines(g->jails[i].filter) > 1;
		}
	}
	if (f->source.n_jails == 0)
		return 0;
	f->text = malloc(BLOCK_BYTES + TAIL_LINE_MAX + 1);
	if (f->text == NULL)
		return -ENOMEM;
	if (!f->has_conditions)
		return 0;
	f->lines = calloc(BLOCK_LINES, sizeof(*f->lines));
	f->names = malloc(NAMES_BYTES + 2 * NAME_BYTES);
	return f->lines == NULL || f->names == NULL ? -ENOMEM : 0;
}

static void feed_done(struct feed *f)
{
	source_done(&f->source);
	free(f->text);
	free(f->lines);
	free(f->names);
}

static void free_listener(struct syslog_listener *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < SYSLOG_FORMS; i++)
		feed_done(&l->feeds[i]);
	free(l);
}

/* The time as RFC 3339 has it, which says its distance from UTC itself. */
static struct syslog_part now_text(struct syslog_listener *l)
{
	int64_t now_sec = clock_wall_us() / USEC_PER_SEC;
	time_t sec = (time_t)now_sec;
	struct tm tm;
	size_t n;

	if (now_sec != l->now_sec) {
		l->now_sec = now_sec;
		localtime_r(&sec, &tm);
		l->year = tm.tm_year + 1900;
		n = strftime(l->now, sizeof(l->now) - 1, "%Y-%m-%dT%H:%M:%S%z", &tm);
		/* "+0100" to "+01:00" */
		if (n > 2) {
			memmove(l->now + n - 1, l->now + n - 2, 3);
			l->now[n - 2] = ':';
		}
	}
	return (struct syslog_part) {l->now, strlen(l->now)};
}

static struct syslog_listener *new_listener(struct guard *g, size_t listen)
{
	struct syslog_listener *l = calloc(1, sizeof(*l));
	const char *url = g->rs->syslog.listen[listen].url;

	if (l == NULL)
		return NULL;
	l->g = g;
	l->now_sec = -1;
	now_text(l);
	for (size_t i = 0; i < SYSLOG_FORMS; i++) {
		if (feed_init(&l->feeds[i], g, url, i != 0) < 0) {
			free_listener(l);
			return NULL;
		}
	}
	return l;
}

int syslog_init(struct guard *g)
{
	if (g->rs->syslog.rate > 0 && (g->senders = senders_new(g->rs->syslog.rate)) == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < g->o->n_listen; i++) {
		g->listeners[i] = new_listener(g, i);
		if (g->listeners[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

void syslog_done(struct guard *g)
{
	for (size_t i = 0; i < g->o->n_listen; i++)
		free_listener(g->listeners[i]);
	senders_free(g->senders);
}

struct syslog_counts *syslog_listener_counts(struct syslog_listener *l)
{
	return &l->counts;
}

const struct source *syslog_listener_source(const struct syslog_listener *l, size_t form)
{
	const struct source *s = &l->feeds[form].source;

	return s->n_jails > 0 ? s : NULL;
}

struct syslog_sender syslog_sender_of(const struct sockaddr_storage *from)
{
	struct syslog_sender sender = {0};

	sender.is_local = sockaddr_get((const struct sockaddr *)from, &sender.addr) < 0;
	return sender;
}

bool syslog_may_send(const struct guard *g, const struct syslog_sender *sender)
{
	const struct prefixset *from = &g->rs->syslog.from;

	return sender->is_local || from->n == 0 || prefixset_contains(from, &sender->addr);
}

/* The message's own, if it can be read and may be right; else now. */
static struct syslog_part date_of(struct syslog_listener *l, const struct syslog_msg *m)
{
	int year = l->year;
	struct syslog_part now;

	if (syslog_date_fits(m->date, year))
		return m->date;
	now = now_text(l);
	return l->year != year && syslog_date_fits(m->date, l->year) ? m->date : now;
}

static bool is_for(
	const struct feed *f, const struct guard *g, size_t jail, const struct line_origin *o)
{
	const struct syslog_msg m = {
		.facility = o->facility, .program = o->program, .host = o->host};

	return syslog_is_wanted(
		want_of(f, g, jail), &m, o->sender.is_local ? NULL : &o->sender.addr);
}

/* A block under way. */
struct gate {
	const struct feed *f;
	const struct guard *g;
};

/* As judge_for_fn. */
static bool line_is_for(void *arg, size_t off, size_t jail)
{
	const struct gate *gate = arg;
	const struct feed *f = gate->f;
	size_t lo = 0, hi = f->n_lines;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->lines[mid].off <= off)
			lo = mid;
		else
			hi = mid;
	}
	return is_for(f, gate->g, jail, &f->lines[lo]);
}

/* As judge_times_fn. */
static unsigned line_times(void *arg, size_t off)
{
	const struct gate *gate = arg;

	for (size_t i = 0; i < gate->f->n_repeated; i++)
		if (gate->f->repeated[i].off == off)
			return gate->f->repeated[i].times;
	return 1;
}

static void judge_feed(struct guard *g, struct feed *f)
{
	struct gate gate = {f, g};

	if (f->len > 0)
		judge_text(g, &f->source, f->text, f->len, f->has_conditions ? line_is_for : NULL,
			f->n_repeated > 0 ? line_times : NULL, &gate);
	f->len = f->n_lines = f->n_names = f->n_repeated = 0;
}

static void judge_alone(struct guard *g, struct feed *f)
{
	for (size_t i = 0; i < f->source.n_jails; i++)
		f->source.off[i] = !is_for(f, g, i, &f->lines[0]);
	judge_line(g, &f->source, f->text, f->len - 1, NULL);
	f->len = f->n_lines = f->n_names = f->n_repeated = 0;
}

static struct syslog_part keep_name(struct feed *f, struct syslog_part name)
{
	size_t len = name.len < NAME_BYTES ? name.len : NAME_BYTES;
	char *to = f->names + f->n_names;

	if (len > 0)
		memcpy(to, name.p, len);
	f->n_names += len;
	return (struct syslog_part) {to, len};
}

static void keep_origin(
	struct feed *f, const struct syslog_sender *sender, const struct syslog_msg *m)
{
	f->lines[f->n_lines++] = (struct line_origin) {
		.off = f->len,
		.facility = m->facility,
		.sender = *sender,
		.program = keep_name(f, m->program),
		.host = keep_name(f, m->host),
	};
}

static void feed_take(struct syslog_listener *l, struct feed *f, const struct syslog_sender *sender,
	const struct syslog_msg *m, struct syslog_part host)
{
	char *to = f->text + f->len;
	size_t len;

	if (f->has_conditions)
		keep_origin(f, sender, m);
	if (m->times > 1)
		f->repeated[f->n_repeated++] = (struct repeated) {f->len, m->times};
	if (f == &l->feeds[0])
		len = syslog_line(to, TAIL_LINE_MAX, m, m->date, host);
	else
		len = syslog_text(to, TAIL_LINE_MAX, m);
	to[len] = '\n';
	f->len += len + 1;
	if (f->one_by_one)
		judge_alone(l->g, f);
	else if (f->len >= BLOCK_BYTES || f->n_lines == BLOCK_LINES ||
		 f->n_repeated == BLOCK_REPEATED || f->n_names >= NAMES_BYTES)
		judge_feed(l->g, f);
}

/* More from there than may come? */
static bool is_over_rate(struct guard *g, const struct syslog_sender *sender)
{
	return g->senders != NULL && !sender->is_local &&
	       !senders_take(g->senders, &sender->addr, clock_mono_us());
}

void syslog_take(
	struct syslog_listener *l, const struct syslog_sender *sender, const char *msg, size_t len)
{
	static const struct syslog_part local = {"localhost", 9};
	struct syslog_part host = local;
	char text[ADDR_STRLEN];
	struct syslog_msg m;

	if (is_over_rate(l->g, sender)) {
		l->counts.over_rate++;
		return;
	}
	l->counts.messages++;
	syslog_parse(&m, msg, len);
	if (m.host.len == 0 && !sender->is_local) {
		host.p = addr_format(&sender->addr, text);
		host.len = strlen(text);
	}
	if (l->feeds[0].text != NULL)
		m.date = date_of(l, &m);
	for (size_t i = 0; i < SYSLOG_FORMS; i++)
		if (l->feeds[i].text != NULL)
			feed_take(l, &l->feeds[i], sender, &m, host);
}

void syslog_flush(struct syslog_listener *l)
{
	for (size_t i = 0; i < SYSLOG_FORMS; i++)
		judge_feed(l->g, &l->feeds[i]);
}
