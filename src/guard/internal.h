/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/buf.h"
#include "base/log.h"
#include "base/util.h"
#include "guard/bans.h"
#include "guard/echoes.h"
#include "guard/evidence.h"
#include "guard/guard.h"
#include "guard/tags.h"
#include "ipc/channel.h"
#include "ipc/messages.h"
#include "match/sieve.h"
#include "match/window.h"
#include "source/lines.h"
#include "source/tail.h"
#include "source/unwrap.h"
#include "store/store.h"
#include "track/track.h"

#include <event2/event.h>
#include <jansson.h>

/* What the files of this room share. Nobody outside includes it. */

#define BANS_A_MESSAGE 1024

/* A jail that reads a source. */
struct source_jail {
	uint16_t jail;
	unsigned dates; /* place of its finder in the source */
};

/*
 * The jails that read a source, ready to look at its lines, with all that it takes; sources with
 * the same jails share one.
 */
struct panel {
	struct guard *guard;
	uint16_t *jails;
	size_t n_jails, n_sources;
	struct batch_filter *filters;
	struct batch_plan plan;
	struct sieve *sieve; /* or NULL */
	struct batch_worker *worker;
	struct batch_dates *dates; /* of the block under way */
	struct panel *next;
};

/* Where lines come from, whatever carries them. */
struct source {
	char *name;                /* path, or "udp://127.0.0.1:5514" */
	struct source_jail *jails; /* who reads it */
	struct window **windows;   /* one each; NULL where a match has but one line */
	bool *off;                 /* one each: the line under way is not for it */
	size_t n_jails;
	struct panel *panel; /* all of them; NULL: not needed yet */
	struct dating *dates;
	size_t n_dates;
	int64_t carried_us; /* when what carries its lines got this one; 0: it says nothing */
	bool live;          /* read to its end once: what comes now is being written now */
	bool is_bare;       /* texts without the head that had their date: none of them lacks one */
	enum source_way way;
	uint64_t lines, undated, future;
};

/* A path by which a file is known; several may lead to one file. */
struct file_ref {
	uint32_t pattern;
	char *path;
};

struct file {
	struct source source;
	struct tail tail;
	struct unwrap unwrap;
	const char *unfit;  /* what it is instead of a log, static: it is not read */
	int64_t unfit_size; /* when that was found */
	int wd;
	struct file_ref *refs;
	size_t n_refs;
	uint32_t told;       /* how often keeper told of it */
	bool globbed;        /* no path without a glob leads to it */
	bool asking;         /* keeper looks for its predecessor */
	bool catch_up;       /* a predecessor found at start, not read to its end yet */
	bool retired;        /* no path leads here any more: read what still comes, then close */
	bool pending;        /* there may be something to read */
	bool dirty;          /* its position is to be saved */
	bool failing;        /* the last read went wrong; said once */
	struct event *quiet; /* closes it after a while of silence */
	struct guard *guard;
	struct file *next;
};

/* A rotated file's position is kept beside that of its successor: path, this, inode. */
#define ROTATED_MARK '\x01'

/* A read position from the store that no open file has claimed yet. */
struct saved_position {
	char *path;
	bool rotated; /* the file had left its path already */
	uint64_t ino, offset, head_hash;
	uint32_t head_len;
	struct saved_position *next;
};

/* A key in the store's positions that names no file any more. */
struct dropped_key {
	char *key;
	struct dropped_key *next;
};

/* A file beside a log path, which may be what the path named before. Newest first. */
#define CANDIDATES_MAX 16
struct candidate {
	int fd;
	uint64_t dev, ino;
	char *name;
};

/* A log path that cannot be read now. */
struct trouble {
	uint32_t pattern;
	char *path, *what;
	struct trouble *next;
};

struct jail_state {
	const struct jail *jail;
	struct filter *filter;
	const struct date_patterns *dates;
	uint64_t failures, bans;  /* since the database was made */
	uint64_t echoes;          /* lines heard in another way before */
	uint64_t ignored_country; /* failures of addresses of a country that it ignores */
	bool totals_dirty;
	bool has_last_ban;
	struct prefix last_ban;
	int64_t last_ban_us; /* wall clock */
	bool told_raw;       /* that it counts what nothing can drop */
	/* pending.c: what ignorecommand and ignorecache want to know, and what is remembered */
	bool wants_fields, wants_host;
	struct ignore_memory *memory; /* NULL: nothing */
};

/* One failure of one address or block. All is borrowed. */
struct failure {
	struct prefix who;
	int64_t time_us; /* wall clock, the line's */
	unsigned count;
	const char *line;
	size_t len;
	const struct rule_head *rule; /* what stands above the regex; NULL: no rules file */
	const char *tags;             /* as in struct tags */
	size_t tags_len;
};

/* Who wants to know what herald finds. */
struct asker {
	void (*answer)(struct guard *g, void *what, const struct msg_found *m);
	void *what;
	bool from_log; /* the name stood in a log */
};

struct lookup_stats {
	uint64_t asked, found, none, failed, busy;
};

struct names_stats {
	uint64_t remembered; /* asked before, and not long ago */
	uint64_t dropped;    /* failures of names that could not be asked for */
	size_t known, waiting;
};

struct pending_stats {
	uint64_t asked, ignored, remembered, unknown;
	size_t waiting;
};

struct losses {
	uint64_t long_lines, undated, future, old, log_held, refused, poison, no_memory, unsaved,
		files, unresolved, bans_cut, evidence, prefilter;
};

struct guard {
	const struct guard_options *o;
	const struct ruleset *rs;
	struct jail_state *jails;
	struct event_base *base;
	struct channel *keeper;
	struct track *track;
	struct bans *bans;
	struct evidence *evidence;

	/* filelist.c, files.c, resume.c */
	struct file *files;
	struct file **by_wd; /* by inotify's number */
	size_t n_by_wd;
	struct saved_position *saved;
	struct dropped_key *dropped;
	struct candidate candidates[CANDIDATES_MAX];
	size_t n_candidates;
	struct trouble *troubles;
	struct event *inotify, *work;
	struct file *next_globbed; /* whose turn it is among those that globs found */
	struct log_limit file_limit;
	bool reading; /* start-up is over: lines may be judged */
	char *buffer; /* TAIL_BUFFER bytes, for whichever file is being read */
	char scratch[2 * TAIL_LINE_MAX];

	/* panel.c, judge.c */
	struct panel *panels;
	struct batch batch; /* what is found in the block under way */
	int cache_fd;       /* where the panels' words are kept, or -1 */
	struct echoes *echoes;

	/* syslog.c, datagrams.c: in the order of the rule set's listeners */
	struct senders *senders; /* NULL: each may send as much as it likes */
	struct syslog_listener *listeners[LISTEN_MAX];
	struct datagrams *datagrams[LISTEN_MAX]; /* NULL: not open, or of another kind */
	struct datagram_room *datagram_room;
	struct streams *streams; /* NULL: none are wanted */
	struct tls *tls;

	struct journal_source *journals; /* journal.c: in the order of the plan's */
	size_t n_journals;

	/* verdict.c */
	struct addr *own;
	size_t n_own;
	struct msg_ban out[BANS_A_MESSAGE];
	size_t n_out;
	struct event *expiry;

	struct lookup *lookup;
	struct names *names;
	struct ignorenames *ignorenames;
	struct pendings *pendings;

	/* persist.c */
	struct store *store;
	struct event *save;
	int64_t save_cost_us; /* what the last one took */
	int64_t purged_us;
	char trouble_told[128];
	bool sessions_dropped; /* those of the guard before are not on disk any more */

	/* control.c */
	struct client *clients;
	size_t n_clients;
	uint32_t last_serial;

	/* log lines on their way to keeper */
	struct buf *log;
	struct log_limit found_limit;
	struct losses losses;
	struct event *leave; /* pending: guard was told to go, and waits for names */
	bool leaving;
};

/* guard.c */
int guard_set_up(struct guard *g, const struct guard_options *o); /* all but privileges and state */
void guard_turn_end(
	struct guard *g); /* after anything was judged or decided: tells keeper, plans saving */

/* source.c: judging */
int source_init(struct source *s, const char *name);
void source_done(struct source *s);
int source_add_jail(struct guard *g, struct source *s, uint16_t jail);
void source_wake_jail(struct source *s, uint16_t jail); /* the line under way is for it */
/* Says to keeper what guard would die of. False: leave it out, guards before have died of it. */
bool source_mark(struct guard *g, const struct guard_line *line);
bool source_begin(struct guard *g, uint64_t ino, uint64_t offset); /* the same, counted */
void source_end(struct guard *g);
/* The longest findtime of its jails; of all jails for NULL. */
int64_t source_findtime_us(const struct guard *g, const struct source *s);

/* panel.c */
struct panel *panel_of(struct guard *g, struct source *s); /* NULL: out of memory */
void panel_leave(struct source *s); /* what it had made of its jails does not hold any more */
struct lines panel_lines(const struct panel *p, struct source *s);
/* How often what looks for words has failed, and what it is; NULL: nothing was looked for yet. */
uint64_t panels_failures(const struct guard *g);
const char *panels_engine(const struct guard *g);
int panels_open_cache(struct guard *g);

/* judge.c */
/* Lines of a file that stand in it as they were logged; as tail_block_fn. */
size_t judge_block(struct guard *g, struct source *s, uint64_t ino, const struct tail_block *text,
	uint64_t *ret_lines);
/* Is the line at that offset for the jail at that place in the source? */
typedef bool judge_for_fn(void *arg, size_t off, size_t jail);
/* As how many lines the one at that offset counts. */
typedef unsigned judge_times_fn(void *arg, size_t off);
/*
 * Whole lines that stand in no file. is_for NULL: they are for all; it is not for jails with
 * windows. times NULL: they count once.
 */
void judge_text(struct guard *g, struct source *s, const char *text, size_t len,
	judge_for_fn *is_for, judge_times_fn *times, void *arg);
/* A line by itself. time_us: when it was written, if its date is not to be looked for; or NULL. */
void judge_line(
	struct guard *g, struct source *s, const char *line, size_t len, const int64_t *time_us);

/* filelist.c */
struct file *file_new(
	struct guard *g, const char *path, int fd, uint64_t dev, uint64_t ino, int wd);
void file_free(struct file *f); /* one that is not in the list */
void file_close(
	struct guard *g, struct file *f); /* nothing more comes: store and keeper forget it */
struct file *file_find(struct guard *g, uint64_t dev, uint64_t ino);
struct file *file_at(struct guard *g, const char *path); /* what the path names now */
struct file *file_of_wd(struct guard *g, int wd);
int file_set_wd(struct guard *g, struct file *f, int wd);
int file_add_ref(struct guard *g, struct file *f, uint32_t pattern, const char *path);
void file_drop_refs(struct guard *g, struct file *f, const char *path);
void file_rename(
	struct guard *g, struct file *f); /* if the path it is named by is none of its refs */
void file_wake(struct guard *g, struct file *f);
void file_set_format(struct file *f, const struct pattern *p);
bool file_look(struct guard *g, struct file *f); /* false: it is not to be read (yet) */
void file_resume(struct guard *g, struct file *f, uint64_t offset);
void file_seek_end(struct guard *g, struct file *f);
char *file_key(const struct file *f);           /* its name in the store, malloc'd */
void file_drop_key(struct guard *g, char *key); /* the store shall forget it; takes it over */
bool files_may_tell(struct guard *g);           /* may a notice about files be logged? */

/* files.c */
int files_init(struct guard *g);
void files_done(struct guard *g);
int files_opened(struct guard *g, const struct msg_file *m, int fd);
int files_left(struct guard *g, const struct msg_file_ref *m);
int files_trouble(struct guard *g, const struct msg_trouble *m);
void files_start(struct guard *g);

/* resume.c */
void resume_remember(struct guard *g, const struct store_position *p); /* from the store */
void resume_settle(struct guard *g, struct file *f, const struct msg_file *m);
int resume_sibling(struct guard *g, const struct msg_file *m, int fd);
int resume_siblings_end(struct guard *g, const struct msg_file_ref *m);
void resume_leftovers(struct guard *g); /* positions whose path names nothing now */
void resume_done(struct guard *g);

/* datagrams.c */
int datagrams_init(struct guard *g);
void datagrams_start(struct guard *g);  /* start-up is over: lines may be judged */
void datagrams_finish(struct guard *g); /* judges what was read already */
void datagrams_done(struct guard *g);

/* journal.c */
int journal_init(struct guard *g);
void journal_start(struct guard *g);
void journal_done(struct guard *g);
int journal_reader(struct guard *g, const struct msg_journal *m, int fd); /* a new reader's end */
void journal_remember(struct guard *g, const struct store_position *row); /* from the store */
bool journal_is_dirty(const struct guard *g);
int journal_save(struct guard *g, int (*put)(struct guard *g, const struct store_position *row));
void journal_saved(struct guard *g);
void journal_touch(struct guard *g);
/* What a jail reads of it; NULL: nothing is being read. */
const struct source *journal_source(const struct guard *g, unsigned jail);

/* verdict.c */
int verdict_init(struct guard *g);
void verdict_done(struct guard *g);
/* A line of the jail's logs that its filter calls a failure. */
void verdict_match(struct guard *g, struct jail_state *j, const struct match *m, int64_t time_us,
	const char *line, size_t len);
void verdict_failure(struct guard *g, struct jail_state *j, const struct failure *f);
/* May this be banned? As keeper will ask, and the names in ignoreip, which only guard knows. */
enum refusal verdict_refusal(const struct guard *g, unsigned jail, const struct prefix *p);
/* Somebody failed too often (f->who, the last time by f->rule), and nobody says that he is to be
 * ignored. */
void verdict_reached(
	struct guard *g, struct jail_state *j, const struct failure *f, unsigned failures);
struct ban *verdict_ban(struct guard *g, struct jail_state *j, const struct prefix *p,
	int64_t bantime_sec, unsigned failures, enum origin origin);
void verdict_unban(struct guard *g, struct ban *ban);
void verdict_send(struct guard *g);
void verdict_send_again(struct guard *g, struct ban *ban); /* as it stands in the table */
void verdict_expire(struct guard *g);
void verdict_plan_expiry(struct guard *g);
bool verdict_is_own(const struct guard *g, const struct addr *a);

/* lookup.c: questions to herald */
int lookup_init(struct guard *g);
void lookup_done(struct guard *g);
bool lookup_is_possible(const struct guard *g);
/*
 * For the addresses of name, or the name of a. The answer has *ret_serial (NULL: does not matter).
 * 0, or -errno: there will be none.
 */
int lookup_ask(struct guard *g, const char *name, const struct addr *a, struct asker asker,
	uint32_t *ret_serial);
const struct lookup_stats *lookup_stats(const struct guard *g);

/* names.c: names in logs */
int names_init(struct guard *g);
void names_done(struct guard *g);
/* The failure of whoever has that name; f->who is not looked at. */
void names_failure(struct guard *g, struct jail_state *j, const char *host, size_t len,
	const struct failure *f);
size_t names_waiting(const struct guard *g); /* failures that wait for their name */
void names_get_stats(const struct guard *g, struct names_stats *ret);

/* ignorenames.c: names in ignoreip */
int ignorenames_init(struct guard *g);
void ignorenames_done(struct guard *g);
void ignorenames_start(struct guard *g);
/* Are the names on the jail's list known, as far as they will be? */
bool ignorenames_settled(const struct guard *g, unsigned jail);
bool ignorenames_has(const struct guard *g, unsigned jail, const char *name);
/* The name that is ignored everywhere and has that address, or NULL. */
const char *ignorenames_everywhere(const struct guard *g, const struct addr *a);
/* Does a name on the jail's list have an address in the block? */
bool ignorenames_contain(const struct guard *g, unsigned jail, const struct prefix *p);

/* pending.c */
int pending_init(struct guard *g);
void pending_done(struct guard *g);
/* Must the ban wait? Then verdict_reached is called when it may come, if it may. */
bool pending_wait(
	struct guard *g, struct jail_state *j, const struct failure *f, unsigned failures);
int pending_says(struct guard *g, const struct msg_ignore *m);
void pending_go_on(struct guard *g); /* more is known of the names in ignoreip */
const struct pending_stats *pending_stats(const struct guard *g);

/* persist.c */
int persist_init(struct guard *g); /* opens the store and loads everything */
void persist_plan(struct guard *g);
int persist_now(struct guard *g);
void persist_done(struct guard *g);
const char *origin_name(enum origin o);
int64_t to_wall(int64_t mono_us);

/* control.c */
int control_client(struct guard *g, int fd);
void control_elems(struct guard *g, const struct msg_elem *e, size_t n);
void control_query_end(struct guard *g, const struct msg_query_end *q);
void control_reloaded(struct guard *g, uint32_t serial, const char *text, size_t len);
void control_done(struct guard *g);

/* report.c: answers as JSON, new references; NULL when out of memory */
json_t *report_status(struct guard *g, const struct jail *only, const struct msg_query_end *wall);
json_t *report_ban(const struct guard *g, const struct ban *ban);
json_t *report_address(struct guard *g, const struct addr *a);
