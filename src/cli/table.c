/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
#define HELD_ROWS 500
#define SHRUNK_MIN 8
#define CELL_MAX 4096

struct table {
	FILE *out;
	const struct table_column *columns;
	size_t n;
	unsigned width;
	const char *bold, *plain;
	size_t *widths; /* one a column */
	char **held;    /* HELD_ROWS * n cells */
	size_t n_held;
	bool flowing; /* widths are fixed, the title is out */
};

struct table *table_new(FILE *out, const struct table_column *columns, size_t n, unsigned width,
	const char *bold, const char *plain)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	*t = (struct table) {.out = out,
		.columns = columns,
		.n = n,
		.width = width,
		.bold = bold,
		.plain = plain,
		.widths = calloc(n, sizeof(*t->widths)),
		.held = calloc(n * HELD_ROWS, sizeof(*t->held))};
	if (t->widths == NULL || t->held == NULL) {
		free(t->widths);
		free(t->held);
		free(t);
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		t->widths[i] = strlen(columns[i].title);
	return t;
}

static bool is_start(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t table_text_width(const char *s)
{
	size_t width = 0;

	for (; *s != '\0'; s++)
		width += is_start(*s);
	return width;
}

/* Where the character number i of s begins. */
static char *nth(char *s, size_t i)
{
	for (; *s != '\0'; s++) {
		if (is_start(*s) && i-- == 0)
			break;
	}
	return s;
}

void table_shorten(char *s, size_t width)
{
	size_t have = table_text_width(s), head, tail;
	char *to, *from;

	if (have <= width)
		return;
	if (width <= 3) {
		*nth(s, width) = '\0';
		return;
	}
	head = (width - 3) / 2;
	tail = width - 3 - head;
	to = nth(s, head);
	from = nth(s, have - tail);
	/* At least four characters go, so three dots fit. */
	memset(to, '.', 3);
	memmove(to + 3, from, strlen(from) + 1);
}

/* Narrows the widest of the columns that allow it until the line fits. */
static void fit(struct table *t)
{
	size_t total = GAP * (t->n - 1);

	for (size_t i = 0; i < t->n; i++)
		total += t->widths[i];
	while (total > t->width) {
		size_t *widest = NULL;

		for (size_t i = 0; i < t->n; i++) {
			if (t->columns[i].shrink && t->widths[i] > SHRUNK_MIN &&
				t->widths[i] > strlen(t->columns[i].title) &&
				(widest == NULL || t->widths[i] > *widest))
				widest = &t->widths[i];
		}
		if (widest == NULL)
			return;
		(*widest)--;
		total--;
	}
}

static void print_cell(const struct table *t, size_t column, char *text)
{
	size_t width = t->widths[column], have;

	if (t->columns[column].shrink)
		table_shorten(text, width);
	have = table_text_width(text);
	if (column > 0)
		fprintf(t->out, "%*s", GAP, "");
	if (t->columns[column].right && have < width)
		fprintf(t->out, "%*s", (int)(width - have), "");
	fputs(text, t->out);
	if (column + 1 == t->n)
		fputc('\n', t->out);
	else if (!t->columns[column].right && have < width)
		fprintf(t->out, "%*s", (int)(width - have), "");
}

static void print_title(const struct table *t)
{
	fputs(t->bold, t->out);
	for (size_t i = 0; i < t->n; i++) {
		int width = (int)t->widths[i];

		fprintf(t->out, "%*s", i > 0 ? GAP : 0, "");
		if (i + 1 == t->n && !t->columns[i].right)
			width = 0;
		fprintf(t->out, "%*s", t->columns[i].right ? width : -width, t->columns[i].title);
	}
	fprintf(t->out, "%s\n", t->plain);
}

/* Makes room for a cell. */
static void widen(struct table *t, size_t column, const char *text)
{
	size_t width = table_text_width(text);

	if (width > t->widths[column])
		t->widths[column] = width;
}

static void release(struct table *t)
{
	static char empty[] = "";

	for (size_t i = 0; i < t->n_held; i++) {
		if (t->held[i] != NULL)
			widen(t, i % t->n, t->held[i]);
	}
	fit(t);
	print_title(t);
	for (size_t i = 0; i < t->n_held; i++) {
		print_cell(t, i % t->n, t->held[i] != NULL ? t->held[i] : empty);
		free(t->held[i]);
	}
	/* Goes on as the place in the row. */
	t->n_held %= t->n;
	t->flowing = true;
}

void table_cell(struct table *t, const char *text, size_t len)
{
	char escaped[CELL_MAX];

	text_escape(escaped, sizeof(escaped), text, len);
	if (t->flowing) {
		widen(t, t->n_held, escaped);
		fit(t);
		print_cell(t, t->n_held, escaped);
		t->n_held = (t->n_held + 1) % t->n;
		return;
	}
	t->held[t->n_held++] = strdup(escaped);
	if (t->n_held == t->n * HELD_ROWS)
		release(t);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	char text[CELL_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_cell(t, text, strlen(text));
}

void table_end(struct table *t)
{
	if (t == NULL)
		return;
	if (!t->flowing && t->n_held > 0)
		release(t);
	free(t->widths);
	free(t->held);
	free(t);
}
