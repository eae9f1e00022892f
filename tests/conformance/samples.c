/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * samples [-c CONFDIR] [-t TESTDIR] STOCKADE [FILTER...]: judges the sample logs that fail2ban's
 * test suite brings with its filters, every file by every set of options that it names, and
 * compares the verdict, the host, the time and each named field of every line. Prints TAP, an
 * option set a test.
 */
#include "samples.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The samples' times are told in this zone, and their present is this. */
#define ZONE "CET-1CEST,M3.5.0,M10.5.0/3"
#define NOW "2005-08-14T12:00:00"

#define FILTERS_MAX 512

static struct {
	const char *stockade, *conf, *tests;
	char **only; /* the filters asked for; empty: all */
	size_t files, sets, lines, matches, fields, bad;
	unsigned tests_done;
	json_t *one;
} run;

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text_of(const char *format, ...)
{
	va_list ap;
	char *text;
	int r;

	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0)
		sample_die("out of memory");
	return text;
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool same_host(const char *a, const char *b)
{
	unsigned char bytes_a[16], bytes_b[16];

	if (strcmp(a, b) == 0)
		return true;
	return (inet_pton(AF_INET6, a, bytes_a) == 1 && inet_pton(AF_INET6, b, bytes_b) == 1 &&
		memcmp(bytes_a, bytes_b, 16) == 0);
}

/* Year, month, day, hour, minute, second, microsecond, however many digits each has. */
static bool read_time(const char *text, int part[7])
{
	int n = 0;

	if (sscanf(text, "%d-%d-%dT%d:%d:%d%n", &part[0], &part[1], &part[2], &part[3], &part[4],
		    &part[5], &n) != 6)
		return false;
	part[6] = 0;
	text += n;
	if (*text != '.')
		return *text == '\0';
	text++;
	for (int i = 0; i < 6; i++) {
		part[6] = part[6] * 10 + (*text >= '0' && *text <= '9' ? *text - '0' : 0);
		text += *text >= '0' && *text <= '9';
	}
	return *text == '\0';
}

static bool same_time(const char *a, const char *b)
{
	int parts_a[7], parts_b[7];

	return read_time(a, parts_a) && read_time(b, parts_b) &&
	       memcmp(parts_a, parts_b, sizeof(parts_a)) == 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(
		json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

/* Lists of texts without regard to their order. */
static bool same_set(json_t *a, json_t *b)
{
	json_t *items_a[64], *items_b[64], *item;
	size_t i, n = json_array_size(a);

	if (n != json_array_size(b) || n > 64)
		return false;
	json_array_foreach(a, i, item) items_a[i] = item;
	json_array_foreach(b, i, item) items_b[i] = item;
	for (i = 0; i < n; i++) {
		if (!json_is_string(items_a[i]) || !json_is_string(items_b[i]))
			return false;
	}
	qsort(items_a, n, sizeof(items_a[0]), by_text);
	qsort(items_b, n, sizeof(items_b[0]), by_text);
	for (i = 0; i < n; i++) {
		if (strcmp(json_string_value(items_a[i]), json_string_value(items_b[i])) != 0)
			return false;
	}
	return true;
}

/*
 * What we say of a thing that the samples name. A field that was not captured is null, as is a
 * family or a name that the host is not of.
 */
static json_t *our_value(json_t *got, const char *key)
{
	json_t *ip = json_object_get(got, "ip"), *value;
	const char *host = json_string_value(ip);
	unsigned char bytes[16];
	bool is4 = host != NULL && inet_pton(AF_INET, host, bytes) == 1;
	bool is6 = host != NULL && inet_pton(AF_INET6, host, bytes) == 1;

	if (strcmp(key, "host") == 0)
		return ip;
	if (strcmp(key, "ip4") == 0)
		return is4 ? ip : NULL;
	if (strcmp(key, "ip6") == 0)
		return is6 ? ip : NULL;
	if (strcmp(key, "dns") == 0)
		return !is4 && !is6 ? ip : NULL;
	if (strcmp(key, "time") == 0)
		return json_object_get(got, "time");
	value = json_object_get(json_object_get(got, "fields"), key);
	/* A line of no session stands for itself. */
	return value == NULL && strcmp(key, "attempts") == 0 ? run.one : value;
}

static bool same(const char *key, json_t *want, json_t *got)
{
	if (got == NULL || json_is_null(got))
		return json_is_null(want);
	if (json_is_array(want) && json_is_array(got))
		return same_set(want, got);
	if (!json_is_string(want) || !json_is_string(got))
		return json_equal(want, got);
	if (strcmp(key, "time") == 0)
		return same_time(json_string_value(want), json_string_value(got));
	if (strcmp(key, "host") == 0 || strcmp(key, "ip4") == 0 || strcmp(key, "ip6") == 0)
		return same_host(json_string_value(want), json_string_value(got));
	return strcmp(json_string_value(want), json_string_value(got)) == 0;
}

static void complain(const struct sample *s, const char *what, json_t *want, json_t *got)
{
	char *want_text = want != NULL ? json_dumps(want, JSON_ENCODE_ANY) : NULL;
	char *got_text = got != NULL ? json_dumps(got, JSON_ENCODE_ANY) : NULL;

	printf("# %s:%u: %s: should be %s, is %s\n", s->file, s->line, what,
		want_text != NULL ? want_text : "absent", got_text != NULL ? got_text : "absent");
	free(want_text);
	free(got_text);
	run.bad++;
}

/* Compares one line's answer with what is said of the line. */
static void compare(const struct sample *s, json_t *got)
{
	static const char *const not_compared[] = {"match", "desc", "constraint"};
	bool want_match = json_is_true(json_object_get(s->want, "match"));
	const char *verdict = json_string_value(json_object_get(got, "verdict")), *key;
	json_t *want, *ours;

	run.lines++;
	if (verdict == NULL || want_match != (strcmp(verdict, "match") == 0)) {
		complain(s, want_match ? "to be matched" : "not to be matched", NULL,
			json_object_get(got, "verdict"));
		printf("#   %.*s\n", (int)s->len, s->text);
		return;
	}
	if (!want_match)
		return;
	run.matches++;
	json_object_foreach(s->want, key, want)
	{
		bool skip = false;

		for (size_t i = 0; i < sizeof(not_compared) / sizeof(not_compared[0]); i++)
			skip |= strcmp(key, not_compared[i]) == 0;
		/* A time that is not said is not compared either. */
		if (skip || (strcmp(key, "time") == 0 && json_is_null(want)))
			continue;
		run.fields++;
		ours = our_value(got, key);
		if (!same(key, want, ours))
			complain(s, key, want, ours);
	}
}

/* --- running ---------------------------------------------------------------------------------- */

/* FILTER[name="value",...] */
static char *filter_spec(const char *filter, const struct sample_set *set)
{
	char *spec = text_of("%s", filter), *longer;
	const char *key, *text;
	char open = '[';
	json_t *value;

	json_object_foreach(set->opts, key, value)
	{
		text = json_string_value(value);
		if (strncmp(key, "test.", 5) == 0)
			continue;
		if (text == NULL || strpbrk(text, "\"]") != NULL)
			sample_die("%s: option %s: not a text that is known here", filter, key);
		longer = text_of("%s%c%s=\"%s\"", spec, open, key, text);
		free(spec);
		spec = longer;
		open = ',';
	}
	if (open == ',') {
		longer = text_of("%s]", spec);
		free(spec);
		spec = longer;
	}
	return spec;
}

/* All lines of the set in a file without a name. */
static int write_lines(const struct sample_set *set)
{
	int fd = memfd_create("samples", MFD_CLOEXEC);
	FILE *f = fd >= 0 ? fdopen(dup(fd), "wb") : NULL;

	if (f == NULL)
		sample_die("cannot write the lines: %s", strerror(errno));
	for (size_t i = 0; i < set->n; i++) {
		fwrite(set->samples[i].text, 1, set->samples[i].len, f);
		fputc('\n', f);
	}
	if (fclose(f) != 0 || lseek(fd, 0, SEEK_SET) < 0)
		sample_die("cannot write the lines: %s", strerror(errno));
	return fd;
}

static pid_t start(const char *conf, const char *spec, int lines_fd, FILE **ret_out)
{
	int out[2];
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		sample_die("pipe: %s", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		sample_die("fork: %s", strerror(errno));
	if (pid == 0) {
		if (dup2(lines_fd, STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0)
			_exit(126);
		execl(run.stockade, run.stockade, "test", "-c", conf, "-f", spec, "--json", "--now",
			NOW, "-", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	close(lines_fd);
	*ret_out = fdopen(out[0], "rb");
	if (*ret_out == NULL)
		sample_die("out of memory");
	return pid;
}

/* Reads the answers, one a line, and compares them. Returns how many there were. */
static size_t compare_all(const struct sample_set *set, FILE *out)
{
	char *line = NULL;
	size_t room = 0, n = 0;
	json_error_t error;
	ssize_t len;
	json_t *got;

	while ((len = getline(&line, &room, out)) >= 0) {
		got = json_loadb(line, (size_t)len, 0, &error);
		if (got == NULL)
			sample_die("not JSON: %s: %s", error.text, line);
		if (n < set->n)
			compare(&set->samples[n], got);
		n++;
		json_decref(got);
	}
	free(line);
	return n;
}

static void run_set(const char *conf, const char *filter, const struct sample_set *set)
{
	char *spec = filter_spec(filter, set);
	size_t bad = run.bad, n;
	int status;
	FILE *out;
	pid_t pid;

	pid = start(conf, spec, write_lines(set), &out);
	n = compare_all(set, out);
	fclose(out);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* 1 says that nothing matched, which some sets are about. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		printf("# %s: ended with status %x\n", spec, (unsigned)status);
		run.bad++;
	}
	if (n != set->n) {
		printf("# %s: %zu lines, %zu answers\n", spec, set->n, n);
		run.bad++;
	}
	run.sets++;
	printf("%s %u - %s: %zu lines\n", run.bad == bad ? "ok" : "not ok", ++run.tests_done, spec,
		set->n);
	free(spec);
}

static bool wanted(const char *filter)
{
	if (run.only[0] == NULL)
		return true;
	for (char **p = run.only; *p != NULL; p++) {
		if (strcmp(*p, filter) == 0)
			return true;
	}
	return false;
}

static void run_filter(const char *conf, const char *filter)
{
	char *logs = text_of("%s/files/logs", run.tests), *log = text_of("%s/%s", logs, filter);
	struct sample_log samples;

	if (!wanted(filter)) {
		free(logs);
		free(log);
		return;
	}
	if (access(log, R_OK) < 0) {
		/* A filter that the administrator added. */
		printf("ok %u - %s # SKIP no samples\n", ++run.tests_done, filter);
	} else {
		sample_log_read(&samples, logs, filter);
		run.files += samples.n_files;
		for (size_t i = 0; i < samples.n; i++) {
			if (samples.sets[i].n > 0)
				run_set(conf, filter, &samples.sets[i]);
		}
		sample_log_done(&samples);
	}
	free(logs);
	free(log);
}

static bool ends_with(const char *text, const char *tail)
{
	size_t len = strlen(text), tail_len = strlen(tail);

	return len >= tail_len && strcmp(text + len - tail_len, tail) == 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The filters of conf/filter.d whose names begin with prefix; what only others include is none. */
static size_t list_filters(const char *conf, const char *prefix, char **names)
{
	char *dir = text_of("%s/filter.d", conf);
	DIR *d = opendir(dir);
	const struct dirent *e;
	size_t n = 0;

	if (d == NULL)
		sample_die("%s: %s", dir, strerror(errno));
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || !ends_with(e->d_name, ".conf") ||
			ends_with(e->d_name, "common.conf") ||
			strncmp(e->d_name, prefix, strlen(prefix)) != 0)
			continue;
		if (n == FILTERS_MAX)
			sample_die("%s: too many filters", dir);
		names[n++] = text_of("%.*s", (int)strlen(e->d_name) - 5, e->d_name);
	}
	closedir(d);
	free(dir);
	qsort(names, n, sizeof(names[0]), by_name);
	return n;
}

static void run_filters(void)
{
	char *names[FILTERS_MAX];
	size_t n = list_filters(run.conf, "", names);

	for (size_t i = 0; i < n; i++) {
		run_filter(run.conf, names[i]);
		free(names[i]);
	}
}

/*
 * Copies a filter of the tests' own. It includes by a path that leads up to fail2ban's source,
 * which an installed package has not; there the same file is in conf.
 */
static void copy_filter(const char *from, const char *to)
{
	static const char upwards[] = "../config/filter.d/";
	FILE *in = fopen(from, "rbe"), *out = fopen(to, "wbe");
	char *line = NULL;
	const char *include;
	size_t room = 0;

	if (in == NULL || out == NULL)
		sample_die("cannot copy %s to %s", from, to);
	while (getline(&line, &room, in) >= 0) {
		include = strncmp(line, "before", 6) == 0 ? strstr(line, upwards) : NULL;
		if (include != NULL)
			fprintf(out, "before = %s/filter.d/%s", run.conf,
				include + sizeof(upwards) - 1);
		else
			fputs(line, out);
	}
	free(line);
	fclose(in);
	if (fclose(out) != 0)
		sample_die("cannot write %s", to);
}

/* The filters that are only for the tests, in a configuration of their own that ends with them. */
static void run_test_filters(void)
{
	char *from = text_of("%s/config", run.tests), *names[FILTERS_MAX], *path, *source;
	const char *base = getenv("TMPDIR");
	char *dir = text_of("%s/stockade-samples-XXXXXX", base != NULL ? base : "/tmp");
	char *filters;
	size_t n = list_filters(from, "zzz-", names);

	if (mkdtemp(dir) == NULL)
		sample_die("%s: %s", dir, strerror(errno));
	filters = text_of("%s/filter.d", dir);
	if (mkdir(filters, 0700) < 0)
		sample_die("%s: %s", filters, strerror(errno));
	for (size_t i = 0; i < n; i++) {
		source = text_of("%s/filter.d/%s.conf", from, names[i]);
		path = text_of("%s/%s.conf", filters, names[i]);
		copy_filter(source, path);
		run_filter(dir, names[i]);
		unlink(path);
		free(source);
		free(path);
		free(names[i]);
	}
	rmdir(filters);
	rmdir(dir);
	free(filters);
	free(dir);
	free(from);
}

/* Where the installed package has its tests; NULL if it is not there. */
static char *find_tests(void)
{
	FILE *p = popen("PATH=/usr/bin:$PATH python3 -c 'import fail2ban, os; "
			"print(os.path.dirname(fail2ban.__file__))' 2>/dev/null",
		"re");
	char path[PATH_MAX] = "";
	char *tests;

	if (p == NULL)
		return NULL;
	if (fgets(path, sizeof(path), p) == NULL)
		path[0] = '\0';
	pclose(p);
	path[strcspn(path, "\n")] = '\0';
	tests = text_of("%s/tests", path);
	if (path[0] != '\0' && access(tests, R_OK) == 0)
		return tests;
	free(tests);
	return NULL;
}

int main(int argc, char **argv)
{
	char *found = NULL;
	int o;

	run.conf = "/etc/fail2ban";
	while ((o = getopt(argc, argv, "c:t:")) >= 0) {
		if (o == 'c')
			run.conf = optarg;
		else if (o == 't')
			run.tests = optarg;
		else
			return 2;
	}
	if (optind >= argc)
		sample_die("usage: samples [-c CONFDIR] [-t TESTDIR] STOCKADE [FILTER...]");
	run.stockade = argv[optind++];
	run.only = argv + optind;
	if (run.tests == NULL)
		run.tests = found = find_tests();
	if (run.tests == NULL || access(run.conf, R_OK) < 0) {
		printf("1..0 # SKIP fail2ban is not installed\n");
		return 0;
	}
	setenv("TZ", ZONE, 1);
	run.one = json_integer(1);
	run_filters();
	run_test_filters();
	printf("# compared: %zu sample files, %zu option sets, %zu lines, %zu matches, %zu fields; "
	       "%zu disagreements\n",
		run.files, run.sets, run.lines, run.matches, run.fields, run.bad);
	printf("1..%u\n", run.tests_done);
	json_decref(run.one);
	free(found);
	return run.bad > 0 || run.lines == 0;
}
