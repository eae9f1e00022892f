/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "cli/answer.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct faults;

/* The command line: `stockade COMMAND ...`, one command a file (cmd_NAME.c), each a const entry. */

enum cli_status {
	CLI_GOOD = 0,
	CLI_NO = 1,          /* the answer is no: nothing matched, not banned */
	CLI_USAGE = 2,       /* wrong arguments or a wrong configuration */
	CLI_UNREACHABLE = 3, /* no daemon answers */
};

#define CLI_SOCKET "/run/stockade/stockade.sock"
#define CLI_STATEDIR "/var/lib/stockade"
#define CLI_RULES_JAIL "blacklist" /* what --rules FILE makes */

struct cli;

struct command {
	const char *name;
	const char *args;          /* "JAIL ADDR[/LEN]... [--for TIME]" */
	const char *summary;       /* one line for the list of commands */
	const char *help;          /* the rest: what it prints, its own options, a line each */
	bool asks;                 /* talks to the daemon: takes --socket */
	bool json;                 /* takes --json */
	int (*run)(struct cli *c); /* returns an enum cli_status */
};

/* Every command, NULL at the end, in the order in which help shows them. */
extern const struct command *const cli_commands[];

/* One call of one command: its arguments and where its words go. */
struct cli {
	int argc;
	char **argv; /* [0] is the command's own name */
	const struct command *cmd;
	FILE *out, *err;
	unsigned width; /* columns of the terminal */
	bool color;
	const char *socket;
	int fd; /* a connection to use for the first question, or -1: to socket then */
	bool json;
	int status; /* after CLI_OPT_STOP */
};

#define CLI_OPT_END (-1)  /* no more options: optind is at the first operand */
#define CLI_OPT_STOP (-2) /* help was shown or a mistake told: return c->status */

/*
 * The next option, as getopt_long(3) gives it, in any order with the operands. --help, --json and
 * --socket are handled here; longs lists the command's own (NULL: none), with values above 0.
 * shorts are its own single letters ("" for none).
 */
int cli_option(struct cli *c, const char *shorts, const struct option *longs);

/* For a command with no options of its own and min to max operands: 0, or CLI_OPT_STOP. */
int cli_plain(struct cli *c, int min, int max);

/* Tells of a wrong call, with the way to help. Returns CLI_USAGE. */
int cli_usage(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "stockade CMD: text" on c->err. */
void cli_complain(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Each fault on a line, "file:line: error: message"; on a terminal folded to its width, the lines
 * that follow indented.
 */
void cli_faults(FILE *out, const struct faults *f);

/* The same for the "faults" of the daemon's answer. */
void cli_json_faults(FILE *out, const json_t *faults);

/*
 * Asks the daemon: request is used up (NULL: out of memory); item, if any, gets each item. Returns
 * CLI_GOOD with ret->end set, or complains and returns what to exit with. The caller ends with
 * answer_done in any case.
 */
int cli_ask(struct cli *c, json_t *request, answer_item_fn *item, void *arg, struct answer *ret);

/* The same, saying nothing when it fails: ret->end is NULL then. */
void cli_ask_quietly(struct cli *c, json_t *request, struct answer *ret);

/* {"cmd":cmd} with "jail" unless it is NULL. */
json_t *cli_jail_request(const char *cmd, const char *jail);

/* A whole command that only says its own name to the daemon: prints `said`, or the JSON answer. */
int cli_ask_plain(struct cli *c, const char *said);

/* One JSON value on a line of c->out; plain ASCII, so that no terminal is led astray. */
void cli_json(struct cli *c, const json_t *value);

enum cli_style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GOOD,
	STYLE_WARN,
	STYLE_BAD,
};

/* What switches the terminal to a style, "" when there is no colour. */
const char *cli_style(const struct cli *c, enum cli_style style);

/* The columns of a terminal, 80 if it does not tell; whether it is one and shall be coloured. */
unsigned cli_width(FILE *f);
bool cli_wants_color(FILE *f);

/* Prints text that may hold anything, escaped. */
void cli_text(FILE *out, const char *s, size_t len);

/* A JSON string of bytes that may be anything: what is not UTF-8 is escaped. */
json_t *cli_json_text(const char *s, size_t len);

/* The whole path of a file that somebody named from where we are, in buf (PATH_MAX bytes). */
const char *cli_absolute(char *buf, const char *path);

/* Runs the command that argv[1] names. c has out, err, width, color, argc and argv (of the
 * program). */
int cli_run(struct cli *c);

/* The list of commands, or the page of one. */
void cli_help(FILE *out);
void cli_help_command(FILE *out, const struct command *cmd);
const struct command *cli_find(const char *name);

/* Complains that there is no such command, with the nearest one. Returns CLI_USAGE. */
int cli_unknown(struct cli *c, const char *name);

/* The whole program: standard output and error, write errors told. */
int cli_main(int argc, char **argv);
