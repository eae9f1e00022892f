/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What the command line says, as keys of the configuration that are read after all files: so each
 * option works as its key does, and there is one way of working. Texts are borrowed, and stay
 * through reloads.
 */

enum overlay_file {
	OVERLAY_MAIN, /* stockade.conf */
	OVERLAY_JAIL, /* jail.conf */
};

/* The configuration's directory. */
enum overlay_dir {
	OVERLAY_DIR_NEEDED,
	OVERLAY_DIR_OPTIONAL, /* without it the command line says it all */
	OVERLAY_DIR_NONE,     /* it is not looked at */
};

struct overlay_key {
	enum overlay_file file;
	const char *section, *key, *value;
	bool is_default; /* only where no file says anything */
};

#define OVERLAY_KEYS_MAX 32

struct overlay {
	enum overlay_dir dir;
	struct overlay_key keys[OVERLAY_KEYS_MAX];
	size_t n;
};

/*
 * What is said twice is as it was said last. More keys than there is room for are a mistake of the
 * caller's.
 */
void overlay_set(struct overlay *o, enum overlay_file file, const char *section, const char *key,
	const char *value);

/* The same for where no file has the key. */
void overlay_set_default(struct overlay *o, enum overlay_file file, const char *section,
	const char *key, const char *value);

/*
 * What makes a jail of a rules file (an absolute path): of what comes by syslog, to a listener of
 * our own if there is no other. It is made whether or not there is a directory.
 */
void overlay_set_rules(struct overlay *o, const char *jail, const char *path);

/* What the configuration is called: the directory, or, without one, the rules file that stands for
 * it.
 */
const char *overlay_shown(const struct overlay *o, const char *dir);

struct reader;
struct doc;

/* Puts what is meant for that file over what was read. */
void overlay_apply(
	const struct overlay *o, enum overlay_file file, struct reader *r, struct doc *d);
