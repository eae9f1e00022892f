/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A log file that grows: whole lines are handed on once, in order. Between calls nothing of the
 * file is held in memory; a half-written last line is simply read again when the file has grown.
 */

#define TAIL_LINE_MAX 65536       /* of a longer line the first so many bytes are judged */
#define TAIL_RAW_MAX (128 * 1024) /* the most that line_max may be */
#define TAIL_BUFFER (256 * 1024)  /* what tail_read wants to work in */
#define TAIL_HEAD_MAX 256         /* how much of the first line identifies a file */

/* Where a tail's bytes come from, if not from a file. */
struct tail_ops {
	/* As pread(2), but -errno; what lies more than TAIL_BUFFER before any byte read may be
	 * gone. */
	ssize_t (*read_at)(void *arg, void *buf, size_t len, uint64_t off);
	/* As far as anything was read. */
	int64_t (*size)(void *arg);
};

struct tail {
	int fd;
	const struct tail_ops *ops; /* NULL: fd */
	void *ops_arg;
	uint64_t dev, ino;
	/*
	 * First byte not handed on. When the byte before it is no newline, the rest of that line
	 * was too long and is skipped: so the offset alone says where to go on after a restart.
	 */
	uint64_t offset;
	uint64_t head_hash;
	uint32_t head_len; /* 0: the first line is not complete yet */
	bool skipping;
	/*
	 * How lines are told apart, and may be set before reading begins: bytes a code unit (1, 2
	 * or 4), their order, and how many bytes of a line are handed on (TAIL_LINE_MAX).
	 */
	uint8_t unit;
	bool big_endian;
	uint32_t line_max;
	uint64_t lines, long_lines, restarts; /* restarts: truncated or written anew in place */
};

/* A line as it stands in the file, without its line end. */
struct tail_line {
	const char *text;
	size_t len;
	uint64_t off,
		end; /* where it starts, and where the next one does (cut: where it was cut) */
	bool cut;    /* it was longer */
};

typedef void tail_fn(void *arg, const struct tail_line *line);

/* Lines as they stand in the file, each with its line end; none is longer than line_max. */
struct tail_block {
	const char *text;
	size_t len;
	uint64_t off;
};

/*
 * Takes some lines of the block, from its start on, and says how many. Returns how many bytes they
 * are; 0 has the first handed on by itself.
 */
typedef size_t tail_block_fn(void *arg, const struct tail_block *block, uint64_t *ret_lines);

/* Takes over fd (a regular file) and starts at offset 0. */
void tail_init(struct tail *t, int fd, uint64_t dev, uint64_t ino);

/* Borrows ops and arg. */
void tail_init_from(struct tail *t, const struct tail_ops *ops, void *arg);

/* Closes. */
void tail_done(struct tail *t);

/*
 * Is this the file whose first head_len bytes had that hash? (head_len 0: an empty file then,
 * which any file continues.)
 */
bool tail_is(const struct tail *t, uint64_t head_hash, uint32_t head_len);

/* Goes on at an offset saved earlier. -EINVAL if the file is shorter: it starts over then. */
int tail_resume(struct tail *t, uint64_t offset);

/* Starts at the end of what is there now, a half-written last line included. */
int tail_seek_end(struct tail *t);

/* What stands in the file at off, wherever reading is; 0 bytes if it cannot be read, too. */
size_t tail_peek(const struct tail *t, char *buf, size_t size, uint64_t off);

/* The file's size now, or -errno. */
int64_t tail_size(const struct tail *t);

/*
 * Hands on complete lines, about budget bytes of them. Returns 1 when there is more, 0 at the end,
 * or -errno. Notices truncation and rewriting in place, goes to the start then, and returns 1
 * before it reads: it may be another kind of file now.
 */
int tail_read(struct tail *t, char buf[static TAIL_BUFFER], size_t budget, tail_fn *fn, void *arg);

/*
 * The same in blocks, where lines are whole and of bytes; other lines, and those that block_fn does
 * not take, one by one. Until block_fn returns, the tail's offset is where the block begins.
 */
int tail_read_blocks(struct tail *t, char buf[static TAIL_BUFFER], size_t budget,
	tail_block_fn *block_fn, tail_fn *fn, void *arg);

/* The last line without its newline, for a file to which nothing comes any more. */
int tail_finish(struct tail *t, char buf[static TAIL_BUFFER], tail_fn *fn, void *arg);
