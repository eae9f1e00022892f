/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/trial.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "cli/logfile.h"
#include "cli/say.h"
#include "match/date.h"
#include "match/window.h"
#include "source/container.h"
#include "source/tail.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* An undated line counts as the last dated one while that is no older than this: fail2ban's way. */
#define UNDATED_US (60 * USEC_PER_SEC)

struct trial {
	struct cli *c;
	const struct trial_conf *conf;
	struct window *window; /* of the filter's maxlines, NULL for 1 */
	struct date_finder *dates;
	int64_t last_us; /* the last date read, 0 none */
	uint64_t lines, undated, verdicts[VERDICT_MATCH + 1];
	enum container kind; /* of the input, by its first line */
	struct container_line
		*pieces; /* of lines under way, one a stream; only for a container's */
	char text[TAIL_LINE_MAX];
};

struct container_line {
	size_t len;
	char text[TAIL_LINE_MAX];
};

static const char *const verdict_names[] = {
	[VERDICT_MISS] = "miss",
	[VERDICT_IGNORED] = "ignored",
	[VERDICT_NOFAIL] = "nofail",
	[VERDICT_MATCH] = "match",
};

int trial_read_time(int64_t *ret_us, const char *s)
{
	static const struct conf_text patterns = {
		.text = "^%Y-%m-%d[T ]%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?$\n{^LN-BEG}"};
	struct date_patterns *p = NULL;
	struct date_finder *f = NULL;
	struct faults faults = {0};
	struct stamp stamp;
	int r = -EINVAL;

	if (date_patterns_new(&p, &patterns, NULL, &faults) == 0 &&
		(f = date_finder_new(p)) != NULL &&
		date_find(f, s, strlen(s), clock_wall_us(), &stamp) == DATE_FOUND &&
		stamp.off == 0 && stamp.len == strlen(s)) {
		*ret_us = stamp.time_us;
		r = 0;
	}
	date_finder_free(f);
	date_patterns_free(p);
	faults_done(&faults);
	return r;
}

/* Local time without zone, microseconds if there are any. */
static void format_time(int64_t time_us, char *buf, size_t size)
{
	int64_t sec = time_us / USEC_PER_SEC, us = time_us % USEC_PER_SEC;
	struct tm tm;
	time_t t;
	size_t len;

	if (us < 0) {
		us += USEC_PER_SEC;
		sec--;
	}
	t = (time_t)sec;
	buf[0] = '\0';
	if (localtime_r(&t, &tm) == NULL)
		return;
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	if (us != 0)
		snprintf(buf + len, size - len, ".%06lld", (long long)us);
}

static json_t *fields_json(const struct match *m)
{
	json_t *fields = json_object(), *users = json_array();

	for (size_t i = 0; i < m->n_fields; i++)
		json_object_set_new(fields, m->fields[i].name,
			cli_json_text(m->fields[i].value, m->fields[i].len));
	for (size_t i = 0; i < m->n_users; i++)
		json_array_append_new(users, cli_json_text(m->users[i].value, m->users[i].len));
	if (m->n_users > 0)
		json_object_set(fields, "users", users);
	json_decref(users);
	json_object_set_new(fields, "attempts", json_integer(m->attempts));
	return fields;
}

static json_t *ip_json(const struct match *m)
{
	char text[PREFIX_STRLEN];
	struct prefix block;

	if (m->has_addr && !m->is_id) {
		block = prefix_of(&m->addr, m->prefix_len);
		return json_string(prefix_format(&block, text));
	}
	return m->host != NULL ? cli_json_text(m->host, m->host_len) : json_null();
}

static void print_json(
	struct trial *t, enum verdict verdict, const struct match *m, const char *when)
{
	bool found = verdict == VERDICT_MATCH || verdict == VERDICT_NOFAIL;
	json_t *line = json_pack("{s:I, s:s, s:o, s:s?, s:o}", "line", (json_int_t)t->lines,
		"verdict", verdict_names[verdict], "ip", found ? ip_json(m) : json_null(), "time",
		when, "fields", found ? fields_json(m) : json_object());

	cli_json(t->c, line);
	json_decref(line);
}

static void print_line(
	struct trial *t, enum verdict verdict, const struct match *m, const char *line, size_t len)
{
	static const enum cli_style styles[] = {
		[VERDICT_MISS] = STYLE_DIM,
		[VERDICT_IGNORED] = STYLE_DIM,
		[VERDICT_NOFAIL] = STYLE_WARN,
		[VERDICT_MATCH] = STYLE_BAD,
	};
	char addr[ADDR_STRLEN] = "-";
	struct cli *c = t->c;

	if (verdict >= VERDICT_NOFAIL && m->has_addr && !m->is_id)
		addr_format(&m->addr, addr);
	else if (verdict >= VERDICT_NOFAIL && m->host != NULL)
		text_escape(addr, sizeof(addr), m->host, m->host_len);
	fprintf(c->out, "%s%-7s%s  %-15s  ", cli_style(c, styles[verdict]), verdict_names[verdict],
		cli_style(c, STYLE_PLAIN), addr);
	cli_text(c->out, line, len);
	fputc('\n', c->out);
}

static void print_label(struct trial *t, const char *label)
{
	fprintf(t->c->out, "         %s%-10s%s ", cli_style(t->c, STYLE_DIM), label,
		cli_style(t->c, STYLE_PLAIN));
}

static void print_date(
	struct trial *t, enum date_found found, const struct stamp *stamp, const char *line)
{
	char when[40];

	print_label(t, "date");
	if (found == DATE_FOUND) {
		format_time(stamp->time_us, when, sizeof(when));
		fprintf(t->c->out, "%s, written at column %zu: ", when, stamp->off + 1);
	} else if (found == DATE_UNREADABLE) {
		fprintf(t->c->out, "there is no such time, at column %zu: ", stamp->off + 1);
	} else {
		fputs(found == DATE_EMPTY ? "none, and none is wanted\n" : "none is found\n",
			t->c->out);
		return;
	}
	cli_text(t->c->out, line + stamp->off, stamp->len);
	fputc('\n', t->c->out);
}

/* With quotes where it is not seen otherwise where the text begins and ends. */
static void print_quoted(struct trial *t, const char *text, size_t len, bool quotes)
{
	fputs(quotes ? "\"" : "", t->c->out);
	cli_text(t->c->out, text, len);
	fputs(quotes ? "\"" : "", t->c->out);
}

/* How far a line came that did not match. */
static void print_miss(struct trial *t)
{
	const struct filter_def *def = t->conf->def;
	size_t len;
	const char *text = filter_looked_at(t->conf->filter, &len);

	if (def->heads != NULL && text == NULL) {
		print_label(t, "rule");
		fputs("sees nothing: a syslog daemon writes 'DATE HOST TAG[PID]: TEXT'\n",
			t->c->out);
		return;
	}
	if (def->prefregex.text != NULL && def->heads == NULL) {
		print_label(t, "prefregex");
		if (text == NULL) {
			fputs("does not match it\n", t->c->out);
			return;
		}
		fputs("matches, and leaves: ", t->c->out);
		print_quoted(t, text, len, len > 0 && (text[0] == ' ' || text[len - 1] == ' '));
		fputc('\n', t->c->out);
	}
	print_label(t, def->heads != NULL ? "rule" : "failregex");
	fprintf(t->c->out, "none of %zu matches\n", def->n_failregex);
}

static void print_regex(struct trial *t, const char *what, const struct conf_text *list, unsigned i)
{
	struct where where = list[i].where;

	print_label(t, what);
	fprintf(t->c->out, "number %u", i + 1);
	if (where.file != NULL) {
		fputs(", ", t->c->out);
		cli_text(t->c->out, where.file, strlen(where.file));
		fprintf(t->c->out, ":%u", where.line);
	}
	fputc('\n', t->c->out);
}

/* By what it matched, and what was captured. */
static void print_found(struct trial *t, const struct match *m)
{
	const struct filter_def *def = t->conf->def;

	print_regex(t, def->heads != NULL ? "rule" : "failregex", def->failregex, m->regex);
	if (def->heads != NULL) {
		print_label(t, "title");
		print_quoted(
			t, def->heads[m->regex]->title, strlen(def->heads[m->regex]->title), false);
		fputc('\n', t->c->out);
	}
	if (m->n_fields == 0)
		return;
	print_label(t, "fields");
	for (size_t i = 0; i < m->n_fields; i++) {
		const struct match_field *one = &m->fields[i];

		fprintf(t->c->out, "%s%s=", i > 0 ? "  " : "", one->name);
		print_quoted(t, one->value, one->len,
			one->len == 0 || memchr(one->value, ' ', one->len) != NULL);
	}
	fputc('\n', t->c->out);
}

/* A line as it stands before its filter. */
struct dated {
	enum date_found found;
	struct stamp stamp;
	const char *text; /* what is to be matched */
	size_t text_len;
};

static void explain(struct trial *t, enum verdict verdict, const struct match *m, const char *line,
	const struct dated *d)
{
	print_date(t, d->found, &d->stamp, line);
	print_label(t, "text");
	print_quoted(t, d->text, d->text_len,
		d->text_len > 0 && (d->text[0] == ' ' || d->text[d->text_len - 1] == ' '));
	fputc('\n', t->c->out);
	if (verdict == VERDICT_MISS)
		print_miss(t);
	else if (verdict == VERDICT_IGNORED)
		print_regex(t, "ignored by", t->conf->def->ignoreregex, m->regex);
	else if (verdict >= VERDICT_NOFAIL)
		print_found(t, m);
}

/* runtime_us: when a container's runtime got the line, 0: none did. */
static void judge(struct trial *t, const char *line, size_t len, int64_t runtime_us)
{
	int64_t now_us = t->conf->now_us != 0 ? t->conf->now_us : clock_wall_us();
	struct dated d = {.text = line, .text_len = len};
	struct match m = {0};
	char when[40] = "";
	enum verdict verdict;
	bool follows = t->last_us > now_us - UNDATED_US;

	d.found = t->conf->undated ? DATE_NONE : date_find(t->dates, line, len, now_us, &d.stamp);
	/* What is no time stays in a line that goes with the one before. */
	if (d.found == DATE_FOUND || (d.found == DATE_UNREADABLE && !follows)) {
		memcpy(t->text, line, d.stamp.off);
		memcpy(t->text + d.stamp.off, line + d.stamp.off + d.stamp.len,
			len - d.stamp.off - d.stamp.len);
		d.text = t->text;
		d.text_len = len - d.stamp.len;
	}
	if (runtime_us != 0) {
		d.stamp.time_us = d.found == DATE_FOUND
					  ? container_time(runtime_us, d.stamp.time_us, d.stamp.off)
					  : runtime_us;
	} else if (d.found == DATE_FOUND) {
		t->last_us = d.stamp.time_us;
	} else {
		t->undated += !t->conf->undated;
		d.stamp.time_us = follows ? t->last_us : now_us;
	}
	verdict = filter_judge(t->conf->filter, t->window, d.text, d.text_len, now_us, &m);
	t->verdicts[verdict]++;
	if (t->c->json) {
		if (d.found == DATE_FOUND || runtime_us != 0 || verdict >= VERDICT_NOFAIL)
			format_time(d.stamp.time_us, when, sizeof(when));
		print_json(t, verdict, &m, when[0] != '\0' ? when : NULL);
		return;
	}
	print_line(t, verdict, &m, line, len);
	if (t->conf->verbose)
		explain(t, verdict, &m, line, &d);
}

/* A line of a container's log: what the program wrote of its line so far, whole or not. */
static void judge_piece(struct trial *t, const struct container_piece *p)
{
	struct container_line *l = &t->pieces[p->stream];
	size_t room = sizeof(l->text) - l->len, len = p->len < room ? p->len : room;
	struct match none = {0};

	memcpy(l->text + l->len, p->text, len);
	l->len += len;
	if (p->open) {
		t->verdicts[VERDICT_MISS]++;
		if (t->c->json)
			print_json(t, VERDICT_MISS, &none, NULL);
		else
			print_line(t, VERDICT_MISS, &none, l->text, l->len);
		return;
	}
	judge(t, l->text, l->len, p->time_us);
	l->len = 0;
}

/* A line of the input. 0, -ENOMEM, or -EPIPE when nobody reads any more. */
static int take_line(void *arg, const char *line, size_t len)
{
	struct trial *t = arg;
	struct container_piece p;

	if (t->lines++ == 0 && !container_is_meant(t->conf->def))
		t->kind = container_detect(line, len);
	if (t->kind != CONTAINER_NONE && t->pieces == NULL) {
		t->pieces = calloc(CONTAINER_STREAMS, sizeof(*t->pieces));
		if (t->pieces == NULL)
			return -ENOMEM;
	}
	if (container_read(t->kind, t->text, sizeof(t->text), line, len, &p))
		judge_piece(t, &p);
	else
		judge(t, line, len < TAIL_LINE_MAX ? len : TAIL_LINE_MAX, 0);
	/* A reader that has seen enough ends us, also where SIGPIPE is ignored. */
	return ferror(t->c->out) ? -EPIPE : 0;
}

static void print_sums(const struct trial *t)
{
	const struct filter_stats *stats = filter_stats(t->conf->filter);
	const struct {
		const char *what;
		uint64_t n;
		bool always;
	} sums[] = {
		{"lines", t->lines, true},
		{"match", t->verdicts[VERDICT_MATCH], true},
		{"nofail", t->verdicts[VERDICT_NOFAIL], false},
		{"ignored", t->verdicts[VERDICT_IGNORED], false},
		{"miss", t->verdicts[VERDICT_MISS], true},
		{"without a date", t->undated, false},
		{"not judged: a regex met its limits", stats->limit_hits + date_stats()->limit_hits,
			false},
	};
	char count[SAY_MAX];

	if (t->lines > 0)
		fputc('\n', t->c->out);
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		if (sums[i].always || sums[i].n > 0)
			fprintf(t->c->out, "%12s  %s\n", say_count((int64_t)sums[i].n, count),
				sums[i].what);
	}
}

static void print_end(const struct trial *t)
{
	const struct filter_stats *stats = filter_stats(t->conf->filter);

	if (!t->c->json)
		print_sums(t);
	else if (stats->limit_hits > 0)
		cli_complain(t->c, "%llu lines were not judged: a regex met its limits",
			(unsigned long long)stats->limit_hits);
}

int trial_run(struct cli *c, const struct trial_conf *conf, int fd)
{
	struct trial *t = calloc(1, sizeof(*t));
	unsigned maxlines = filter_maxlines(conf->filter);
	const char *unfit = NULL;
	int r = -ENOMEM;

	if (t == NULL)
		goto done;
	*t = (struct trial) {.c = c, .conf = conf, .dates = date_finder_new(conf->dates)};
	if (maxlines > 1)
		t->window = window_new(maxlines);
	if (t->dates == NULL || (maxlines > 1 && t->window == NULL))
		goto done;
	r = logfile_read(TAKE_FD(fd), conf->charset, take_line, t, &unfit);
	r = r == -EPIPE ? 0 : r;
	if (r == 0)
		print_end(t);
done:
	if (fd >= 0)
		close(fd);
	if (r == -EMEDIUMTYPE)
		cli_complain(c, "this is no log but %s: unpack it and pipe it in", unfit);
	else if (r < 0)
		cli_complain(c, "cannot read the lines: %s", strerror(-r));
	r = r < 0 ? CLI_USAGE : t->verdicts[VERDICT_MATCH] > 0 ? CLI_GOOD : CLI_NO;
	if (t != NULL) {
		date_finder_free(t->dates);
		window_free(t->window);
		free(t->pieces);
	}
	free(t);
	return r;
}
