/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keeper/precheck.h"

#include "base/text.h"
#include "porter/porter.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
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
	porter_check(&rs->syslog, f, NULL);
}

/* Has it loopback addresses in it? */
static bool is_near(const struct prefix *p)
{
	static const struct prefix local[] = {
		{.addr.b = {[10] = 0xff, 0xff, 127}, .len = 104},
		{.addr.b = {[15] = 1}, .len = 128},
	};

	return prefix_overlaps(&local[0], p) || prefix_overlaps(&local[1], p);
}

static bool is_loopback(const struct listener *l)
{
	const struct prefix p = prefix_of(&l->addr, 128);

	return is_near(&p);
}

static bool is_network(const struct listener *l)
{
	return l->kind != LISTEN_UNIX && l->kind != LISTEN_UNIX_STREAM;
}

/* Who may write logs may have anybody banned. */
static void check_listener(
	const struct syslog_settings *s, const struct listener *l, struct faults *f)
{
	if (!is_network(l) || is_loopback(l) || s->from.n > 0)
		return;
	if (l->kind != LISTEN_TLS)
		fault_add(f, FAULT_WARNING, l->where,
			"whoever reaches '%s' can have anybody banned: say whose messages to take, "
			"such as 'from = 10.0.0.0/8'",
			l->url);
	else if (s->ca.text == NULL && s->n_peers == 0)
		fault_add(f, FAULT_WARNING, l->where,
			"whoever reaches '%s' can have anybody banned, as no certificate is asked "
			"for: write 'ca = /etc/stockade/ca.pem', who vouches for senders, or "
			"'from = 10.0.0.0/8'",
			l->url);
}

/* Can a message from there come at all? NULL, or why not. */
static const char *why_unheard(const struct syslog_settings *s, const struct prefix *sender)
{
	bool any_network = false, any_reachable = is_near(sender);

	for (size_t i = 0; i < s->n_listen; i++) {
		any_network |= is_network(&s->listen[i]);
		any_reachable |= is_network(&s->listen[i]) && !is_loopback(&s->listen[i]);
	}
	if (!any_network)
		return "senders on Unix sockets have no address: write a name";
	if (s->from.n > 0 && !prefixset_overlaps(&s->from, sender))
		return "[syslog] from lets nobody send who has that address: add it there";
	if (!any_reachable)
		return "[syslog] listens on this machine's loopback alone: listen where that host "
		       "can reach it";
	return NULL;
}

static void check_reading(const struct syslog_settings *s, const struct jail *j, struct faults *f)
{
	char message[512], text[PREFIX_STRLEN];

	if (s->n_listen == 0 && j->sources == SOURCE_SYSLOG) {
		snprintf(message, sizeof(message),
			"jail '%s' reads syslog, and nobody listens for it: write 'listen = "
			"udp://127.0.0.1:5514' below [syslog] in stockade.conf",
			j->section);
		if (!faults_have(f, j->where, message))
			fault_add(f, FAULT_WARNING, j->where, "%s", message);
	}
	for (size_t i = 0; s->n_listen > 0 && i < j->syslog.n_hosts; i++) {
		const struct syslog_host *h = &j->syslog.hosts[i];
		const char *why = h->name == NULL ? why_unheard(s, &h->sender) : NULL;

		if (why != NULL)
			fault_add(f, FAULT_WARNING, h->where,
				"host '%s': no message can come from there, as %s",
				prefix_format(&h->sender, text), why);
	}
}

void precheck_syslog(const struct ruleset *rs, struct faults *f)
{
	for (size_t i = 0; i < rs->syslog.n_listen; i++)
		check_listener(&rs->syslog, &rs->syslog.listen[i], f);
	for (size_t i = 0; i < rs->n_jails; i++)
		check_reading(&rs->syslog, &rs->jails[i], f);
}
