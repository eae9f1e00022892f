/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_cache.h"
#include "match/words_priv.h"

#include "base/buf.h"
#include "base/util.h"

#include <errno.h>
#include <hs/hs.h>
#include <stdlib.h>
#include <string.h>

/* Scanned at once, also when there is no room for what is found. */
#define BLOCK (32u << 10)

static int hs_errno(hs_error_t e)
{
	return e == HS_SUCCESS ? 0 : e == HS_NOMEM ? -ENOMEM : -EIO;
}

static int compile(hs_database_t **ret, const struct words *w)
{
	_cleanup_free_ const char **texts = calloc(w->n_unique, sizeof(*texts));
	_cleanup_free_ unsigned *flags = calloc(w->n_unique, sizeof(*flags));
	_cleanup_free_ unsigned *ids = calloc(w->n_unique, sizeof(*ids));
	_cleanup_free_ size_t *lens = calloc(w->n_unique, sizeof(*lens));
	hs_compile_error_t *error = NULL;
	hs_error_t e;

	if (texts == NULL || flags == NULL || ids == NULL || lens == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < w->n_unique; i++) {
		texts[i] = w->unique[i].text;
		lens[i] = w->unique[i].len;
		ids[i] = (unsigned)i;
		flags[i] = w->unique[i].nocase ? HS_FLAG_CASELESS : 0;
	}
	e = hs_compile_lit_multi(
		texts, flags, ids, lens, (unsigned)w->n_unique, HS_MODE_BLOCK, NULL, ret, &error);
	hs_free_compile_error(error);
	return hs_errno(e);
}

/* All that decides what a compiled set is. */
static int make_key(struct buf *key, const struct words *w)
{
	hs_platform_info_t platform = {0};
	const char *version = hs_version();
	int r = hs_errno(hs_populate_platform(&platform));

	if (r == 0)
		r = buf_add(key, version, strlen(version) + 1);
	if (r == 0)
		r = buf_add(key, &platform, sizeof(platform));
	for (size_t i = 0; r == 0 && i < w->n_unique; i++) {
		const struct words_unique *u = &w->unique[i];
		const char about[2] = {(char)u->len, (char)u->nocase};

		r = buf_add(key, about, sizeof(about));
		if (r == 0)
			r = buf_add(key, u->text, u->len);
	}
	return r;
}

static int load(hs_database_t **ret, int dir_fd, const struct buf *key)
{
	_cleanup_free_ void *data = NULL;
	size_t len;
	int r = words_cache_load(dir_fd, key->data, key->len, &data, &len);

	return r < 0 ? r : hs_errno(hs_deserialize_database(data, len, ret));
}

/* If that fails, it will be compiled again next time. */
static void store(const hs_database_t *db, int dir_fd, const struct buf *key)
{
	_cleanup_free_ char *data = NULL;
	size_t len;

	if (hs_serialize_database(db, &data, &len) == HS_SUCCESS)
		words_cache_store(dir_fd, key->data, key->len, data, len);
}

static int build_cached(hs_database_t **ret, const struct words *w, int dir_fd)
{
	struct buf key = {0};
	int r = make_key(&key, w);

	if (r == 0 && load(ret, dir_fd, &key) < 0) {
		r = compile(ret, w);
		if (r == 0)
			store(*ret, dir_fd, &key);
	}
	buf_done(&key);
	return r;
}

static int hs_build(void **ret, const struct words *w, const struct words_cache *cache)
{
	hs_database_t *db;
	int r;

	if (w->n_unique == 0)
		return -EINVAL;
	if (cache != NULL && cache->dir_fd >= 0)
		r = build_cached(&db, w, cache->dir_fd);
	else
		r = compile(&db, w);
	if (r == 0)
		*ret = db;
	return r;
}

static void hs_free(void *db)
{
	hs_free_database(db);
}

static int hs_scratch(void **ret, const void *db)
{
	hs_scratch_t *scratch = NULL;
	int r = hs_errno(hs_alloc_scratch(db, &scratch));

	if (r == 0)
		*ret = scratch;
	return r;
}

static void hs_scratch_free(void *scratch)
{
	hs_free_scratch(scratch);
}

/* A block on its way through. */
struct block {
	struct words_sink *sink;
	uint32_t base, from;
};

static int on_match(
	unsigned id, unsigned long long start, unsigned long long end, unsigned flags, void *arg)
{
	const struct block *b = arg;
	uint32_t at = b->base + (uint32_t)end;

	(void)start;
	(void)flags;
	if (at > b->from)
		words_sink_put(b->sink, (uint16_t)id, at);
	return 0;
}

static int hs_scan_blocks(const void *db, void *scratch, struct words_sink *sink, const char *buf,
	uint32_t from, uint32_t len, uint32_t *ret_done)
{
	while (from < len && from < sink->limit) {
		uint32_t overlap = from < sink->words->longest ? from : sink->words->longest - 1u;
		struct block b = {.sink = sink, .base = from - overlap, .from = from};
		uint32_t end = len - from > BLOCK ? from + BLOCK : len;
		hs_error_t e = hs_scan(db, buf + b.base, end - b.base, 0, scratch, on_match, &b);

		*ret_done = from;
		if (e != HS_SUCCESS)
			return hs_errno(e);
		from = end;
	}
	*ret_done = sink->limit;
	return 0;
}

const struct words_engine words_engine_hs = {
	.name = "hyperscan",
	.build = hs_build,
	.free = hs_free,
	.scratch = hs_scratch,
	.scratch_free = hs_scratch_free,
	.scan = hs_scan_blocks,
};
