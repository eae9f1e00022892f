/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/say.h"

#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *say_count(int64_t n, char buf[static SAY_MAX])
{
	char digits[24];
	size_t len, out = 0;

	snprintf(digits, sizeof(digits), "%" PRIu64, n < 0 ? -(uint64_t)n : (uint64_t)n);
	len = strlen(digits);
	if (n < 0)
		buf[out++] = '-';
	for (size_t i = 0; i < len; i++) {
		buf[out++] = digits[i];
		if ((len - i) % 3 == 1 && i + 1 < len)
			buf[out++] = ',';
	}
	buf[out] = '\0';
	return buf;
}

const char *say_bytes(int64_t n, char buf[static SAY_MAX])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = n < 0 ? 0 : (double)n;
	size_t unit = 0;

	/* 999.5 would be printed as 1000. */
	for (; value >= 999.5; unit++)
		value /= 1000;
	snprintf(buf, SAY_MAX, "%.*f %s", unit > 0 && value < 9.95, value, units[unit]);
	return buf;
}

const char *say_span(int64_t sec, char buf[static SAY_MAX])
{
	return text_duration(sec >= 60 ? sec - sec % 60 : sec, buf, SAY_MAX);
}

/* "+01:00" to the end, or "Z": seconds east of Greenwich. 0 or -EINVAL. */
static int read_offset(int *ret_sec, const char *s)
{
	static const char form[] = "+dd:dd";
	int hours, minutes;

	*ret_sec = 0;
	if (strcmp(s, "Z") == 0)
		return 0;
	if (strlen(s) != strlen(form) || (s[0] != '+' && s[0] != '-'))
		return -EINVAL;
	for (size_t i = 1; form[i] != '\0'; i++) {
		if (form[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != form[i])
			return -EINVAL;
	}
	hours = (s[1] - '0') * 10 + s[2] - '0';
	minutes = (s[4] - '0') * 10 + s[5] - '0';
	*ret_sec = (hours * 3600 + minutes * 60) * (s[0] == '-' ? -1 : 1);
	return 0;
}

int say_read_time(int64_t *ret_sec, const char *s)
{
	struct tm tm = {0};
	int offset_sec;
	const char *p;

	p = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm);
	if (p == NULL || tm.tm_year > 8099)
		return -EINVAL;
	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if (read_offset(&offset_sec, p) < 0)
		return -EINVAL;
	*ret_sec = timegm(&tm) - offset_sec;
	return 0;
}

const char *say_clock(int64_t sec, int64_t now_sec, char buf[static SAY_MAX])
{
	time_t then = (time_t)sec, now = (time_t)now_sec;
	struct tm a, b;
	const char *format = "%H:%M:%S";

	if (localtime_r(&then, &a) == NULL || localtime_r(&now, &b) == NULL) {
		snprintf(buf, SAY_MAX, "?");
		return buf;
	}
	if (a.tm_year != b.tm_year)
		format = "%Y-%m-%d";
	else if (a.tm_yday != b.tm_yday)
		format = "%b %e %H:%M";
	if (strftime(buf, SAY_MAX, format, &a) == 0)
		snprintf(buf, SAY_MAX, "?");
	return buf;
}
