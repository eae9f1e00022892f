/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/lookup.h"

#include "base/util.h"

#include <ctype.h>

bool frame_is_active(const struct entry *e, const struct frame *f)
{
	for (; f != NULL; f = f->up)
		if (f->entry == e)
			return true;
	return false;
}

const struct entry *frame_idle(const struct entry *e, const struct frame *f)
{
	while (e != NULL && frame_is_active(e, f))
		e = e->prev;
	return e;
}

const char *lookup_key(struct arena *arena, const char *key)
{
	char *low = arena_strdup(arena, key);

	for (char *p = low; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return low;
}

const struct entry *lookup_in(const struct doc *d, const struct section *s, const char *key)
{
	const struct entry *e = section_entry(s, key);

	return e != NULL ? e : section_entry(doc_section(d, "DEFAULT"), key);
}

bool lookup_is_own(const struct scope *filter, const char *key)
{
	return section_entry(filter->opts, key) != NULL ||
	       section_entry(doc_section(filter->doc, "Init"), key) != NULL ||
	       section_entry(doc_section(filter->doc, "Definition"), key) != NULL;
}

const char *lookup_hint(
	struct reader *r, const struct doc *d, const struct section *s, const char *key)
{
	const struct section *all[] = {
		s, doc_section(d, "Init"), doc_section(d, "Definition"), doc_section(d, "DEFAULT")};
	const char *hint = "";

	for (size_t i = 0; i < ARRAY_SIZE(all) && hint[0] == '\0'; i++) {
		const char **names;

		/* Thousands of names are no help and cost time. */
		if (all[i] == NULL || all[i]->entries.n == 0 || all[i]->entries.n > 1000)
			continue;
		names = arena_array(r->scratch, all[i]->entries.n, sizeof(*names));
		for (size_t k = 0; k < all[i]->entries.n; k++)
			names[k] = all[i]->entries.items[k]->name;
		hint = reader_hint(r, key, names, all[i]->entries.n);
	}
	return hint;
}
