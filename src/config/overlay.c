/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/overlay.h"

#include "config/ini.h"

#include <assert.h>
#include <string.h>
#include <unistd.h>

#define LISTEN "udp://127.0.0.1:5514"
#define LOOPBACK "127.0.0.0/8 ::1"

static void set(struct overlay *o, const struct overlay_key *key)
{
	size_t i = 0;

	while (i < o->n &&
		(o->keys[i].file != key->file || strcmp(o->keys[i].section, key->section) != 0 ||
			strcmp(o->keys[i].key, key->key) != 0))
		i++;
	assert(i < OVERLAY_KEYS_MAX);
	o->keys[i] = *key;
	if (i == o->n)
		o->n++;
}

void overlay_set(struct overlay *o, enum overlay_file file, const char *section, const char *key,
	const char *value)
{
	set(o, &(struct overlay_key) {
		       .file = file, .section = section, .key = key, .value = value});
}

void overlay_set_default(struct overlay *o, enum overlay_file file, const char *section,
	const char *key, const char *value)
{
	set(o, &(struct overlay_key) {.file = file,
		       .section = section,
		       .key = key,
		       .value = value,
		       .is_default = true});
}

void overlay_set_rules(struct overlay *o, const char *jail, const char *path)
{
	if (o->dir == OVERLAY_DIR_NEEDED)
		o->dir = OVERLAY_DIR_OPTIONAL;
	overlay_set(o, OVERLAY_JAIL, jail, "enabled", "true");
	overlay_set(o, OVERLAY_JAIL, jail, "rules", path);
	overlay_set(o, OVERLAY_JAIL, jail, "source", "syslog");
	overlay_set_default(o, OVERLAY_JAIL, "DEFAULT", "ignoreip", LOOPBACK);
	overlay_set_default(o, OVERLAY_MAIN, "syslog", "listen", LISTEN);
}

const char *overlay_shown(const struct overlay *o, const char *dir)
{
	if (o == NULL || o->dir == OVERLAY_DIR_NEEDED || access(dir, F_OK) == 0)
		return dir;
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->keys[i].key, "rules") == 0)
			return o->keys[i].value;
	return dir;
}

static bool says_something(const struct section *s, const char *key, struct arena *scratch)
{
	const struct entry *e = section_entry(s, key);

	return e != NULL && lines_join(&e->lines, scratch, " ")[0] != '\0';
}

void overlay_apply(const struct overlay *o, enum overlay_file file, struct reader *r, struct doc *d)
{
	const struct where where = {"the command line", 0};

	for (size_t i = 0; o != NULL && i < o->n; i++) {
		const struct overlay_key *k = &o->keys[i];
		struct section *s;

		if (k->file != file)
			continue;
		s = doc_add_section(d, r->scratch, k->section, where);
		if (!k->is_default || !says_something(s, k->key, r->scratch))
			section_set(s, r->scratch, k->key, k->value, where);
	}
}
