/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/date.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ZONE_MAX 32

/*
 * The input is a zone, an empty line, a datepattern of one or more lines, an empty line, and lines
 * to look at. Whatever they are, a refusal says why, and what is found lies in its line.
 */
static char *take(const char **p, const char *end, size_t max)
{
	const char *q = *p;
	char *text;
	size_t len;

	while (q + 1 < end && (q[0] != '\n' || q[1] != '\n'))
		q++;
	if (q + 1 >= end)
		q = end;
	len = (size_t)(q - *p);
	text = strndup(*p, len < max ? len : max);
	*p = q < end ? q + 2 : end;
	return text;
}

static void look(const struct date_patterns *dates, const char *p, const char *end)
{
	struct date_finder *f = date_finder_new(dates);

	while (p < end) {
		const char *q = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((q != NULL ? q : end) - p);
		struct stamp s = {0};
		enum date_found found = date_find(f, p, len, 1795159800000000, &s);

		if (found != DATE_NONE && (s.off > len || s.len > len - s.off))
			abort();
		p += len + 1;
	}
	for (size_t i = 0; i < date_finder_count(f); i++)
		if (date_finder_usage(f, i).name == NULL)
			abort();
	date_finder_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size;
	struct conf_text zone = {.text = take(&p, end, ZONE_MAX)};
	struct conf_text pattern = {.text = take(&p, end, 1024)};
	struct date_patterns *dates = NULL;
	struct faults f = {0};
	int r = date_patterns_new(&dates, &pattern, &zone, &f);

	if ((r < 0) != (f.n_errors > 0))
		abort();
	if (r == 0)
		look(dates, p, end);
	date_patterns_free(dates);
	faults_done(&f);
	free((char *)pattern.text);
	free((char *)zone.text);
	return 0;
}
