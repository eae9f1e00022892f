/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datehabit.h"
#include "match/dateinside.h"
#include "match/datemiss.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct date_patterns *make(const char *pattern)
{
	struct conf_text text = {.text = pattern};
	struct date_patterns *p = NULL;
	struct faults f = {0};

	if (date_patterns_new(&p, &text, NULL, &f) < 0)
		abort();
	return p;
}

/* What is found lies in the line, and is found again when the line comes again. */
static void look(struct date_finder *f, const char *line, size_t len, int64_t now_us)
{
	struct stamp a = {0}, b = {0};
	enum date_found found = date_find(f, line, len, now_us, &a), again;

	if (found == DATE_NONE)
		return;
	if (a.off > len || a.len > len - a.off || (found >= DATE_UNREADABLE) != (a.len > 0))
		abort();
	again = date_find(f, line, len, now_us, &b);
	if (again == DATE_NONE)
		abort();
}

/* What it would say of a line without looking for its date must be what looking for it says. */
static void compare(struct date_finder *quick, struct date_finder *plain, const char *line,
	size_t len, int64_t now_us)
{
	struct stamp want = {0}, got = {0};
	struct date_habit habit;
	struct date_miss miss;
	enum date_found found = date_find(plain, line, len, now_us, &want);

	if (date_finder_miss(quick, &miss) && date_miss_holds(&miss, line, len) &&
		found != DATE_NONE)
		abort();
	if (date_finder_habit(quick, now_us, &habit) && date_habit_holds(&habit, line, len, &got) &&
		(found != DATE_FOUND || got.time_us != want.time_us || got.off != want.off ||
			got.len != want.len))
		abort();
	if (date_find(quick, line, len, now_us, &got) != found ||
		(found != DATE_NONE && (got.off != want.off || got.len != want.len)) ||
		(found == DATE_FOUND && got.time_us != want.time_us))
		abort();
	if (!date_finder_same(plain, quick))
		abort();
}

/* The input is a log; a finder learns from line to line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t now_us = 1795159800000000;
	static struct date_patterns *patterns[3];
	const char *p = (const char *)data, *end = p + size;
	struct date_finder *f[3], *quick[3], *plain[3];

	if (patterns[0] == NULL) {
		patterns[0] = make(NULL);
		patterns[1] = make("^[^\\[]*\\[({DATE})\n{^LN-BEG}");
		patterns[2] =
			make("{LEPOCH}\n%A, %d %B %y %l:%M %p\n%Y %U %a %X %Exz\n%j %Y\n{NONE}");
	}
	for (unsigned i = 0; i < 3; i++) {
		f[i] = date_finder_new(patterns[i]);
		quick[i] = date_finder_new(patterns[i]);
		plain[i] = date_finder_new(patterns[i]);
		date_finder_plain(plain[i]);
	}
	while (p < end) {
		const char *q = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((q != NULL ? q : end) - p);
		/* Of its exact size, so that a step past its end is seen. */
		char *copy = malloc(len + 1);

		memcpy(copy, p, len);
		copy = realloc(copy, len > 0 ? len : 1);
		for (unsigned i = 0; i < 3; i++) {
			look(f[i], copy, len, now_us);
			compare(quick[i], plain[i], copy, len, now_us);
		}
		free(copy);
		p += len + 1;
	}
	for (unsigned i = 0; i < 3; i++) {
		date_finder_free(f[i]);
		date_finder_free(quick[i]);
		date_finder_free(plain[i]);
	}
	return 0;
}
