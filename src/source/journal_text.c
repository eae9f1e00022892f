/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const field_names[JOURNAL_FIELDS] = {
	[JOURNAL_HOST] = "_HOSTNAME=",
	[JOURNAL_IDENT] = "SYSLOG_IDENTIFIER=",
	[JOURNAL_COMM] = "_COMM=",
	[JOURNAL_SYSLOG_PID] = "SYSLOG_PID=",
	[JOURNAL_PID] = "_PID=",
	[JOURNAL_TIME] = "_SOURCE_REALTIME_TIMESTAMP=",
	[JOURNAL_MONOTONIC] = "_SOURCE_MONOTONIC_TIMESTAMP=",
};

void journal_text_clear(struct journal_text *t)
{
	for (unsigned i = 0; i < JOURNAL_FIELDS; i++) {
		t->fields[i].len = 0;
		t->fields[i].text[0] = '\0';
	}
	t->message_len = 0;
}

static bool take_after(const char **data, size_t *len, const char *name)
{
	size_t n = strlen(name);

	if (*len < n || memcmp(*data, name, n) != 0)
		return false;
	*data += n;
	*len -= n;
	return true;
}

void journal_text_take(struct journal_text *t, const char *data, size_t len)
{
	if (take_after(&data, &len, "MESSAGE=")) {
		/* Of several all count. */
		if (t->message_len > 0 && t->message_len < JOURNAL_TEXT_MAX)
			t->message[t->message_len++] = ' ';
		if (len > JOURNAL_TEXT_MAX - t->message_len)
			len = JOURNAL_TEXT_MAX - t->message_len;
		memcpy(t->message + t->message_len, data, len);
		t->message_len += len;
		return;
	}
	for (unsigned i = 0; i < JOURNAL_FIELDS; i++) {
		if (!take_after(&data, &len, field_names[i]))
			continue;
		if (t->fields[i].len > 0)
			return;
		if (len > JOURNAL_FIELD_MAX)
			len = JOURNAL_FIELD_MAX;
		memcpy(t->fields[i].text, data, len);
		t->fields[i].text[len] = '\0';
		t->fields[i].len = len;
		return;
	}
}

int64_t journal_text_number(const struct journal_text *t, enum journal_field field)
{
	const char *text = t->fields[field].text;
	char *end;
	long long n;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	n = strtoll(text, &end, 10);
	return *end == '\0' && errno == 0 ? n : -1;
}

static void put(struct journal_text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len && t->len < sizeof(t->line); i++) {
		char c = s[i];

		if (c == '\n' && t->len < sizeof(t->line) - 1) {
			t->line[t->len++] = '\\';
			c = 'n';
		}
		t->line[t->len++] = c == '\n' ? ' ' : c;
	}
}

static void put_text(struct journal_text *t, const char *s)
{
	put(t, s, strlen(s));
}

static void put_field(struct journal_text *t, enum journal_field field)
{
	put(t, t->fields[field].text, t->fields[field].len);
}

static bool has(const struct journal_text *t, enum journal_field field)
{
	return t->fields[field].len > 0;
}

void journal_text_make(struct journal_text *t, int64_t monotonic_us)
{
	enum journal_field ident = has(t, JOURNAL_IDENT) ? JOURNAL_IDENT : JOURNAL_COMM;
	enum journal_field pid = has(t, JOURNAL_SYSLOG_PID) ? JOURNAL_SYSLOG_PID : JOURNAL_PID;
	int64_t own_us = journal_text_number(t, JOURNAL_MONOTONIC);
	char stamp[48];

	t->len = 0;
	if (has(t, JOURNAL_HOST)) {
		put_field(t, JOURNAL_HOST);
		put_text(t, " ");
	}
	if (has(t, ident)) {
		put_field(t, ident);
		if (has(t, pid)) {
			put_text(t, "[");
			put_field(t, pid);
			put_text(t, "]");
		}
		put_text(t, ": ");
		/* As dmesg and syslog have it, and filters of the kernel's lines expect it. */
		if (!has(t, pid) && strcmp(t->fields[ident].text, "kernel") == 0) {
			if (own_us < 0)
				own_us = monotonic_us;
			snprintf(stamp, sizeof(stamp), "[%5lld.%06lld] ",
				(long long)own_us / 1000000, (long long)own_us % 1000000);
			put_text(t, stamp);
		}
	}
	put(t, t->message, t->message_len);
}
