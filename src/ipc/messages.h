/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "base/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What keeper and guard, guard and herald, and porter and guard say to each other. All are the same
 * binary, so bodies are plain structs, without unnamed holes: these would carry what lay in memory
 * before. The receiver checks each against message_check before it looks inside.
 */

enum message {
	/* guard to keeper */
	MSG_READY = 1,  /* state loaded, reading */
	MSG_BAN,        /* struct msg_ban[] */
	MSG_UNBAN,      /* struct msg_ban[], timeouts unused */
	MSG_LOG,        /* one byte level, then text */
	MSG_SIBLINGS,   /* struct msg_file_ref: where did the file go that was at this path? */
	MSG_FILE_DONE,  /* struct msg_file_ref: guard closed it, forget the watch */
	MSG_QUERY_WALL, /* struct msg_query, then struct msg_elem[]: which are there? */
	MSG_RELOAD,     /* struct msg_query */
	MSG_STOP,       /* nothing: a client asked to stop */
	MSG_LEFT,       /* nothing: everything is saved, I go */
	MSG_PONG,       /* nothing */
	MSG_IGNORE_ASK, /* struct msg_ignore, then tags: what does ignorecommand say? */
	MSG_STREAM, /* struct msg_stream, then bytes + fd: for the next guard, before MSG_LEFT */
	/* keeper to guard */
	MSG_FILE = 100,   /* struct msg_file + fd */
	MSG_FILE_LEFT,    /* struct msg_file_ref: the path does not name it any more */
	MSG_SIBLING,      /* struct msg_file + fd, a candidate; MSG_SIBLINGS_END after the last */
	MSG_SIBLINGS_END, /* struct msg_file_ref */
	MSG_TROUBLE,      /* struct msg_trouble: a path cannot be read, or can again */
	MSG_START_END,    /* nothing: all files that exist now have been told */
	MSG_WALL_ELEMS,   /* struct msg_elem[]: what the kernel holds (at start) */
	MSG_WALL_END,     /* nothing: that was all that is told */
	MSG_OWN,          /* struct addr[]: this machine's addresses */
	MSG_CLIENT,       /* fd of an accepted and checked control connection */
	MSG_REFUSED,      /* struct msg_refused[] */
	MSG_RESTORE,      /* nothing: the wall was emptied, say all bans again */
	MSG_QUERY_ELEMS,  /* struct msg_elem[]: the answer */
	MSG_QUERY_END,    /* struct msg_query_end */
	MSG_RELOADED,     /* struct msg_query, then JSON text of the answer */
	MSG_LEAVE,        /* nothing: save everything and exit */
	MSG_PING,         /* nothing */
	MSG_JOURNAL,      /* struct msg_journal + fd: a journal reader's end */
	MSG_IGNORE_SAYS,  /* struct msg_ignore: the answer */
	/* guard to herald */
	MSG_LOOKUP = 200, /* struct msg_lookup */
	/* herald to guard */
	MSG_FOUND = 210, /* struct msg_found */
	/* porter to guard */
	MSG_CONNECTION = 220, /* struct msg_connection + fd: what a sender says, out of TLS */
	MSG_TLS_COUNTS,       /* struct msg_tls_counts */
};

struct msg_ban {
	struct prefix prefix;
	uint8_t again; /* it is banned already, this prolongs */
	uint16_t jail;
	uint32_t zero;
	uint64_t timeout_ms; /* 0: for ever */
};

struct msg_elem {
	struct prefix prefix;
	uint8_t there;
	uint16_t jail;
	uint32_t zero;
	uint64_t timeout_ms;
	uint64_t packets, bytes;
};

#define MSG_PATH_MAX 4096

struct msg_file_ref {
	uint64_t dev, ino;
	uint32_t told; /* MSG_FILE_DONE: how many MSG_FILE of it that answers */
	uint32_t zero;
	char path[MSG_PATH_MAX];
};

struct msg_file {
	uint64_t dev, ino;
	int32_t wd;       /* in guard's inotify */
	uint32_t pattern; /* index in the list of log paths, see patterns.h */
	char path[MSG_PATH_MAX];
	uint8_t at_start; /* it was there when we started */
	uint8_t zero[7];
};

struct msg_trouble {
	uint32_t pattern;
	char path[MSG_PATH_MAX];
	char what[256]; /* "": over */
};

struct msg_journal {
	uint32_t journal; /* index in the plan's list, see journals.h */
};

/* serial tells guard which client asked. */
struct msg_query {
	uint32_t serial;
	uint32_t zero; /* what follows is aligned */
};

struct msg_query_end {
	uint32_t serial;
	uint8_t healthy;
	uint8_t zero[3];
	uint64_t transactions, banned, repairs, failures;
	char backend[16];
	char last_error[160];
};

enum refusal {
	REFUSED_ALLOWED = 1, /* on the allow list */
	REFUSED_OWN,         /* this machine's own address */
	REFUSED_WIDE,        /* a block wider than policy allows */
	REFUSED_RATE,        /* more bans than is sane */
	REFUSED_JAIL,        /* no such jail */
	REFUSED_KERNEL,      /* the kernel would not */
};

struct msg_refused {
	struct prefix prefix;
	uint8_t why; /* enum refusal */
	uint16_t jail;
};

/* The tags that follow a question: pairs of name and value, NUL after each. */
#define MSG_TAGS_MAX 2048

enum ignore_says {
	IGNORE_NO = 1,
	IGNORE_YES,
	IGNORE_UNKNOWN, /* the command could not be run, took too long, or too many wait */
};

struct msg_ignore {
	struct prefix prefix;
	uint8_t says; /* enum ignore_says; 0 in a question */
	uint16_t jail;
	uint32_t failures;
};

/*
 * A connection that sends syslog messages. What follows has come of a frame that is not whole.
 * keeper looks at no more than the listener.
 */
struct msg_stream {
	struct addr sender;
	uint8_t listener; /* its place in the rule set's list */
	uint8_t is_local; /* sender says nothing */
	uint8_t spoke;    /* a whole message has come */
	uint8_t state;    /* see struct frames */
	uint32_t left;    /* the same */
};

#define LOOKUP_NAME_MAX 256 /* with NUL (RFC 1035 2.3.4: 253 visible) */
#define LOOKUP_ADDRS_MAX 20 /* a name with more is not believed */

/* Which addresses has a name, or which name has an address? */
struct msg_lookup {
	struct addr addr;
	uint32_t serial; /* tells guard which question the answer is for */
	uint8_t reverse; /* asks for the name of addr; else for the addresses of name */
	uint8_t zero[3];
	char name[LOOKUP_NAME_MAX];
};

enum lookup_result {
	LOOKUP_FOUND = 1,
	LOOKUP_NONE,   /* it is said that there is none */
	LOOKUP_FAILED, /* nobody answered, or with an error */
	LOOKUP_MANY,   /* it has more than LOOKUP_ADDRS_MAX */
	LOOKUP_BUSY,   /* too many questions: not asked */
};

struct msg_found {
	uint32_t serial;
	uint8_t result; /* enum lookup_result */
	uint8_t n;      /* addresses */
	uint8_t zero[2];
	struct addr addrs[LOOKUP_ADDRS_MAX];
	char name[LOOKUP_NAME_MAX];
};

/* Listeners are told by their addresses: their places change with the configuration. */
struct msg_connection {
	struct addr sender, listen;
	uint16_t port;
	uint8_t zero[6];
};

/* What has happened at a listener since it was last told. */
struct msg_tls_counts {
	struct addr listen;
	uint16_t port;
	uint8_t zero[6];
	uint64_t accepted, failed; /* handshakes */
	uint64_t refused;          /* from who may not send */
	uint64_t crowded;          /* for want of room */
	char why[256];             /* the last failure; "": there was none */
};

/* "it is on the allow list" and so on. */
const char *refusal_text(enum refusal why);

enum message_side { TO_KEEPER = 1, TO_GUARD, TO_HERALD, FROM_HERALD, TO_PORTER, FROM_PORTER };

/* Is a message of that type and size, with or without descriptor, allowed to arrive there? */
bool message_check(
	enum message_side side, uint32_t type, const void *body, size_t len, bool has_fd);

/*
 * The same for what a channel has brought; fd may be -1 or CHANNEL_FD_LOST. 0, or -EPROTO with the
 * descriptor closed: for its receiver to return.
 */
int message_admit(enum message_side side, uint32_t type, const void *body, size_t len, int fd);
