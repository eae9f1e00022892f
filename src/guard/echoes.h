/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The same message may come to a jail in several ways: syslog's copy of what stands in a file and
 * in the journal. It counts once: of lines with the same program, process and text, whatever their
 * date and host look like, those count that are more than have come in another way before. They
 * are remembered for a minute, 16,384 of them at most.
 */
enum source_way {
	WAY_FILE,
	WAY_JOURNAL,
	WAY_SYSLOG,
	N_WAYS,
};

struct echoes;

/* NULL: out of memory. */
struct echoes *echoes_new(void);
void echoes_free(struct echoes *e);

/* Has the line that has now come in that way come to the jail in another way before? */
bool echoes_is_one(struct echoes *e, size_t jail, enum source_way way, const char *line, size_t len,
	int64_t now_us);
