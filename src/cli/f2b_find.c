/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_find.h"

#include "base/clock.h"
#include "cli/f2b_room.h"

#include <string.h>

/* A line without a date counts as the last dated one while that is no older than this. */
#define UNDATED_US (60 * USEC_PER_SEC)

/* When a line was written, as far as it is known. */
struct when {
	bool known, none_found;
	int64_t us;
};

static struct f2b_tuple *tuple(
	const char *line, size_t len, size_t off, size_t date_len, const struct buf *date)
{
	const char *part[3] = {line, line + off, line + off + date_len};
	size_t lens[3] = {off, date_len, len - off - date_len};

	/* The last known date in front of a line that has none. */
	if (date != NULL) {
		part[1] = date->data;
		lens[1] = date->len;
	}
	return f2b_tuple_new(part, lens);
}

static void remember_date(struct f2b_finder *f, const char *text, size_t len, int64_t us)
{
	f->last_text.len = 0;
	f2b_add(&f->last_text, text, len);
	f->last_us = us;
	f->has_last = true;
}

static struct f2b_tuple *take_apart(
	struct f2b_finder *f, const char *line, size_t len, struct when *ret)
{
	int64_t now_us = clock_wall_us();
	bool is_recent = f->has_last && f->last_us > now_us - UNDATED_US;
	struct stamp stamp = {0};
	enum date_found found = DATE_NONE;

	if (f->dates != NULL)
		found = date_find(f->dates, line, len, now_us, &stamp);
	if (found == DATE_FOUND) {
		remember_date(f, line + stamp.off, stamp.len, stamp.time_us);
		*ret = (struct when) {.known = true, .us = stamp.time_us};
		return tuple(line, len, stamp.off, stamp.len, NULL);
	}
	ret->none_found = found != DATE_EMPTY;
	ret->known = is_recent || found == DATE_EMPTY;
	ret->us = is_recent ? f->last_us : now_us;
	if (is_recent)
		return tuple(line, len, 0, 0, &f->last_text);
	return tuple(line, len, stamp.off, stamp.len, NULL);
}

/*
 * Does an ignoreregex match? What is asked of is the lines of the match, when there are several to
 * choose from, else what was searched.
 */
static bool is_ignored(struct f2b_finder *f, const struct f2b_search *match)
{
	const struct f2b_tuples *lines = &f->lines;
	struct buf own = {0}, *subject = &f->subject;
	bool ignored = false;

	if (match != NULL && f->maxlines > 1) {
		lines = &match->matched;
		subject = &own;
		f2b_tuples_subject(lines, subject);
	}
	for (size_t i = 0; i < f->n_ignore; i++) {
		if (!f2b_search_find(&f->ignore[i], subject, lines))
			continue;
		ignored = true;
		if (f->on_ignore != NULL)
			f->on_ignore(f->arg, i);
		if (match != NULL && (!f->check_all || f->maxlines > 1))
			f2b_tuples_slice(&f->lines, &match->unmatched, 0, match->unmatched.n);
		if (!f->check_all)
			break;
	}
	buf_done(&own);
	return ignored;
}

static void add_found(struct f2b_finder *f, size_t rule, struct f2b_value id,
	const struct when *when, const struct f2b_fail *fail)
{
	if (f->n_found == f->room)
		f->found = f2b_more_room(f->found, &f->room, sizeof(*f->found));
	f->found[f->n_found++] = (struct f2b_found) {.rule = rule,
		.id = id,
		.has_time = when->known,
		.time_us = when->us,
		.nofail = f2b_fail_is_true(fail, "nofail"),
		.fail = fail};
}

/* The address that the line names, and how it is written; NULL when it names none. */
static const struct f2b_value *address(
	const struct f2b_fail *fail, enum f2b_id_kind *ret_kind, unsigned *ret_cidr)
{
	const struct f2b_value *ip = f2b_fail_known(fail, "ip4");
	const struct f2b_value *cidr = f2b_fail_get(fail, "cidr");

	*ret_kind = ip != NULL ? F2B_ID_IP4 : F2B_ID_IP6;
	if (ip == NULL)
		ip = f2b_fail_known(fail, "ip6");
	if (ip != NULL && cidr != NULL && f2b_value_is_true(cidr)) {
		unsigned long bits = strtoul(cidr->text, NULL, 10);

		*ret_kind = F2B_ID_CIDR;
		*ret_cidr = bits < 128 ? (unsigned)bits : 128;
	}
	return ip;
}

static bool is_raw(const struct f2b_finder *f)
{
	return f->raw || f->usedns == USEDNS_RAW;
}

/* The failures of a host name: of each address that it stands for. */
static void add_named(struct f2b_finder *f, size_t rule, const struct f2b_value *name,
	const struct when *when, const struct f2b_fail *fail)
{
	bool resolve = f->usedns == USEDNS_WARN || f->usedns == USEDNS_YES;
	struct f2b_value ids;

	f2b_names_find(&f->names, name->text, resolve, &ids);
	for (size_t i = 0; i < ids.n_items; i++)
		add_found(f, rule, f2b_value_copy(&ids.items[i]), when, fail);
	f2b_value_done(&ids);
}

/* False: a failure of nobody known yet, and such are left out. */
static bool add_failures(
	struct f2b_finder *f, size_t rule, const struct when *when, struct f2b_fail *fail)
{
	enum f2b_id_kind kind, any = is_raw(f) ? F2B_ID_RAW : F2B_ID_ANY;
	const struct f2b_value *fid = f2b_fail_known(fail, "fid");
	unsigned cidr = 0;
	const struct f2b_value *ip = address(fail, &kind, &cidr);
	bool by_addr = ip != NULL;
	struct f2b_value id;

	if (ip == NULL) {
		ip = f2b_fail_known(fail, "dns");
		kind = any;
		if (ip != NULL && !is_raw(f)) {
			add_named(f, rule, ip, when, fail);
			return true;
		}
	}
	if (ip == NULL)
		ip = fid;
	if (ip == NULL) {
		fail->pending = true;
		if (f->ignore_pending)
			return false;
		add_found(f, rule, (struct f2b_value) {0}, when, fail);
		return true;
	}
	if (fid == NULL || f2b_value_eq(fid, ip)) {
		id = f2b_id_read(ip, by_addr ? kind : any, cidr);
	} else {
		id = f2b_id_read(fid, any, 0);
		f2b_fail_set(fail, "ip", f2b_id_read(ip, by_addr ? kind : any, cidr));
	}
	add_found(f, rule, id, when, fail);
	return true;
}

/* What prefregex and failregex captured, merged with what the session knows. */
static struct f2b_fail *merge(
	struct f2b_finder *f, const struct f2b_search *s, const struct f2b_fail *captured)
{
	static const struct f2b_tuples none;
	const struct f2b_tuples *lines = f->keep_lines ? &s->matched : &none;
	struct f2b_fail line = f2b_fail_copy(&f->pref_fields), *fail = &f->own;

	f2b_fail_update(&line, captured, false);
	f2b_fail_done(&f->own);
	if (f2b_fail_known(&line, "mlfid") != NULL)
		return f2b_session_merge(&f->sessions, &line, lines, &f->own);
	*fail = line;
	f2b_fail_add_lines(fail, "matches", lines);
	return fail;
}

/* Tries one failregex. Returns false when the others need not be tried. */
static bool try_rule(
	struct f2b_finder *f, size_t rule, const struct f2b_tuples *window, const struct when *when)
{
	struct f2b_search *s = &f->fail[rule];
	struct f2b_fail captured = {0}, *fail;

	if (!f2b_search_find(s, &f->subject, window))
		return true;
	f2b_search_fields(s, &f->subject, &captured);
	if (f->n_ignore > 0 && is_ignored(f, s)) {
		f2b_fail_done(&captured);
		f2b_tuples_subject(&f->lines, &f->subject);
		return f->check_all;
	}
	f->undated |= when->none_found;
	fail = merge(f, s, &captured);
	f2b_fail_done(&captured);
	if (!f->check_all || f->maxlines > 1) {
		f2b_tuples_slice(&f->lines, &s->unmatched, 0, s->unmatched.n);
		if (f->check_all)
			f2b_tuples_subject(&f->lines, &f->subject);
	}
	if (f2b_fail_is_true(fail, "nofail") && f2b_fail_known(fail, "mlfid") != NULL &&
		!f->check_all)
		return false;
	return add_failures(f, rule, when, fail) && f->check_all;
}

/* Puts the line in the window. */
static void push(struct f2b_finder *f)
{
	f2b_tuples_add(&f->lines, f->tuple);
	while (f->lines.n > f->maxlines)
		f2b_tuple_unref(f2b_tuples_take(&f->lines, 0));
}

/* False: the prefregex does not match. What it says is the content takes the lines' place. */
static bool prefilter(struct f2b_finder *f)
{
	struct f2b_tuple *t;

	if (f->pref == NULL)
		return true;
	f2b_fail_done(&f->pref_fields);
	f->pref_matched = f2b_search_find(f->pref, &f->subject, &f->lines);
	if (!f->pref_matched)
		return false;
	f2b_search_fields(f->pref, &f->subject, &f->pref_fields);
	if (f->keep_pref) {
		f->pref_text.len = 0;
		f2b_fail_repr(&f->pref_fields, &f->pref_text);
	}
	if (f2b_fail_is_true(&f->pref_fields, "content")) {
		const struct f2b_value *content = f2b_fail_get(&f->pref_fields, "content");
		const char *part[3] = {"", "", content->text};
		size_t len[3] = {0, 0, content->len};

		t = f2b_tuple_new(part, len);
		f2b_tuples_clear(&f->lines);
		f2b_tuples_add(&f->lines, t);
		f2b_tuple_unref(t);
		f2b_tuples_subject(&f->lines, &f->subject);
	}
	f2b_fail_drop(&f->pref_fields, "content");
	return true;
}

static void forget_found(struct f2b_finder *f)
{
	for (size_t i = 0; i < f->n_found; i++)
		f2b_value_done(&f->found[i].id);
	f->n_found = 0;
}

void f2b_find(struct f2b_finder *f, const char *line, size_t len, const struct f2b_dated *dated)
{
	struct f2b_tuples window = {0};
	struct when when = {0};

	forget_found(f);
	f->undated = false;
	f2b_tuple_unref(f->tuple);
	if (dated != NULL) {
		const char *part[3] = {"", dated->text, line};
		size_t lens[3] = {0, dated->len, len};

		remember_date(f, dated->text, dated->len, dated->time_us);
		when = (struct when) {.known = true, .us = dated->time_us};
		f->tuple = f2b_tuple_new(part, lens);
	} else {
		f->tuple = take_apart(f, line, len, &when);
	}
	push(f);
	f2b_tuples_slice(&window, &f->lines, 0, f->lines.n);
	f2b_tuples_subject(&f->lines, &f->subject);
	/* Few of them are asked first, many only of what matched. */
	if (f->n_ignore == 0 || f->n_ignore + 2 >= f->n_fail || !is_ignored(f, NULL)) {
		bool more = prefilter(f);

		for (size_t i = 0; more && i < f->n_fail; i++)
			more = try_rule(f, i, &window, &when);
	}
	f2b_tuples_done(&window);
}

void f2b_find_done(struct f2b_finder *f)
{
	forget_found(f);
	free(f->found);
	if (f->pref != NULL)
		f2b_search_done(f->pref);
	for (size_t i = 0; i < f->n_fail; i++)
		f2b_search_done(&f->fail[i]);
	for (size_t i = 0; i < f->n_ignore; i++)
		f2b_search_done(&f->ignore[i]);
	f2b_sessions_done(&f->sessions);
	f2b_names_done(&f->names);
	f2b_tuples_done(&f->lines);
	f2b_tuple_unref(f->tuple);
	buf_done(&f->subject);
	buf_done(&f->last_text);
	buf_done(&f->pref_text);
	f2b_fail_done(&f->pref_fields);
	f2b_fail_done(&f->own);
	date_finder_free(f->dates);
	regex_engine_free(f->engine);
}
