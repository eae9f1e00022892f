/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datepatterns.h"

#include "base/text.h"
#include "base/util.h"
#include "match/datecheck.h"
#include "match/zone.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define AT_LINE "{^LN-BEG}"
#define PATTERNS_MAX 1000
/* What a date at the line's beginning counts, against 1 elsewhere. */
#define AT_LINE_WEIGHT 100

/*
 * What services write, in fail2ban's order, which decides where a text can be read in two ways.
 * Each is tried at the line's beginning first (unless it says where it stands itself), then
 * anywhere.
 */
static const char *const defaults[] = {
	/* 2005-01-23T21:59:59.981746+01:00, 2005/01/23 21:59:59, 2006.12.21 06:43:20 */
	"%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?",
	/* Jan 23 21:59:59, Sun Jan 23 21:59:59.011 2005 */
	"(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
	/* Sun Jan 23 2005 21:59:59.011 */
	"(?:%a )?%b %d %ExY %k:%M:%S(?:\\.%f)?",
	/* 23/01/2005 21:59:59, 23/01/05 21:59:59, 17-07-2008 17:23:25 */
	"%d(?P<_sep>[-/])%m(?P=_sep)(?:%ExY|%Exy) %k:%M:%S",
	/* 31/Oct/2006:09:22:55 -0000, 26-Jul-2007 15:20:52.252 */
	"%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:\\.%f)?(?: %z)?",
	/* 05/20/2008:01:57:39 */
	"%m/%d/%ExY:%H:%M:%S",
	/* 01-27-2012 16:22:44.252 */
	"%m-%d-%ExY %k:%M:%S(?:\\.%f)?",
	/* 1138049999, [1138049999], audit(1138049999.123:45) */
	"Epoch",
	/* 21:59:59 */
	"{^LN-BEG}%H:%M:%S",
	/* <09/16/08@05:03:30> */
	"^<%m/%d/%Exy@%H:%M:%S>",
	/* 130322 11:46:11 */
	"%Exy%Exm%Exd  ?%H:%M:%S",
	/* Jan 23, 2005 9:59:59 PM */
	"%b %d, %ExY %I:%M:%S %p",
	/* Apr-27-13 02:33:06 */
	"^%b-%d-%Exy %k:%M:%S",
	/* 20050123T215959, 20050123  85959 */
	"%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS(?:[.,]%f)?(?:\\s*%z)?",
	/* PDT Apr 16 21:05:29 */
	"(?:%Z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
	/* +00:00 Jan 23 21:59:59.011 2005 */
	"(?:%z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
	/* @4000000043d7e2ff0abcdef0 */
	"TAI64N",
};

/* One datepattern under work. */
struct work {
	struct date_patterns *p;
	struct where where;
	struct faults *f;
	bool says_default;
};

static void tell(struct work *w, const char *pattern, const char *what)
{
	char text[200];

	text_escape(text, sizeof(text), pattern, strlen(pattern));
	fault_add(w->f, FAULT_ERROR, w->where, "datepattern '%s' %s", text, what);
}

/* The template for a pattern; faults are those of what is written in the configuration for it. */
static int get(
	struct work *w, const char *pattern, const char *written, const struct date_template **ret)
{
	const struct conf_text text = {written, w->where};

	return datetemplate_get(ret, pattern, &text, w->f);
}

static struct date_choice *find_name(const struct date_patterns *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->choices[i].template->name, name) == 0)
			return &p->choices[i];
	}
	return NULL;
}

/* Takes the template over. A second one of the same name is an error, or left out. */
static int append(struct work *w, const struct date_template *t, double weight, bool is_default,
	bool leave_out)
{
	struct date_patterns *p = w->p;
	struct date_choice *same = find_name(p, t->name), *choices;

	if (same != NULL) {
		int r = leave_out ? 0 : -EINVAL;

		/* Written out by hand it is still that default. */
		if (same->template == t && same->weight < weight)
			same->weight = weight;
		if (same->template == t && is_default)
			same->is_default = true;
		if (r < 0)
			tell(w, t->pattern != NULL ? t->pattern : t->name,
				"is there already: take it out");
		datetemplate_put(t);
		return r;
	}
	choices = p->n < PATTERNS_MAX ? reallocarray(p->choices, p->n + 1, sizeof(*choices)) : NULL;
	if (choices == NULL) {
		tell(w, t->name, "is one too many, or there is no memory left");
		datetemplate_put(t);
		return -EINVAL;
	}
	p->choices = choices;
	choices[p->n++] = (struct date_choice) {t, weight, is_default};
	return 0;
}

/* Does it say itself that it stands at the line's beginning? */
static bool is_at_line(const char *pattern)
{
	return pattern[0] == '^' || strncmp(pattern, AT_LINE, strlen(AT_LINE)) == 0;
}

static int append_default(struct work *w, const char *pattern, bool at_line, bool leave_out)
{
	const struct date_template *t;
	struct buf s = {0};
	int r = at_line ? buf_adds(&s, AT_LINE) : 0;

	r = r < 0 ? r : buf_adds(&s, pattern);
	r = r < 0 ? r : get(w, buf_text(&s), pattern, &t);
	buf_done(&s);
	return r < 0 ? r : append(w, t, at_line ? AT_LINE_WEIGHT : 1, true, leave_out);
}

/* The default patterns; only_at_line: those that are bound to the line's beginning. */
static int append_defaults(struct work *w, bool only_at_line)
{
	bool leave_out = w->p->n > 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(defaults); i++) {
		if (!is_at_line(defaults[i]))
			r = append_default(w, defaults[i], true, leave_out);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(defaults); i++) {
		if (!only_at_line || is_at_line(defaults[i]))
			r = append_default(w, defaults[i], false, leave_out);
	}
	return r;
}

static bool is_date_tag(const char *pattern, size_t at)
{
	return strncasecmp(pattern + at, "{DATE}", 6) == 0 && (at == 0 || pattern[at - 1] != '\\');
}

/* The pattern with a default one for each "{DATE}". */
static int put_in(struct buf *s, const char *pattern, const char *date)
{
	int r = 0;

	/* Inside of another it cannot be bound to the line's beginning by itself. */
	if (strncmp(date, AT_LINE, strlen(AT_LINE)) == 0)
		date += strlen(AT_LINE);
	for (size_t i = 0; r == 0 && pattern[i] != '\0';) {
		bool tag = is_date_tag(pattern, i);

		r = tag ? buf_adds(s, date) : buf_add(s, pattern + i, 1);
		i += tag ? 6 : 1;
	}
	return r;
}

/* "{DATE}" in a pattern: one template for each default. */
static int append_around(struct work *w, const char *pattern)
{
	bool leave_out = w->p->n > 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(defaults); i++) {
		const struct date_template *t;
		struct buf s = {0};

		r = put_in(&s, pattern, defaults[i]);
		r = r < 0 ? r : get(w, buf_text(&s), pattern, &t);
		r = r < 0 ? r : append(w, t, 1, false, leave_out);
		buf_done(&s);
	}
	return r;
}

static bool has_date_tag(const char *pattern, bool fold)
{
	for (const char *p = strchr(pattern, '{'); p != NULL; p = strchr(p + 1, '{')) {
		if (fold ? strncasecmp(p, "{DATE}", 6) == 0 : strncmp(p, "{DATE}", 6) == 0)
			return true;
	}
	return false;
}

static int append_pattern(struct work *w, const char *pattern)
{
	const struct date_template *t;
	int r;

	if (strcasecmp(pattern, "{DEFAULT}") == 0) {
		w->says_default = true;
		return 0;
	}
	if (strcasecmp(pattern, AT_LINE) == 0)
		return append_defaults(w, true);
	datecheck_words(pattern, w->where, w->f);
	if (has_date_tag(pattern, strchr(pattern, '%') == NULL))
		return append_around(w, pattern);
	r = get(w, strcasecmp(pattern, "{NONE}") == 0 ? "{UNB}^" : pattern, pattern, &t);
	if (r < 0)
		return r;
	datecheck_fields(t, pattern, w->where, w->f);
	return append(w, t, 1, false, false);
}

/* Each line of the text that is not empty. All of them are looked at, whatever is wrong with one.
 */
static int append_all(struct work *w, const char *text)
{
	int r = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, "\n"), n = len;
		const char *start = text;
		char *pattern;

		text += len + (text[len] == '\n' ? 1 : 0);
		while (n > 0 && isspace((unsigned char)*start)) {
			start++;
			n--;
		}
		while (n > 0 && isspace((unsigned char)start[n - 1]))
			n--;
		if (n == 0)
			continue;
		pattern = strndup(start, n);
		if (pattern == NULL)
			return -ENOMEM;
		if (append_pattern(w, pattern) < 0)
			r = -EINVAL;
		free(pattern);
	}
	return r;
}

static int read_zone(struct date_patterns *p, const struct conf_text *zone, struct faults *f)
{
	const char *near;
	char text[80];

	if (zone == NULL || zone->text == NULL)
		return 0;
	p->has_offset = true;
	if (zone_read(&p->offset_min, zone->text, strlen(zone->text)) == 0)
		return 0;
	near = zone_nearest(zone->text);
	text_escape(text, sizeof(text), zone->text, strlen(zone->text));
	fault_add(f, FAULT_ERROR, zone->where,
		"logtimezone '%s' is not known: write an offset such as UTC+0200 or -0330, or a "
		"short "
		"name of fixed meaning such as CET%s%s%s",
		text, near != NULL ? " (did you mean '" : "", near != NULL ? near : "",
		near != NULL ? "'?)" : "");
	return -EINVAL;
}

int date_patterns_new(struct date_patterns **ret, const struct conf_text *pattern,
	const struct conf_text *zone, struct faults *f)
{
	struct date_patterns *p = calloc(1, sizeof(*p));
	struct work w = {.p = p, .f = f};
	int r = 0, r_zone;

	if (pattern != NULL)
		w.where = pattern->where;
	if (p == NULL) {
		fault_add(f, FAULT_ERROR, w.where, "datepattern: out of memory");
		return -EINVAL;
	}
	if (pattern != NULL && pattern->text != NULL)
		r = append_all(&w, pattern->text);
	/* fail2ban falls back to them when there is nothing else; beside others {DEFAULT} is void.
	 */
	if (r == 0 && p->n == 0)
		r = append_defaults(&w, false);
	else if (r == 0 && w.says_default)
		fault_add(f, FAULT_WARNING, w.where,
			"datepattern: {DEFAULT} beside other patterns adds none, as in fail2ban: "
			"write "
			"{^LN-BEG} for the default patterns at the beginning of a line, or {DATE}");
	r_zone = read_zone(p, zone, f);
	if (r < 0 || r_zone < 0) {
		date_patterns_free(p);
		return -EINVAL;
	}
	*ret = p;
	return 0;
}

void date_patterns_free(struct date_patterns *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->n; i++)
		datetemplate_put(p->choices[i].template);
	free(p->choices);
	free(p);
}

const struct filter_stats *date_stats(void)
{
	return datetemplate_stats();
}
