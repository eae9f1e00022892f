/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "config/ini.h"

enum keys_kind {
	KEYS_JAIL,
	KEYS_FILTER,
	KEYS_ACTION, /* only those that are almost known */
	KEYS_MAIN,
};

/*
 * Warns of keys that nothing reads: unknown by name, and no value of the file mentions them as
 * %(key)s or <key>.
 */
void keys_check(struct reader *r, const struct doc *d, enum keys_kind kind);

/* Does a value of the file mention the key, as %(key)s or <key>? */
bool keys_are_mentioned(const struct doc *d, const char *key);

/* The jail keys of fail2ban's own which a filter may refer to. */
extern const char *const keys_jail[];
extern const size_t keys_jail_n;

/* What a filter file defines. */
extern const char *const keys_filter[];
extern const size_t keys_filter_n;

/* What an action file defines. */
extern const char *const keys_action[];
extern const size_t keys_action_n;

/* The tags that a log line fills, not the configuration: those with a name of their own. */
extern const char *const keys_line_tags[];
extern const size_t keys_line_tags_n;

/* Is it one of these, or any field's, <F-NAME> or </F-NAME>? */
bool keys_is_line_tag(const char *name);

/* What stands in [Definition] of stockade.conf. */
extern const char *const keys_main[];
extern const size_t keys_main_n;

/* Its [syslog]. */
extern const char *const keys_syslog[];
extern const size_t keys_syslog_n;
