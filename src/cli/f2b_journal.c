/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/utf8.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_room.h"
#include "config/option.h"
#include "source/journals.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* LOG is the journal: its reader, the daemon's own, is a child that ends with what is there. */

static bool is_match(struct f2b *b, const char *match)
{
	const char *why;

	if (match == NULL || journal_match_check(match, &why) == 0)
		return true;
	f2b_print(b, "ERROR: journalmatch '%s': %s", match, why);
	return false;
}

/* "systemd-journal[journalpath=...]" as a jail would have it. */
static bool find_journal(struct f2b *b, const char *match, struct journals *ret)
{
	static char name[] = "systemd-journal";
	struct filter_def def = {.name = name, .journalmatch.text = match, .maxlines = 1};
	struct jail jail = {.name = name, .filter = &def, .sources = SOURCE_JOURNAL};
	struct ruleset rules = {.jails = &jail, .n_jails = 1};
	struct reader reader;
	struct spec spec;
	int r = -EINVAL;

	if (reader_init(&reader, b->arena, b->o.config, &b->faults) < 0)
		f2b_got(NULL);
	if (spec_parse(&reader, b->o.log, (struct where) {0}, "journal", &spec) == 0) {
		jail.backend = (struct conf_text) {b->o.log, {0}};
		jail.backend_opts = option_keep(&reader, &spec.opts, &jail.n_backend_opts);
		r = journals_init(ret, &rules, &b->faults);
	}
	reader_done(&reader);
	if (r == -ENOMEM)
		f2b_got(NULL);
	f2b_print_faults(b, "ERROR: ");
	return r == 0;
}

/* "2026-11-20T07:12:49.123456+01:00 ": how fail2ban writes an entry's time. */
static size_t write_time(int64_t time_us, char *buf, size_t size)
{
	time_t t = (time_t)(time_us / USEC_PER_SEC);
	long offset_min;
	struct tm tm;
	size_t len;

	if (localtime_r(&t, &tm) == NULL)
		return 0;
	len = strftime(buf, size, "%Y-%m-%dT%H:%M:%S", &tm);
	if (time_us % USEC_PER_SEC != 0)
		len += (size_t)snprintf(buf + len, size - len, ".%06lld", time_us % USEC_PER_SEC);
	offset_min = labs(tm.tm_gmtoff) / 60;
	len += (size_t)snprintf(buf + len, size - len, "%c%02ld:%02ld ",
		tm.tm_gmtoff < 0 ? '-' : '+', offset_min / 60, offset_min % 60);
	return len;
}

static void judge(struct f2b *b, const struct journal_entry *e)
{
	static char text[UTF8_GROWTH * JOURNAL_TEXT_MAX];
	size_t len = utf8_replace(text, e->text, e->text_len);
	char when[64];
	struct f2b_dated dated = {.text = when, .time_us = e->time_us};

	if (e->n_jails == 0) {
		f2b_warn(b, "%.*s", (int)len, text);
		return;
	}
	dated.len = write_time(e->time_us, when, sizeof(when));
	f2b_judge(b, text, len, &dated);
}

/* Until the reader has sent all there is and closes. */
static int judge_entries(struct f2b *b, int fd)
{
	static _Alignas(8) char packet[JOURNAL_MSG_MAX];
	struct journal_start start = {.since_us = 0};
	struct journal_entry e;
	long len = journal_start_write(packet, sizeof(packet), &start);
	ssize_t n;

	if (len < 0 || send(fd, packet, (size_t)len, MSG_NOSIGNAL) < 0)
		return len < 0 ? (int)len : -errno;
	while ((n = recv(fd, packet, sizeof(packet), 0)) != 0 && !ferror(b->out)) {
		if (n < 0 && errno != EINTR)
			return errno == ECONNRESET ? 0 : -errno;
		if (n > 0 && journal_msg_parse(packet, (size_t)n, &e) == 0)
			judge(b, &e);
	}
	return 0;
}

static int read_journal(struct f2b *b, struct journal_conf *conf)
{
	int pair[2], status = 0, r;
	pid_t pid;

	conf->ends = true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		r = journal_run(pair[1], conf);
		_exit(r < 0 ? -r : 0);
	}
	close(pair[1]);
	r = pid > 0 ? judge_entries(b, pair[0]) : -errno;
	close(pair[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && r == 0)
		r = -WEXITSTATUS(status);
	return r;
}

bool f2b_read_journal(struct f2b *b)
{
	const char *match = b->o.journalmatch != NULL ? b->o.journalmatch : b->journalmatch;
	struct journals journals;
	int r;

	f2b_tell(b, "Use         systemd journal");
	f2b_tell(b, "Use         encoding : %s", b->o.encoding != NULL ? b->o.encoding : "UTF-8");
	if (!is_match(b, match) || !find_journal(b, match, &journals))
		return false;
	if (match != NULL)
		f2b_tell(b, "Use    journal match : %s", match);
	f2b_tell(b, "%s", "");
	r = read_journal(b, &journals.items[0].conf);
	journals_done(&journals);
	if (r == -EOPNOTSUPP)
		f2b_print(b, "ERROR: this program was built without the journal's library");
	else if (r < 0)
		f2b_print(b, "ERROR: the journal cannot be read: %s", strerror(-r));
	return r == 0;
}
