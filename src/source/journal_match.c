/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_match.h"

#include "base/buf.h"
#include "base/util.h"

#include <errno.h>
#include <string.h>

#define FIELD_MAX 64 /* what the journal takes */

static size_t field_len(const char *term)
{
	return strcspn(term, "=");
}

static int term_cmp(const struct journal_term *t, const char *data, size_t len)
{
	if (t->len != len)
		return t->len < len ? -1 : 1;
	return memcmp(t->text, data, len);
}

/* Where in sorted the term is (true) or belongs. */
static bool term_place(const struct journal_terms *t, const char *data, size_t len, size_t *ret)
{
	size_t lo = 0, hi = t->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = term_cmp(&t->items[t->sorted[mid]], data, len);

		if (c == 0) {
			*ret = mid;
			return true;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*ret = lo;
	return false;
}

long journal_terms_find(const struct journal_terms *terms, const char *data, size_t len)
{
	size_t at;

	return term_place(terms, data, len, &at) ? (long)terms->sorted[at] : -1;
}

/* The term's index, added if it is new. -E2BIG or -ENOMEM. */
static long term_add(struct journal_terms *t, const char *text, size_t len)
{
	struct journal_term *items, new = {.len = len, .field = (unsigned)t->n};
	unsigned short *sorted;
	size_t at, field = field_len(text) + 1;

	if (term_place(t, text, len, &at))
		return (long)t->sorted[at];
	if (t->n >= JOURNAL_TERMS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < t->n; i++) {
		if (t->items[i].len >= field && memcmp(t->items[i].text, text, field) == 0) {
			new.field = (unsigned)i;
			break;
		}
	}
	items = reallocarray(t->items, t->n + 1, sizeof(*items));
	if (items == NULL)
		return -ENOMEM;
	t->items = items;
	sorted = reallocarray(t->sorted, t->n + 1, sizeof(*sorted));
	if (sorted == NULL)
		return -ENOMEM;
	t->sorted = sorted;
	new.text = strndup(text, len);
	if (new.text == NULL)
		return -ENOMEM;
	items[t->n] = new;
	memmove(sorted + at + 1, sorted + at, (t->n - at) * sizeof(*sorted));
	sorted[at] = (unsigned short)t->n;
	return (long)t->n++;
}

/*
 * The next word, unquoted, into word. Returns 1, 0 at the end of the line or text (*s stays on it),
 * -EINVAL for a quote without end, -ENOMEM.
 */
static int next_word(struct buf *word, const char **s)
{
	const char *p = *s + strspn(*s, " \t\r");
	char quote = '\0';
	int r = 0;

	*s = p;
	if (*p == '\0' || *p == '\n')
		return 0;
	buf_drop(word, word->len);
	for (; *p != '\0' && (quote != '\0' || strchr(" \t\r\n", *p) == NULL) && r == 0; p++) {
		if (quote == '\0' && (*p == '"' || *p == '\'')) {
			quote = *p;
			continue;
		}
		if (*p == quote && quote != '\0') {
			quote = '\0';
			continue;
		}
		if (*p == '\\' && quote != '\'' && p[1] != '\0' &&
			(quote == '\0' || p[1] == '"' || p[1] == '\\'))
			p++;
		r = buf_add(word, p, 1);
	}
	*s = p;
	if (r < 0)
		return r;
	return quote == '\0' ? 1 : -EINVAL;
}

static const char *term_fault(const char *text, size_t len)
{
	size_t field = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");

	if (memchr(text, '=', len) == NULL)
		return "no = in it: write FIELD=value";
	if (text[field] != '=')
		return "a journal field's name consists of capitals, digits and _";
	if (field == 0 || field > FIELD_MAX || (text[0] >= '0' && text[0] <= '9'))
		return "a journal field's name has 1 to 64 characters and begins with no digit";
	if (text[0] == '_' && text[1] == '_')
		return "fields that begin with __ cannot be matched";
	if (len > JOURNAL_TERM_LEN)
		return "the value is too long";
	return NULL;
}

static int group_add(struct journal_group *g, unsigned short term, const struct journal_terms *t)
{
	unsigned short *terms = reallocarray(g->terms, g->n + 1, sizeof(*terms));
	size_t i = 0;

	if (terms == NULL)
		return -ENOMEM;
	g->terms = terms;
	while (i < g->n && t->items[terms[i]].field <= t->items[term].field)
		i++;
	memmove(terms + i + 1, terms + i, (g->n - i) * sizeof(*terms));
	terms[i] = term;
	g->n++;
	return 0;
}

static int word_add(struct journal_match *m, bool *in_group, struct journal_terms *terms,
	const struct buf *word, const char **ret_error)
{
	struct journal_group *groups;
	const char *fault;
	long term;

	fault = term_fault(buf_text(word), word->len);
	if (fault != NULL) {
		*ret_error = fault;
		return -EINVAL;
	}
	term = term_add(terms, word->data, word->len);
	if (term < 0)
		return (int)term;
	if (!*in_group) {
		if (m->n >= JOURNAL_GROUPS_MAX)
			return -E2BIG;
		groups = reallocarray(m->groups, m->n + 1, sizeof(*groups));
		if (groups == NULL)
			return -ENOMEM;
		m->groups = groups;
		m->groups[m->n++] = (struct journal_group) {0};
		*in_group = true;
	}
	/* In a table of their own size terms cannot overflow one group but by repetition. */
	if (m->groups[m->n - 1].n >= JOURNAL_TERMS_MAX)
		return -E2BIG;
	return group_add(&m->groups[m->n - 1], (unsigned short)term, terms);
}

int journal_match_parse(struct journal_match *ret, struct journal_terms *terms, const char *text,
	const char **ret_error)
{
	struct journal_match m = {0};
	struct buf word = {0};
	bool in_group = false;
	int r = 0;

	while (*text != '\0' && r >= 0) {
		r = next_word(&word, &text);
		if (r == 0) {
			text += *text == '\n';
			in_group = false;
		} else if (r == -EINVAL) {
			*ret_error = "a quotation mark is missing";
		} else if (r > 0 && word.len == 1 && word.data[0] == '+') {
			in_group = false;
		} else if (r > 0) {
			r = word_add(&m, &in_group, terms, &word, ret_error);
		}
	}
	buf_done(&word);
	if (r < 0) {
		if (r == -E2BIG)
			*ret_error = "too many terms";
		else if (r == -ENOMEM)
			*ret_error = "out of memory";
		journal_match_done(&m);
		return r;
	}
	*ret = m;
	return 0;
}

static bool group_test(
	const struct journal_group *g, const struct journal_terms *terms, const unsigned char *has)
{
	for (size_t i = 0; i < g->n;) {
		unsigned field = terms->items[g->terms[i]].field;
		bool any = false;

		for (; i < g->n && terms->items[g->terms[i]].field == field; i++)
			any |= has[g->terms[i]] != 0;
		if (!any)
			return false;
	}
	return true;
}

bool journal_match_test(
	const struct journal_match *m, const struct journal_terms *terms, const unsigned char *has)
{
	for (size_t i = 0; i < m->n; i++) {
		if (group_test(&m->groups[i], terms, has))
			return true;
	}
	return m->n == 0;
}

void journal_match_done(struct journal_match *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->groups[i].terms);
	free(m->groups);
	*m = (struct journal_match) {0};
}

void journal_terms_done(struct journal_terms *terms)
{
	for (size_t i = 0; i < terms->n; i++)
		free(terms->items[i].text);
	free(terms->items);
	free(terms->sorted);
	*terms = (struct journal_terms) {0};
}
