/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every engine against a plain search. The input: how many words there are, how many hits there is
 * room for (0: any number), the words (length, with the upper bit if nocase, and bytes), the text.
 */
#include "base/util.h"
#include "match/words_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIST_MAX 32
#define TEXT_MAX 512
#define HITS_MAX (TEXT_MAX * LIST_MAX)

static const struct words_engine *const engines[] = {
	&words_engine_plain,
#ifdef __x86_64__
	&words_engine_teddy,
#endif
#ifdef HAVE_HYPERSCAN
	&words_engine_hs,
#endif
};

static struct word list[LIST_MAX];
static struct words_hit hits[HITS_MAX], expected[HITS_MAX];
static size_t n_words, n_expected;

static bool stands(const struct word *w, const char *text, size_t end)
{
	if (w->len > end)
		return false;
	for (size_t i = 0; i < w->len; i++) {
		uint8_t a = (uint8_t)text[end - w->len + i], b = (uint8_t)w->text[i];

		if (w->nocase ? words_lower(a) != words_lower(b) : a != b)
			return false;
	}
	return true;
}

static void search(const char *text, size_t len)
{
	n_expected = 0;
	for (uint32_t end = 1; end <= len; end++)
		for (uint32_t i = 0; i < n_words; i++)
			if (stands(&list[i], text, end))
				expected[n_expected++] = (struct words_hit) {i, end};
}

static int by_end(const void *a, const void *b)
{
	const struct words_hit *x = a, *y = b;

	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return x->word < y->word ? -1 : x->word > y->word;
}

static void compare(const struct words_engine *engine, const char *text, size_t len, size_t max)
{
	size_t upto, complete = 0, n;
	struct words_scanner *s;
	struct words *w;

	if (words_new_with(&w, list, n_words, NULL, &engine, 1) < 0 || words_scanner_new(&s, w) < 0)
		abort();
	n = words_scan(w, s, text, len, hits, max, &upto);
	while (complete < n_expected && expected[complete].end <= upto)
		complete++;
	if (n != complete || words_scanner_failures(s) > 0 || (n_expected <= max && upto < len))
		abort();
	for (size_t i = 1; i < n; i++)
		if (hits[i - 1].end > hits[i].end)
			abort();
	qsort(hits, n, sizeof(*hits), by_end);
	if (memcmp(hits, expected, n * sizeof(*hits)) != 0)
		abort();
	words_scanner_free(s);
	words_free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size;
	size_t max;
	char *text;

	if (size < 2)
		return 0;
	n_words = 1 + data[0] % LIST_MAX;
	max = data[1] == 0 ? HITS_MAX : data[1];
	data += 2;
	for (size_t i = 0; i < n_words; i++) {
		size_t len = data < end ? *data & 0x7f : 0;

		if (len < WORD_LEN_MIN || len > WORD_LEN_MAX || (size_t)(end - data) <= len)
			return 0;
		list[i] = (struct word) {(const char *)data + 1, (uint8_t)len, *data >= 0x80};
		data += len + 1;
	}
	size = (size_t)(end - data);
	if (size > TEXT_MAX)
		return 0;
	/* Exactly as large as it is, so that a read past its end is seen. */
	text = malloc(size > 0 ? size : 1);
	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	search(text, size);
	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		compare(engines[i], text, size, max);
	free(text);
	return 0;
}
