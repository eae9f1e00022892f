/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/priority.h"

#include "base/util.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

struct name {
	const char *text;
	int value;
};

/* The first name of each number is the one that is shown. */
static const struct name facilities[] = {{"kern", 0}, {"user", 1}, {"mail", 2}, {"daemon", 3},
	{"auth", 4}, {"syslog", 5}, {"lpr", 6}, {"news", 7}, {"uucp", 8}, {"cron", 9},
	{"authpriv", 10}, {"ftp", 11}, {"ntp", 12}, {"audit", 13}, {"alert", 14}, {"clock", 15},
	{"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19}, {"local4", 20},
	{"local5", 21}, {"local6", 22}, {"local7", 23}, {"security", 4}};

static const struct name severities[] = {{"emerg", 0}, {"alert", 1}, {"crit", 2}, {"err", 3},
	{"warning", 4}, {"notice", 5}, {"info", 6}, {"debug", 7}, {"panic", 0}, {"error", 3},
	{"warn", 4}};

static int by_number(const char *s, size_t len, int end)
{
	int n = 0;

	if (len == 0 || len > 2)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		n = n * 10 + s[i] - '0';
	}
	return n < end ? n : -EINVAL;
}

static int by_name(const struct name *names, size_t n, const char *s, size_t len, int end)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i].text) == len && strncasecmp(names[i].text, s, len) == 0)
			return names[i].value;
	return by_number(s, len, end);
}

int priority_facility(const char *s, size_t len)
{
	return by_name(facilities, ARRAY_SIZE(facilities), s, len, PRIORITY_FACILITIES);
}

int priority_severity(const char *s, size_t len)
{
	return by_name(severities, ARRAY_SIZE(severities), s, len, PRIORITY_SEVERITIES);
}

const char *priority_facility_name(int facility)
{
	return facility >= 0 && facility < PRIORITY_FACILITIES ? facilities[facility].text : NULL;
}
