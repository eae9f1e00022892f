/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/confine.h"

#include "base/util.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* All that the first version of landlock knows. */
#define EVERYTHING ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* Libraries loaded late, zones, this machine's and this boot's id. */
static const char *const system_paths[] = {"/usr", "/lib", "/lib64", "/etc/ld.so.cache",
	"/etc/localtime", "/etc/machine-id", "/proc/sys/kernel/random"};

static int allow(int ruleset, const char *path)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct landlock_path_beneath_attr rule = {.parent_fd = fd};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	rule.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE;
	if (S_ISDIR(st.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return -errno;
	return 0;
}

static int restrict_files(const char *const *dirs, size_t n)
{
	const struct landlock_ruleset_attr attr = {.handled_access_fs = EVERYTHING};
	size_t there = 0;
	_cleanup_close_ int ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (ruleset < 0)
		return errno == ENOSYS ? -EOPNOTSUPP : -errno;
	for (size_t i = 0; i < n; i++) {
		int r = allow(ruleset, dirs[i]);

		if (r < 0 && r != -ENOENT)
			return r;
		there += r == 0;
	}
	if (there == 0)
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(system_paths); i++)
		allow(ruleset, system_paths[i]);
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

static int deny(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
	return r;
}

static int restrict_calls(bool sends)
{
	static const int denied[] = {SCMP_SYS(execve), SCMP_SYS(execveat),
		SCMP_SYS(open_by_handle_at), SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev), SCMP_SYS(io_uring_setup), SCMP_SYS(mount),
		SCMP_SYS(open_tree), SCMP_SYS(bpf), SCMP_SYS(perf_event_open)};
	/* Without capabilities, and in a domain of Landlock, nobody is traced but by his like. */
	static const int denied_to_readers[] = {SCMP_SYS(socket), SCMP_SYS(ptrace)};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx != NULL ? 0 : -ENOMEM;

	if (r == 0)
		r = deny(ctx, denied, ARRAY_SIZE(denied));
	if (r == 0 && !sends)
		r = deny(ctx, denied_to_readers, ARRAY_SIZE(denied_to_readers));
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

int confine_reading(const char *const *dirs, size_t n)
{
	int r = restrict_files(dirs, n);

	return r < 0 ? r : restrict_calls(false);
}

int confine_sending(void)
{
	static const char *const everything[] = {"/"};
	int r;

	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = restrict_files(everything, ARRAY_SIZE(everything));
	return r < 0 && r != -EOPNOTSUPP ? r : restrict_calls(true);
}
