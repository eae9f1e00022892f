/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A message as keeper and guard would check it; what passes is safe to look into. */
#include "ipc/channel.h"
#include "ipc/messages.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile size_t sink;

/* The pairs after a question, walked as keeper does. */
static size_t tags_length(const void *body, size_t len)
{
	const char *p = (const char *)body + sizeof(struct msg_ignore), *end = body;
	size_t sum = 0;

	for (end += len; p < end; p += strlen(p) + 1)
		sum += strlen(p);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum message_side side;
	uint32_t type;
	void *body;

	if (size < 2 || size - 2 > CHANNEL_BODY_MAX)
		return 0;
	side = (data[0] & 1) != 0 ? TO_KEEPER : TO_GUARD;
	if ((data[0] & 4) != 0)
		side = (data[0] & 1) != 0 ? TO_HERALD : FROM_HERALD;
	if ((data[0] & 8) != 0)
		side = FROM_PORTER;
	type = data[1];
	body = malloc(size - 1);
	memcpy(body, data + 2, size - 2);
	if (message_check(side, type, body, size - 2, (data[0] & 2) != 0)) {
		const struct msg_ban *b = body;
		const struct msg_file_ref *ref = body;
		char text[PREFIX_STRLEN];

		if (type == MSG_BAN || type == MSG_UNBAN)
			for (size_t i = 0; i < (size - 2) / sizeof(*b); i++)
				sink += strlen(prefix_format(&b[i].prefix, text));
		if (type == MSG_SIBLINGS || type == MSG_FILE_DONE || type == MSG_FILE_LEFT)
			sink += strlen(ref->path);
		if (type == MSG_LOOKUP)
			sink += strlen(((const struct msg_lookup *)body)->name);
		if (type == MSG_FOUND)
			sink += ((const struct msg_found *)body)->addrs[0].b[0];
		if (type == MSG_TLS_COUNTS)
			sink += strlen(((const struct msg_tls_counts *)body)->why);
		if (type == MSG_IGNORE_ASK)
			sink += tags_length(body, size - 2);
	}
	free(body);
	return 0;
}
