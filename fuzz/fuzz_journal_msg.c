/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_entry e;
	struct journal_start s;
	/* Exactly as large as the input, and aligned as a packet is. */
	void *in = malloc(size > 0 ? size : 1), *out = malloc(JOURNAL_MSG_MAX);

	if (in == NULL || out == NULL)
		abort();
	memcpy(in, data, size);
	/* What is understood is written back the same. */
	if (journal_msg_parse(in, size, &e) == 0) {
		if (journal_msg_write(out, JOURNAL_MSG_MAX, &e) != (long)size ||
			memcmp(in, out, size) != 0)
			abort();
	}
	if (journal_start_parse(in, size, &s) == 0) {
		if (journal_start_write(out, JOURNAL_START_MAX, &s) != (long)size ||
			memcmp(in, out, size) != 0)
			abort();
	}
	free(in);
	free(out);
	return 0;
}
