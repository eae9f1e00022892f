/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/sandbox.h"

#include "base/util.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (4LL << 30)

/* What a hijacked child could fill: the disk, the table of processes. */
static void limit_resources(void)
{
	const struct rlimit none = {0}, file = {.rlim_cur = FILE_MAX, .rlim_max = FILE_MAX};

	setrlimit(RLIMIT_NPROC, &none);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_FSIZE, &file);
	signal(SIGXFSZ, SIG_IGN); /* the write fails, and says so */
}

static int become(const struct sandbox_identity *who, const char **ret_step)
{
	*ret_step = "setgroups";
	if (setgroups(who->group != 0 ? 1 : 0, &who->group) < 0)
		return -errno;
	*ret_step = "setresgid";
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		return -errno;
	/* The bounding set while we still may; it goes before the uid does. */
	*ret_step = "capabilities (bounding set)";
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
		return -EPERM;
	*ret_step = "setresuid";
	if (setresuid(who->uid, who->uid, who->uid) < 0)
		return -errno;
	/* It must not be possible to go back. */
	if (setuid(0) == 0 || setgid(0) == 0)
		return -EPERM;
	return 0;
}

int sandbox_drop(const struct sandbox_identity *who, const char **ret_step)
{
	int r;

	*ret_step = "chdir";
	if (who->root != NULL && chdir(who->root) < 0)
		return -errno;
	*ret_step = "chroot";
	if (who->root != NULL && who->uid != 0 && chroot(".") < 0)
		return -errno;
	if (who->uid != 0) {
		limit_resources();
		r = become(who, ret_step);
		if (r < 0)
			return r;
	}
	*ret_step = "capabilities";
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return -EPERM;
	*ret_step = "no new privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Nobody, not even the same user, reads our memory. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	return 0;
}

/* Without conditions; what SQLite, libevent, malloc and the C library use on this path. */
static const int allowed[] = {
	SCMP_SYS(read),
	SCMP_SYS(pread64),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(pwrite64),
	SCMP_SYS(writev),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(shutdown),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(fstat),
	SCMP_SYS(fstatfs),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	SCMP_SYS(getdents64),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(fchown),
	SCMP_SYS(fcntl),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(futex),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(gettid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getuid),
	SCMP_SYS(getrandom),
	SCMP_SYS(getsockopt),
	SCMP_SYS(sysinfo), /* qsort of a long list asks how much memory there is */
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* One system call, if one of its arguments is as said. */
struct condition {
	int call;
	struct scmp_arg_cmp arg;
};

int sandbox_seal(int channel_fd)
{
	const struct condition conditions[] = {
		/* Memory that can be written or read, but never made to run. */
		{SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		{SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)},
		/* Files, but none that lends whoever runs it our user. */
		{SCMP_SYS(open), SCMP_A2(SCMP_CMP_MASKED_EQ, S_ISUID | S_ISGID, 0)},
		{SCMP_SYS(openat), SCMP_A3(SCMP_CMP_MASKED_EQ, S_ISUID | S_ISGID, 0)},
		{SCMP_SYS(fchmod), SCMP_A1(SCMP_CMP_MASKED_EQ, S_ISUID | S_ISGID, 0)},
		/* Messages to keeper, and not through the sockets that are here to be read. */
		{SCMP_SYS(sendmsg), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)channel_fd)},
		/* libevent asks how much there is to read, and nothing else of a device. */
		{SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONREAD)},
		/* abort() may end us, and nobody else. */
		{SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())},
	};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = 0;

	if (ctx == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(allowed); i++) {
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
		if (r == -EDOM) /* not on this architecture */
			r = 0;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(conditions); i++) {
		r = seccomp_rule_add_array(
			ctx, SCMP_ACT_ALLOW, conditions[i].call, 1, &conditions[i].arg);
		if (r == -EDOM)
			r = 0;
	}
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}
