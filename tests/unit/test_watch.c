/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/buf.h"
#include "base/util.h"
#include "keeper/watch.h"
#include "keeper/watch_priv.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* A watch on a directory of its own; what it tells is written down, the directory's name as @. */
struct fix {
	char dir[64];
	struct event_base *base;
	struct watch *w;
	struct buf told;
	size_t n_opened, n_left;
	bool quiet; /* only count */
	size_t cap; /* not 0: for watch_set_cap */
	int64_t place_keep_us;
};

static void say(struct fix *f, const char *line)
{
	size_t len = strlen(f->dir);
	const char *at;

	if (f->quiet)
		return;
	while ((at = strstr(line, f->dir)) != NULL) {
		assert_int_equal(buf_add(&f->told, line, (size_t)(at - line)), 0);
		assert_int_equal(buf_adds(&f->told, "@"), 0);
		line = at + len;
	}
	assert_int_equal(buf_addf(&f->told, "%s\n", line), 0);
}

static void on_opened(void *arg, const struct watch_file *w)
{
	struct fix *f = arg;
	char text[32] = "", line[8192];
	struct stat st;

	assert_true(read(w->fd, text, sizeof(text) - 1) >= 0);
	assert_int_equal(fstat(w->fd, &st), 0);
	assert_true(st.st_ino == w->ino && st.st_dev == w->dev);
	assert_true((fcntl(w->fd, F_GETFD) & FD_CLOEXEC) != 0);
	snprintf(line, sizeof(line), "%u opened %s (%s)%s", w->pattern, w->path, text,
		w->at_start ? " at start" : "");
	f->n_opened++;
	say(f, line);
}

static void on_left(void *arg, unsigned pattern, const char *path, uint64_t dev, uint64_t ino)
{
	struct fix *f = arg;
	char line[8192];

	assert_true(dev != 0 && ino != 0);
	snprintf(line, sizeof(line), "%u left %s", pattern, path);
	f->n_left++;
	say(f, line);
}

static void on_trouble(void *arg, unsigned pattern, const char *path, const char *what)
{
	char line[8192];

	if (what != NULL)
		snprintf(line, sizeof(line), "%u trouble %s: %s", pattern, path, what);
	else
		snprintf(line, sizeof(line), "%u over %s", pattern, path);
	say(arg, line);
}

static const struct watch_ops ops = {.opened = on_opened, .left = on_left, .trouble = on_trouble};

/* The path of a name in the fixture's directory, in one of a few static buffers. */
static const char *in(const struct fix *f, const char *name)
{
	static char bufs[4][512];
	static unsigned next;
	char *b = bufs[next++ % 4];

	snprintf(b, sizeof(bufs[0]), "%s/%s", f->dir, name);
	return b;
}

static void put(const struct fix *f, const char *name, const char *text)
{
	int fd = open(in(f, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void dir(const struct fix *f, const char *name)
{
	assert_int_equal(mkdir(in(f, name), 0755), 0);
}

static void mv(const struct fix *f, const char *from, const char *to)
{
	assert_int_equal(rename(in(f, from), in(f, to)), 0);
}

static void rm(const struct fix *f, const char *name)
{
	assert_int_equal(remove(in(f, name)), 0);
}

static void settle(struct fix *f)
{
	/* The kernel has queued its events before the call that caused them returned. */
	for (unsigned i = 0; i < 4; i++)
		event_base_loop(f->base, EVLOOP_NONBLOCK);
	while (evtimer_pending(f->w->timer, NULL))
		event_base_loop(f->base, EVLOOP_ONCE);
}

/* Waits until the first pattern has so many files, five seconds at most. */
static void wait_files(struct fix *f, size_t n)
{
	const struct entries *files = &f->w->patterns[0].files;

	for (unsigned i = 0; i < 500 && files->n != n; i++) {
		event_base_loop(f->base, EVLOOP_NONBLOCK);
		nanosleep(&(struct timespec) {.tv_nsec = 10000000}, NULL);
	}
	assert_int_equal(files->n, n);
}

/* What was told since the last call is exactly this. */
static void told(struct fix *f, const char *lines)
{
	settle(f);
	assert_string_equal(buf_text(&f->told), lines);
	buf_drop(&f->told, f->told.len);
}

static void start_n(struct fix *f, const char *const *patterns, size_t n)
{
	const char *full[8];

	assert_true(n <= 8);
	for (size_t i = 0; i < n; i++)
		full[i] = patterns[i][0] == '/' ? patterns[i] : strdup(in(f, patterns[i]));
	assert_int_equal(watch_new(&f->w, f->base, full, n, &ops, f), 0);
	for (size_t i = 0; i < n; i++) {
		if (full[i] != patterns[i])
			free((char *)full[i]);
	}
	if (f->cap > 0)
		watch_set_cap(f->w, f->cap);
	if (f->place_keep_us > 0)
		f->w->place_keep_us = f->place_keep_us;
	watch_scan(f->w);
}

static void start(struct fix *f, const char *pattern)
{
	start_n(f, &pattern, 1);
}

static int set_up(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	/* In memory, as some of the tests make thousands of files. */
	snprintf(f->dir, sizeof(f->dir), "%s/stockade-watch-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	chmod(f->dir, 0755);
	f->base = event_base_new();
	assert_non_null(f->base);
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

	watch_free(f->w);
	event_base_free(f->base);
	buf_done(&f->told);
	nftw(f->dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static void there_at_start(void **state)
{
	struct fix *f = *state;

	put(f, "a.log", "one");
	put(f, "b.log", "two");
	start_n(f, (const char *[]) {"a.log", "*.log", "c.log"}, 3);
	told(f, "0 opened @/a.log (one) at start\n"
		"1 opened @/a.log (one) at start\n"
		"1 opened @/b.log (two) at start\n"
		"2 trouble @/c.log: does not exist yet; waiting for @ to get it\n");
	put(f, "c.log", "three");
	told(f, "1 opened @/c.log (three)\n2 opened @/c.log (three)\n2 over @/c.log\n");
}

static void rotation(void **state)
{
	struct fix *f = *state;

	put(f, "a.log", "old");
	start(f, "a.log");
	told(f, "0 opened @/a.log (old) at start\n");
	mv(f, "a.log", "a.log.1");
	told(f, "0 left @/a.log\n0 trouble @/a.log: does not exist yet; waiting for @ to get it\n");
	put(f, "a.log", "new");
	told(f, "0 opened @/a.log (new)\n0 over @/a.log\n");
	/* The same with both in one turn. */
	mv(f, "a.log", "a.log.1");
	put(f, "a.log", "newer");
	told(f, "0 left @/a.log\n0 opened @/a.log (newer)\n");
	/* Another file renamed over it. */
	put(f, "tmp", "newest");
	told(f, "");
	mv(f, "tmp", "a.log");
	told(f, "0 left @/a.log\n0 opened @/a.log (newest)\n");
	/* Deleted and made again at once, perhaps with the same inode number. */
	rm(f, "a.log");
	put(f, "a.log", "again");
	told(f, "0 left @/a.log\n0 opened @/a.log (again)\n");
	/* Away and back. */
	mv(f, "a.log", "x");
	mv(f, "x", "a.log");
	told(f, "0 left @/a.log\n0 opened @/a.log (again)\n");
	/* Written to: none of our business. */
	put(f, "a.log", "more");
	told(f, "");
}

static void rotation_in_a_glob(void **state)
{
	struct fix *f = *state;

	put(f, "a.log", "old");
	start(f, "a.log*");
	told(f, "0 opened @/a.log (old) at start\n");
	mv(f, "a.log", "a.log.1");
	put(f, "a.log", "new");
	told(f, "0 left @/a.log\n0 opened @/a.log (new)\n0 opened @/a.log.1 (old)\n");
	mv(f, "a.log.1", "a.log.2");
	told(f, "0 left @/a.log.1\n0 opened @/a.log.2 (old)\n");
}

static void globs(void **state)
{
	struct fix *f = *state;
	char name[300];

	dir(f, "one");
	put(f, "one/app-1.log", "1");
	put(f, "one/app-2.txt", "no");
	put(f, "one/.app-3.log", "hidden");
	put(f, "plain", "not a directory");
	dir(f, ".secret");
	put(f, ".secret/app-1.log", "no");
	start(f, "*/app-*.log");
	told(f, "0 opened @/one/app-1.log (1) at start\n");
	put(f, "one/app-x.log", "x");
	dir(f, "one/app-dir.log");
	told(f, "0 opened @/one/app-x.log (x)\n");
	/* A whole directory, filled before anybody could watch it. */
	dir(f, "two");
	put(f, "two/app-1.log", "2");
	told(f, "0 opened @/two/app-1.log (2)\n");
	put(f, "two/app-2.log", "22");
	told(f, "0 opened @/two/app-2.log (22)\n");
	mv(f, "two", "three");
	told(f, "0 left @/two/app-1.log\n0 left @/two/app-2.log\n"
		"0 opened @/three/app-1.log (2)\n0 opened @/three/app-2.log (22)\n");
	mv(f, "three", ".three");
	told(f, "0 left @/three/app-1.log\n0 left @/three/app-2.log\n");
	/* Odd names: a line break, bytes that are no text, 255 of them. */
	put(f, "one/app-\n\xff\x1b.log", "odd");
	told(f, "0 opened @/one/app-\n\xff\x1b.log (odd)\n");
	memset(name, 'n', sizeof(name));
	memcpy(name, "one/app-", 8);
	strcpy(name + 4 + 255 - 4, ".log");
	put(f, name, "long");
	f->quiet = true;
	settle(f);
	assert_int_equal(f->n_opened, 7 + 1);
}

static void compressed(void **state)
{
	struct fix *f = *state;

	put(f, "a.log", "1");
	put(f, "a.log.2.gz", "zip");
	dir(f, "d.gz");
	put(f, "d.gz/a.log", "2");
	start_n(f, (const char *[]) {"a.log*", "*/a.log", "a.log.2.gz"}, 3);
	told(f, "0 opened @/a.log (1) at start\n1 opened @/d.gz/a.log (2) at start\n"
		"2 opened @/a.log.2.gz (zip) at start\n0 trouble @/a.log*: " WATCH_COMPRESSED "\n");
	put(f, "a.log.3.xz", "zip");
	told(f, "");
	rm(f, "a.log.2.gz");
	rm(f, "a.log.3.xz");
	told(f, "2 left @/a.log.2.gz\n0 over @/a.log*\n"
		"2 trouble @/a.log.2.gz: does not exist yet; waiting for @ to get it\n");
}

static void classes(void **state)
{
	struct fix *f = *state;

	put(f, "a[1].log", "brackets");
	put(f, "a1.log", "one");
	put(f, "a2.log", "two");
	put(f, "back\\slash", "b");
	start_n(f, (const char *[]) {"a[12].log", "a[[]1].log", "a[!1].log", "back\\slash"}, 4);
	told(f, "0 opened @/a1.log (one) at start\n0 opened @/a2.log (two) at start\n"
		"1 opened @/a[1].log (brackets) at start\n2 opened @/a2.log (two) at start\n"
		"3 opened @/back\\slash (b) at start\n");
}

static void directories_later(void **state)
{
	struct fix *f = *state;
	size_t dirs;

	start(f, "var/log/app/a.log");
	told(f, "0 trouble @/var/log/app/a.log: does not exist yet; waiting for @ to get it\n");
	dirs = watch_dirs(f->w);
	dir(f, "var");
	told(f, "0 trouble @/var/log/app/a.log: does not exist yet; waiting for @/var to get it\n");
	dir(f, "var/log");
	dir(f, "var/log/app");
	put(f, "var/log/app/a.log", "late");
	told(f, "0 opened @/var/log/app/a.log (late)\n0 over @/var/log/app/a.log\n");
	assert_int_equal(watch_dirs(f->w), dirs + 3);
	/* A directory on the way moves away and back. */
	mv(f, "var/log", "var/elsewhere");
	told(f, "0 left @/var/log/app/a.log\n"
		"0 trouble @/var/log/app/a.log: does not exist yet; waiting for @/var to get it\n");
	assert_int_equal(watch_dirs(f->w), dirs + 1);
	mv(f, "var/elsewhere", "var/log");
	told(f, "0 opened @/var/log/app/a.log (late)\n0 over @/var/log/app/a.log\n");
	/* All of it is removed and comes back. */
	rm(f, "var/log/app/a.log");
	rm(f, "var/log/app");
	rm(f, "var/log");
	rm(f, "var");
	told(f, "0 left @/var/log/app/a.log\n"
		"0 trouble @/var/log/app/a.log: does not exist yet; waiting for @ to get it\n");
	assert_int_equal(watch_dirs(f->w), dirs);
	dir(f, "var");
	dir(f, "var/log");
	dir(f, "var/log/app");
	put(f, "var/log/app/a.log", "back");
	told(f, "0 opened @/var/log/app/a.log (back)\n0 over @/var/log/app/a.log\n");
}

static void links(void **state)
{
	struct fix *f = *state;

	dir(f, "data");
	put(f, "data/v1", "one");
	assert_int_equal(symlink("data/v1", in(f, "a.log")), 0);
	start(f, "a.log");
	told(f, "0 opened @/a.log (one) at start\n");
	/* The target is rotated where it lies. */
	mv(f, "data/v1", "data/v1.1");
	put(f, "data/v1", "two");
	told(f, "0 left @/a.log\n0 opened @/a.log (two)\n");
	/* ln -sfn */
	put(f, "data/v2", "three");
	assert_int_equal(symlink(in(f, "data/v2"), in(f, "tmp")), 0);
	mv(f, "tmp", "a.log");
	told(f, "0 left @/a.log\n0 opened @/a.log (three)\n");
	/* To something that is not there yet, over another link, upwards. */
	assert_int_equal(symlink("../later/v3", in(f, "data/link")), 0);
	assert_int_equal(symlink("data/./link", in(f, "tmp")), 0);
	mv(f, "tmp", "a.log");
	told(f, "0 left @/a.log\n0 trouble @/a.log: does not exist yet; waiting for @ to get it\n");
	dir(f, "later");
	told(f, "0 trouble @/a.log: does not exist yet; waiting for @/later to get it\n");
	put(f, "later/v3", "four");
	told(f, "0 opened @/a.log (four)\n0 over @/a.log\n");
	/* In the directory of the former targets nothing is wanted any more but the second link. */
	put(f, "data/v1", "x");
	rm(f, "data/v2");
	told(f, "");
	rm(f, "data/link");
	told(f, "0 left @/a.log\n0 trouble @/a.log: does not exist yet; waiting for @/data to get "
		"it\n");
}

static void linked_directories(void **state)
{
	struct fix *f = *state;

	dir(f, "blue");
	dir(f, "green");
	put(f, "blue/a.log", "b");
	put(f, "green/a.log", "g");
	put(f, "green/b.log", "gg");
	assert_int_equal(symlink("blue", in(f, "live")), 0);
	start_n(f, (const char *[]) {"live/*.log", "*/a.log", "live/../blue/./a.log"}, 3);
	/* ".." behind a link is the parent of where it leads, as for the kernel. */
	told(f, "0 opened @/live/a.log (b) at start\n"
		"1 opened @/blue/a.log (b) at start\n1 opened @/green/a.log (g) at start\n"
		"1 opened @/live/a.log (b) at start\n"
		"2 opened @/live/../blue/a.log (b) at start\n");
	assert_int_equal(symlink("green", in(f, "tmp")), 0);
	mv(f, "tmp", "live");
	settle(f);
	assert_non_null(strstr(buf_text(&f->told), "0 left @/live/a.log\n"));
	assert_non_null(strstr(buf_text(&f->told), "0 opened @/live/b.log (gg)\n"));
	assert_non_null(strstr(buf_text(&f->told), "1 left @/live/a.log\n"));
	assert_non_null(strstr(buf_text(&f->told), "1 opened @/live/a.log (g)\n"));
}

static void loops(void **state)
{
	struct fix *f = *state;
	char target[4000];

	assert_int_equal(symlink("b", in(f, "a")), 0);
	assert_int_equal(symlink("a", in(f, "b")), 0);
	assert_int_equal(symlink(".", in(f, "self")), 0);
	/* Each link multiplies the way by hundreds of components. */
	for (size_t i = 0; i + 5 < sizeof(target); i += 5)
		strcpy(target + i, "deep/");
	assert_int_equal(symlink(target, in(f, "deep")), 0);
	assert_int_equal(symlink("/", in(f, ".root")), 0);
	start_n(f, (const char *[]) {"a", "deep", "self/self/self/x", "*/*/*/*/*/x", ".root"}, 5);
	told(f, "0 trouble @/a: too many symbolic links, or one that leads to itself\n"
		"1 trouble @/deep: too many symbolic links, or one that leads to itself\n"
		"2 trouble @/self/self/self/x: does not exist yet; waiting for @ to get it\n"
		"3 trouble @/*/*/*/*/*/x: matches nothing yet; waiting for @ to get it\n"
		"4 trouble @/.root: is a directory, not a log\n");
	rm(f, "b");
	put(f, "b", "solved");
	told(f, "0 opened @/a (solved)\n0 over @/a\n");
	put(f, "x", "x");
	settle(f);
	assert_non_null(strstr(buf_text(&f->told), "2 opened @/self/self/self/x (x)\n"));
	assert_non_null(strstr(buf_text(&f->told), "3 opened @/self/self/self/self/self/x (x)\n"));
}

static void no_logs(void **state)
{
	struct fix *f = *state;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	dir(f, "dir");
	put(f, "file", "");
	assert_int_equal(mkfifo(in(f, "fifo"), 0644), 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", in(f, "sock"));
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	start_n(f,
		(const char *[]) {"dir", "fifo", "sock", "/dev/zero", "file/a.log", "[dfs]*[rok]"},
		6);
	told(f, "0 trouble @/dir: is a directory, not a log\n"
		"1 trouble @/fifo: is a named pipe, not a log\n"
		"2 trouble @/sock: is a socket, not a log\n"
		"3 trouble /dev/zero: is a device, not a log\n"
		"4 trouble @/file: is not a directory\n"
		"5 trouble @/[dfs]*[rok]: matches nothing yet; waiting for @ to get it\n");
	rm(f, "dir");
	put(f, "dir", "now a file");
	told(f, "0 opened @/dir (now a file)\n5 opened @/dir (now a file)\n0 over @/dir\n"
		"5 over @/[dfs]*[rok]\n");
	rm(f, "file");
	dir(f, "file");
	told(f, "4 over @/file\n"
		"4 trouble @/file/a.log: does not exist yet; waiting for @/file to get it\n");
}

static void not_allowed(void **state)
{
	struct fix *f = *state;
	bool root = geteuid() == 0;

	put(f, "a.log", "secret");
	dir(f, "dir");
	put(f, "dir/b.log", "too");
	put(f, "dir/c.log", "three");
	assert_int_equal(chmod(in(f, "a.log"), 0), 0);
	assert_int_equal(chmod(in(f, "dir"), 0), 0);
	if (root) {
		assert_int_equal(chown(f->dir, 65534, (gid_t)-1), 0);
		assert_int_equal(chown(in(f, "a.log"), 65534, (gid_t)-1), 0);
		assert_int_equal(chown(in(f, "dir"), 65534, (gid_t)-1), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	start_n(f, (const char *[]) {"a.log", "dir/b.log", "*/c.log"}, 3);
	told(f, "0 trouble @/a.log: cannot be read: Permission denied\n"
		"1 trouble @/dir: cannot be watched: permission denied\n"
		"2 trouble @/dir: cannot be watched: permission denied\n");
	assert_int_equal(chmod(in(f, "a.log"), 0400), 0);
	told(f, "0 opened @/a.log (secret)\n0 over @/a.log\n");
	assert_int_equal(chmod(in(f, "dir"), 0700), 0);
	told(f, "1 opened @/dir/b.log (too)\n2 opened @/dir/c.log (three)\n"
		"1 over @/dir\n2 over @/dir\n");
	/* Unreadable later: who holds it open goes on reading. */
	assert_int_equal(chmod(in(f, "a.log"), 0), 0);
	told(f, "");
	if (root)
		assert_int_equal(seteuid(0), 0);
}

static void links_of_others(void **state)
{
	struct fix *f = *state;

	if (geteuid() != 0) {
		print_message("# not root: skipped\n");
		return;
	}
	dir(f, "tmp");
	assert_int_equal(chmod(in(f, "tmp"), 01777), 0);
	put(f, "target", "t");
	assert_int_equal(symlink("../target", in(f, "tmp/theirs")), 0);
	assert_int_equal(lchown(in(f, "tmp/theirs"), 65534, 65534), 0);
	assert_int_equal(symlink("../target", in(f, "tmp/ours")), 0);
	start_n(f, (const char *[]) {"tmp/theirs", "tmp/ours", "tmp/*"}, 3);
	told(f, "1 opened @/tmp/ours (t) at start\n2 opened @/tmp/ours (t) at start\n"
		"0 trouble @/tmp/theirs: is somebody else's symbolic link in a directory where all "
		"may write: not followed\n");
}

static void own(const struct fix *f, const char *name, uid_t uid)
{
	assert_int_equal(lchown(in(f, name), uid, (gid_t)-1), 0);
}

static void ln(const struct fix *f, const char *target, const char *name, uid_t uid)
{
	assert_int_equal(symlink(target, in(f, name)), 0);
	own(f, name, uid);
}

#define USER 65534

/* What a user's link names must be his. */
static void links_of_users(void **state)
{
	struct fix *f = *state;

	if (geteuid() != 0) {
		print_message("# not root: skipped\n");
		return;
	}
	put(f, "secret", "s");
	dir(f, "u");
	own(f, "u", USER);
	put(f, "u/own", "o");
	own(f, "u/own", USER);
	put(f, "u/daemons", "d");
	ln(f, "../secret", "u/a.log", USER);
	ln(f, "daemons", "u/b.log", USER);
	ln(f, "own", "u/c.log", USER);
	ln(f, "../secret", "u/d.log", 0);
	ln(f, "c.log", "u/e.log", USER);
	/* A link of root's on the way changes nothing for a user's before it. */
	ln(f, "d.log", "u/f.log", USER);
	ln(f, "c.log", "u/g.log", USER + 1);
	start_n(f,
		(const char *[]) {"u/a.log", "u/b.log", "u/c.log", "u/d.log", "u/e.log", "u/f.log",
			"u/g.log", "u/[ac].log"},
		8);
	told(f, "2 opened @/u/c.log (o) at start\n3 opened @/u/d.log (s) at start\n"
		"4 opened @/u/e.log (o) at start\n7 opened @/u/c.log (o) at start\n"
		"0 trouble @/u/a.log: is a link of user 65534 to a file of another: not followed\n"
		"1 trouble @/u/b.log: is a link of user 65534 to a file of another: not followed\n"
		"5 trouble @/u/f.log: is a link of user 65534 to a file of another: not followed\n"
		"6 trouble @/u/g.log: is a link of user 65535 to a file of another: not followed\n"
		"7 trouble @/u/a.log: is a link of user 65534 to a file of another: not "
		"followed\n");
	/* The file is given to him. */
	own(f, "u/daemons", USER);
	told(f, "1 opened @/u/b.log (d)\n1 over @/u/b.log\n");
	rm(f, "u/c.log");
	ln(f, "../secret", "u/c.log", USER);
	settle(f);
	assert_non_null(strstr(buf_text(&f->told), "2 left @/u/c.log\n"));
	assert_null(strstr(buf_text(&f->told), "opened"));
}

static void directory_links_of_users(void **state)
{
	struct fix *f = *state;

	if (geteuid() != 0) {
		print_message("# not root: skipped\n");
		return;
	}
	dir(f, "private");
	put(f, "private/x.log", "p");
	dir(f, "private/his");
	own(f, "private/his", USER);
	dir(f, "u");
	own(f, "u", USER);
	dir(f, "u/r1");
	own(f, "u/r1", USER);
	put(f, "u/r1/x.log", "1");
	put(f, "u/x.log", "u");
	own(f, "u/x.log", USER);
	ln(f, "../private", "u/a", USER);
	ln(f, "r1", "u/b", USER);
	ln(f, "../private", "u/c", 0);
	ln(f, "../private/his", "u/d", USER);
	ln(f, "c/.", "u/e", USER);
	ln(f, "../u/./r1/", "u/f", USER);
	start_n(f,
		(const char *[]) {"u/a/x.log", "u/a/*.log", "u/b/x.log", "u/c/x.log",
			"u/d/../x.log", "u/e/x.log", "u/f/../x.log"},
		7);
	/* As in any directory of his the file may be another's. */
	told(f, "2 opened @/u/b/x.log (1) at start\n3 opened @/u/c/x.log (p) at start\n"
		"6 opened @/u/f/../x.log (u) at start\n"
		"0 trouble @/u/a: is a link of user 65534 to a directory of another: not followed\n"
		"1 trouble @/u/a: is a link of user 65534 to a directory of another: not followed\n"
		"4 trouble @/u/d/..: is a link of user 65534 to a directory of another: not "
		"followed\n"
		"5 trouble @/u/e: is a link of user 65534 to a directory of another: not "
		"followed\n");
	own(f, "private", USER);
	settle(f);
	assert_non_null(strstr(buf_text(&f->told), "0 opened @/u/a/x.log (p)\n"));
	assert_non_null(strstr(buf_text(&f->told), "0 over @/u/a\n"));
}

#define HARD "has another name (a hard link) and may be another's file: not read"

/* A user may have given a file that is not his a name in his directory. */
static void hard_links(void **state)
{
	struct fix *f = *state;

	if (geteuid() != 0) {
		print_message("# not root: skipped\n");
		return;
	}
	put(f, "secret", "s");
	dir(f, "u");
	own(f, "u", USER);
	assert_int_equal(link(in(f, "secret"), in(f, "u/a.log")), 0);
	put(f, "u/b.log", "daemon's");
	put(f, "u/c.log", "c");
	own(f, "u/c.log", USER);
	assert_int_equal(link(in(f, "u/c.log"), in(f, "u/c2")), 0);
	ln(f, "secret", "root", 0);
	assert_int_equal(link(in(f, "root"), in(f, "u/d.log")), 0);
	dir(f, "tmp");
	assert_int_equal(chmod(in(f, "tmp"), 01777), 0);
	assert_int_equal(link(in(f, "secret"), in(f, "tmp/e.log")), 0);
	start_n(f,
		(const char *[]) {"u/a.log", "u/b.log", "u/c.log", "u/d.log", "tmp/e.log", "secret",
			"u/[ab].log"},
		7);
	told(f, "1 opened @/u/b.log (daemon's) at start\n2 opened @/u/c.log (c) at start\n"
		"5 opened @/secret (s) at start\n6 opened @/u/b.log (daemon's) at start\n"
		"0 trouble @/u/a.log: " HARD "\n"
		"3 trouble @/u/d.log: has another name (a hard link) and may be another's: not "
		"followed\n"
		"4 trouble @/tmp/e.log: " HARD "\n6 trouble @/u/a.log: " HARD "\n");
	/* Who has been read so far cannot be hidden by another name. */
	assert_int_equal(link(in(f, "u/b.log"), in(f, "elsewhere")), 0);
	assert_int_equal(chmod(in(f, "u/b.log"), 0600), 0);
	told(f, "");
	rm(f, "u/a.log");
	put(f, "u/a.log", "new");
	settle(f);
	assert_non_null(strstr(buf_text(&f->told), "0 opened @/u/a.log (new)\n"));
	assert_non_null(strstr(buf_text(&f->told), "0 over @/u/a.log\n"));
}

static void mounts(void **state)
{
	struct fix *f = *state;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		print_message("# no mount namespaces: skipped\n");
		return;
	}
	dir(f, "log");
	put(f, "log/a.log", "under");
	start(f, "log/*.log");
	told(f, "0 opened @/log/a.log (under) at start\n");
	assert_int_equal(mount("none", in(f, "log"), "tmpfs", 0, NULL), 0);
	told(f, "0 left @/log/a.log\n0 trouble @/log/*.log: matches nothing yet; waiting for @/log "
		"to get it\n");
	put(f, "log/b.log", "over");
	told(f, "0 opened @/log/b.log (over)\n0 over @/log/*.log\n");
	assert_int_equal(umount(in(f, "log")), 0);
	told(f, "0 left @/log/b.log\n0 opened @/log/a.log (under)\n");
}

static void overflow(void **state)
{
	struct fix *f = *state;
	unsigned limit = 16384;
	FILE *p = fopen("/proc/sys/fs/inotify/max_queued_events", "re");

	assert_true(p == NULL || fscanf(p, "%u", &limit) == 1);
	if (p != NULL)
		fclose(p);
	if (limit > 100000) {
		print_message("# the queue is too long to fill: skipped\n");
		return;
	}
	put(f, "a.log", "a");
	start(f, "*.log");
	told(f, "0 opened @/a.log (a) at start\n");
	/* Alternating, as the same event twice in a row is queued once. */
	for (unsigned i = 0; i < limit / 2 + 100; i++) {
		put(f, "x", "");
		rm(f, "x");
	}
	rm(f, "a.log");
	put(f, "b.log", "b");
	told(f, "0 left @/a.log\n0 opened @/b.log (b)\n");
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void busy_neighbours(void **state)
{
	struct fix *f = *state;
	uint32_t turns;
	char name[32];

	start(f, "a.log");
	told(f, "0 trouble @/a.log: does not exist yet; waiting for @ to get it\n");
	turns = f->w->turn;
	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		put(f, name, "");
		rm(f, name);
		if (i % 100 == 0)
			settle(f);
	}
	settle(f);
	/* The machine may have mounted something or touched /tmp itself meanwhile. */
	assert_in_range(f->w->turn - turns, 0, 20);
}

/* Whoever may write to a log directory can make names that match; it must not cost all our time. */
static void slow_looks_are_spaced(void **state)
{
	struct fix *f = *state;
	double wall, cpu;
	struct timespec a, b;
	char name[32];

	for (unsigned i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "n%u.log", i);
		put(f, name, "");
	}
	f->quiet = true;
	start(f, "*.log");
	assert_int_equal(f->n_opened, 3000);
	clock_gettime(CLOCK_MONOTONIC, &a);
	cpu = cpu_seconds();
	do {
		put(f, "x.log", "");
		event_base_loop(f->base, EVLOOP_NONBLOCK);
		rm(f, "x.log");
		event_base_loop(f->base, EVLOOP_NONBLOCK);
		nanosleep(&(struct timespec) {.tv_nsec = 1000000}, NULL);
		clock_gettime(CLOCK_MONOTONIC, &b);
		wall = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	} while (wall < 0.5);
	print_message("# %.0f %% of the time under a flood of matching names\n",
		100 * (cpu_seconds() - cpu) / wall);
	settle(f);
	rm(f, "n7.log");
	settle(f);
	assert_true(watch_find(&f->w->patterns[0].files, in(f, "n7.log")) == NULL);
	assert_int_equal(f->w->patterns[0].files.n, 2999);
}

static void too_many(void **state)
{
	struct fix *f = *state;
	struct rlimit files;
	char name[32];

	/* Nothing of them stays open. */
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &files);
	dir(f, "many");
	for (unsigned i = 0; i < WATCH_FILES_MAX + 10; i++) {
		snprintf(name, sizeof(name), "many/%05u.log", i);
		put(f, name, "");
	}
	f->quiet = true;
	f->place_keep_us = 1;
	start_n(f, (const char *[]) {"many/*.log", "many/00001.log"}, 2);
	assert_int_equal(f->n_opened, WATCH_FILES_MAX + 1);
	assert_int_equal(f->w->patterns[0].files.n, WATCH_FILES_MAX);
	assert_string_equal(f->w->patterns[0].troubles.items[0].what,
		"matches too many files: at most 4096 are read");
	/* With some gone the others get their place. */
	for (unsigned i = 2; i < 100; i++) {
		snprintf(name, sizeof(name), "many/%05u.log", i);
		rm(f, name);
	}
	settle(f);
	wait_files(f, WATCH_FILES_MAX + 10 - 98);
	assert_int_equal(f->w->patterns[0].troubles.n, 0);
	assert_int_equal(f->n_opened - f->n_left, WATCH_FILES_MAX + 10 - 98 + 1);
}

static void fill(const struct fix *f, const char *name, unsigned n)
{
	char path[64];

	dir(f, name);
	for (unsigned i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%03u.log", name, i);
		put(f, path, "");
	}
}

/* Whoever may write where one pattern looks takes nothing from the others. */
static void none_starves(void **state)
{
	struct fix *f = *state;

	fill(f, "apps", 60);
	fill(f, "web", 5);
	f->quiet = true;
	f->cap = 40;
	start_n(f, (const char *[]) {"apps/*.log", "web/*.log"}, 2);
	assert_int_equal(f->w->patterns[0].files.n, 20);
	assert_int_equal(f->w->patterns[1].files.n, 5);
	f->quiet = false;
	told(f, "");
	mv(f, "web/003.log", "web/003.log.1");
	told(f, "1 left @/web/003.log\n");
	put(f, "apps/x.log", "");
	told(f, "");
	put(f, "web/003.log", "new");
	put(f, "web/x.log", "another");
	told(f, "1 opened @/web/003.log (new)\n1 opened @/web/x.log (another)\n");
}

/* With many patterns each has something for itself, and some may have more. */
static void shares(void **state)
{
	struct fix *f = *state;
	static const char *const patterns[] = {
		"a/*.log", "b/*.log", "c/*.log", "d/*.log", "e/*.log", "f/*.log", "g/*.log", "h/*"};
	static const size_t want[] = {20, 20, 15, 5, 5, 5, 5, 5};

	for (unsigned i = 0; i < 8; i++)
		fill(f, (const char[]) {(char)('a' + i), '\0'}, i < 4 ? 30 : 5);
	f->quiet = true;
	f->cap = 80;
	start_n(f, patterns, 8);
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(f->w->patterns[i].files.n, want[i]);
}

/* Nor do files of one pattern take each other's places at a rotation. */
static void places_kept(void **state)
{
	struct fix *f = *state;

	fill(f, "d", 10);
	f->quiet = true;
	f->cap = 10;
	start(f, "d/*.log");
	assert_int_equal(f->n_opened, 10);
	put(f, "d/x.log", "x");
	settle(f);
	f->quiet = false;
	mv(f, "d/003.log", "d/003.log.1");
	told(f, "0 left @/d/003.log\n");
	put(f, "d/y.log", "y");
	told(f, "");
	put(f, "d/003.log", "new");
	told(f, "0 opened @/d/003.log (new)\n");
	/* What does not come back leaves its place after a while, with nothing else happening. */
	rm(f, "d/y.log");
	f->w->place_keep_us = 100000;
	rm(f, "d/004.log");
	told(f, "0 left @/d/004.log\n");
	wait_files(f, 10);
	told(f, "0 opened @/d/x.log (x)\n0 over @/d/*.log\n");
	assert_int_equal(f->w->patterns[0].kept.n, 0);
}

static bool on_sibling(void *arg, int fd, uint64_t dev, uint64_t ino, const char *name)
{
	struct fix *f = arg;
	char text[32] = "", line[400];
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_true(st.st_dev == dev && st.st_ino == ino);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	snprintf(line, sizeof(line), "%s (%s)", name, text);
	say(f, line);
	return strcmp(name, "a.log.0.stop") != 0;
}

static void age(const struct fix *f, const char *name, long sec)
{
	struct timespec t[2] = {{.tv_sec = 1000000 - sec}, {.tv_sec = 1000000 - sec}};

	assert_int_equal(utimensat(AT_FDCWD, in(f, name), t, 0), 0);
}

static void siblings(void **state)
{
	struct fix *f = *state;
	char name[32];

	dir(f, "real");
	put(f, "real/a.log", "now");
	put(f, "real/a.log.2", "two");
	age(f, "real/a.log.2", 20);
	put(f, "real/a.log.1", "one");
	age(f, "real/a.log.1", 10);
	put(f, "real/a.log.3.gz", "zip");
	put(f, "real/b.log.1", "other");
	put(f, "real/a.log.err", "not made by rotation");
	dir(f, "real/a.log.dir");
	assert_int_equal(mkfifo(in(f, "real/a.log.fifo"), 0644), 0);
	assert_int_equal(symlink("b.log.1", in(f, "real/a.log.link")), 0);
	assert_int_equal(symlink("real/a.log", in(f, "l.log")), 0);
	start(f, "l.log");
	told(f, "0 opened @/l.log (now) at start\n");
	watch_siblings(f->w, in(f, "l.log"), on_sibling, f);
	told(f, "a.log.1 (one)\na.log.2 (two)\n");
	watch_siblings(f->w, in(f, "real/a.log"), on_sibling, f);
	told(f, "a.log.1 (one)\na.log.2 (two)\n");
	watch_siblings(f->w, in(f, "nowhere/a.log"), on_sibling, f);
	told(f, "");
	for (int i = 1; i < 12; i++) {
		snprintf(name, sizeof(name), "real/a.log-%02d", i);
		put(f, name, "");
		age(f, name, 100 - i);
	}
	watch_siblings(f->w, in(f, "l.log"), on_sibling, f);
	told(f, "a.log.1 (one)\na.log.2 (two)\na.log-11 ()\na.log-10 ()\na.log-09 ()\na.log-08 ()\n"
		"a.log-07 ()\na.log-06 ()\n");
	put(f, "real/a.log.0.stop", "");
	watch_siblings(f->w, in(f, "l.log"), on_sibling, f);
	told(f, "a.log.0.stop ()\n");
}

static void siblings_by_links(void **state)
{
	struct fix *f = *state;

	if (geteuid() != 0) {
		print_message("# not root: skipped\n");
		return;
	}
	dir(f, "u");
	own(f, "u", USER);
	put(f, "u/own", "now");
	own(f, "u/own", USER);
	put(f, "u/own.1", "his");
	own(f, "u/own.1", USER);
	put(f, "u/own.2", "secret");
	put(f, "root", "secret");
	assert_int_equal(link(in(f, "root"), in(f, "u/own.3")), 0);
	ln(f, "own", "u/a.log", USER);
	ln(f, ".", "u/dot", USER);
	dir(f, "private");
	put(f, "private/x.log.1", "secret");
	ln(f, "../private", "u/p", USER);
	ln(f, "private", "moved", 0);
	start_n(f, (const char *[]) {"u/a.log", "u/own", "u/p/x.log"}, 3);
	told(f, "0 opened @/u/a.log (now) at start\n1 opened @/u/own (now) at start\n"
		"2 trouble @/u/p: is a link of user 65534 to a directory of another: not "
		"followed\n");
	watch_siblings(f->w, in(f, "u/a.log"), on_sibling, f);
	told(f, "own.1 (his)\n");
	age(f, "u/own.2", 10);
	watch_siblings(f->w, in(f, "u/own"), on_sibling, f);
	told(f, "own.1 (his)\nown.2 (secret)\n");
	watch_siblings(f->w, in(f, "u/p/x.log"), on_sibling, f);
	told(f, "");
	/* Not there just now: its directory is found all the same. */
	watch_siblings(f->w, in(f, "moved/x.log"), on_sibling, f);
	told(f, "x.log.1 (secret)\n");
	watch_siblings(f->w, in(f, "u/dot/./own.1/../own"), on_sibling, f);
	told(f, "");
	assert_int_equal(f->w->patterns[2].now.n, 0);
}

static void limits(void **state)
{
	struct fix *f = *state;

	assert_int_equal(
		watch_new(&f->w, f->base, (const char *[]) {"relative.log"}, 1, &ops, f), -EINVAL);
	assert_int_equal(watch_new(&f->w, f->base, (const char *[]) {""}, 1, &ops, f), -EINVAL);
	assert_null(f->w);
	start_n(f, NULL, 0);
	told(f, "");
	assert_int_equal(watch_dirs(f->w), 0);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(there_at_start),
		TEST(rotation),
		TEST(rotation_in_a_glob),
		TEST(globs),
		TEST(compressed),
		TEST(classes),
		TEST(directories_later),
		TEST(links),
		TEST(linked_directories),
		TEST(loops),
		TEST(no_logs),
		TEST(not_allowed),
		TEST(links_of_others),
		TEST(links_of_users),
		TEST(directory_links_of_users),
		TEST(hard_links),
		TEST(mounts),
		TEST(overflow),
		TEST(busy_neighbours),
		TEST(slow_looks_are_spaced),
		TEST(siblings),
		TEST(siblings_by_links),
		TEST(limits),
		TEST(too_many),
		TEST(none_starves),
		TEST(shares),
		TEST(places_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
