/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The program's own log. A line is made here; where it goes is the sink's business: keeper writes
 * to the log target, guard hands its lines to keeper, a command writes to standard error.
 */

/* fail2ban's names and order. */
enum log_level {
	LOG_LV_CRITICAL,
	LOG_LV_ERROR,
	LOG_LV_WARNING,
	LOG_LV_NOTICE,
	LOG_LV_INFO,
	LOG_LV_DEBUG,
};

/* Takes one whole text without newline; everything unprintable in it is already escaped. */
typedef void log_sink(void *arg, enum log_level level, const char *text, size_t len);

/* Where lines go from now on; NULL goes back to standard error. */
void log_set_sink(log_sink *sink, void *arg);

/* Lines above this level are not made. The start is LOG_LV_INFO. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "INFO" and so on; NULL for no level. */
const char *log_level_name(enum log_level level);

/* Reads a name in any case, or fail2ban's HEAVYDEBUG, TRACEDEBUG (both DEBUG). 0 or -EINVAL. */
int log_level_parse(enum log_level *ret, const char *name);

void log_at(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_critical(...) log_at(LOG_LV_CRITICAL, __VA_ARGS__)
#define log_error(...) log_at(LOG_LV_ERROR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_LV_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LOG_LV_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_LV_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LV_DEBUG, __VA_ARGS__)

/*
 * A limit on lines of one kind: at most burst at once and burst a minute, what is held back is
 * counted and told with the next line that passes. {.burst = N} is a full one.
 */
struct log_limit {
	unsigned burst;
	unsigned used;
	unsigned held;
	long long window_start_us; /* monotonic */
};

/* May a line be written now? If so *ret_held gets how many were held back before it. */
bool log_limit_pass(struct log_limit *l, unsigned *ret_held);
