/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size > 0 ? data[0] * 16U : 0;
	char *buf = malloc(room > 0 ? room : 1);
	size_t n = syslog_line(buf, room, (const char *)data + (size > 0), size - (size > 0));

	if (n > room || memchr(buf, '\n', n) != NULL)
		abort();
	free(buf);
	return 0;
}
