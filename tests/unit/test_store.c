/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "state.sqlite"
#define SEC 1000000LL
#define T0 (1700000000 * SEC)

static char dir[64];
static char path[128];

/* Everything a test loads. */
static struct loaded {
	unsigned bans, positions, totals, tracks, past;
	struct store_ban ban;
	struct store_position position;
	struct store_total total;
	struct track_entry track;
	uint32_t place;
	int64_t ended_us, first_since_us;
	char jail[300], origin[100], rule[300], evidence[10000], file[5000], cursor[2000];
	bool has_evidence, has_cursor;
} got;

static void on_ban(void *arg, const struct store_ban *b)
{
	(void)arg;
	got.bans++;
	got.ban = *b;
	snprintf(got.jail, sizeof(got.jail), "%s", b->jail);
	snprintf(got.origin, sizeof(got.origin), "%s", b->origin);
	snprintf(got.rule, sizeof(got.rule), "%s", b->rule != NULL ? b->rule : "");
	got.has_evidence = b->evidence != NULL;
	snprintf(got.evidence, sizeof(got.evidence), "%s", b->evidence ? b->evidence : "");
}

static void on_past(void *arg, const struct store_ban *b, int64_t ended_us)
{
	on_ban(arg, b);
	if (got.past++ == 0)
		got.first_since_us = b->since_us;
	got.ended_us = ended_us;
}

static void on_position(void *arg, const struct store_position *p)
{
	(void)arg;
	got.positions++;
	got.position = *p;
	snprintf(got.file, sizeof(got.file), "%s", p->path);
	got.has_cursor = p->cursor != NULL;
	snprintf(got.cursor, sizeof(got.cursor), "%s", p->cursor ? p->cursor : "");
}

static void on_total(void *arg, const struct store_total *t)
{
	(void)arg;
	got.totals++;
	got.total = *t;
}

static void on_failures(void *arg, uint32_t place, const char *jail, const struct track_entry *e)
{
	(void)arg;
	got.tracks++;
	got.place = place;
	got.track = *e;
	snprintf(got.jail, sizeof(got.jail), "%s", jail);
}

static int load(struct store *s, int64_t now_us)
{
	int r;

	memset(&got, 0, sizeof(got));
	r = store_load_failures(s, on_failures, NULL);
	if (r == 0)
		r = store_load_positions(s, on_position, NULL);
	if (r == 0)
		r = store_load_totals(s, on_total, NULL);
	return r == 0 ? store_load_bans(s, now_us, on_ban, NULL) : r;
}

static struct prefix block(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(&p, text, strlen(text)), 0);
	return p;
}

static struct store_ban ban(const char *text, int64_t since_us, int64_t until_us)
{
	return (struct store_ban) {.jail = "sshd",
		.prefix = block(text),
		.since_us = since_us,
		.until_us = until_us,
		.failures = 5,
		.origin = "log",
		.evidence = "one\ntwo"};
}

static int put_ban(struct store *s, const char *text, int64_t since_us, int64_t until_us)
{
	struct store_ban b = ban(text, since_us, until_us);

	return store_put_ban(s, &b);
}

static unsigned history(struct store *s, const char *text, unsigned max)
{
	struct prefix p = block(text);

	memset(&got, 0, sizeof(got));
	assert_int_equal(store_history(s, &p.addr, max, on_past, NULL), 0);
	return got.past;
}

static int put_position(struct store *s, uint64_t offset)
{
	return store_put_position(s, &(struct store_position) {.path = "/log", .offset = offset});
}

/* On disk and without trouble. */
static struct store *opened(bool want_moved)
{
	struct store *s = NULL;
	bool moved = !want_moved;

	assert_int_equal(store_open(&s, dir, NAME, &moved), 0);
	assert_string_equal(store_trouble(s), "");
	assert_int_equal(moved, want_moved);
	return s;
}

static struct store *in_memory(void)
{
	struct store *s = NULL;
	bool moved = true;

	assert_int_equal(store_open(&s, dir, NAME, &moved), 0);
	assert_string_not_equal(store_trouble(s), "");
	assert_false(moved);
	return s;
}

/* A closed database with n bans of 10.0.0.x, one position, total and track. */
static void filled(unsigned n)
{
	struct store *s = opened(false);
	struct track_entry e = {.addr = block("192.0.2.1").addr,
		.n = 2,
		.sec = {10, 4000000000},
		.count = {1, 65535},
		.goal = 4000000000};
	char text[32];

	assert_int_equal(store_begin(s), 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		assert_int_equal(put_ban(s, text, T0, 0), 0);
	}
	assert_int_equal(put_position(s, n), 0);
	assert_int_equal(store_put_total(s, &(struct store_total) {"sshd", 1, 2, 3}), 0);
	assert_int_equal(store_put_failures(s, 0, (const char *[]) {"sshd"}, &e, 1), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
}

/* Files in the directory whose name contains text. */
static unsigned files(const char *text)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, text) != NULL;
	closedir(d);
	return n;
}

static void sql(const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/test_store.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", dir, NAME);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	umount2(dir, MNT_DETACH);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static void round_trip(void **state)
{
	struct store_position p = {.path = "/var/log/auth\xff.log",
		.dev = UINT64_MAX,
		.inode = 1ULL << 63,
		.offset = INT64_MAX,
		.head_hash = 0xdeadbeefcafef00d,
		.head_len = UINT32_MAX,
		.cursor = "s=abc"};
	struct store *s = opened(false);
	struct stat st;

	(void)state;
	store_close(s);
	filled(3);
	s = opened(false);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_put_position(s, &p), 0);
	assert_int_equal(store_drop_position(s, "/log"), 0);
	assert_int_equal(store_drop_position(s, "/never"), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 3);
	assert_int_equal(got.positions, 1);
	assert_string_equal(got.file, p.path);
	assert_true(got.position.dev == p.dev && got.position.inode == p.inode &&
		    got.position.offset == p.offset && got.position.head_hash == p.head_hash &&
		    got.position.head_len == p.head_len);
	assert_string_equal(got.cursor, "s=abc");
	assert_int_equal(got.totals, 1);
	assert_int_equal(got.total.bans, 3);
	assert_int_equal(got.tracks, 1);
	assert_int_equal(got.track.n, 2);
	assert_int_equal(got.track.sec[1], 4000000000);
	assert_int_equal(got.track.count[1], 65535);
	assert_int_equal(got.track.goal, 4000000000);
	assert_string_equal(got.jail, "sshd");
	assert_string_equal(got.origin, "log");
	assert_string_equal(got.evidence, "one\ntwo");
	assert_true(got.ban.since_us == T0 && got.ban.until_us == 0 && got.ban.failures == 5);

	got.track.addr = block("192.0.2.1").addr;
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_put_failures(s, 1, NULL, NULL, 0), 0);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.tracks, 1);
	assert_int_equal(store_put_failures(s, 0, NULL, NULL, 0), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.tracks, 0);
	assert_int_equal(store_skipped(s), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	store_close(s);
	store_close(NULL);
	/* A clean end leaves one file. */
	assert_int_equal(files(NAME), 1);
}

struct page {
	struct track_entry e[TRACK_PAGE];
	char names[TRACK_PAGE][256];
	unsigned n;
};

static void same_entry(void *arg, uint32_t place, const char *jail, const struct track_entry *e)
{
	struct page *p = arg;
	const struct track_entry *was = &p->e[p->n];

	assert_int_equal(place, 7 * TRACK_PAGE + p->n);
	assert_string_equal(jail, p->names[p->n++]);
	assert_true(addr_eq(&e->addr, &was->addr));
	assert_int_equal(e->n, was->n);
	assert_int_equal(e->goal, was->goal);
	assert_memory_equal(e->sec, was->sec, e->n * sizeof(e->sec[0]));
	assert_memory_equal(e->count, was->count, e->n * sizeof(e->count[0]));
}

/* As much as a page can hold, in a jail each, with the longest names. */
static void largest_page(void **state)
{
	struct page *p = calloc(1, sizeof(*p));
	struct store *s = opened(false);
	const char *jails[TRACK_PAGE];

	(void)state;
	for (unsigned i = 0; i < TRACK_PAGE; i++) {
		p->e[i] = (struct track_entry) {
			.jail = (uint16_t)(65535 - i), .n = TRACK_SLOTS, .goal = UINT32_MAX - i};
		memset(p->e[i].addr.b, (int)i, sizeof(p->e[i].addr.b));
		for (unsigned k = 0; k < TRACK_SLOTS; k++) {
			p->e[i].sec[k] = UINT32_MAX - 100 + k;
			p->e[i].count[k] = (uint16_t)(UINT16_MAX - k);
		}
		memset(p->names[i], 'a' + (int)i % 26, 255);
		p->names[i][0] = (char)('0' + i);
		jails[i] = p->names[i];
	}
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_put_failures(s, 7, jails, p->e, TRACK_PAGE), 0);
	assert_int_equal(store_put_failures(s, 9, jails, p->e, TRACK_PAGE), 0);
	assert_int_equal(store_put_failures(s, 8, NULL, NULL, 0), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_load_failures(s, same_entry, p), 0);
	assert_int_equal(p->n, TRACK_PAGE);
	assert_int_equal(store_skipped(s), 0);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_put_failures(s, 0, NULL, NULL, 0), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	free(p);
}

static void ban_life(void **state)
{
	struct store *s = opened(false);
	struct prefix p = block("192.0.2.1");
	struct store_ban b = ban("192.0.2.1", T0 + 50 * SEC, T0 + 500 * SEC);

	(void)state;
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "192.0.2.1", T0, T0 + 100 * SEC), 0);
	/* Prolonged: still one ban, since then. */
	b.failures = 9;
	b.evidence = NULL;
	b.rule = "failed ssh user";
	assert_int_equal(store_put_ban(s, &b), 0);
	b.rule = NULL;
	assert_int_equal(store_put_ban(s, &b), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(history(s, "192.0.2.1", 10), 1);
	assert_string_equal(got.rule, "failed ssh user");
	assert_true(got.ban.since_us == T0 && got.ban.until_us == T0 + 500 * SEC);
	assert_int_equal(got.ban.failures, 9);
	assert_string_equal(got.evidence, "one\ntwo");
	assert_int_equal(got.ended_us, 0);

	/* Run out: a new one. */
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "192.0.2.1", T0 + 1000 * SEC, 0), 0);
	assert_int_equal(put_ban(s, "192.0.2.0/24", T0 + 700 * SEC, T0 + 2000 * SEC), 0);
	assert_int_equal(put_ban(s, "0.0.0.0/0", T0 + 600 * SEC, T0 + 650 * SEC), 0);
	assert_int_equal(put_ban(s, "192.0.2.2", T0 + 700 * SEC, T0 + 2000 * SEC), 0);
	assert_int_equal(put_ban(s, "2001:db8::/32", T0, 0), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(history(s, "192.0.2.1", 10), 4);
	assert_true(got.first_since_us == T0 + 1000 * SEC && got.ban.since_us == T0);
	assert_true(got.ended_us == T0 + 500 * SEC);
	assert_int_equal(history(s, "192.0.2.1", 2), 2);
	assert_int_equal(history(s, "2001:db8::1", 2), 1);
	assert_int_equal(history(s, "2001:db9::1", 2), 0);
	assert_int_equal(load(s, T0 + 1500 * SEC), 0);
	assert_int_equal(got.bans, 4);

	/* Ended: not active any more, and the next is a new one. */
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_end_ban(s, "sshd", &p, T0 + 1600 * SEC), 0);
	assert_int_equal(store_end_ban(s, "sshd", &p, T0 + 1601 * SEC), 0);
	assert_int_equal(store_end_ban(s, "none", &p, T0 + 1600 * SEC), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(load(s, T0 + 1500 * SEC), 0);
	assert_int_equal(got.bans, 3);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "192.0.2.1", T0 + 1700 * SEC, 0), 0);
	store_rollback(s);
	assert_int_equal(history(s, "192.0.2.1", 10), 4);
	store_close(s);
}

static void limits(void **state)
{
	struct store *s = opened(false);
	struct store_ban b = ban("192.0.2.1", T0, 0);
	char big[20000], name[5000];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	big[sizeof(big) - 9000] = '\n';
	big[sizeof(big) - 8000] = '\n';
	assert_int_equal(store_begin(s), 0);
	b.evidence = big;
	assert_int_equal(store_put_ban(s, &b), 0);
	b.jail = "";
	assert_int_equal(store_put_ban(s, &b), -EINVAL);
	b.jail = name;
	assert_int_equal(store_put_ban(s, &b), -EINVAL);
	assert_int_equal(store_put_position(s, &(struct store_position) {.path = name}), -EINVAL);
	assert_int_equal(store_put_total(s, &(struct store_total) {.jail = name}), -EINVAL);
	assert_int_equal(store_put_failures(s, 0, (const char *[]) {"sshd"},
				 &(struct track_entry) {.n = 9}, 1),
		-EINVAL);
	assert_int_equal(store_put_failures(
				 s, 0, (const char *[]) {name}, &(struct track_entry) {.n = 1}, 1),
		-EINVAL);
	assert_int_equal(
		store_put_failures(s, 0, NULL, (struct track_entry[TRACK_PAGE + 1]) {0}, 65),
		-EINVAL);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(strlen(got.evidence), 7998);
	assert_string_equal(store_trouble(s), "");
	store_close(s);
}

static void purge(void **state)
{
	struct store *s = opened(false);
	char text[32];
	int r, rounds = 0;

	(void)state;
	assert_int_equal(store_begin(s), 0);
	for (unsigned i = 0; i < 15000; i++) {
		snprintf(text, sizeof(text), "10.0.%u.%u", i / 256, i % 256);
		assert_int_equal(put_ban(s, text, T0, T0 + i % 2 * SEC), 0);
	}
	assert_int_equal(put_ban(s, "192.0.2.1", T0, 0), 0);
	assert_int_equal(store_commit(s), 0);
	do {
		assert_int_equal(store_begin(s), 0);
		r = store_purge(s, T0 + SEC);
		assert_true(r >= 0);
		assert_int_equal(store_commit(s), 0);
		rounds++;
	} while (r == 1);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 7501);
	while ((r = store_purge(s, T0 + 10 * SEC)) == 1)
		rounds++;
	assert_int_equal(r, 0);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 1);
	assert_int_equal(got.tracks, 0);
	store_close(s);
	/* The room is given back. */
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 200000);
}

static void overwrite(long at, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), (ssize_t)len);
	close(fd);
}

static void corrupt_header(void **state)
{
	struct store *s;

	(void)state;
	filled(10);
	overwrite(0, "SQLite format 4", 15);
	s = opened(true);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 0);
	store_close(s);
	assert_int_equal(files(".corrupt-"), 1);

	/* Not more of them than three, with all that belongs to them. */
	for (int i = 0; i < 5; i++) {
		char wal[160];

		overwrite(0, "no database at all", 18);
		snprintf(wal, sizeof(wal), "%s-wal", path);
		assert_int_equal(close(open(wal, O_WRONLY | O_CREAT, 0600)), 0);
		store_close(opened(true));
	}
	assert_int_equal(files(".corrupt-"), 6);
}

static void flip(unsigned flips)
{
	struct stat st;
	int fd = open(path, O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	while (flips-- > 0) {
		long at = rand() % st.st_size;
		uint8_t b;

		if (rand() % 3 == 0)
			at = at & ~4095L;
		assert_int_equal(pread(fd, &b, 1, at), 1);
		b ^= (uint8_t)(1 << rand() % 8);
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
	}
	close(fd);
}

/* Whatever bits turned, it ends with a database that works. */
static void corrupt_pages(void **state)
{
	unsigned moves = 0, retries = 0;

	(void)state;
	srand(4);
	for (unsigned round = 0; round < 60; round++) {
		struct store *s;
		bool moved;
		int r;

		filled(300);
		flip(1 + round / 2);
		assert_int_equal(store_open(&s, dir, NAME, &moved), 0);
		moves += moved;
		r = load(s, T0);
		if (r == 0)
			r = store_begin(s);
		if (r == 0)
			r = put_ban(s, "10.0.0.7", T0 + SEC, 0);
		if (r == 0)
			r = store_commit(s);
		if (r < 0) {
			store_rollback(s);
			assert_int_equal(r, -EUCLEAN);
			assert_string_not_equal(store_trouble(s), "");
			assert_int_equal(store_retry(s), 1);
			assert_string_equal(store_trouble(s), "");
			retries++;
		}
		assert_int_equal(store_begin(s), 0);
		assert_int_equal(put_ban(s, "10.0.0.7", T0 + SEC, 0), 0);
		assert_int_equal(store_commit(s), 0);
		store_close(s);
		unlink(path);
	}
	assert_true(moves > 10);
	print_message("%u moved aside when opened, %u later\n", moves, retries);
}

static void corrupt_while_open(void **state)
{
	struct store *s;
	char junk[4096];

	(void)state;
	filled(3000);
	s = opened(false);
	memset(junk, 0xa5, sizeof(junk));
	for (long at = 4096; at < 200000; at += 4096)
		overwrite(at, junk, sizeof(junk));
	assert_int_equal(load(s, T0), -EUCLEAN);
	assert_string_not_equal(store_trouble(s), "");
	assert_int_equal(store_begin(s), -EUCLEAN);
	assert_int_equal(put_ban(s, "192.0.2.1", T0, 0), -EUCLEAN);
	assert_int_equal(store_commit(s), -EUCLEAN);
	assert_int_equal(store_retry(s), 1);
	assert_string_equal(store_trouble(s), "");
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "192.0.2.1", T0, 0), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_retry(s), 0);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 1);
	store_close(s);
	assert_true(files(".corrupt-") > 0);
}

static void not_ours(void **state)
{
	struct store *s = NULL;
	bool moved;

	(void)state;
	/* Somebody else's database, and one with more in it than ours. */
	sql("CREATE TABLE x(y); INSERT INTO x VALUES(1)");
	store_close(opened(true));
	sql("CREATE VIEW v AS SELECT * FROM ban");
	store_close(opened(true));
	/* One that says it is older than its tables are. */
	sql("PRAGMA user_version=1");
	store_close(opened(true));
	/* A newer one is kept. */
	filled(3);
	sql("PRAGMA user_version=5; CREATE TABLE more(x)");
	assert_int_equal(store_open(&s, dir, NAME, &moved), -EPROTO);
	assert_false(moved);
	assert_non_null(strstr(store_trouble(s), "newer"));
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "192.0.2.1", T0, 0), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_retry(s), -EPROTO);
	store_close(s);
	sql("DROP TABLE more; PRAGMA user_version=4");
	s = opened(false);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 3);
	store_close(s);
}

/* The parts of an entry, in hexadecimal: its name, how many slots, goal and address. */
#define HEAD "00"
#define ADDR                                                                                       \
	"00000000"                                                                                 \
	"00000000000000000000000000000000"
#define ENTRY HEAD "01" ADDR
#define SLOTS3 "010000000100020000000100030000000100"
#define SLOTS9 SLOTS3 SLOTS3 SLOTS3

static void hostile_rows(void **state)
{
	struct store *s;

	(void)state;
	filled(2);
	sql("INSERT INTO ban(jail,addr,len,since,until,over,failures,origin) VALUES"
	    "('sshd',zeroblob(16),128,0,0,9e18,1,'log'),"
	    "('',zeroblob(16),128,0,0,9e18,1,'log'),"
	    "(x'00',zeroblob(16),128,0,0,9e18,1,'log'),"
	    "('a'||char(0)||'b',zeroblob(16),128,0,0,9e18,1,'log'),"
	    "('sshd',zeroblob(15),128,0,0,9e18,1,'log'),"
	    "('sshd','0123456789abcdef',128,0,0,9e18,1,'log'),"
	    "('sshd',x'ffffffffffffffffffffffffffffffff',64,0,0,9e18,1,'log'),"
	    "('sshd',zeroblob(16),129,0,0,9e18,1,'log'),"
	    "('sshd',zeroblob(16),'x',0,0,9e18,1,'log'),"
	    "('sshd',zeroblob(16),128,-1,0,9e18,1,'log'),"
	    "('sshd',zeroblob(16),128,0,-1,9e18,1,'log'),"
	    "('sshd',zeroblob(16),128,0,0,9e18,4294967296,'log'),"
	    "('sshd',zeroblob(16),128,0,0,9e18,1,zeroblob(3)),"
	    "('sshd',zeroblob(16),128,0,0,9e18,1,hex(zeroblob(99)))");
	sql("INSERT INTO ban(jail,addr,len,since,until,over,failures,origin,evidence) VALUES"
	    "('sshd',zeroblob(16),128,0,0,9e18,1,'log',zeroblob(5)),"
	    "('sshd',zeroblob(16),128,0,0,9e18,1,'log',hex(zeroblob(99999)))");
	sql("INSERT INTO ban(jail,addr,len,since,until,over,failures,origin,rule) VALUES"
	    "('sshd',zeroblob(16),128,0,0,9e18,1,'log',zeroblob(5)),"
	    "('sshd',zeroblob(16),128,0,0,9e18,1,'log',hex(zeroblob(200)))");
	sql("INSERT INTO position VALUES('/a',1,1,-1,1,1,NULL),('/b',1,1,1,1,-1,NULL),"
	    "('/c','x',1,1,1,1,NULL),(hex(zeroblob(3000)),1,1,1,1,1,NULL),"
	    "('/d',1,1,1,1,1,hex(zeroblob(600)))");
	sql("INSERT INTO total VALUES('a',-1,0,0),('b',0,1.5,0),(zeroblob(3),0,0,0)");
	/* In turn: one that makes sense; no names; cut off in a name, in an entry, in a slot; a
	 * name that is empty, has a NUL, is not there; no slots, too many; a count of none, seconds
	 * that do not ascend; something behind the last; and what is no page. */
	sql("INSERT INTO failures VALUES(1,x'010161" ENTRY "010000000100'),(2,x'00'),(3,x'0102'),"
	    "(4,x'010161000105'),(5,x'010161" ENTRY "0100000001'),(6,x'0100" ENTRY
	    "010000000100'),(7,x'010100" ENTRY "010000000100'),(8,x'00" ENTRY "010000000100'),"
	    "(9,x'010161" HEAD "00" ADDR "'),(10,x'010161" HEAD "09" ADDR SLOTS9 "'),"
	    "(11,x'010161" ENTRY "010000000000'),"
	    "(12,x'010161" HEAD "02" ADDR "020000000100020000000100'),"
	    "(13,x'010161" ENTRY "01000000010000'),(-1,x'010161" ENTRY "010000000100'),"
	    "(14,x''),(15,'a'),(16,5),(4294967296,x'00'),(17,x'41')");
	s = opened(false);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 3);
	assert_int_equal(got.positions, 1);
	assert_int_equal(got.totals, 1);
	assert_int_equal(got.tracks, 2);
	assert_int_equal(got.place, TRACK_PAGE);
	assert_int_equal(store_skipped(s), 17 + 5 + 3 + 17);
	assert_int_equal(history(s, "::", 100), 1);
	store_close(s);
}

static void no_directory(void **state)
{
	struct store *s;

	(void)state;
	assert_int_equal(rmdir(dir), 0);
	s = in_memory();
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "192.0.2.1", T0, 0), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(history(s, "192.0.2.1", 9), 1);
	assert_string_not_equal(store_trouble(s), "");
	assert_int_equal(store_retry(s), -ENOENT);
	assert_int_equal(history(s, "192.0.2.1", 9), 1);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(store_retry(s), 1);
	assert_string_equal(store_trouble(s), "");
	/* Until it was all put again. */
	assert_int_equal(store_retry(s), 1);
	assert_int_equal(history(s, "192.0.2.1", 9), 0);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "192.0.2.1", T0, 0), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_retry(s), 0);
	store_close(s);
	s = opened(false);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 1);
	store_close(s);
}

static void no_permission(void **state)
{
	struct store *s;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(seteuid(65534), 0);
	s = in_memory();
	assert_int_equal(store_retry(s), -EACCES);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(store_retry(s), 1);
	store_close(s);
}

static void memory_is_bounded(void **state)
{
	struct track_entry e[TRACK_PAGE];
	const char *jails[TRACK_PAGE];
	struct store *s;
	int r;

	(void)state;
	assert_int_equal(rmdir(dir), 0);
	s = in_memory();
	assert_int_equal(store_begin(s), 0);
	for (unsigned i = 0; i < TRACK_PAGE; i++) {
		e[i] = (struct track_entry) {.n = 1, .sec = {1}, .count = {1}};
		jails[i] = "sshd";
	}
	for (uint32_t i = 0; (r = store_put_failures(s, i, jails, e, TRACK_PAGE)) == 0; i++)
		assert_true(i < 2000000 / TRACK_PAGE);
	assert_int_equal(r, -ENOSPC);
	store_rollback(s);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.tracks, 0);
	store_close(s);
	assert_int_equal(mkdir(dir, 0700), 0);
}

static void removed_while_open(void **state)
{
	struct store *s;

	(void)state;
	filled(3);
	s = opened(false);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(store_begin(s), -ESTALE);
	assert_string_not_equal(store_trouble(s), "");
	assert_int_equal(store_retry(s), 1);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_position(s, 5), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	assert_int_equal(access(path, F_OK), 0);
}

static void planted(void **state)
{
	char target[128], wal[160], text[8] = "";
	struct store *s;
	int fd;

	(void)state;
	snprintf(target, sizeof(target), "%s/target", dir);
	fd = open(target, O_RDWR | O_CREAT, 0600);
	assert_int_equal(write(fd, "secret", 6), 6);
	assert_int_equal(symlink(target, path), 0);
	store_close(opened(true));
	assert_int_equal(pread(fd, text, 7, 0), 6);
	assert_string_equal(text, "secret");

	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(symlink(target, wal), 0);
	s = opened(true);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_position(s, 5), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(pread(fd, text, 7, 0), 6);
	assert_string_equal(text, "secret");
	close(fd);
	store_close(s);

	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	store_close(opened(true));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	store_close(opened(true));
}

/* The child's life: a ban and a position a transaction, as fast as it can. */
static void work_until_killed(void)
{
	struct store *s = NULL;
	bool moved;
	uint64_t n;

	if (store_open(&s, dir, NAME, &moved) < 0 || load(s, T0) < 0)
		_exit(1);
	for (n = got.positions > 0 ? got.position.offset : 0;; n++) {
		char text[32];

		snprintf(text, sizeof(text), "10.%u.%u.%u", (unsigned)(n >> 16 & 255),
			(unsigned)(n >> 8 & 255), (unsigned)(n & 255));
		if (store_begin(s) < 0 || put_ban(s, text, T0, 0) < 0 ||
			put_position(s, n + 1) < 0 || store_commit(s) < 0)
			_exit(1);
	}
}

static void killed(void **state)
{
	uint64_t before = 0;

	(void)state;
	srand(5);
	for (unsigned round = 0; round < 20; round++) {
		struct store *s;
		pid_t pid = fork();
		int status;

		if (pid == 0)
			work_until_killed();
		usleep(20000 + (unsigned)rand() % 30000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		s = opened(false);
		assert_int_equal(load(s, T0), 0);
		assert_int_equal(got.bans, got.positions > 0 ? got.position.offset : 0);
		assert_true(got.bans >= before);
		before = got.bans;
		store_close(s);
	}
	assert_true(before > 0);
}

static void locked(void **state)
{
	int up[2];
	struct store *s;
	pid_t pid;
	char c;

	(void)state;
	filled(1);
	assert_int_equal(pipe(up), 0);
	pid = fork();
	if (pid == 0) {
		bool moved;

		store_open(&s, dir, NAME, &moved);
		(void)!write(up[1], "x", 1);
		usleep(300000);
		store_close(s);
		_exit(0);
	}
	/* The one before us is about to leave: it is waited for. */
	assert_int_equal(read(up[0], &c, 1), 1);
	s = opened(false);
	store_close(s);
	waitpid(pid, NULL, 0);

	pid = fork();
	if (pid == 0) {
		bool moved;

		store_open(&s, dir, NAME, &moved);
		(void)!write(up[1], "x", 1);
		pause();
	}
	/* One that does not leave is not waited for for ever. */
	assert_int_equal(read(up[0], &c, 1), 1);
	s = in_memory();
	assert_non_null(strstr(store_trouble(s), "locked"));
	assert_int_equal(store_retry(s), -EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(store_retry(s), 1);
	store_close(s);
	close(up[0]);
	close(up[1]);
}

/* A file system of our own over the directory, seen by nobody else. */
static void mount_small(const char *size)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", dir, "tmpfs", 0, size) < 0)
		skip();
}

static void fill_disk(const char *name, bool fill)
{
	char junk[4096] = "", file[160];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	if (!fill) {
		assert_int_equal(unlink(file), 0);
		return;
	}
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	close(fd);
}

static void disk_full(void **state)
{
	struct store *s;
	char text[32];
	int r = 0;

	(void)state;
	mount_small("size=2m");
	filled(100);
	s = opened(false);
	assert_int_equal(store_begin(s), 0);
	for (unsigned i = 0; r == 0 && i < 100000; i++) {
		snprintf(text, sizeof(text), "11.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		r = put_ban(s, text, T0, 0);
	}
	if (r == 0)
		r = store_commit(s);
	assert_int_equal(r, -ENOSPC);
	store_rollback(s);
	assert_non_null(strstr(store_trouble(s), "full"));
	/* What there is can be read, and nothing of the transaction is there. */
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 100);
	assert_int_equal(store_retry(s), 0);
	store_close(s);

	s = opened(false);
	fill_disk("junk", true);
	assert_int_equal(store_retry(s), -ENOSPC);
	assert_non_null(strstr(store_trouble(s), "full"));
	assert_int_equal(store_begin(s), 0);
	r = put_position(s, 77);
	if (r == 0)
		r = store_commit(s);
	assert_int_equal(r, -ENOSPC);
	store_rollback(s);
	store_close(s);

	/* Started on a full disk: it knows what it knew. */
	assert_int_equal(store_open(&s, dir, NAME, (bool[1]) {false}), 0);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 100);
	assert_int_equal(got.position.offset, 100);
	r = store_begin(s);
	if (r == 0)
		r = put_position(s, 77);
	if (r == 0)
		r = store_commit(s);
	store_rollback(s);
	print_message("on a full disk: %d, %s\n", r, store_trouble(s));
	fill_disk("junk", false);
	r = store_retry(s);
	assert_true(r >= 0);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_position(s, 78), 0);
	assert_int_equal(store_commit(s), 0);
	assert_string_equal(store_trouble(s), "");
	store_close(s);
	s = opened(false);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.position.offset, 78);
	store_close(s);
}

static void new_on_full_disk(void **state)
{
	struct store *s;

	(void)state;
	mount_small("size=1m");
	fill_disk("junk", true);
	s = in_memory();
	assert_non_null(strstr(store_trouble(s), "full"));
	assert_true(store_retry(s) < 0);
	fill_disk("junk", false);
	assert_int_equal(store_retry(s), 1);
	store_close(s);
}

static void read_only(void **state)
{
	struct prefix first = block("10.0.0.0"), second = block("10.0.0.1");
	struct store *s;

	(void)state;
	mount_small("size=4m");
	filled(3);
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	s = in_memory();
	assert_non_null(strstr(store_trouble(s), "read-only"));
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 3);
	/* One is let off, one is prolonged and one is as it was, all in memory. */
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_end_ban(s, "sshd", &first, T0 + SEC), 0);
	assert_int_equal(store_commit(s), 0);
	assert_int_equal(store_retry(s), -EROFS);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 2);
	assert_int_equal(mount(NULL, dir, NULL, MS_REMOUNT, NULL), 0);
	assert_int_equal(store_retry(s), 1);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(put_ban(s, "10.0.0.1", T0, 0), 0);
	assert_int_equal(put_ban(s, "10.0.0.2", T0, 0), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
	/* The one that was let off does not come back, the others live on as one ban. */
	s = opened(false);
	assert_int_equal(load(s, T0), 0);
	assert_int_equal(got.bans, 2);
	assert_int_equal(got.tracks, 0);
	assert_int_equal(history(s, "10.0.0.1", 9), 1);
	assert_int_equal(got.ended_us, 0);
	assert_int_equal(history(s, "10.0.0.0", 9), 1);
	assert_true(got.ended_us > 0);
	assert_int_equal(store_begin(s), 0);
	assert_int_equal(store_end_ban(s, "sshd", &second, T0 + SEC), 0);
	assert_int_equal(store_commit(s), 0);
	store_close(s);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(round_trip),
		TEST(ban_life),
		TEST(largest_page),
		TEST(limits),
		TEST(purge),
		TEST(corrupt_header),
		TEST(corrupt_pages),
		TEST(corrupt_while_open),
		TEST(not_ours),
		TEST(hostile_rows),
		TEST(no_directory),
		TEST(no_permission),
		TEST(memory_is_bounded),
		TEST(removed_while_open),
		TEST(planted),
		TEST(killed),
		TEST(locked),
		TEST(disk_full),
		TEST(new_on_full_disk),
		TEST(read_only),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
