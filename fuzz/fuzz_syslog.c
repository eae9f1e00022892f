/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/syslog.h"
#include "source/syslog_date.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(struct syslog_part part, const char *msg, size_t len)
{
	if (part.len > 0 && (part.p < msg || part.p + part.len > msg + len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct syslog_part now = {"2026-11-20T07:12:49+00:00", 25}, host = {"h", 1};
	size_t room = size > 0 ? data[0] * 16U : 0, len = size - (size > 0), n;
	char *buf = malloc(room > 0 ? room : 1), *msg = malloc(len > 0 ? len : 1);
	struct syslog_msg m;

	if (buf == NULL || msg == NULL)
		abort();
	if (len > 0)
		memcpy(msg, data + 1, len);
	syslog_parse(&m, msg, len);
	check_part(m.date, msg, len);
	check_part(m.host, msg, len);
	check_part(m.program, msg, len);
	check_part(m.pid, msg, len);
	check_part(m.tag, msg, len);
	check_part(m.text, msg, len);
	if (m.times < 1 || m.times > SYSLOG_TIMES_MAX)
		abort();
	syslog_date_fits(m.date, 2026);
	syslog_date_fits((struct syslog_part) {msg, len}, 2026);
	n = syslog_line(buf, room, &m, now, host);
	if (n > room || memchr(buf, '\n', n) != NULL || memchr(buf, '\r', n) != NULL)
		abort();
	n = syslog_text(buf, room, &m);
	if (n > room || memchr(buf, '\n', n) != NULL)
		abort();
	free(msg);
	free(buf);
	return 0;
}
