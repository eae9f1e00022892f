/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first byte says what the rest is: 'f' the database file itself, 'p' places to write over in a
 * good one (16-bit offset in 4-byte steps, length 1 to 8, bytes), 'r' rows of any type and length.
 */
#include "store/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NAME "fuzz.sqlite"
#define IMAGE_MAX (256 << 10)

static char dir[64], path[128], wal[160];
static uint8_t image[IMAGE_MAX];
static size_t image_len;

static void die(const char *what)
{
	perror(what);
	abort();
}

static void clear(void)
{
	static unsigned runs;
	char command[128];

	unlink(path);
	unlink(wal);
	/* The store keeps three of those moved aside, but not their companions of another time. */
	if (runs++ % 1000 == 999) {
		snprintf(command, sizeof(command), "rm -f %s/*.corrupt-*", dir);
		if (system(command) != 0)
			die(command);
	}
}

static void remove_dir(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		perror(command);
}

static void put_some(struct store *s)
{
	struct prefix p;
	struct store_ban b = {.jail = "sshd", .since_us = 1, .failures = 1, .origin = "log"};
	struct track_entry e = {.n = 1, .sec = {1}, .count = {1}};
	int r = store_begin(s);

	prefix_parse(&p, "192.0.2.0/24", 12);
	b.prefix = p;
	e.addr = p.addr;
	if (r == 0)
		r = store_put_ban(s, &b);
	if (r == 0)
		r = store_put_failures(s, 0, (const char *[]) {"sshd"}, &e, 1);
	if (r == 0)
		r = store_put_position(s, &(struct store_position) {.path = "/log"});
	if (r == 0)
		r = store_put_total(s, &(struct store_total) {.jail = "sshd"});
	if (r == 0)
		r = store_purge(s, 0);
	if (r < 0)
		store_rollback(s);
	else
		store_commit(s);
}

static void make_image(void)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	struct store *s;
	bool moved;
	ssize_t n;
	int fd;

	snprintf(dir, sizeof(dir), "%s/fuzz_store.XXXXXX", base);
	if (mkdtemp(dir) == NULL)
		die(dir);
	atexit(remove_dir);
	snprintf(path, sizeof(path), "%s/" NAME, dir);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	if (store_open(&s, dir, NAME, &moved) < 0 || store_trouble(s)[0] != '\0')
		die(path);
	put_some(s);
	store_close(s);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, image, sizeof(image));
	if (n <= 0)
		die(path);
	image_len = (size_t)n;
	close(fd);
}

static void write_file(const uint8_t *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len)
		die(path);
	close(fd);
}

static void patched(const uint8_t *data, size_t size)
{
	static uint8_t copy[IMAGE_MAX];

	memcpy(copy, image, image_len);
	while (size >= 4) {
		size_t at = (size_t)(data[0] | data[1] << 8) * 4, len = data[2] % 8 + 1;

		data += 3;
		size -= 3;
		if (len > size || at + len > image_len)
			break;
		memcpy(copy + at, data, len);
		data += len;
		size -= len;
	}
	write_file(copy, image_len);
}

/* One value out of the input: its type, its length, its bytes. */
static void bind(sqlite3_stmt *st, int i, const uint8_t **data, size_t *size)
{
	uint8_t type = *size > 0 ? **data : 0;
	size_t len = *size > 1 ? (*data)[1] % 64 : 0;
	int64_t number = 0;

	*data += *size < 2 ? *size : 2;
	*size -= *size < 2 ? *size : 2;
	len = len < *size ? len : *size;
	memcpy(&number, *data, len < 8 ? len : 8);
	if (type % 5 == 0)
		sqlite3_bind_int64(st, i, number);
	else if (type % 5 == 1)
		sqlite3_bind_text(st, i, (const char *)*data, (int)len, SQLITE_TRANSIENT);
	else if (type % 5 == 2)
		sqlite3_bind_blob(st, i, *data, (int)len, SQLITE_TRANSIENT);
	else if (type % 5 == 3)
		sqlite3_bind_zeroblob(st, i, type == 3 ? 16 : (int)len * 300);
	*data += len;
	*size -= len;
}

static void rows(const uint8_t *data, size_t size)
{
	static const char *const inserts[] = {
		"INSERT OR REPLACE INTO "
		"ban(jail,addr,len,since,until,over,failures,origin,evidence)"
		" VALUES(?,?,?,?,?,?,?,?,?)",
		"INSERT OR REPLACE INTO position VALUES(?,?,?,?,?,?,?)",
		"INSERT OR REPLACE INTO total VALUES(?,?,?,?)",
		"INSERT OR REPLACE INTO failures VALUES(?,?)",
	};
	sqlite3 *db;

	write_file(image, image_len);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		die(path);
	while (size > 0) {
		sqlite3_stmt *st;

		if (sqlite3_prepare_v2(db, inserts[*data % 4], -1, &st, NULL) != SQLITE_OK)
			die(sqlite3_errmsg(db));
		data++;
		size--;
		for (int i = 1; i <= sqlite3_bind_parameter_count(st); i++)
			bind(st, i, &data, &size);
		sqlite3_step(st);
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
}

static void on_ban(void *arg, const struct store_ban *b)
{
	char text[PREFIX_STRLEN];

	*(size_t *)arg += strlen(b->jail) + strlen(b->origin) +
			  strlen(prefix_format(&b->prefix, text)) +
			  (b->evidence != NULL ? strlen(b->evidence) : 0);
}

static void on_past(void *arg, const struct store_ban *b, int64_t ended_us)
{
	(void)ended_us;
	on_ban(arg, b);
}

static void on_position(void *arg, const struct store_position *p)
{
	*(size_t *)arg += strlen(p->path) + (p->cursor != NULL ? strlen(p->cursor) : 0);
}

static void on_total(void *arg, const struct store_total *t)
{
	*(size_t *)arg += strlen(t->jail);
}

static void on_failures(void *arg, uint32_t place, const char *jail, const struct track_entry *e)
{
	(void)place;
	if (e->n == 0 || e->n > TRACK_SLOTS)
		abort();
	*(size_t *)arg += strlen(jail);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct addr a = {0};
	struct store *s = NULL;
	size_t sum = 0;
	bool moved;

	if (image_len == 0)
		make_image();
	clear();
	if (size == 0 || size > IMAGE_MAX)
		return 0;
	if (data[0] == 'f')
		write_file(data + 1, size - 1);
	else if (data[0] == 'p')
		patched(data + 1, size - 1);
	else
		rows(data + 1, size - 1);

	if (store_open(&s, dir, NAME, &moved) < 0 && s == NULL)
		abort();
	store_load_bans(s, 0, on_ban, &sum);
	store_load_positions(s, on_position, &sum);
	store_load_totals(s, on_total, &sum);
	store_load_failures(s, on_failures, &sum);
	store_history(s, &a, 100, on_past, &sum);
	put_some(s);
	if (store_trouble(s)[0] != '\0')
		store_retry(s);
	store_close(s);
	return 0;
}
