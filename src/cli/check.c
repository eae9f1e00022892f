/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/check.h"

#include "base/buf.h"
#include "base/text.h"
#include "base/util.h"
#include "guard/countries.h"
#include "guard/plan.h"
#include "keeper/precheck.h"
#include "lint/lint.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Adds those that are new: jails share filters, and a fault is told once. */
static void add_faults(struct faults *f, const struct faults *more, bool enabled)
{
	for (size_t i = 0; i < more->n; i++) {
		const struct fault *one = &more->items[i];
		struct where where = {one->file, one->line};

		if (faults_have(f, where, one->message) ||
			(!enabled && one->severity == FAULT_WARNING))
			continue;
		fault_add(f, enabled ? one->severity : FAULT_WARNING, where, "%s", one->message);
	}
}

static void check_jail(const struct jail *j, bool enabled, struct faults *f)
{
	struct faults found = {0};

	plan_check_jail(j, &found);
	add_faults(f, &found, enabled);
	faults_done(&found);
}

/* What the jails read, taken together. */
static void check_sources(struct jail *jails, size_t n, bool enabled, struct faults *f)
{
	const struct ruleset rs = {.jails = jails, .n_jails = n};
	struct patterns patterns = {0};
	struct faults found = {0};

	patterns_init(&patterns, &rs, &found);
	patterns_done(&patterns);
	add_faults(f, &found, enabled);
	faults_done(&found);
}

static int is_closed(const char *dir, int error)
{
	(void)dir;
	return error == EACCES;
}

/* Is there a file? Where we may not look there may be one. */
static bool is_there(const char *pattern)
{
	glob_t g;
	int r = glob(pattern, GLOB_NOSORT, is_closed, &g);

	if (r == 0)
		globfree(&g);
	return r != GLOB_NOMATCH;
}

static bool has_log(const struct jail *j)
{
	for (size_t i = 0; i < j->n_logpaths; i++)
		if (is_there(j->logpaths[i].pattern))
			return true;
	return j->sources != SOURCE_FILE || j->n_logpaths == 0;
}

/* More jails than these without a log are told in one line. */
#define LOGLESS_MAX 10

static void tell_logless(const struct jail *j, struct faults *f)
{
	const char *path = j->logpaths[0].pattern;
	char shown[256];

	text_escape(shown, sizeof(shown), path, strlen(path));
	fault_add(f, FAULT_WARNING, j->logpaths[0].where,
		"jail '%s' has no log to read: there is no %s%s. It will be read when it comes; if "
		"it never will, correct logpath%s",
		j->name, shown, j->n_logpaths > 1 ? ", nor any other of its paths" : "",
		j->filter->journalmatch.text != NULL
			? ", or write 'backend = systemd' to read the journal"
			: "");
}

/* A directory is there, and is never read. */
static void check_directories(const struct jail *j, struct faults *f)
{
	for (size_t i = 0; i < j->n_logpaths; i++) {
		const char *path = j->logpaths[i].pattern;
		size_t len = strlen(path);
		char shown[256];
		struct stat st;

		if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		text_escape(shown, sizeof(shown), path, len);
		fault_add(f, FAULT_WARNING, j->logpaths[i].where,
			"logpath %s is a directory, which is no log: write its files, such as "
			"'%s%s*.log'",
			shown, shown, path[len - 1] == '/' ? "" : "/");
	}
}

/* Without it everybody is banned whom it would let off. Other forms are the shell's to judge. */
static void check_command(const struct jail *j, struct faults *f)
{
	const char *command = j->ignorecommand.text != NULL ? j->ignorecommand.text : "";
	size_t len = strcspn(command, " \t\n");
	_cleanup_free_ char *path = strndup(command, len);
	char shown[256];

	if (path == NULL || path[0] != '/' || strpbrk(path, "<'\"\\$`*?;|&()") != NULL ||
		access(path, X_OK) == 0)
		return;
	text_escape(shown, sizeof(shown), path, len);
	fault_add(f, FAULT_WARNING, j->ignorecommand.where,
		"ignorecommand: %s %s, so it would let nobody off: correct its path%s", shown,
		errno == EACCES ? "may not be run" : "is not there",
		errno == EACCES ? ", or chmod +x it" : "");
}

static void check_countries(const struct ruleset *rs, struct faults *f)
{
	struct countries *c;

	if (countries_open(&c, rs, f) == 0)
		countries_close(c);
}

/* Logs may come later, but one that never comes is a jail that never bans. */
static void check_logs(const struct ruleset *rs, const char *dir, struct faults *f)
{
	const struct jail *logless[LOGLESS_MAX];
	struct buf names = {0};
	size_t n = 0;

	for (size_t i = 0; i < rs->n_jails; i++) {
		const struct jail *j = &rs->jails[i];

		if (has_log(j))
			continue;
		if (n < LOGLESS_MAX)
			logless[n] = j;
		buf_addf(&names, "%s%s", n++ > 0 ? ", " : "", j->name);
	}
	if (n > LOGLESS_MAX)
		fault_add(f, FAULT_WARNING, (struct where) {dir, 0},
			"%zu of %zu jails have no log to read. Logs will be read when they come; "
			"write 'enabled = false' under those that never will have any: %s",
			n, rs->n_jails, buf_text(&names));
	for (size_t i = 0; i < n && n <= LOGLESS_MAX; i++)
		tell_logless(logless[i], f);
	buf_done(&names);
}

/* What lies beside the configuration under a name that is nearly one of its own. */
static void check_strays(const char *dir, struct faults *f)
{
	static const char *const known[] = {"jail.conf", "jail.local", "jail.d", "filter.d",
		"action.d", "fail2ban.conf", "fail2ban.local", "fail2ban.d", "stockade.conf",
		"stockade.local", "stockade.d"};
	static const char *const ends[] = {".d", ".conf", ".local"};
	DIR *d = opendir(dir);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		const char *end = strrchr(e->d_name, '.');
		const char *near = text_nearest(e->d_name, known, ARRAY_SIZE(known));
		_cleanup_free_ char *path = NULL;

		if (text_is_one_of(e->d_name, known, ARRAY_SIZE(known)) || near == NULL ||
			end == NULL || !text_is_one_of(end, ends, ARRAY_SIZE(ends)) ||
			asprintf(&path, "%s/%s", dir, e->d_name) < 0)
			continue;
		fault_add(f, FAULT_WARNING, (struct where) {path, 0},
			"nothing is read from here; did you mean '%s'?", near);
	}
	if (d != NULL)
		closedir(d);
}

void check_ruleset(const struct ruleset *rs, const char *dir, struct faults *f)
{
	/* Those of one section, one for each host, are alike. */
	for (size_t i = 0; i < rs->n_jails; i++)
		if (i == 0 || rs->jails[i].section != rs->jails[i - 1].section)
			check_jail(&rs->jails[i], true, f);
	for (size_t i = 0; i < rs->n_disabled; i++)
		check_jail(&rs->disabled[i], false, f);
	check_sources(rs->jails, rs->n_jails, true, f);
	check_sources(rs->disabled, rs->n_disabled, false, f);
	precheck_settings(rs, f);
	precheck_syslog(rs, f);
	check_countries(rs, f);
	check_logs(rs, dir, f);
	for (size_t i = 0; i < rs->n_jails; i++) {
		check_directories(&rs->jails[i], f);
		check_command(&rs->jails[i], f);
	}
	check_strays(dir, f);
}

void check_attacks(const struct ruleset *rs, struct faults *f)
{
	for (size_t i = 0; i < rs->n_jails; i++) {
		struct faults found = {0};
		bool is_done = false;

		for (size_t k = 0; k < i && !is_done; k++)
			is_done = lint_is_same(rs->jails[k].filter, rs->jails[i].filter);
		if (!is_done)
			lint_filter(rs->jails[i].filter, &found);
		add_faults(f, &found, true);
		faults_done(&found);
	}
}
