/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/addr.h"
#include "base/prefixset.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prefix p, again;
	char text[PREFIX_STRLEN];

	if (prefix_parse(&p, (const char *)data, size) < 0)
		return 0;
	prefix_format(&p, text);
	/* What we write we read back the same. */
	if (prefix_parse(&again, text, strlen(text)) < 0 || !addr_eq(&p.addr, &again.addr) ||
		p.len != again.len)
		abort();
	return 0;
}
