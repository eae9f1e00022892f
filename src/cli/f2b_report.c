/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/util.h"
#include "cli/f2b_python.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_room.h"

#include <ctype.h>

/* Lines to be shown in one frame, under a header (or NULL). */
struct frame {
	struct f2b *b;
	const char *header;
	bool begun;
};

static void frame_text(struct frame *f, const char *indent, const char *s, size_t len)
{
	struct buf text = {0};

	if (!f->begun && f->header != NULL)
		f2b_print(f->b, "|- %s", f->header);
	f->begun = true;
	f2b_adds(&text, "|  ");
	f2b_adds(&text, indent);
	f2b_add(&text, s, len);
	f2b_print_text(f->b, text.data, text.len);
	buf_done(&text);
}

static void __attribute__((format(printf, 2, 3))) frame_add(struct frame *f, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	if (buf_vaddf(&text, fmt, ap) < 0)
		f2b_got(NULL);
	va_end(ap);
	frame_text(f, "", text.data, text.len);
	buf_done(&text);
}

static void frame_texts(struct frame *f, const char *indent, const struct f2b_texts *texts)
{
	for (size_t i = 0; i < texts->n; i++)
		frame_text(f, indent, texts->items[i].s, texts->items[i].len);
}

static void frame_end(const struct frame *f)
{
	if (f->begun)
		f2b_print(f->b, "`-");
}

static void report_pref(struct f2b *b)
{
	struct frame frame = {.b = b};
	struct buf regex = {0};

	if (b->finder.pref == NULL)
		return;
	f2b_python(b->finder.pref->source, b->finder.usedns != USEDNS_NO, &regex);
	f2b_print(b, "\nPrefregex: %llu total", (unsigned long long)b->pref_hits);
	frame_add(&frame, "%s", buf_text(&regex));
	frame_texts(&frame, "    ", &b->pref_shown);
	frame_end(&frame);
	buf_done(&regex);
}

static void report_rules(struct f2b *b, const char *title, const struct f2b_rule *rules, size_t n)
{
	struct frame frame = {.b = b, .header = " #) [# of hits] regular expression"};
	uint64_t total = 0;

	for (size_t i = 0; i < n; i++)
		total += rules[i].hits;
	f2b_print(b, "\n%s: %llu total", title, (unsigned long long)total);
	for (size_t i = 0; i < n; i++) {
		if (rules[i].hits > 0 || b->o.verbose != 0)
			frame_add(&frame, "%2zu) [%llu] %s", i + 1,
				(unsigned long long)rules[i].hits, rules[i].text);
		frame_texts(&frame, "", &rules[i].shown);
	}
	frame_end(&frame);
}

static void report_dates(struct f2b *b)
{
	struct frame frame = {.b = b, .header = "[# of hits] date format"};

	if (b->finder.dates == NULL)
		return;
	f2b_print(b, "\nDate template hits:");
	for (size_t i = 0; i < date_finder_count(b->finder.dates); i++) {
		struct date_usage u = date_finder_usage(b->finder.dates, i);

		if (b->o.verbose == 0 && u.hits == 0)
			continue;
		frame_add(&frame, "[%llu] %s", (unsigned long long)u.hits, u.name);
		if (!b->o.verbose_date)
			continue;
		frame_add(&frame, "    # weight: %.3f (%.3f), pattern: %s", u.weight, u.hit_weight,
			u.pattern != NULL ? u.pattern : "");
		frame_add(&frame, "    # regex:   %s", u.regex);
	}
	frame_end(&frame);
}

/* The bytes of the blank, as Unicode has them, that s[0..len) ends in; 0 when it ends in none. */
static size_t last_blank(const char *s, size_t len)
{
	static const char *const blanks[] = {"\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
	unsigned char last = len > 0 ? (unsigned char)s[len - 1] : 0;

	if (isspace(last) || (last >= 0x1c && last <= 0x1f))
		return 1;
	if (len >= 3 && memcmp(s + len - 3, "\xe2\x80", 2) == 0 && last >= 0x80 && last <= 0x8a)
		return 3;
	for (size_t i = 0; i < ARRAY_SIZE(blanks); i++) {
		size_t n = strlen(blanks[i]);

		if (len >= n && memcmp(s + len - n, blanks[i], n) == 0)
			return n;
	}
	return 0;
}

static size_t trimmed(const struct f2b_text *text)
{
	size_t len = text->len, n;

	while ((n = last_blank(text->s, len)) > 0)
		len -= n;
	return len;
}

/* A line, an expression, and where to look at the two together. */
static void add_link(
	struct f2b *b, struct frame *frame, const struct f2b_text *line, const char *regex)
{
	bool with_names = b->o.usedns == NULL || strcmp(b->o.usedns, "no") != 0;
	struct buf text = {0}, python = {0};

	f2b_python(regex, with_names, &python);
	f2b_add(&text, line->s, line->len);
	f2b_adds(&text, " | ");
	f2b_adds(&text, regex);
	f2b_adds(&text, " |  https://www.debuggex.com/?re=");
	f2b_python_quote(python.data, python.len, &text);
	f2b_adds(&text, "&str=");
	f2b_python_quote(line->s, line->len, &text);
	f2b_adds(&text, "&flavor=python");
	f2b_adds(&text, b->finder.maxlines > 1 ? "&flags=m" : "");
	frame_text(frame, "", text.data, text.len);
	buf_done(&text);
	buf_done(&python);
}

static void report_lines(struct f2b *b, enum f2b_lines_kind kind)
{
	static const char *const names[] = {"matched", "ignored", "missed"};
	const struct f2b_kept *kept = &b->kept[kind];
	const struct f2b_rule *rules = kind == F2B_IGNORED ? b->ignore : b->fail;
	size_t n_rules = kind == F2B_IGNORED ? b->finder.n_ignore : b->finder.n_fail;
	char header[32];
	struct frame frame = {.b = b, .header = header};

	snprintf(header, sizeof(header), "%c%s line(s):", toupper((unsigned char)names[kind][0]),
		names[kind] + 1);
	if (kept->n == 0)
		return;
	if (kept->n >= b->o.show_max && !b->o.print_all[kind]) {
		f2b_print(b, "%s too many to print.  Use --print-all-%s to print all %llu lines",
			header, names[kind], (unsigned long long)kept->n);
		return;
	}
	for (size_t i = 0; b->o.debuggex && i < kept->undated.n; i++) {
		for (size_t k = 0; k < n_rules; k++)
			add_link(b, &frame, &kept->undated.items[i], rules[k].text);
	}
	for (size_t i = 0; !b->o.debuggex && i < kept->lines.n; i++)
		frame_text(&frame, "", kept->lines.items[i].s, trimmed(&kept->lines.items[i]));
	frame_end(&frame);
}

void f2b_report(struct f2b *b, int64_t elapsed_us)
{
	f2b_print(b, "\nResults\n=======");
	report_pref(b);
	report_rules(b, "Failregex", b->fail, b->finder.n_fail);
	report_rules(b, "Ignoreregex", b->ignore, b->finder.n_ignore);
	report_dates(b);
	f2b_print(b, "\nLines: %llu lines, %llu ignored, %llu matched, %llu missed",
		(unsigned long long)b->tested, (unsigned long long)b->kept[F2B_IGNORED].n,
		(unsigned long long)b->kept[F2B_MATCHED].n,
		(unsigned long long)b->kept[F2B_MISSED].n);
	f2b_print(b, "[processed in %.2f sec]\n", (double)elapsed_us / USEC_PER_SEC);
	if (b->o.print_all[F2B_MATCHED])
		report_lines(b, F2B_MATCHED);
	if (!b->o.print_none[F2B_IGNORED])
		report_lines(b, F2B_IGNORED);
	if (!b->o.print_none[F2B_MISSED])
		report_lines(b, F2B_MISSED);
}
