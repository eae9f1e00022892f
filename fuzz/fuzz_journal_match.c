/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_match.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_terms terms = {0};
	struct journal_match m;
	const char *error = NULL;
	char *text = strndup((const char *)data, size);
	unsigned char *has;
	int r;

	if (text == NULL)
		abort();
	r = journal_match_parse(&m, &terms, text, &error);
	has = calloc(terms.n > 0 ? terms.n : 1, 1);
	if (has == NULL || (r < 0 && error == NULL))
		abort();
	for (size_t i = 0; i < terms.n; i++) {
		if (journal_terms_find(&terms, terms.items[i].text, terms.items[i].len) != (long)i)
			abort();
	}
	if (r == 0) {
		/* With no term only a match without groups passes, with all of them every one. */
		if (journal_match_test(&m, &terms, has) != (m.n == 0))
			abort();
		memset(has, 1, terms.n);
		if (!journal_match_test(&m, &terms, has))
			abort();
		journal_match_done(&m);
	}
	journal_terms_done(&terms);
	free(has);
	free(text);
	return 0;
}
