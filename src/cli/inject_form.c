/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject_form.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPE_LEN 4 /* "#012" */

static void head_3164(struct inject_form *f, const struct tm *tm)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char pid[24] = "";

	if (f->pid != 0)
		snprintf(pid, sizeof(pid), "[%ld]", f->pid);
	f->head_len = (size_t)snprintf(f->head, sizeof(f->head),
		"<%u>%.3s %2d %02d:%02d:%02d %s%s%s%s: ", f->pri, months + tm->tm_mon * 3,
		tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec, f->host != NULL ? f->host : "",
		f->host != NULL ? " " : "", f->tag, pid);
}

static void head_5424(struct inject_form *f, const struct tm *tm, long nsec)
{
	long off_min = tm->tm_gmtoff / 60;
	char pid[24] = "-";

	if (f->pid != 0)
		snprintf(pid, sizeof(pid), "%ld", f->pid);
	f->head_len = (size_t)snprintf(f->head, sizeof(f->head),
		"<%u>1 %04d-%02d-%02dT%02d:%02d:%02d.%06ld%c%02ld:%02ld %s %s %s %s - ", f->pri,
		tm->tm_year + 1900, tm->tm_mon + 1, tm->tm_mday, tm->tm_hour, tm->tm_min,
		tm->tm_sec, nsec / 1000, off_min < 0 ? '-' : '+', labs(off_min) / 60,
		labs(off_min) % 60, f->host != NULL ? f->host : "-", f->tag, pid,
		f->msgid != NULL ? f->msgid : "-");
}

void inject_form_at(struct inject_form *f, const struct timespec *now)
{
	struct tm tm;

	if (f->head_len > 0 && f->made_at.tv_sec == now->tv_sec &&
		(!f->rfc5424 || f->made_at.tv_nsec == now->tv_nsec))
		return;
	f->made_at = *now;
	if (localtime_r(&now->tv_sec, &tm) == NULL)
		gmtime_r(&(time_t) {0}, &tm);
	if (f->rfc5424)
		head_5424(f, &tm, now->tv_nsec);
	else
		head_3164(f, &tm);
	if (f->head_len >= sizeof(f->head))
		f->head_len = sizeof(f->head) - 1;
}

size_t inject_form_room(const struct inject_form *f, size_t len)
{
	size_t most = f->size;

	if (len < (most - f->head_len) / ESCAPE_LEN)
		most = f->head_len + len * ESCAPE_LEN;
	return most + INJECT_FRAME_MAX;
}

static bool is_control(unsigned char c)
{
	return (c < ' ' && c != '\t') || c == 0x7f;
}

/* Without a branch in the loop, so that it takes many bytes at a time. */
static bool has_control(const char *s, size_t len)
{
	unsigned found = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		found |= (unsigned)(c < ' ') & (unsigned)(c != '\t');
		found |= c == 0x7f;
	}
	return found != 0;
}

/* How many of the last n bytes of a text that is cut there begin a character of UTF-8. */
static size_t torn(const char *text, size_t n)
{
	for (size_t back = 1; back <= 3 && back <= n; back++) {
		unsigned char c = (unsigned char)text[n - back];

		if (c >= 0xc0)
			return (c >= 0xf0 ? 4U : c >= 0xe0 ? 3U : 2U) > back ? back : 0;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

static size_t escaped(char *dst, size_t room, const char *s, size_t len, bool *ret_cut)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		size_t wants = is_control(c) ? ESCAPE_LEN : 1;

		if (room - n < wants) {
			*ret_cut = true;
			return n - torn(dst, n);
		}
		if (wants == 1) {
			dst[n++] = s[i];
			continue;
		}
		dst[n++] = '#';
		dst[n++] = (char)('0' + (c >> 6));
		dst[n++] = (char)('0' + (c >> 3 & 7));
		dst[n++] = (char)('0' + (c & 7));
	}
	return n;
}

static size_t put_text(char *dst, size_t room, const char *s, size_t len, bool *ret_cut)
{
	if (has_control(s, len))
		return escaped(dst, room, s, len, ret_cut);
	if (len > room) {
		len = room - torn(s, room);
		*ret_cut = true;
	}
	memcpy(dst, s, len);
	return len;
}

/* "123 " */
static size_t put_count(char dst[static INJECT_FRAME_MAX], size_t n)
{
	size_t digits = 1, at;

	for (size_t rest = n; rest >= 10; rest /= 10)
		digits++;
	dst[digits] = ' ';
	for (at = digits; at > 0; n /= 10)
		dst[--at] = (char)('0' + n % 10);
	return digits + 1;
}

size_t inject_form_put(
	const struct inject_form *f, char *dst, const char *line, size_t len, bool *ret_cut)
{
	char *body = dst + (f->framing == INJECT_COUNTED ? INJECT_FRAME_MAX : 0);
	size_t n, digits;

	memcpy(body, f->head, f->head_len);
	n = f->head_len + put_text(body + f->head_len, f->size - f->head_len, line, len, ret_cut);
	switch (f->framing) {
	case INJECT_NO_FRAME:
		return n;
	case INJECT_NEWLINE:
		body[n] = '\n';
		return n + 1;
	case INJECT_COUNTED:
		break;
	}
	digits = put_count(dst, n);
	memmove(dst + digits, body, n);
	return n + digits;
}
