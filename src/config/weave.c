/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/weave.h"

#include <errno.h>
#include <string.h>

void weave_begin(struct weave *w, struct where where)
{
	w->cur.len = 0;
	w->where = where;
}

int weave_add(struct weave *w, const char *s, size_t len)
{
	if (len >= w->budget->bytes)
		return -E2BIG;
	w->budget->bytes -= len + 1;
	return buf_add(&w->cur, s, len) < 0 ? -E2BIG : 0;
}

static void flush(struct weave *w)
{
	struct conf_text line = {arena_strndup(w->arena, buf_text(&w->cur), w->cur.len), w->where};

	lines_add(w->lines, w->arena, line);
	w->cur.len = 0;
}

int weave_value(struct weave *w, size_t at, const struct lines *value, bool whole)
{
	w->cur.len = at;
	if (whole && value->n > 0)
		w->where = value->items[0].where;
	for (size_t i = 0; i < value->n; i++) {
		if (i > 0) {
			flush(w);
			w->where = value->items[i].where;
		}
		if (weave_add(w, value->items[i].text, strlen(value->items[i].text)) < 0)
			return -E2BIG;
	}
	return 0;
}

void weave_end(struct weave *w)
{
	flush(w);
}
