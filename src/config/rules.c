/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/rules.h"

#include "base/text.h"
#include "base/util.h"
#include "config/merge.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define REGEXES_MAX 1000
#define LINE_MAX_BYTES 4096
#define TITLE_MAX 100
#define TIME_MAX (100LL * 366 * 86400)

/* After so many faults the rest of the file is noise. */
#define FILE_FAULTS_MAX 20

/* A file being read. */
struct parse {
	struct reader *r;
	struct where where;
	struct rule_head *head; /* of the lines that follow; NULL: none yet */
	struct where head_where;
	bool head_used;
	bool homeless; /* a regex before any title: said once */
	struct rules *out;
};

static void trim(const char **s, size_t *len)
{
	while (*len > 0 && isspace((unsigned char)**s))
		(*s)++, (*len)--;
	while (*len > 0 && isspace((unsigned char)(*s)[*len - 1]))
		(*len)--;
}

static const char *show(struct parse *p, const char *s, size_t len)
{
	return reader_show(p->r, arena_strndup(p->r->scratch, s, len));
}

/* "12h": a number of seconds, or of what the letter behind it says. 0 when it is none. */
static int64_t parse_time(const char *s, size_t len)
{
	static const struct {
		char letter;
		int64_t sec;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
	int64_t n = 0, unit = 1;
	size_t digits = 0;

	for (; digits < len && isdigit((unsigned char)s[digits]); digits++) {
		n = n * 10 + (s[digits] - '0');
		if (n > TIME_MAX)
			return 0;
	}
	if (digits == 0 || len - digits > 1)
		return 0;
	for (size_t i = 0; digits < len && i < ARRAY_SIZE(units); i++)
		if (s[digits] == units[i].letter)
			unit = units[i].sec;
	if (digits < len && unit == 1 && s[digits] != 's')
		return 0;
	return n <= TIME_MAX / unit ? n * unit : 0;
}

static void end_head(struct parse *p)
{
	if (p->head != NULL && !p->head_used)
		reader_warn(p->r, p->head_where,
			"the rule '%s' has no regex, so it never finds anything: write one on the "
			"line below",
			reader_show(p->r, p->head->title));
}

static void on_time(struct parse *p, const char *line, size_t line_len, const char *s, size_t len)
{
	size_t comment = 0;
	bool is_regex = memmem(line, line_len, RULES_ADDRESS, strlen(RULES_ADDRESS)) != NULL;

	while (comment < len && s[comment] != '#' && s[comment] != ';')
		comment++;
	len = comment;
	trim(&s, &len);
	if (len == 0)
		return;
	p->head->bantime_sec = parse_time(s, len);
	if (p->head->bantime_sec > 0)
		return;
	reader_error(p->r, p->where,
		"'%s' behind the title is no time: write a number from 1 with s, m, h, d or w "
		"behind "
		"it, such as '12h', or nothing for the default time%s",
		show(p, s, len),
		is_regex ? ". If the line is a regex: one that begins with '[' has to stand in "
			   "'(?:' and ')'"
			 : "");
}

static void on_title(struct parse *p, const char *s, size_t len)
{
	const char *close = memchr(s, ']', len), *title = s + 1;
	size_t n = close != NULL ? (size_t)(close - title) : len - 1;
	bool plain = true;

	end_head(p);
	trim(&title, &n);
	for (size_t i = 0; i < n; i++)
		plain &= (unsigned char)title[i] >= 0x20 && title[i] != 0x7f;
	p->head = arena_alloc(p->r->keep, sizeof(*p->head));
	p->head->title = arena_strndup(p->r->keep, title, n < TITLE_MAX ? n : TITLE_MAX);
	p->head_where = p->where;
	p->head_used = false;
	if (close == NULL)
		reader_error(p->r, p->where, "the title is not closed: write '%s]', and the time",
			show(p, s, len));
	else if (n == 0)
		reader_error(p->r, p->where,
			"the rule has no title: write what it finds between '[' and ']', such as "
			"'[failed ssh user] 12h'");
	else if (n > TITLE_MAX)
		reader_error(
			p->r, p->where, "the title is longer than %d bytes: shorten it", TITLE_MAX);
	else if (!plain)
		reader_error(p->r, p->where,
			"the title '%s' holds control characters: write it without",
			show(p, title, n));
	else
		on_time(p, s, len, close + 1, len - (size_t)(close + 1 - s));
}

static void on_regex(struct parse *p, const char *s, size_t len)
{
	struct lines *regexes = &p->out->regexes;

	if (p->head == NULL) {
		if (!p->homeless)
			reader_error(p->r, p->where,
				"the regex '%s' stands before any title: put such as '[failed "
				"login] 12h' on a line above it",
				show(p, s, len));
		p->homeless = true;
		return;
	}
	if (memmem(s, len, RULES_ADDRESS, strlen(RULES_ADDRESS)) == NULL) {
		reader_error(p->r, p->where,
			"nothing in the regex '%s' says who it was: put " RULES_ADDRESS
			" where the address stands",
			show(p, s, len));
		return;
	}
	if (regexes->n == REGEXES_MAX) {
		reader_error(p->r, p->where,
			"more than %d regexes: split the file over several "
			"jails",
			REGEXES_MAX);
		return;
	}
	p->out->heads[regexes->n] = p->head;
	lines_add(regexes, p->r->scratch,
		(struct conf_text) {arena_strndup(p->r->scratch, s, len), p->where});
}

static void on_line(struct parse *p, const char *s, size_t len)
{
	trim(&s, &len);
	if (len == 0 || s[0] == '#' || s[0] == ';')
		return;
	p->head_used |= s[0] != '[';
	if (len > LINE_MAX_BYTES)
		reader_error(p->r, p->where, "the line is longer than %d bytes: shorten it",
			LINE_MAX_BYTES);
	else if (!text_is_utf8(s, len))
		reader_error(p->r, p->where, "'%s' is no UTF-8: save the file as UTF-8",
			show(p, s, len));
	else if (s[0] == '[')
		on_title(p, s, len);
	else
		on_regex(p, s, len);
}

void rules_parse(
	struct reader *r, const char *file, const char *data, size_t len, struct rules *ret)
{
	struct parse p = {.r = r, .where = {file, 0}, .out = ret};
	size_t at = 0, errors = r->n_errors;

	*ret = (struct rules) {.heads = arena_array(r->keep, REGEXES_MAX, sizeof(*ret->heads))};
	if (len >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (at < len) {
		const char *line = data + at, *end = memchr(line, '\n', len - at);
		size_t line_len = end != NULL ? (size_t)(end - line) : len - at;

		at += line_len + 1;
		p.where.line++;
		if (memchr(line, '\0', line_len) != NULL) {
			reader_error(r, p.where,
				"a NUL byte stands here: a rules file holds text only; the rest of "
				"it was not read");
			return;
		}
		on_line(&p, line, line_len);
		if (r->n_errors - errors >= FILE_FAULTS_MAX) {
			reader_error(r, p.where,
				"%d lines were not understood and the rest was not read: is this a "
				"rules file?",
				FILE_FAULTS_MAX);
			return;
		}
	}
	end_head(&p);
	if (ret->regexes.n == 0 && r->n_errors == errors)
		reader_error(r, (struct where) {file, 0},
			"there is no rule in it, so nobody would ever be blocked: write "
			"'[TITLE] 12h', and regexes with " RULES_ADDRESS " below it");
}

int rules_read(struct reader *r, const char *path, struct where where, struct rules *ret)
{
	size_t errors = r->n_errors, len;
	char *data;

	if (path[0] != '/') {
		reader_error(r, where,
			"rules = '%s' does not begin at the root: write the file's whole path",
			reader_show(r, path));
		return -EINVAL;
	}
	if (access(path, F_OK) < 0) {
		reader_error(r, where, "the rules file %s cannot be read: %s; correct its path",
			reader_show(r, path), strerror(errno));
		return -EINVAL;
	}
	data = merge_bytes(r, path, &len);
	if (data == NULL)
		return -EINVAL;
	rules_parse(r, path, data, len, ret);
	return r->n_errors > errors ? -EINVAL : 0;
}
