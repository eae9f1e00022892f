/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page of the failure table as a row. Numbers are little-endian:
 *
 *	page:  number of names (1), the names, the entries
 *	name:  length (1), that many bytes: a jail's
 *	entry: which name (1), slots (1), goal (4), address (16), the slots
 *	slot:  second (4), count (2)
 */
#include "store/stmt.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>

#define ENTRY_BYTES 22
#define SLOT_BYTES 6
#define PAGE_BYTES_MAX                                                                             \
	(1 + TRACK_PAGE * (1 + JAIL_MAX) + TRACK_PAGE * (ENTRY_BYTES + TRACK_SLOTS * SLOT_BYTES))

static uint8_t *put_number(uint8_t *p, uint32_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*p++ = (uint8_t)(v >> 8 * i);
	return p;
}

static uint32_t get_number(const uint8_t *p, unsigned bytes)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

static uint8_t *put_entry(uint8_t *p, uint8_t name, const struct track_entry *e)
{
	*p++ = name;
	*p++ = e->n;
	p = put_number(p, e->goal, 4);
	memcpy(p, e->addr.b, sizeof(e->addr.b));
	p += sizeof(e->addr.b);
	for (unsigned i = 0; i < e->n; i++) {
		p = put_number(p, e->sec[i], 4);
		p = put_number(p, e->count[i], 2);
	}
	return p;
}

/* The jails of a page, each once, in front of it; ret_which has each entry's. NULL: one has no
 * name. */
static uint8_t *put_names(uint8_t *p, const char *const *names, const struct track_entry *e,
	size_t n, uint8_t *ret_which)
{
	uint16_t jails[TRACK_PAGE];
	uint8_t *count = p++;

	*count = 0;
	for (size_t i = 0; i < n; i++) {
		size_t len;
		uint8_t k = 0;

		while (k < *count && jails[k] != e[i].jail)
			k++;
		ret_which[i] = k;
		if (k < *count)
			continue;
		len = strnlen(names[i], JAIL_MAX + 1);
		if (len == 0 || len > JAIL_MAX)
			return NULL;
		jails[(*count)++] = e[i].jail;
		*p++ = (uint8_t)len;
		memcpy(p, names[i], len);
		p += len;
	}
	return p;
}

int store_put_failures(struct store *s, uint32_t page, const char *const *jails,
	const struct track_entry *e, size_t n)
{
	uint8_t data[PAGE_BYTES_MAX], which[TRACK_PAGE], *p;
	sqlite3_stmt *st;
	int r;

	if (n == 0) {
		r = stmt_get(s, STMT_FAILURES_CUT, &st);
		if (r < 0)
			return r;
		sqlite3_bind_int64(st, 1, page);
		return stmt_run(s, st);
	}
	if (n > TRACK_PAGE)
		return -EINVAL;
	p = put_names(data, jails, e, n, which);
	if (p == NULL)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (e[i].n == 0 || e[i].n > TRACK_SLOTS)
			return -EINVAL;
		p = put_entry(p, which[i], &e[i]);
	}
	r = stmt_get(s, STMT_FAILURES_PUT, &st);
	if (r < 0)
		return r;
	sqlite3_bind_int64(st, 1, page);
	sqlite3_bind_blob(st, 2, data, (int)(p - data), SQLITE_STATIC);
	return stmt_run(s, st);
}

/* What is left of a row. */
struct rest {
	const uint8_t *p;
	size_t len;
};

static const uint8_t *take(struct rest *r, size_t n)
{
	const uint8_t *p = r->p;

	if (n > r->len)
		return NULL;
	r->p += n;
	r->len -= n;
	return p;
}

static bool get_name(struct rest *r, char *ret)
{
	const uint8_t *len = take(r, 1), *text = len == NULL ? NULL : take(r, *len);

	if (text == NULL || *len == 0 || memchr(text, '\0', *len) != NULL)
		return false;
	memcpy(ret, text, *len);
	ret[*len] = '\0';
	return true;
}

/* Seconds ascending and different, counts above zero. */
static bool get_entry(struct rest *r, unsigned n_names, unsigned *ret_name, struct track_entry *ret)
{
	const uint8_t *p = take(r, ENTRY_BYTES);

	if (p == NULL || p[0] >= n_names || p[1] == 0 || p[1] > TRACK_SLOTS)
		return false;
	*ret_name = p[0];
	*ret = (struct track_entry) {.n = p[1], .goal = get_number(p + 2, 4)};
	memcpy(ret->addr.b, p + 6, sizeof(ret->addr.b));
	for (unsigned i = 0; i < ret->n; i++) {
		p = take(r, SLOT_BYTES);
		if (p == NULL)
			return false;
		ret->sec[i] = get_number(p, 4);
		ret->count[i] = (uint16_t)get_number(p + 4, 2);
		if (ret->count[i] == 0 || (i > 0 && ret->sec[i] <= ret->sec[i - 1]))
			return false;
	}
	return true;
}

/* How many entries a page has, -1: it makes no sense. */
static int get_page(struct rest r, char (*ret_names)[JAIL_MAX + 1], unsigned *ret_which,
	struct track_entry *ret)
{
	const uint8_t *names = take(&r, 1);
	int n = 0;

	if (names == NULL || *names > TRACK_PAGE)
		return -1;
	for (unsigned i = 0; i < *names; i++)
		if (!get_name(&r, ret_names[i]))
			return -1;
	for (; r.len > 0; n++)
		if (n == TRACK_PAGE || !get_entry(&r, *names, &ret_which[n], &ret[n]))
			return -1;
	return n;
}

struct failures_fn {
	void (*fn)(void *, uint32_t place, const char *jail, const struct track_entry *);
};

static bool failures_row(sqlite3_stmt *st, const void *fn, void *arg)
{
	const struct failures_fn *f = fn;
	char names[TRACK_PAGE][JAIL_MAX + 1];
	struct track_entry e[TRACK_PAGE];
	unsigned which[TRACK_PAGE];
	int64_t page = sqlite3_column_int64(st, 0);
	struct rest r;
	int n;

	if (page < 0 || page >= UINT32_MAX / TRACK_PAGE ||
		sqlite3_column_type(st, 1) != SQLITE_BLOB)
		return false;
	r.p = sqlite3_column_blob(st, 1);
	r.len = (size_t)sqlite3_column_bytes(st, 1);
	n = r.p == NULL ? -1 : get_page(r, names, which, e);
	for (int i = 0; i < n; i++)
		f->fn(arg, (uint32_t)page * TRACK_PAGE + (uint32_t)i, names[which[i]], &e[i]);
	return n >= 0;
}

int store_load_failures(struct store *s,
	void (*fn)(void *, uint32_t place, const char *jail, const struct track_entry *), void *arg)
{
	struct failures_fn f = {fn};
	sqlite3_stmt *st;
	int r = stmt_get(s, STMT_LOAD_FAILURES, &st);

	return r < 0 ? r : stmt_each_row(s, st, failures_row, &f, arg);
}
