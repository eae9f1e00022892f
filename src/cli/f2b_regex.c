/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_regex.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/f2b_room.h"
#include "config/option.h"
#include "match/zone.h"

#include <stdarg.h>
#include <time.h>
#include <unistd.h>

void f2b_print_text(struct f2b *b, const char *text, size_t len)
{
	const char *end = text + len;

	/* A log may hold what a terminal obeys; a pipe gets it as it is. */
	while (b->is_tty && text < end) {
		size_t plain = 0;

		while (text + plain < end && text[plain] != '\n' && text[plain] != '\t')
			plain++;
		if (plain > 0) {
			char *shown = f2b_room(plain * 4 + 1);

			fwrite(shown, 1, text_escape(shown, plain * 4 + 1, text, plain), b->out);
			free(shown);
		}
		text += plain;
		if (text < end)
			fputc(*text++, b->out);
	}
	if (text < end)
		fwrite(text, 1, (size_t)(end - text), b->out);
	fputc('\n', b->out);
}

static void vprint(struct f2b *b, const char *fmt, va_list ap)
{
	struct buf text = {0};

	if (buf_vaddf(&text, fmt, ap) < 0)
		f2b_got(NULL);
	f2b_print_text(b, buf_text(&text), text.len);
	buf_done(&text);
}

void f2b_print(struct f2b *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(b, fmt, ap);
	va_end(ap);
}

void f2b_tell(struct f2b *b, const char *fmt, ...)
{
	va_list ap;

	if (b->o.out != NULL)
		return;
	va_start(ap, fmt);
	vprint(b, fmt, ap);
	va_end(ap);
}

void f2b_warn(struct f2b *b, const char *fmt, ...)
{
	int64_t now_us = clock_wall_us();
	time_t t = (time_t)(now_us / USEC_PER_SEC);
	struct buf text = {0};
	char when[32] = "";
	struct tm tm;
	va_list ap;

	if (b->o.log_level > F2B_LEVEL_WARNING)
		return;
	if (localtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	if (buf_addf(&text, "%s,%03d %-24s[%d]: WARNINGW: ", when,
		    (int)(now_us % USEC_PER_SEC / 1000), "fail2ban.filter", (int)getpid()) < 0)
		f2b_got(NULL);
	va_start(ap, fmt);
	if (buf_vaddf(&text, fmt, ap) < 0)
		f2b_got(NULL);
	va_end(ap);
	f2b_print_text(b, text.data, text.len);
	buf_done(&text);
}

void f2b_print_faults(struct f2b *b, const char *before)
{
	for (size_t i = 0; i < b->faults.n; i++) {
		const struct fault *one = &b->faults.items[i];

		if (one->severity != FAULT_ERROR)
			continue;
		if (one->file != NULL)
			f2b_print(b, "%s%s:%u: %s", before, one->file, one->line, one->message);
		else
			f2b_print(b, "%s%s", before, one->message);
	}
	faults_done(&b->faults);
}

const char *f2b_short(const char *text, char buf[static 4 * F2B_SHORT_MAX])
{
	size_t chars = 0, cut = 0, i;

	for (i = 0; text[i] != '\0' && chars <= F2B_SHORT_MAX; i++) {
		if (((unsigned char)text[i] & 0xc0) == 0x80)
			continue;
		if (chars++ == F2B_SHORT_MAX - 3)
			cut = i;
	}
	if (chars <= F2B_SHORT_MAX)
		return text;
	if (cut > 4 * F2B_SHORT_MAX - 4)
		cut = 4 * F2B_SHORT_MAX - 4;
	snprintf(buf, 4 * F2B_SHORT_MAX, "%.*s...", (int)cut, text);
	return buf;
}

static void count_ignored(void *arg, size_t rule)
{
	struct f2b *b = arg;

	b->is_ignored = true;
	b->ignore[rule].hits++;
}

static enum usedns read_usedns(struct f2b *b)
{
	enum usedns usedns = USEDNS_WARN;

	if (b->o.usedns == NULL || option_usedns_word(b->o.usedns, &usedns))
		return usedns;
	f2b_warn(b, "there is no usedns '%s': taken as no", b->o.usedns);
	return USEDNS_NO;
}

/* What the options say, before any filter does. */
static bool begin(struct f2b *b)
{
	struct f2b_finder *f = &b->finder;
	struct conf_text pattern = {b->o.datepattern, {NULL, 0}};
	int minutes;

	b->zone.text = b->o.timezone;
	f->usedns = read_usedns(b);
	f->maxlines = 1;
	f->raw = b->o.raw;
	f->check_all = b->o.check_all && b->o.out == NULL;
	f->ignore_pending = f->keep_lines = b->o.out != NULL;
	f->keep_pref = b->o.verbose != 0;
	f->on_ignore = count_ignored;
	f->arg = b;
	f->engine = f2b_got(regex_engine_new(&f->stats));
	if (b->zone.text != NULL && zone_read(&minutes, b->zone.text, strlen(b->zone.text)) < 0) {
		f2b_print(b, "ERROR: '%s' is no time zone: write UTC+0200, +02:00 or CET",
			b->zone.text);
		return false;
	}
	if (b->o.maxlines > 0 && !f2b_set_maxlines(b, (long)b->o.maxlines))
		return false;
	if (pattern.text != NULL && !f2b_set_datepattern(b, &pattern))
		return false;
	if (!f2b_load(b))
		return false;
	if (f2b_is_journal(b))
		return true;
	pattern.text = NULL;
	return f2b_set_datepattern(b, &pattern);
}

static void done(struct f2b *b)
{
	for (size_t i = 0; i < b->finder.n_fail; i++)
		f2b_texts_done(&b->fail[i].shown);
	for (size_t i = 0; i < F2B_KINDS; i++) {
		f2b_texts_done(&b->kept[i].lines);
		f2b_texts_done(&b->kept[i].undated);
	}
	f2b_texts_done(&b->pref_shown);
	f2b_find_done(&b->finder);
	date_patterns_free(b->patterns);
	faults_done(&b->faults);
	arena_free(b->arena);
}

static bool run(struct f2b *b)
{
	int64_t start_us;

	f2b_tell(b, "\nRunning tests\n=============\n");
	if (!begin(b))
		return false;
	start_us = clock_mono_us();
	if (!f2b_read(b))
		return false;
	if (b->o.out == NULL)
		f2b_report(b, clock_mono_us() - start_us);
	return true;
}

int f2b_regex_main(int argc, char **argv, FILE *out, FILE *err)
{
	struct f2b b = {.out = out};
	int status;
	bool good;

	if (!f2b_args_read(&b.o, argc, argv, out, err, &status))
		return status;
	b.is_tty = isatty(fileno(out)) == 1;
	b.arena = f2b_got(arena_new());
	good = run(&b);
	if (b.finder.stats.limit_hits > 0)
		fprintf(err, "%s: %llu lines were not judged: a regex met its limits\n",
			b.o.program, (unsigned long long)b.finder.stats.limit_hits);
	done(&b);
	return good ? F2B_GOOD : F2B_FAILED;
}
