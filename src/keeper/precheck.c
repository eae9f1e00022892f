/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/precheck.h"

#include "base/text.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* May we write there, as far as we can tell? The daemon is root; who checks may not be. */
static bool is_writable(const char *path)
{
	return access(path, W_OK) == 0 || (errno == EACCES && geteuid() != 0);
}

static void check_log_dir(const struct ruleset *rs, const char *shown, struct faults *f)
{
	const char *slash = strrchr(rs->logtarget, '/');
	char dir[4096];
	struct stat st;

	if ((size_t)(slash - rs->logtarget) >= sizeof(dir) - 1)
		return;
	memcpy(dir, rs->logtarget, (size_t)(slash - rs->logtarget) + 1);
	dir[slash - rs->logtarget + 1] = '\0';
	if (stat(dir, &st) < 0 && errno == EACCES && geteuid() != 0)
		return;
	if (stat(dir, &st) < 0 || !S_ISDIR(st.st_mode))
		fault_add(f, FAULT_ERROR, rs->logtarget_where,
			"logtarget '%s': its directory does not exist: make it, or write another "
			"file",
			shown);
	else if (!is_writable(dir))
		fault_add(f, FAULT_ERROR, rs->logtarget_where,
			"logtarget '%s': nothing can be written there: %s", shown, strerror(errno));
}

static void check_log(const struct ruleset *rs, struct faults *f)
{
	char shown[256];
	struct stat st;

	if (rs->logtarget[0] != '/')
		return;
	text_escape(shown, sizeof(shown), rs->logtarget, strlen(rs->logtarget));
	if (stat(rs->logtarget, &st) < 0)
		check_log_dir(rs, shown, f);
	else if (S_ISDIR(st.st_mode))
		fault_add(f, FAULT_ERROR, rs->logtarget_where,
			"logtarget '%s' is a directory: write a file's path", shown);
	else if (!is_writable(rs->logtarget))
		fault_add(f, FAULT_ERROR, rs->logtarget_where,
			"logtarget '%s' cannot be written: %s", shown, strerror(errno));
}

static void check_user(const struct ruleset *rs, struct faults *f)
{
	const struct passwd *pw = getpwnam(rs->user);

	if (pw != NULL && pw->pw_uid == 0) {
		fault_add(f, FAULT_ERROR, rs->user_where,
			"user '%s' is root, as which no log is read: write a user of its own, such "
			"as "
			"'stockade'",
			rs->user);
		return;
	}
	/* By default it is as after an installation; who named one knows of him. */
	if (pw == NULL && rs->user_where.file != NULL)
		fault_add(f, FAULT_WARNING, rs->user_where,
			"there is no user '%s', so logs are read as 'nobody': create it, or write "
			"another",
			rs->user);
	if (pw == NULL && getpwnam("nobody") == NULL)
		fault_add(f, FAULT_ERROR, rs->user_where,
			"there is neither a user '%s' nor 'nobody': create one of them", rs->user);
}

void precheck_settings(const struct ruleset *rs, struct faults *f)
{
	/* Nothing was read: there is no such directory. */
	if (rs->logtarget == NULL)
		return;
	check_log(rs, f);
	check_user(rs, f);
}
