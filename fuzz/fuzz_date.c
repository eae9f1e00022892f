/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/date.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The input is a log; a finder that learnt and remembers must say the same as a fresh one. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int64_t now_us = 1795159800000000;
	struct date_finder *learnt = date_finder_new();
	const char *p = (const char *)data, *end = p + size;

	while (p < end) {
		struct date_finder *fresh = date_finder_new();
		struct stamp a = {0}, b = {0};
		const char *q = p;
		bool found;

		while (q < end && *q != '\n')
			q++;
		found = date_find(learnt, p, (size_t)(q - p), now_us, &a);
		if (found != date_find(fresh, p, (size_t)(q - p), now_us, &b))
			abort();
		if (found && (a.time_us != b.time_us || a.off != b.off || a.len != b.len ||
				     a.len == 0 || a.off + a.len > (size_t)(q - p)))
			abort();
		date_finder_free(fresh);
		p = q + 1;
	}
	date_finder_free(learnt);
	return 0;
}
