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
#include <sys/socket.h>
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
	if (setgroups(who->n_groups, who->groups) < 0)
		return -errno;
	*ret_step = "setresgid";
	if (setresgid(who->gid, who->gid, who->gid) < 0)
		return -errno;
	/* The bounding set while we still may; it goes before the uid does. */
	*ret_step = "capabilities (bounding set)";
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
		return -EPERM;
	*ret_step = "keep capabilities";
	if (who->reads_all && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
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
	bool reads_all;
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
	capng_get_caps_process();
	reads_all = who->reads_all && who->uid != 0 &&
		    capng_have_capability(CAPNG_PERMITTED, CAP_DAC_READ_SEARCH) == 1;
	capng_clear(CAPNG_SELECT_CAPS);
	if (reads_all)
		capng_update(CAPNG_ADD, (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
			CAP_DAC_READ_SEARCH);
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
	SCMP_SYS(accept4),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
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

/* What those take who talk to the network; their sockets are made before. */
static const int allowed_network[] = {
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendto),
	SCMP_SYS(close),
	SCMP_SYS(fcntl),
	SCMP_SYS(getsockopt),
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
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getuid),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(sched_yield),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Those who take connections, and pass on what comes by pairs of sockets. */
static const int allowed_porter[] = {SCMP_SYS(accept4)};

/* Answered with "permission denied": libraries ask for random numbers and go on without. */
static const int denied_network[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(socket)};

/* One system call, if one of its arguments is as said. */
struct condition {
	int call;
	struct scmp_arg_cmp arg;
};

/* Memory that can be written or read, but never made to run. */
#define NO_CODE_MMAP                                                                               \
	{                                                                                          \
		SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)                          \
	}
#define NO_CODE_MPROTECT                                                                           \
	{                                                                                          \
		SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)                      \
	}
/* libevent asks how much there is to read, and nothing else of a device. */
#define ONLY_FIONREAD                                                                              \
	{                                                                                          \
		SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_EQ, FIONREAD)                                    \
	}

/* Calls that are not on this architecture are left out. */
static int add_calls(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = seccomp_rule_add(ctx, action, calls[i], 0);
		if (r == -EDOM)
			r = 0;
	}
	return r;
}

static int add_conditions(scmp_filter_ctx ctx, const struct condition *c, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, c[i].call, 1, &c[i].arg);
		if (r == -EDOM)
			r = 0;
	}
	return r;
}

/* Messages through our channels, and not through the sockets that are here to be read. */
static int add_channels(scmp_filter_ctx ctx, const int *channels, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct condition c = {
			SCMP_SYS(sendmsg), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)channels[i])};

		if (channels[i] >= 0)
			r = add_conditions(ctx, &c, 1);
	}
	return r;
}

static int load(scmp_filter_ctx ctx, int r)
{
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

int sandbox_seal(const int *channels, size_t n)
{
	const struct condition conditions[] = {
		NO_CODE_MMAP,
		NO_CODE_MPROTECT,
		ONLY_FIONREAD,
		/* Files, but none that lends whoever runs it our user. */
		{SCMP_SYS(open), SCMP_A2(SCMP_CMP_MASKED_EQ, S_ISUID | S_ISGID, 0)},
		{SCMP_SYS(openat), SCMP_A3(SCMP_CMP_MASKED_EQ, S_ISUID | S_ISGID, 0)},
		{SCMP_SYS(fchmod), SCMP_A1(SCMP_CMP_MASKED_EQ, S_ISUID | S_ISGID, 0)},
		/* abort() may end us, and nobody else. */
		{SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())},
	};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (ctx == NULL)
		return -ENOMEM;
	r = add_calls(ctx, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
	if (r == 0)
		r = add_conditions(ctx, conditions, ARRAY_SIZE(conditions));
	if (r == 0)
		r = add_channels(ctx, channels, n);
	return load(ctx, r);
}

static int seal_network(int channel_fd, const int *more, size_t n_more, const struct condition *c,
	size_t n_conditions)
{
	const struct condition conditions[] = {
		NO_CODE_MMAP,
		NO_CODE_MPROTECT,
		ONLY_FIONREAD,
		{SCMP_SYS(tgkill), SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid())},
	};
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r;

	if (ctx == NULL)
		return -ENOMEM;
	r = add_calls(ctx, SCMP_ACT_ALLOW, allowed_network, ARRAY_SIZE(allowed_network));
	if (r == 0)
		r = add_calls(ctx, SCMP_ACT_ALLOW, more, n_more);
	if (r == 0)
		r = add_calls(
			ctx, SCMP_ACT_ERRNO(EACCES), denied_network, ARRAY_SIZE(denied_network));
	if (r == 0)
		r = add_conditions(ctx, conditions, ARRAY_SIZE(conditions));
	if (r == 0)
		r = add_conditions(ctx, c, n_conditions);
	if (r == 0)
		r = add_channels(ctx, &channel_fd, 1);
	return load(ctx, r);
}

int sandbox_seal_herald(int channel_fd)
{
	return seal_network(channel_fd, NULL, 0, NULL, 0);
}

int sandbox_seal_porter(int channel_fd)
{
	const struct condition pairs[] = {
		{SCMP_SYS(socketpair), SCMP_A0(SCMP_CMP_EQ, AF_UNIX)},
	};

	return seal_network(
		channel_fd, allowed_porter, ARRAY_SIZE(allowed_porter), pairs, ARRAY_SIZE(pairs));
}
