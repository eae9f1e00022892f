/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * The bytes of a file or pipe, unpacked where its beginning says that it is packed (gzip, xz,
 * zstd). Memory does not depend on what comes out.
 */
struct unpack;

#define UNPACK_MEMORY_MAX (128 * 1024 * 1024) /* what an archive may want for itself */

/* Takes over fd. 0 or -ENOMEM. */
int unpack_open(struct unpack **ret, int fd);

/* Closes. Takes NULL. */
void unpack_close(struct unpack *u);

/*
 * The next bytes, at most len: how many, 0 at the end, or -errno of the read; -ENODATA: the archive
 * ends too early, -EBADMSG: it is damaged, -E2BIG: it wants more than UNPACK_MEMORY_MAX, -ENOTSUP:
 * this build cannot unpack it. What came before an error was good.
 */
ssize_t unpack_read(struct unpack *u, void *buf, size_t len);

/*
 * What stands in the file at off, wherever reading is, as pread(2); -ESPIPE unless it is a file
 * that is not packed.
 */
ssize_t unpack_peek(const struct unpack *u, void *buf, size_t len, uint64_t off);

/* How many bytes of the file itself were read. */
uint64_t unpack_taken(const struct unpack *u);
