/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_room.h"

#include <time.h>

/* "192.0.2.1  Sun Aug 14 11:53:59 2005", for who wants to see it. */
static void keep_hit(struct f2b_rule *rule, const struct f2b_found *found, bool several)
{
	time_t t = (time_t)(found->time_us / USEC_PER_SEC);
	struct buf text = {0};
	char when[64] = "";
	struct tm tm;

	if (!found->has_time)
		t = time(NULL);
	if (localtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%a %b %d %H:%M:%S %Y", &tm);
	f2b_adds(&text, "    ");
	f2b_value_show(&found->id, &text);
	f2b_adds(&text, "  ");
	f2b_adds(&text, when);
	f2b_adds(&text, several ? " (multiple regex matched)" : "");
	f2b_texts_add(&rule->shown, text.data, text.len);
	buf_done(&text);
}

/* How many real failures there are; *ret_nofail: and whether something else was found. */
static size_t count_found(struct f2b *b, bool *ret_nofail)
{
	size_t n = 0;

	*ret_nofail = false;
	for (size_t i = 0; i < b->finder.n_found; i++) {
		const struct f2b_found *found = &b->finder.found[i];

		b->fail[found->rule].hits++;
		if (b->o.verbose != 0)
			keep_hit(&b->fail[found->rule], found, n > 1);
		if (found->nofail)
			*ret_nofail = true;
		else
			n++;
	}
	return n;
}

static void count_pref(struct f2b *b)
{
	if (!b->finder.pref_matched)
		return;
	b->pref_hits++;
	if (b->o.verbose == 0 || b->pref_shown.n > b->o.show_max)
		return;
	if (b->pref_shown.n < b->o.show_max)
		f2b_texts_add(&b->pref_shown, b->finder.pref_text.data, b->finder.pref_text.len);
	else
		f2b_texts_add(&b->pref_shown, "...", 3);
}

static bool is_waiting(const struct f2b_finder *f, const struct f2b_tuple *line)
{
	for (size_t i = 0; i < f->lines.n; i++) {
		if (f2b_tuple_eq(f->lines.items[i], line))
			return true;
	}
	return false;
}

/*
 * Lines of the window that were counted as missed when they came and are part of this match. Their
 * texts go to `before`, for debuggex.
 */
static void recount(struct f2b *b, const struct f2b_tuples *window, size_t from, struct buf *before)
{
	struct f2b_kept *matched = &b->kept[F2B_MATCHED], *missed = &b->kept[F2B_MISSED];
	struct buf text = {0};

	for (size_t i = from; i < window->n; i++) {
		const struct f2b_tuple *line = window->items[i];

		if (is_waiting(&b->finder, line))
			continue;
		text.len = 0;
		f2b_tuple_whole(line, &text);
		f2b_texts_drop(&missed->lines, buf_text(&text), text.len);
		if (b->o.print_all[F2B_MATCHED] && !b->o.debuggex)
			f2b_texts_add(&matched->lines, text.data, text.len);
		text.len = 0;
		f2b_tuple_message(line, &text);
		if (b->o.debuggex)
			f2b_texts_drop(&missed->undated, buf_text(&text), text.len);
		if (b->o.debuggex && b->o.print_all[F2B_MATCHED]) {
			f2b_add(before, text.data, text.len);
			f2b_adds(before, "\n");
		}
		matched->n++;
		missed->n--;
	}
	buf_done(&text);
}

static void keep_line(
	struct f2b *b, enum f2b_lines_kind kind, const char *line, size_t len, struct buf *before)
{
	struct f2b_kept *kept = &b->kept[kind];
	bool wanted = b->o.print_all[kind];

	kept->n++;
	if (kind != F2B_MATCHED)
		wanted = !b->o.print_none[kind] && (wanted || kept->n <= b->o.show_max + 1u);
	if (!wanted)
		return;
	f2b_texts_add(&kept->lines, line, len);
	if (!b->o.debuggex)
		return;
	if (before->len > 0)
		f2b_tuple_message(b->finder.tuple, before);
	else
		f2b_add(before, line, len);
	f2b_texts_add(&kept->undated, before->data, before->len);
}

static void warn_undated(struct f2b *b, const char *line, size_t len)
{
	if (!b->finder.undated || b->has_warned)
		return;
	b->has_warned = true;
	f2b_warn(b, "Found a match but no valid date/time found.");
	f2b_warn(b, "Match without a timestamp: %.*s", (int)len, line);
}

void f2b_judge(struct f2b *b, const char *line, size_t len, const struct f2b_dated *dated)
{
	struct f2b_finder *f = &b->finder;
	struct f2b_tuples window = {0};
	struct buf before = {0}, whole = {0};
	bool nofail;
	size_t n;

	if (f->maxlines > 1 && b->o.out == NULL)
		f2b_tuples_slice(&window, &f->lines, 0, f->lines.n);
	b->is_ignored = false;
	f2b_find(f, line, len, dated);
	warn_undated(b, line, len);
	if (b->o.out != NULL) {
		f2b_out(b);
		return;
	}
	n = count_found(b, &nofail);
	count_pref(b);
	recount(b, &window, window.n >= f->maxlines, &before);
	if (dated != NULL) {
		f2b_tuple_whole(f->tuple, &whole);
		line = whole.data;
		len = whole.len;
	}
	keep_line(b,
		nofail || b->is_ignored ? F2B_IGNORED
		: n > 0                 ? F2B_MATCHED
					: F2B_MISSED,
		line, len, &before);
	b->tested++;
	f2b_tuples_done(&window);
	buf_done(&before);
	buf_done(&whole);
}
