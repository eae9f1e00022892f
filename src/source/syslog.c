/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog.h"

#include "base/util.h"

#include <stdbool.h>
#include <string.h>

#define PRI_MAX 191 /* facility 23, severity 7 */
#define PROGRAM_MAX 128
#define REPEATED_CUT 800 /* bytes that rsyslog keeps of a text it repeats */

/* What is left to read of a message. */
static void skip(struct syslog_part *r, size_t n)
{
	r->p += n;
	r->len -= n;
}

static void skip_blanks(struct syslog_part *r)
{
	while (r->len > 0 && r->p[0] == ' ')
		skip(r, 1);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "<38>", at most three digits (RFC 5424 6.2.1, RFC 3164 4.1.1). */
static void take_pri(struct syslog_part *r, struct syslog_msg *m)
{
	int pri = 0;
	size_t i = 1;

	if (r->len < 3 || r->p[0] != '<')
		return;
	for (; i < r->len && i < 4 && is_digit(r->p[i]); i++)
		pri = pri * 10 + (r->p[i] - '0');
	if (i == 1 || i >= r->len || r->p[i] != '>')
		return;
	skip(r, i + 1);
	if (pri > PRI_MAX)
		return;
	m->facility = pri >> 3;
	m->severity = pri & 7;
}

/* A word and the one blank after it. False: there is none. */
static bool take_word(struct syslog_part *r, struct syslog_part *ret)
{
	const char *blank = memchr(r->p, ' ', r->len);

	if (blank == NULL || blank == r->p)
		return false;
	*ret = (struct syslog_part) {r->p, (size_t)(blank - r->p)};
	skip(r, ret->len + 1);
	return true;
}

/* STRUCTURED-DATA (RFC 5424 6.3): "-", or elements in brackets with values in quotes. */
static bool skip_structured(struct syslog_part *r)
{
	if (r->len > 0 && r->p[0] == '-') {
		skip(r, 1);
		return true;
	}
	if (r->len == 0 || r->p[0] != '[')
		return false;
	while (r->len > 0 && r->p[0] == '[') {
		bool quoted = false;

		for (; r->len > 0 && (quoted || r->p[0] != ']'); skip(r, 1)) {
			if (r->p[0] == '"')
				quoted = !quoted;
			else if (r->p[0] == '\\' && quoted && r->len > 1)
				skip(r, 1);
		}
		if (r->len == 0)
			return false;
		skip(r, 1);
	}
	return true;
}

/* NILVALUE says nothing (RFC 5424 6.2). */
static struct syslog_part unless_nil(struct syslog_part part)
{
	return part.len == 1 && part.p[0] == '-' ? (struct syslog_part) {0} : part;
}

/* What follows the priority, if it is RFC 5424's; else nothing is said. */
static bool parse_5424(struct syslog_part r, struct syslog_msg *m)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct syslog_part version, date, host, program, pid, id;

	if (r.len < 2 || r.p[0] != '1' || r.p[1] != ' ' || !take_word(&r, &version) ||
		!take_word(&r, &date) || !take_word(&r, &host) || !take_word(&r, &program) ||
		!take_word(&r, &pid) || !take_word(&r, &id) || !skip_structured(&r))
		return false;
	if (r.len > 0 && r.p[0] != ' ')
		return false;
	if (r.len > 0)
		skip(&r, 1);
	if (r.len >= 3 && memcmp(r.p, bom, 3) == 0)
		skip(&r, 3);
	m->date = unless_nil(date);
	m->host = unless_nil(host);
	m->program = unless_nil(program);
	m->pid = unless_nil(pid);
	/* "- " stands in the line, as rsyslog has it: the text must not look like a tag. */
	if (m->program.len == 0)
		m->tag = (struct syslog_part) {program.p, program.len + 1};
	m->text = r;
	return true;
}

/* The length of a pattern at the beginning: '0' a digit, all others themselves. */
static size_t pattern_len(struct syslog_part r, const char *pattern)
{
	size_t n = strlen(pattern);

	if (r.len < n)
		return 0;
	for (size_t i = 0; i < n; i++) {
		char c = r.p[i];
		if (pattern[i] == '0' ? !is_digit(c) : c != pattern[i])
			return 0;
	}
	return n;
}

static struct syslog_part after(struct syslog_part r, size_t n)
{
	skip(&r, n);
	return r;
}

/* ".123456" or ",123" behind a time. */
static size_t fraction_len(struct syslog_part r)
{
	size_t n = 1;

	if (r.len < 2 || (r.p[0] != '.' && r.p[0] != ',') || !is_digit(r.p[1]))
		return 0;
	while (n < r.len && is_digit(r.p[n]))
		n++;
	return n;
}

/* "Z", "+01:00" or "+0100". */
static size_t offset_len(struct syslog_part r)
{
	size_t n;

	if (r.len > 0 && r.p[0] == 'Z')
		return 1;
	if (r.len == 0 || (r.p[0] != '+' && r.p[0] != '-'))
		return 0;
	n = pattern_len(after(r, 1), "00:00");
	if (n == 0)
		n = pattern_len(after(r, 1), "0000");
	return n > 0 ? n + 1 : 0;
}

/* "07:12:49" */
static bool is_clock(struct syslog_part r)
{
	return r.len >= 8 && is_digit(r.p[0]) && is_digit(r.p[1]) && r.p[2] == ':' &&
	       is_digit(r.p[3]) && is_digit(r.p[4]) && r.p[5] == ':' && is_digit(r.p[6]) &&
	       is_digit(r.p[7]);
}

/* "2026-11-20T07:12:49.123+01:00", with a blank for the T as well (RFC 3339 5.6). */
static size_t iso_len(struct syslog_part r)
{
	size_t n = pattern_len(r, "0000-00-00T00:00:00");

	if (n == 0)
		n = pattern_len(r, "0000-00-00 00:00:00");
	if (n == 0)
		return 0;
	n += fraction_len(after(r, n));
	return n + offset_len(after(r, n));
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* "Nov 20 ", "Nov  2 " or "Nov 2 ". */
static size_t day_len(struct syslog_part r)
{
	size_t n = 4;

	if (r.len < 7 || !is_letter(r.p[0]) || !is_letter(r.p[1]) || !is_letter(r.p[2]) ||
		r.p[3] != ' ')
		return 0;
	if (r.p[n] == ' ' || (is_digit(r.p[n]) && is_digit(r.p[n + 1])))
		n++;
	return is_digit(r.p[n]) && r.p[n + 1] == ' ' ? n + 2 : 0;
}

/* "Nov 20 07:12:49", "Nov  2 07:12:49.123", "Nov 20 2026 07:12:49" (RFC 3164 4.1.2, and routers').
 */
static size_t bsd_len(struct syslog_part r)
{
	size_t n = day_len(r);

	if (n == 0)
		return 0;
	if (n + 4 < r.len && r.p[n + 4] == ' ')
		n += pattern_len(after(r, n), "0000 ");
	if (!is_clock(after(r, n)))
		return 0;
	n += 8;
	return n + fraction_len(after(r, n));
}

/* A date at the beginning, and what stands between it and the rest. */
static bool take_date(struct syslog_part *r, struct syslog_part *ret)
{
	size_t n = r->len > 0 && is_digit(r->p[0]) ? iso_len(*r) : bsd_len(*r);

	if (n == 0 || (n < r->len && r->p[n] != ' ' && r->p[n] != ':'))
		return false;
	*ret = (struct syslog_part) {r->p, n};
	skip(r, n);
	return true;
}

/* "000123: " */
static bool skip_number(struct syslog_part *r)
{
	size_t n = 0;

	while (n < r->len && n < 12 && is_digit(r->p[n]))
		n++;
	if (n == 0 || pattern_len(after(*r, n), ": ") == 0)
		return false;
	skip(r, n + 2);
	return true;
}

/*
 * A router counts its messages, may say its name, count again, and marks clocks that are not set:
 * "45: rtr1: 000123: *Nov 20 …".
 */
static struct syslog_part skip_count(struct syslog_part r, struct syslog_part *ret_name)
{
	struct syslog_part rest, word;

	if (skip_number(&r) && !skip_number(&r)) {
		rest = r;
		if (take_word(&rest, &word) && word.len > 1 && word.p[word.len - 1] == ':') {
			*ret_name = (struct syslog_part) {word.p, word.len - 1};
			r = rest;
			skip_number(&r);
		}
	}
	if (r.len > 0 && (r.p[0] == '*' || r.p[0] == '.'))
		skip(&r, 1);
	return r;
}

/* " UTC: %SYS-5-CONFIG_I: …": what stands before the percent sign is of the date. */
static void skip_zone(struct syslog_part *r)
{
	size_t n = 1;

	while (n < r->len && n < 6 && r->p[n] >= 'A' && r->p[n] <= 'Z')
		n++;
	if (n > 1 && r->p[0] == ' ' && pattern_len(after(*r, n), ": %") > 0)
		skip(r, n);
}

/*
 * The word after the date, unless it looks like a tag: on a local socket there is no host, and a
 * message that is one word has none either.
 */
static void take_host(struct syslog_part *r, struct syslog_msg *m)
{
	struct syslog_part rest = *r, word;

	if (!take_word(&rest, &word) || word.p[word.len - 1] == ':' || word.p[0] == '%' ||
		memchr(word.p, '[', word.len) != NULL)
		return;
	m->host = word;
	*r = rest;
}

/* "sshd[4711]: ", "kernel: ", "%ASA-6-302013: "; a word with neither colon nor brackets is text. */
static void take_tag(struct syslog_part *r, struct syslog_msg *m)
{
	struct syslog_part rest = *r, program, pid = {0};
	size_t n = 0;

	while (n < rest.len && n <= PROGRAM_MAX && rest.p[n] != ' ' && rest.p[n] != ':' &&
		rest.p[n] != '[')
		n++;
	if (n == 0 || n > PROGRAM_MAX || n == rest.len || rest.p[n] == ' ')
		return;
	program = (struct syslog_part) {rest.p, n};
	skip(&rest, n);
	if (rest.p[0] == '[') {
		const char *close = memchr(rest.p, ']', rest.len < 64 ? rest.len : 64);

		if (close == NULL || memchr(rest.p, ' ', (size_t)(close - rest.p)) != NULL)
			return;
		pid = (struct syslog_part) {rest.p + 1, (size_t)(close - rest.p) - 1};
		skip(&rest, pid.len + 2);
	}
	/* A word such as "10:20" or "http://…" is none. */
	if (rest.len > 0 && rest.p[0] == ':')
		skip(&rest, 1);
	else if (pid.p == NULL)
		return;
	if (rest.len > 0 && rest.p[0] != ' ')
		return;
	skip_blanks(&rest);
	m->program = program;
	m->pid = pid;
	m->tag = (struct syslog_part) {r->p, r->len - rest.len};
	*r = rest;
}

static void parse_3164(struct syslog_part r, struct syslog_msg *m)
{
	struct syslog_part name = {0}, dated = skip_count(r, &name);

	if (take_date(&dated, &m->date)) {
		bool is_ended;

		skip_zone(&dated);
		is_ended = dated.len > 0 && dated.p[0] == ':';
		r = dated;
		m->host = name;
		if (is_ended)
			skip(&r, 1);
		skip_blanks(&r);
		if (!is_ended)
			take_host(&r, m);
		/* "host : %ASA-6-302013: text"; anything else has an empty tag. */
		if (m->host.len > 0 && pattern_len(r, ": %") > 0)
			skip(&r, 2);
	}
	take_tag(&r, m);
	m->text = r;
}

/*
 * rsyslog's $RepeatedMsgReduction keeps the tag and wraps the text. What it has cut is left alone:
 * who wrote something into its middle may have chosen where it ends.
 */
static void unwrap_repeated(struct syslog_msg *m)
{
	static const char front[] = "message repeated ", middle[] = " times: [";
	struct syslog_part r = m->text;
	unsigned times = 0;

	if (r.len < sizeof(front) + sizeof(middle) || memcmp(r.p, front, sizeof(front) - 1) != 0 ||
		r.p[r.len - 1] != ']')
		return;
	skip(&r, sizeof(front) - 1);
	for (; r.len > 0 && is_digit(r.p[0]) && times <= SYSLOG_TIMES_MAX; skip(&r, 1))
		times = times * 10 + (unsigned)(r.p[0] - '0');
	while (r.len > 0 && is_digit(r.p[0]))
		skip(&r, 1);
	if (times == 0 || r.len < sizeof(middle) || memcmp(r.p, middle, sizeof(middle) - 1) != 0)
		return;
	skip(&r, sizeof(middle) - 1);
	r.len--;
	if (r.len >= REPEATED_CUT)
		return;
	skip_blanks(&r);
	m->text = r;
	m->times = times < SYSLOG_TIMES_MAX ? times : SYSLOG_TIMES_MAX;
}

static bool is_end(char c)
{
	return c == '\n' || c == '\r' || c == '\0';
}

void syslog_parse(struct syslog_msg *ret, const char *msg, size_t len)
{
	struct syslog_part r = {msg, len};

	*ret = (struct syslog_msg) {
		.facility = SYSLOG_UNKNOWN, .severity = SYSLOG_UNKNOWN, .times = 1};
	while (r.len > 0 && is_end(r.p[r.len - 1]))
		r.len--;
	take_pri(&r, ret);
	if (!parse_5424(r, ret))
		parse_3164(r, ret);
	unwrap_repeated(ret);
}

/* A line being written. */
struct line {
	char *buf;
	size_t size, len;
};

static void put(struct line *l, const char *s, size_t len)
{
	size_t room = l->size - l->len;

	if (len > room)
		len = room;
	memcpy(l->buf + l->len, s, len);
	l->len += len;
}

static void put_part(struct line *l, struct syslog_part part)
{
	if (part.len > 0)
		put(l, part.p, part.len);
}

static void put_tag(struct line *l, const struct syslog_msg *m)
{
	if (m->tag.len > 0 || m->program.len == 0) {
		put_part(l, m->tag);
		return;
	}
	put_part(l, m->program);
	if (m->pid.len > 0) {
		put(l, "[", 1);
		put_part(l, m->pid);
		put(l, "]", 1);
	}
	put(l, ": ", 2);
}

/* Does one part stand behind the other, and a blank between date, host and tag? */
static bool is_line(const struct syslog_msg *m)
{
	return m->date.len > 0 && m->host.len > 0 && m->tag.len > 0 &&
	       m->host.p == m->date.p + m->date.len + 1 && m->host.p[-1] == ' ' &&
	       m->tag.p == m->host.p + m->host.len + 1 && m->text.p == m->tag.p + m->tag.len;
}

static void blank_breaks(struct line *l, char what)
{
	char *p = l->buf, *end = l->buf + l->len;

	while (p < end && (p = memchr(p, what, (size_t)(end - p))) != NULL)
		*p++ = ' ';
}

static size_t finish(struct line *l)
{
	if (l->len > 0) {
		blank_breaks(l, '\n');
		blank_breaks(l, '\r');
	}
	return l->len;
}

size_t syslog_line(char *buf, size_t size, const struct syslog_msg *m, struct syslog_part date,
	struct syslog_part host)
{
	struct line l = {.buf = buf, .size = size};

	if (is_line(m)) {
		put(&l, m->date.p, (size_t)(m->text.p + m->text.len - m->date.p));
		return finish(&l);
	}
	put_part(&l, m->date.len > 0 ? m->date : date);
	put(&l, " ", 1);
	put_part(&l, m->host.len > 0 ? m->host : host);
	put(&l, " ", 1);
	put_tag(&l, m);
	put_part(&l, m->text);
	return finish(&l);
}

size_t syslog_text(char *buf, size_t size, const struct syslog_msg *m)
{
	struct line l = {.buf = buf, .size = size};

	put_part(&l, m->text);
	return finish(&l);
}
