/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/arena.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/prefixset.h"
#include "config/overlay.h"

/*
 * What a configuration means, once read: immutable, in one arena, built whole or not at all.
 * All strings live in the arena.
 */

/* One value with the place it came from. */
struct conf_text {
	const char *text;
	struct where where;
};

/* Do both say the same, wherever it stands? */
bool conf_text_same(const struct conf_text *a, const struct conf_text *b);

/* What stands above regexes in a rules file. */
struct rule_head {
	const char *title;
	int64_t bantime_sec; /* 0: the jail's */
};

/* A filter as written, tags expanded where the configuration alone decides ("<mode>"), not
 * where a line does ("<HOST>", "<F-USER>"). match/ compiles it. */
struct filter_def {
	const char *name;
	struct conf_text prefregex;  /* text NULL: none */
	struct conf_text *failregex; /* one a line */
	size_t n_failregex;
	struct conf_text *ignoreregex;
	size_t n_ignoreregex;
	struct conf_text datepattern;   /* text NULL: the defaults */
	struct conf_text journalmatch;  /* text NULL: none; alternatives joined by " + " */
	struct conf_text usedns;        /* as written; text NULL: none */
	unsigned maxlines;              /* 1 when not given */
	const struct rule_head **heads; /* of each failregex; NULL: not made of a rules file */
	bool is_journal;                /* written for the journal's lines: logtype = journal */
};

struct port_range {
	uint16_t lo, hi;
};

enum proto {
	PROTO_TCP = 1,
	PROTO_UDP = 2,
	PROTO_ALL = 7, /* whatever carries IP */
};

struct logpath {
	const char *pattern; /* absolute path or glob */
	bool tail;           /* start at the end of a file never seen before */
	struct where where;
};

enum source_kind {
	SOURCE_FILE = 1,
	SOURCE_JOURNAL = 2,
	SOURCE_SYSLOG = 4,
};

/* A host whose messages a jail reads. */
struct syslog_host {
	const char *name;     /* as a message's header has it, a glob; NULL: whoever sent it */
	struct prefix sender; /* without a name: who sent it */
	struct addr *addrs;   /* of that name */
	size_t n_addrs;
	struct where where;
};

/* Which syslog messages a jail reads; conditions that are not given let everything through. */
struct syslog_want {
	const char **programs; /* globs */
	size_t n_programs;
	uint32_t facilities; /* a bit each, by their numbers (RFC 5424 table 1); 0: not given */
	struct syslog_host *hosts;
	size_t n_hosts;
	bool text_only; /* syslogtext = message: the line is a message's text alone */
	bool per_host;  /* scope = host: a jail for each of the hosts, for packets to it */
};

enum listen_kind {
	LISTEN_UDP,
	LISTEN_TCP,
	LISTEN_TLS,
	LISTEN_UNIX, /* datagrams, as /dev/log has them */
	LISTEN_UNIX_STREAM,
};

/* Where syslog messages are taken. */
struct listener {
	enum listen_kind kind;
	const char *url; /* as it is written */
	struct addr addr;
	uint16_t port;
	const char *path; /* of a Unix socket, from the root; NULL for the others */
	struct where where;
};

#define LISTEN_MAX 16

/* stockade.conf's [syslog]. */
struct syslog_settings {
	struct listener *listen;
	size_t n_listen;
	struct prefixset from; /* who may send over the network; empty: everybody */
	unsigned rate;         /* messages a second that one sender may send; 0: any number */
	/* Of tls:// listeners; text NULL: not given. */
	struct conf_text certificate, key, ca;
	const char **peers; /* names, globs, that a client's certificate may be for; none: any */
	size_t n_peers;
};

#define HOST_NAMES_MAX 64

/* Host names in a list of addresses: whoever uses it looks them up. */
struct host_names {
	const char **items; /* lower case, without a final dot */
	size_t n;           /* at most HOST_NAMES_MAX */
};

/* What to do with a host name that stands where an address should. */
enum usedns {
	USEDNS_WARN, /* look it up, and warn of it */
	USEDNS_YES,  /* look it up */
	USEDNS_NO,   /* leave it alone */
	USEDNS_RAW,  /* it is the thing that failed, whatever it says */
};

/* For how long what ignorecommand said is remembered. */
struct ignore_cache {
	const char *key; /* what is the same case, with tags such as <ip>; NULL: nothing is kept */
	unsigned max_count;
	int64_t max_time_sec;
};

struct conf_option {
	const char *name;
	struct conf_text value;
};

/* One action of a jail: "NAME[opt=value]". */
struct action_def {
	const char *name;
	struct conf_option *opts;
	size_t n_opts;
	struct where where;
	bool is_wall; /* drops packets: the kernel tables do it here */
};

/* How a ban time grows with the times somebody was banned. */
struct bantime_growth {
	bool increment;
	bool overalljails;
	struct conf_text factor, formula, multipliers; /* text NULL: not given */
	int64_t maxtime_sec;                           /* -1: without an end */
	int64_t rndtime_sec;
};

#define COUNTRIES_MAX 256

struct country {
	char code[3]; /* ISO 3166's two letters, in capitals */
};

#define JAIL_NAME_MAX 64
#define SET_NAME_MAX 80

struct jail {
	unsigned id; /* index in ruleset.jails */
	const char *name;
	const char *section; /* where it stands: its name, or with scope = host that before '@' */
	const char *set;     /* safe, unique name for kernel sets, without the trailing 4 or 6 */
	struct where where;
	const struct filter_def *filter;
	unsigned sources; /* enum source_kind, or-ed */
	struct syslog_want syslog;
	struct logpath *logpaths;
	size_t n_logpaths;
	struct conf_text backend;         /* "auto", "systemd" ...; text NULL: not given */
	struct conf_option *backend_opts; /* of "systemd[journalpath=...]" */
	size_t n_backend_opts;
	struct conf_text logencoding; /* text NULL: as it comes ("auto") */
	struct conf_text logtimezone; /* text NULL: local time */
	enum usedns usedns;
	struct conf_text ignorecommand; /* tags such as <ip> left in; text NULL: none */
	struct ignore_cache ignorecache;
	unsigned maxmatches;  /* how many lines are kept of who fails; 0: none */
	unsigned maxretry;    /* at least 1 */
	int64_t findtime_sec; /* at least 1 */
	int64_t bantime_sec;  /* -1: for ever */
	struct bantime_growth growth;
	struct action_def *actions;
	size_t n_actions;
	struct prefixset ignoreip; /* its addresses and blocks */
	struct host_names ignorenames;
	bool ignoreself;
	struct country *countries; /* whose addresses it does not ban */
	size_t n_countries;
	struct where countries_where;
	unsigned protocols;       /* enum proto */
	struct port_range *ports; /* none: all ports */
	size_t n_ports;
	const struct addr *to; /* it drops only what goes there, whatever family; NULL: all */
	size_t n_to;
	bool shadow; /* decide and log, never enforce */
};

struct ruleset {
	struct arena *arena;
	struct jail *jails; /* the enabled ones */
	size_t n_jails;
	struct jail *disabled; /* the others, if it was read complete */
	size_t n_disabled;
	struct prefixset allow; /* never dropped: stockade.conf's allow and [DEFAULT] ignoreip */
	struct host_names allow_names;
	/* From stockade.conf [Definition]. */
	enum log_level loglevel;
	const char *logtarget; /* STDERR, STDOUT, SYSOUT, SYSLOG, SYSTEMD-JOURNAL or a path */
	struct where logtarget_where;
	bool log_brief;           /* a line has no more than time and text */
	const char *syslogsocket; /* a path, or "auto" */
	uint64_t memory;          /* bytes that the failure table may take */
	unsigned dbmaxmatches;    /* lines saved with a ban, if maxmatches is not less */
	size_t maxbans;           /* bans in force at one time */
	int64_t purgeage_sec;     /* how long ended bans are remembered */
	struct conf_text
		countries; /* which address is of which: a database; text NULL: the usual one */
	const char *user;  /* who guard runs as */
	struct where user_where; /* file NULL: nobody said */
	struct syslog_settings syslog;
};

/*
 * Reads the configuration in dir (jail.conf, jail.d, jail.local, filter.d, stockade.conf or
 * fail2ban.conf). All faults go to f, as many as can be found in one go. Returns 0 and a ruleset
 * (there may be warnings), or -EINVAL when there was an error and *ret is untouched.
 */
int ruleset_load(struct ruleset **ret, const char *dir, struct faults *f);

/*
 * The same, with what the command line says over it (NULL: nothing). complete: to look for faults;
 * reads the jails that are not enabled as well, what is wrong with them being warnings, and always
 * returns a ruleset, of what could be read, or -ENOMEM.
 */
int ruleset_read(struct ruleset **ret, const char *dir, const struct overlay *overlay,
	bool complete, struct faults *f);

/*
 * The same for one filter on its own: spec is "NAME" or "NAME[opt=val,...]"
 * (dir/filter.d/NAME.conf), or a path to a filter file. The result lives in the arena.
 */
int ruleset_load_filter(struct filter_def **ret, struct arena *arena, const char *dir,
	const char *spec, struct faults *f);

/*
 * Makes the jails of these names, enabled or not, if the rule set was read complete, and no
 * others. A name that is not there, or a jail that has no filter, stays NULL in ret[0..n). A jail
 * that is one for each of its hosts is all of them, of which ret gets the first.
 */
void ruleset_pick(struct ruleset *rs, const char *const *names, size_t n, const struct jail **ret);

/* The jail of that name, or NULL. */
const struct jail *ruleset_jail(const struct ruleset *rs, const char *name);

/* For how long the jail bans whom that rule finds (NULL: none of a rules file); <0: for ever. */
int64_t ruleset_bantime_sec(const struct jail *j, const struct rule_head *rule);

/* Frees everything. Takes NULL. */
void ruleset_free(struct ruleset *rs);
