/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LINE_MAX_BYTES 2048

static const char *const level_names[] = {
	[LOG_LV_CRITICAL] = "CRITICAL",
	[LOG_LV_ERROR] = "ERROR",
	[LOG_LV_WARNING] = "WARNING",
	[LOG_LV_NOTICE] = "NOTICE",
	[LOG_LV_INFO] = "INFO",
	[LOG_LV_DEBUG] = "DEBUG",
};

static void to_stderr(void *arg, enum log_level level, const char *text, size_t len)
{
	(void)arg;
	(void)level;
	fprintf(stderr, "stockade: %.*s\n", (int)len, text);
}

static log_sink *current_sink = to_stderr;
static void *current_arg;
static enum log_level current_level = LOG_LV_INFO;

void log_set_sink(log_sink *sink, void *arg)
{
	current_sink = sink != NULL ? sink : to_stderr;
	current_arg = arg;
}

void log_set_level(enum log_level level)
{
	current_level = level;
}

enum log_level log_get_level(void)
{
	return current_level;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < ARRAY_SIZE(level_names) ? level_names[level] : NULL;
}

int log_level_parse(enum log_level *ret, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	if (strcasecmp(name, "HEAVYDEBUG") == 0 || strcasecmp(name, "TRACEDEBUG") == 0) {
		*ret = LOG_LV_DEBUG;
		return 0;
	}
	return -EINVAL;
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char raw[LINE_MAX_BYTES], safe[LINE_MAX_BYTES + LINE_MAX_BYTES / 2];
	va_list ap;
	size_t len;
	int n;

	if (level > current_level)
		return;
	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	len = (size_t)n < sizeof(raw) ? (size_t)n : sizeof(raw) - 1;
	len = text_escape(safe, sizeof(safe), raw, len);
	current_sink(current_arg, level, safe, len);
}

bool log_limit_pass(struct log_limit *l, unsigned *ret_held)
{
	int64_t now = clock_mono_us();

	if (l->window_start_us == 0 || now - l->window_start_us >= 60 * USEC_PER_SEC) {
		l->window_start_us = now;
		l->used = 0;
	}
	if (l->used >= l->burst) {
		l->held++;
		return false;
	}
	l->used++;
	*ret_held = l->held;
	l->held = 0;
	return true;
}
