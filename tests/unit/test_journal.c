/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "base/util.h"
#include "source/journal.h"
#include "source/journal_match.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

/* Does an entry of these data (ended by NULL) match? */
static bool matches(const char *text, ...)
{
	struct journal_terms terms = {0};
	struct journal_match m;
	const char *error = NULL, *datum;
	unsigned char has[64] = {0};
	bool yes;
	va_list ap;

	assert_int_equal(journal_match_parse(&m, &terms, text, &error), 0);
	assert_true(terms.n <= sizeof(has));
	va_start(ap, text);
	while ((datum = va_arg(ap, const char *)) != NULL) {
		long i = journal_terms_find(&terms, datum, strlen(datum));

		if (i >= 0)
			has[i] = 1;
	}
	va_end(ap);
	yes = journal_match_test(&m, &terms, has);
	journal_match_done(&m);
	journal_terms_done(&terms);
	return yes;
}

static void match_good(void **state)
{
	const char *two = "_SYSTEMD_UNIT=ssh.service + _COMM=sshd";
	const char *both = "_COMM=a PRIORITY=1 _COMM=b PRIORITY=2";

	(void)state;
	assert_true(matches(two, "_SYSTEMD_UNIT=ssh.service", NULL));
	assert_true(matches(two, "_COMM=sshd", "_PID=3", NULL));
	assert_false(matches(two, "_COMM=sshd2", "_SYSTEMD_UNIT=ssh", NULL));
	assert_false(matches(two, NULL));
	/* One field: any value; different ones: each. */
	assert_true(matches(both, "_COMM=b", "PRIORITY=1", NULL));
	assert_false(matches(both, "_COMM=b", "_COMM=a", NULL));
	assert_false(matches(both, "PRIORITY=1", "PRIORITY=2", NULL));
	/* A field's name is not a prefix of another's. */
	assert_false(matches("AB=1 ABC=1", "AB=1", NULL));
	assert_true(matches("AB=1 ABC=1", "AB=1", "ABC=1", NULL));
	/* Quotes, as a shell reads them. */
	assert_true(matches(
		"UNIT='a b' X=\"c \\\"d\\\"\" Y=e\\ f", "UNIT=a b", "X=c \"d\"", "Y=e f", NULL));
	assert_true(matches("'UNIT=a''b'", "UNIT=ab", NULL));
	assert_true(matches("UNIT=", "UNIT=", NULL));
	/* Line breaks are alternatives; what is between two of them may be nothing. */
	assert_true(matches("\n A=1\n\n  B=2 \n+\n", "B=2", NULL));
	assert_false(matches("\n A=1\n\n  B=2 \n+\n", "C=2", NULL));
	/* Nothing asked for: everything. */
	assert_true(matches("", NULL));
	assert_true(matches("  ", "A=1", NULL));
}

static void match_bad(void **state)
{
	static const char *const texts[] = {"sshd", "lower=1", "=1", "1A=1", "A=1 + B", "A-B=1",
		"__CURSOR=x", "A='1", "A=\"1", "A B=1", "A=1 ''",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=1"};
	const char *error;
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		error = NULL;
		assert_int_equal(journal_match_check(texts[i], &error), -EINVAL);
		assert_non_null(error);
	}
	assert_int_equal(journal_match_check("A=1 + B=2", &error), 0);
	for (unsigned i = 0; i <= JOURNAL_GROUPS_MAX; i++)
		assert_int_equal(buf_adds(&b, "A=1 + "), 0);
	assert_int_equal(journal_match_check(b.data, &error), -E2BIG);
	buf_drop(&b, b.len);
	for (unsigned i = 0; i <= JOURNAL_TERMS_MAX; i++)
		assert_int_equal(buf_addf(&b, "A=%u ", i), 0);
	assert_int_equal(journal_match_check(b.data, &error), -E2BIG);
	buf_done(&b);
}

static void msg_round(void **state)
{
	char buf[JOURNAL_MSG_MAX] __attribute__((aligned(8))), small[sizeof(buf)];
	struct journal_entry in = {.time_us = -5,
				     .jails = (const uint16_t[]) {0, 7, 65535},
				     .n_jails = 3,
				     .stream = "/x",
				     .stream_len = 2,
				     .cursor = "s=1;i=2",
				     .cursor_len = 7,
				     .text = "h sshd[1]: \xff",
				     .text_len = 12},
			     out;
	long len = journal_msg_write(buf, sizeof(buf), &in);

	(void)state;
	assert_int_equal(len, 24 + 6 + 2 + 7 + 12);
	assert_int_equal(journal_msg_write(small, (size_t)len - 1, &in), -EMSGSIZE);
	assert_int_equal(journal_msg_parse(buf, (size_t)len, &out), 0);
	assert_int_equal(out.time_us, -5);
	assert_int_equal(out.n_jails, 3);
	assert_int_equal(out.jails[2], 65535);
	assert_memory_equal(out.stream, in.stream, 2);
	assert_memory_equal(out.cursor, in.cursor, 7);
	assert_memory_equal(out.text, in.text, 12);
	for (long l = 0; l < len; l++)
		assert_int_equal(journal_msg_parse(buf, (size_t)l, &out), -EBADMSG);
	assert_int_equal(journal_msg_parse(buf, (size_t)len + 1, &out), -EBADMSG);
	buf[len - 1] = '\n';
	assert_int_equal(journal_msg_parse(buf, (size_t)len, &out), -EBADMSG);
	in.stream_len = 0;
	len = journal_msg_write(buf, sizeof(buf), &in);
	assert_int_equal(journal_msg_parse(buf, (size_t)len, &out), -EBADMSG);
	/* A notice has nothing but a text. */
	in = (struct journal_entry) {.text = "x", .text_len = 1};
	len = journal_msg_write(buf, sizeof(buf), &in);
	assert_int_equal(len, 24 + 1);
	assert_int_equal(journal_msg_parse(buf, (size_t)len, &out), 0);
	assert_int_equal(out.n_jails, 0);
}

static void start_round(void **state)
{
	struct journal_start in = {.since_us = 123456789}, out;
	char buf[JOURNAL_START_MAX];

	(void)state;
	assert_int_equal(journal_start_write(buf, sizeof(buf), &in), 16);
	assert_int_equal(journal_start_parse(buf, 16, &out), 0);
	assert_int_equal(out.since_us, 123456789);
	assert_string_equal(out.stream, "");
	assert_string_equal(out.cursor, "");
	memset(in.stream, 's', JOURNAL_STREAM_MAX);
	memset(in.cursor, 'c', JOURNAL_CURSOR_MAX);
	assert_int_equal(journal_start_write(buf, sizeof(buf), &in), sizeof(buf));
	assert_int_equal(journal_start_parse(buf, sizeof(buf), &out), 0);
	assert_string_equal(out.stream, in.stream);
	assert_string_equal(out.cursor, in.cursor);
	assert_int_equal(journal_start_parse(buf, sizeof(buf) + 1, &out), -EBADMSG);
	assert_int_equal(journal_start_parse(buf, sizeof(buf) - 1, &out), -EBADMSG);
	assert_int_equal(journal_start_parse(buf, 15, &out), -EBADMSG);
	assert_int_equal(journal_start_write(buf, sizeof(buf) - 1, &in), -EMSGSIZE);
	buf[20] = '\n';
	assert_int_equal(journal_start_parse(buf, sizeof(buf), &out), -EBADMSG);
}

#ifdef HAVE_SYSTEMD

/* Writes real journal files from the export format (systemd-journal-remote(8)). */
#define REMOTE "/lib/systemd/systemd-journal-remote"

struct fix {
	char dir[64]; /* holds the journal's directory */
	char journal[80];
	int fd;                              /* guard's end */
	pid_t pid;                           /* the reader */
	char cursor[JOURNAL_CURSOR_MAX + 1]; /* of the last entry */
	char stream[JOURNAL_STREAM_MAX + 1]; /* which is of that stream */
	uint64_t clock;                      /* of the next entry, us */
	bool deaf;                           /* to notices */
};

static const struct journal_jail jails[] = {
	{.id = 3, .match = "_SYSTEMD_UNIT=ssh.service + _COMM=sshd"},
	{.id = 9, .match = "_COMM=sshd"},
	{.id = 12, .match = "SYSLOG_IDENTIFIER=kernel PRIORITY=4 PRIORITY=5"},
};

#define T0 1700000000000000

/* One entry in the export format, with fields as given. */
static void entry(struct fix *f, struct buf *b, const char *fields)
{
	f->clock += 1000;
	assert_int_equal(
		buf_addf(b,
			"__REALTIME_TIMESTAMP=%llu\n__MONOTONIC_TIMESTAMP=%llu\n"
			"_BOOT_ID=0123456789abcdef0123456789abcdef\n%s\n",
			(unsigned long long)(T0 + f->clock), (unsigned long long)f->clock, fields),
		0);
}

static void journal_write(struct fix *f, const char *file, struct buf *b)
{
	char command[256];
	FILE *p;

	snprintf(command, sizeof(command), REMOTE " -o %s/%s - >/dev/null 2>&1", f->journal, file);
	p = popen(command, "we");
	assert_non_null(p);
	assert_int_equal(fwrite(b->data, 1, b->len, p), b->len);
	assert_int_equal(pclose(p), 0);
	buf_done(b);
}

static void one(struct fix *f, const char *file, const char *fields)
{
	struct buf b = {0};

	entry(f, &b, fields);
	journal_write(f, file, &b);
}

static void reader_start_with(
	struct fix *f, const struct journal_conf *conf, const char *cursor, int64_t since_us)
{
	struct timeval limit = {.tv_sec = 20};
	struct journal_start s = {.since_us = since_us};
	char buf[JOURNAL_START_MAX];
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	fflush(NULL);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0) {
		close(sv[0]);
		/* exit, for the sanitizer to look for leaks */
		exit(-journal_run(sv[1], conf));
	}
	close(sv[1]);
	f->fd = sv[0];
	setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	/* One that is known, and the end. */
	for (unsigned i = *cursor != '\0' ? 0 : 1; i < 2; i++) {
		long len;

		strcpy(s.stream, i == 0 ? f->stream : "");
		strcpy(s.cursor, i == 0 ? cursor : "");
		len = journal_start_write(buf, sizeof(buf), &s);
		assert_true(len > 0);
		assert_int_equal(send(f->fd, buf, (size_t)len, MSG_NOSIGNAL), len);
	}
}

static void reader_start(struct fix *f, const char *cursor, int64_t since_us)
{
	const struct journal_conf conf = {.jails = jails, .n_jails = 3, .dir = f->journal};

	reader_start_with(f, &conf, cursor, since_us);
}

/* guard goes; the reader follows at once and without complaint. */
static void reader_stop(struct fix *f)
{
	int status;

	close(f->fd);
	f->fd = -1;
	assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
	assert_int_equal(status, 0);
	f->pid = 0;
}

/* The next entry is of these jails ("3 9") and reads so. */
static struct journal_entry next(struct fix *f, const char *ids, const char *text)
{
	static char buf[JOURNAL_MSG_MAX] __attribute__((aligned(8)));
	struct journal_entry e;
	struct buf b = {0};

	do {
		ssize_t n = recv(f->fd, buf, sizeof(buf), 0);

		assert_true(n > 0);
		assert_int_equal(journal_msg_parse(buf, (size_t)n, &e), 0);
	} while (f->deaf && e.n_jails == 0);
	for (uint32_t i = 0; i < e.n_jails; i++)
		assert_int_equal(buf_addf(&b, i > 0 ? " %u" : "%u", e.jails[i]), 0);
	assert_string_equal(buf_text(&b), ids);
	buf_done(&b);
	assert_int_equal(buf_add(&b, e.text, e.text_len), 0);
	assert_string_equal(buf_text(&b), text);
	buf_done(&b);
	memcpy(f->cursor, e.cursor, e.cursor_len);
	f->cursor[e.cursor_len] = '\0';
	memcpy(f->stream, e.stream, e.stream_len);
	f->stream[e.stream_len] = '\0';
	return e;
}

/* The reader has something to say, with this in it. */
static void notice(struct fix *f, const char *what)
{
	static char buf[JOURNAL_MSG_MAX] __attribute__((aligned(8)));
	struct journal_entry e;
	ssize_t n = recv(f->fd, buf, sizeof(buf), 0);

	assert_true(n > 0);
	assert_int_equal(journal_msg_parse(buf, (size_t)n, &e), 0);
	assert_int_equal(e.n_jails, 0);
	assert_non_null(memmem(e.text, e.text_len, what, strlen(what)));
}

static void nothing(struct fix *f)
{
	char c;

	nanosleep(&(struct timespec) {.tv_nsec = 100000000}, NULL);
	assert_int_equal(recv(f->fd, &c, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
}

static int set_up(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/stockade-journal-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->journal, sizeof(f->journal), "%s/log/journal", f->dir);
	f->fd = -1;
	*state = f;
	return 0;
}

static int unlink_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	remove(path);
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;

	if (f->fd >= 0)
		close(f->fd);
	if (f->pid > 0)
		waitpid(f->pid, NULL, 0);
	nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static bool no_writer(void)
{
	if (access(REMOTE, X_OK) == 0)
		return false;
	print_message("# no systemd-journal-remote: skipped\n");
	return true;
}

static void make_dirs(struct fix *f)
{
	char path[80];

	snprintf(path, sizeof(path), "%s/log", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(mkdir(f->journal, 0755), 0);
}

static void texts(void **state)
{
	struct fix *f = *state;
	struct journal_entry e;
	struct buf b = {0}, long_text = {0}, want = {0};
	uint64_t len = htole64(sizeof("two\nlines\0\r\n") - 1);

	if (no_writer())
		return;
	make_dirs(f);
	entry(f, &b,
		"_HOSTNAME=host\nSYSLOG_IDENTIFIER=sshd\n_PID=7\n_COMM=sshd\nMESSAGE=plain\n"
		"_SOURCE_REALTIME_TIMESTAMP=1600000000000001\n");
	entry(f, &b, "_HOSTNAME=host\n_COMM=sshd\n_PID=7\nSYSLOG_PID=8\nMESSAGE=no identifier\n");
	entry(f, &b, "_SYSTEMD_UNIT=ssh.service\nMESSAGE=no name at all\n");
	entry(f, &b,
		"_HOSTNAME=host\nSYSLOG_IDENTIFIER=kernel\nPRIORITY=4\nMESSAGE=hello\n"
		"_SOURCE_MONOTONIC_TIMESTAMP=12000345\n");
	/* Of nobody: another priority. */
	entry(f, &b, "_HOSTNAME=host\nSYSLOG_IDENTIFIER=kernel\nPRIORITY=6\nMESSAGE=hello\n");
	entry(f, &b, "SYSLOG_IDENTIFIER=kernel\nPRIORITY=6\nPRIORITY=5\nMESSAGE=two of it\n");
	assert_int_equal(buf_adds(&b, "__REALTIME_TIMESTAMP=1700000000900000\n"
				      "__MONOTONIC_TIMESTAMP=900000\n"
				      "_BOOT_ID=0123456789abcdef0123456789abcdef\n"
				      "_COMM=sshd\nMESSAGE\n"),
		0);
	assert_int_equal(buf_add(&b, &len, 8), 0);
	assert_int_equal(buf_add(&b, "two\nlines\0\r\n\n\n", 14), 0);
	f->clock = 1000000;
	for (unsigned i = 0; i < JOURNAL_TEXT_MAX + 100; i++)
		assert_int_equal(buf_add(&long_text, "x", 1), 0);
	assert_int_equal(buf_addf(&want, "_COMM=sshd\nMESSAGE=%s\n", long_text.data), 0);
	entry(f, &b, want.data);
	buf_done(&want);
	journal_write(f, "a.journal", &b);
	reader_start(f, "", 0);
	e = next(f, "3 9", "host sshd[7]: plain");
	assert_int_equal(e.time_us, 1600000000000001);
	e = next(f, "3 9", "host sshd[8]: no identifier");
	assert_int_equal(e.time_us, T0 + 2000);
	next(f, "3", "no name at all");
	next(f, "12", "host kernel: [   12.000345] hello");
	/* A field may be there twice, and any of them counts. */
	next(f, "12", "kernel: [    0.006000] two of it");
	next(f, "3 9", "sshd: two\\nlines");
	long_text.data[JOURNAL_TEXT_MAX - strlen("sshd: ")] = '\0';
	assert_int_equal(buf_addf(&want, "sshd: %s", long_text.data), 0);
	next(f, "3 9", want.data);
	buf_done(&want);
	buf_done(&long_text);
	nothing(f);
	reader_stop(f);
}

static void goes_on_where_it_was(void **state)
{
	struct fix *f = *state;
	struct buf b = {0};
	char text[64], fields[128];

	if (no_writer())
		return;
	make_dirs(f);
	for (unsigned i = 0; i < 50; i++) {
		snprintf(fields, sizeof(fields), "_COMM=sshd\nMESSAGE=%u\n", i);
		entry(f, &b, fields);
		entry(f, &b, "_COMM=other\nMESSAGE=noise\n");
	}
	journal_write(f, "a.journal", &b);
	/* From some time on. */
	reader_start(f, "", T0 + 41 * 2000 - 500);
	for (unsigned i = 41; i < 45; i++) {
		snprintf(text, sizeof(text), "sshd: %u", i);
		next(f, "3 9", text);
	}
	reader_stop(f);
	/* After a cursor, however little the time is. */
	reader_start(f, f->cursor, 0);
	for (unsigned i = 45; i < 50; i++) {
		snprintf(text, sizeof(text), "sshd: %u", i);
		next(f, "3 9", text);
	}
	nothing(f);
	reader_stop(f);
	/* After the last entry: what comes while running and what came meanwhile. */
	reader_start(f, f->cursor, 0);
	nothing(f);
	one(f, "a.journal", "_COMM=sshd\nMESSAGE=live\n");
	next(f, "3 9", "sshd: live");
	reader_stop(f);
	one(f, "a.journal", "_COMM=sshd\nMESSAGE=meanwhile\n");
	reader_start(f, f->cursor, 0);
	next(f, "3 9", "sshd: meanwhile");
	nothing(f);
	reader_stop(f);
	/* What was never a cursor is none. */
	reader_start(f, "nonsense", T0 + f->clock - 500);
	notice(f, "where reading ended");
	next(f, "3 9", "sshd: meanwhile");
	reader_stop(f);
}

static void rotation(void **state)
{
	struct fix *f = *state;
	char from[256], to[256], last[sizeof(f->cursor)];

	if (no_writer())
		return;
	make_dirs(f);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=1\n");
	reader_start(f, "", 0);
	next(f, "3 9", "sshd: 1");
	snprintf(from, sizeof(from), "%s/system.journal", f->journal);
	snprintf(to, sizeof(to), "%s/system@1.journal", f->journal);
	assert_int_equal(rename(from, to), 0);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=2\n");
	next(f, "3 9", "sshd: 2");
	strcpy(last, f->cursor);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=3\n");
	next(f, "3 9", "sshd: 3");
	/* Vacuumed away, under our feet. */
	assert_int_equal(unlink(to), 0);
	nothing(f);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=4\n");
	next(f, "3 9", "sshd: 4");
	reader_stop(f);
	/* A cursor of before the rotation, and one of an entry that is gone. */
	reader_start(f, last, 0);
	next(f, "3 9", "sshd: 3");
	next(f, "3 9", "sshd: 4");
	snprintf(to, sizeof(to), "%s/system@2.journal", f->journal);
	assert_int_equal(rename(from, to), 0);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=5\n");
	next(f, "3 9", "sshd: 5");
	reader_stop(f);
	assert_int_equal(unlink(to), 0);
	reader_start(f, last, 0);
	notice(f, "system: where reading ended is not there any more");
	next(f, "3 9", "sshd: 5");
	nothing(f);
	reader_stop(f);
	/* All of it is gone: the next is the next. */
	assert_int_equal(unlink(from), 0);
	reader_start(f, f->cursor, 0);
	nothing(f);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=6\n");
	notice(f, "where reading ended is not there any more");
	next(f, "3 9", "sshd: 6");
	nothing(f);
	reader_stop(f);
}

/* What one host sends late is older than what another sent in time. */
static void late_hosts(void **state)
{
	struct fix *f = *state;
	char cursor[sizeof(f->cursor)];

	if (no_writer())
		return;
	make_dirs(f);
	f->clock = 1000000;
	one(f, "remote-a.journal", "_COMM=sshd\nMESSAGE=a1\n");
	reader_start(f, "", 0);
	next(f, "3 9", "sshd: a1");
	f->clock = 500000;
	one(f, "remote-b.journal", "_COMM=sshd\nMESSAGE=b1\n");
	next(f, "3 9", "sshd: b1");
	one(f, "remote-b.journal", "_COMM=sshd\nMESSAGE=b2\n");
	next(f, "3 9", "sshd: b2");
	strcpy(cursor, f->cursor);
	assert_string_equal(f->stream, "/remote-b");
	reader_stop(f);
	/* Each goes on where it was; one that is not known from the beginning, in order of time. */
	one(f, "remote-b.journal", "_COMM=sshd\nMESSAGE=b3\n");
	f->clock = 100000;
	one(f, "remote-c.journal", "_COMM=sshd\nMESSAGE=c1\n");
	reader_start(f, cursor, 0);
	next(f, "3 9", "sshd: c1");
	next(f, "3 9", "sshd: b3");
	next(f, "3 9", "sshd: a1");
	nothing(f);
	reader_stop(f);
}

/* Entries come one by one while the file remains open, as journald's do. */
static void live_writer(void **state)
{
	struct fix *f = *state;
	char command[512], text[64];
	FILE *p;

	if (no_writer())
		return;
	make_dirs(f);
	/* First: the pipe shall have one end only. */
	reader_start(f, "", 0);
	snprintf(command, sizeof(command), REMOTE " -o %s/system.journal - >/dev/null 2>&1",
		f->journal);
	p = popen(command, "we");
	assert_non_null(p);
	for (unsigned i = 0; i < 20; i++) {
		struct buf b = {0};

		snprintf(text, sizeof(text), "_COMM=sshd\nMESSAGE=%u\n", i);
		entry(f, &b, text);
		assert_int_equal(fwrite(b.data, 1, b.len, p), b.len);
		assert_int_equal(fflush(p), 0);
		buf_done(&b);
		snprintf(text, sizeof(text), "sshd: %u", i);
		next(f, "3 9", text);
	}
	nothing(f);
	assert_int_equal(pclose(p), 0);
	nothing(f);
	reader_stop(f);
}

/* Files by name: what rotation makes of them is not asked for. */
static void files_by_name(void **state)
{
	struct fix *f = *state;
	char glob[256], to[256], from[256];
	const char *files[] = {glob, NULL};
	const struct journal_conf conf = {.jails = jails, .n_jails = 3, .files = files};

	if (no_writer())
		return;
	snprintf(glob, sizeof(glob), "%s/log/*/system.journal", f->dir);
	snprintf(from, sizeof(from), "%s/system.journal", f->journal);
	snprintf(to, sizeof(to), "%s/system@1.journal", f->journal);
	reader_start_with(f, &conf, "", 0);
	nothing(f);
	make_dirs(f);
	one(f, "other.journal", "_COMM=sshd\nMESSAGE=other\n");
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=1\n");
	next(f, "3 9", "sshd: 1");
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=2\n");
	next(f, "3 9", "sshd: 2");
	assert_int_equal(rename(from, to), 0);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=3\n");
	next(f, "3 9", "sshd: 3");
	nothing(f);
	reader_stop(f);
}

/* A file that is none yet is no reason not to read the others. */
static void damaged(void **state)
{
	struct fix *f = *state;
	char bad[256], good[256];
	FILE *p;

	if (no_writer())
		return;
	make_dirs(f);
	/* It may be told of what it cannot read, as it happens to look. */
	f->deaf = true;
	snprintf(bad, sizeof(bad), "%s/system@0.journal", f->journal);
	snprintf(good, sizeof(good), "%s/system.journal", f->journal);
	p = fopen(bad, "we");
	assert_non_null(p);
	fclose(p);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=1\n");
	reader_start(f, "", 0);
	next(f, "3 9", "sshd: 1");
	p = fopen(bad, "we");
	assert_non_null(p);
	for (unsigned i = 0; i < 100000; i++)
		fputs("no journal", p);
	fclose(p);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=2\n");
	next(f, "3 9", "sshd: 2");
	/* And when it has become one it is read. */
	assert_int_equal(rename(good, bad), 0);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=3\n");
	next(f, "3 9", "sshd: 3");
	nothing(f);
	reader_stop(f);
}

static void copy(struct fix *f, const char *dir, const char *file, const char *message)
{
	struct buf b = {0};

	snprintf(f->journal, sizeof(f->journal), "%s/%s", f->dir, dir);
	mkdir(f->journal, 0755);
	entry(f, &b, message);
	journal_write(f, file, &b);
}

/* A machine's own directories, namespaces, and whose files of them. */
static void choices(void **state)
{
	struct fix *f = *state;
	static const char id[] = "0123456789abcdef0123456789abcdef";
	static const struct {
		const char *name_space;
		int flags;
		const char *all[5];
	} cases[] = {{NULL, 0, {"system", "user"}}, {NULL, 4, {"system"}}, {NULL, 8, {"user"}},
		{"ns", 0, {"ns"}}, {"ns", 64, {"system", "user", "ns"}},
		{NULL, 32, {"system", "user", "ns", "other"}}, {"none", 0, {NULL}}};
	char user[64], dir[64], own[128];

	if (no_writer())
		return;
	copy(f, id, "system.journal", "_COMM=sshd\nMESSAGE=system\n");
	snprintf(user, sizeof(user), "user-%u.journal", (unsigned)getuid());
	copy(f, id, user, "_COMM=sshd\nMESSAGE=user\n");
	snprintf(dir, sizeof(dir), "%s.ns", id);
	copy(f, dir, "system.journal", "_COMM=sshd\nMESSAGE=ns\n");
	snprintf(dir, sizeof(dir), "%s.other", id);
	copy(f, dir, "system.journal", "_COMM=sshd\nMESSAGE=other\n");
	copy(f, "nonsense", "system.journal", "_COMM=sshd\nMESSAGE=nonsense\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct journal_conf conf = {.jails = jails,
			.n_jails = 3,
			.dir = f->dir,
			.name_space = cases[i].name_space,
			.flags = cases[i].flags};

		reader_start_with(f, &conf, "", 0);
		for (size_t k = 0; cases[i].all[k] != NULL; k++) {
			snprintf(own, sizeof(own), "sshd: %s", cases[i].all[k]);
			next(f, "3 9", own);
		}
		nothing(f);
		reader_stop(f);
	}
}

static void a_journal_that_comes_later(void **state)
{
	struct fix *f = *state;
	char moved[256], log[256];

	if (no_writer())
		return;
	assert_false(journal_available_in(f->journal));
	reader_start(f, "", 0);
	nothing(f);
	make_dirs(f);
	assert_false(journal_available_in(f->journal));
	nothing(f);
	one(f, "a.journal", "_COMM=sshd\nMESSAGE=1\n");
	assert_true(journal_available_in(f->journal));
	snprintf(log, sizeof(log), "%s/log", f->dir);
	assert_true(journal_available_in(log));
	assert_false(journal_available_in(f->dir));
	next(f, "3 9", "sshd: 1");
	/* All of it goes and comes anew; what was told is not told again. */
	snprintf(moved, sizeof(moved), "%s/away", f->dir);
	assert_int_equal(rename(log, moved), 0);
	nothing(f);
	make_dirs(f);
	one(f, "b.journal", "_COMM=sshd\nMESSAGE=2\n");
	next(f, "3 9", "sshd: 2");
	nothing(f);
	reader_stop(f);
}

/* The machine's journal, in a mount namespace where it has none yet. */
static bool machine_has_journal(void)
{
	return journal_available_in("/run/log/journal") || journal_available_in("/var/log/journal");
}

static void the_machines_own(void **state)
{
	struct fix *f = *state;
	const struct journal_conf conf = {.jails = jails, .n_jails = 3};
	char cursor[sizeof(f->cursor)];

	if (no_writer())
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("none", "/run", "tmpfs", 0, NULL) < 0 ||
		mount("none", "/var/log", "tmpfs", 0, NULL) < 0) {
		print_message("# no mount namespaces: skipped\n");
		return;
	}
	assert_false(machine_has_journal());
	reader_start_with(f, &conf, "", 0);
	nothing(f);
	assert_int_equal(mkdir("/run/log", 0755), 0);
	assert_int_equal(mkdir("/run/log/journal", 0755), 0);
	strcpy(f->journal, "/run/log/journal/0123456789abcdef0123456789abcdef");
	assert_int_equal(mkdir(f->journal, 0755), 0);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=volatile\n");
	next(f, "3 9", "sshd: volatile");
	assert_true(machine_has_journal());
	assert_int_equal(mkdir("/var/log/journal", 0755), 0);
	strcpy(f->journal, "/var/log/journal/0123456789abcdef0123456789abcdef");
	assert_int_equal(mkdir(f->journal, 0755), 0);
	/* journald flushes what was volatile there, and removes it. */
	f->clock = 0;
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=volatile\n");
	nothing(f);
	strcpy(cursor, f->cursor);
	assert_int_equal(
		unlink("/run/log/journal/0123456789abcdef0123456789abcdef/system.journal"), 0);
	one(f, "system.journal", "_COMM=sshd\nMESSAGE=persistent\n");
	next(f, "3 9", "sshd: persistent");
	reader_stop(f);
	reader_start_with(f, &conf, cursor, 0);
	next(f, "3 9", "sshd: persistent");
	nothing(f);
	reader_stop(f);
}

static void slow_guard(void **state)
{
	struct fix *f = *state;
	struct buf b = {0};
	char text[64], fields[128];
	const struct journal_jail all = {.id = 1};
	const struct journal_conf conf = {.jails = &all, .n_jails = 1, .dir = f->journal};

	if (no_writer())
		return;
	make_dirs(f);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(fields, sizeof(fields), "MESSAGE=%u\n", i);
		entry(f, &b, fields);
	}
	journal_write(f, "a.journal", &b);
	reader_start_with(f, &conf, "", 0);
	/* The socket holds some hundreds; the rest waits in the journal. */
	nanosleep(&(struct timespec) {.tv_nsec = 200000000}, NULL);
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		next(f, "1", text);
	}
	nothing(f);
	reader_stop(f);
	/* Gone while the reader waits for room. */
	reader_start_with(f, &conf, "", 0);
	next(f, "1", "0");
	reader_stop(f);
}

static void bad_starts(void **state)
{
	struct fix *f = *state;
	const struct journal_jail bad = {.id = 1, .match = "nonsense"};
	struct journal_conf conf = {.jails = &bad, .n_jails = 1, .dir = f->journal};
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	assert_int_equal(journal_run(sv[1], &conf), -EINVAL);
	conf.n_jails = 0;
	assert_int_equal(journal_run(sv[1], &conf), -EINVAL);
	conf.jails = jails;
	conf.n_jails = 3;
	assert_int_equal(send(sv[0], "short", 5, 0), 5);
	assert_int_equal(journal_run(sv[1], &conf), -EBADMSG);
	close(sv[0]);
	assert_int_equal(journal_run(sv[1], &conf), 0);
	close(sv[1]);
}

#endif

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(match_good),
		cmocka_unit_test(match_bad),
		cmocka_unit_test(msg_round),
		cmocka_unit_test(start_round),
#ifdef HAVE_SYSTEMD
		TEST(texts),
		TEST(goes_on_where_it_was),
		TEST(rotation),
		TEST(late_hosts),
		TEST(live_writer),
		TEST(files_by_name),
		TEST(damaged),
		TEST(choices),
		TEST(a_journal_that_comes_later),
		TEST(slow_guard),
		TEST(bad_starts),
		TEST(the_machines_own),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
