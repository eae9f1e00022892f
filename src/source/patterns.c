/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/patterns.h"

#include "base/text.h"
#include "source/container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct pattern *find_or_add(struct patterns *p, const char *text)
{
	struct pattern *items;

	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->items[i].text, text) == 0)
			return &p->items[i];
	items = reallocarray(p->items, p->n + 1, sizeof(*items));
	if (items == NULL)
		return NULL;
	p->items = items;
	items[p->n] = (struct pattern) {.text = text};
	return &items[p->n++];
}

static int add_jail(struct pattern *pat, unsigned jail, bool tail)
{
	uint16_t *jails;

	pat->tail |= tail;
	if (pat->n_jails > 0 && pat->jails[pat->n_jails - 1] == jail)
		return 0; /* it names the path twice */
	jails = reallocarray(pat->jails, pat->n_jails + 1, sizeof(*jails));
	if (jails == NULL)
		return -ENOMEM;
	pat->jails = jails;
	jails[pat->n_jails++] = (uint16_t)jail;
	return 0;
}

/* The jail's logencoding, opened once for all that name it. -EINVAL: it is none, told once. */
static int open_encoding(
	struct patterns *p, const struct jail *j, struct faults *f, const struct charset **ret)
{
	const char *name = j->logencoding.text;
	struct encoding *e;
	char shown[160];
	int r;

	*ret = NULL;
	if (name == NULL)
		return 0;
	for (size_t i = 0; i < p->n_encodings; i++) {
		if (strcmp(p->encodings[i].name, name) == 0) {
			*ret = p->encodings[i].charset;
			return 0;
		}
	}
	e = reallocarray(p->encodings, p->n_encodings + 1, sizeof(*e));
	if (e == NULL)
		return -ENOMEM;
	p->encodings = e;
	e += p->n_encodings;
	*e = (struct encoding) {.name = name};
	r = charset_open(&e->charset, name);
	if (r == -ENOMEM)
		return r;
	p->n_encodings++;
	*ret = e->charset;
	text_escape(shown, sizeof(shown), name, strlen(name));
	if (r == -EINVAL)
		fault_add(f, FAULT_ERROR, j->logencoding.where,
			"logencoding '%s' is unknown: write 'auto', or a name such as 'utf-8', "
			"'latin1', 'utf-16le' ('iconv -l' lists them)",
			shown);
	else if (r < 0)
		fault_add(f, FAULT_ERROR, j->logencoding.where,
			"logencoding '%s' does not write letters and line ends as ASCII does, so "
			"that lines cannot be told apart: have the log written in another",
			shown);
	return 0;
}

/* A file is read once, so it has one encoding. */
static void name_charset(
	struct pattern *pat, const struct jail *j, const struct charset *charset, struct faults *f)
{
	if (j->logencoding.text == NULL)
		return;
	if (pat->charset_jail == NULL) {
		pat->charset = charset;
		pat->charset_jail = j->name;
	} else if (!charset_same(pat->charset, charset)) {
		fault_add(f, FAULT_WARNING, j->logencoding.where,
			"jail '%s' reads '%s' in another encoding than jail '%s', whose "
			"logencoding holds for both: write the same in both",
			j->name, pat->text, pat->charset_jail);
	}
}

static int add_paths(struct patterns *p, const struct jail *j, struct faults *f)
{
	const struct charset *charset;
	int r = open_encoding(p, j, f, &charset);

	if (r < 0 || (j->sources & SOURCE_FILE) == 0)
		return r;
	for (size_t k = 0; k < j->n_logpaths; k++) {
		struct pattern *pat = find_or_add(p, j->logpaths[k].pattern);

		if (pat == NULL)
			return -ENOMEM;
		r = add_jail(pat, j->id, j->logpaths[k].tail);
		if (r < 0)
			return r;
		name_charset(pat, j, charset, f);
		pat->as_is |= container_is_meant(j->filter);
	}
	return 0;
}

int patterns_init(struct patterns *p, const struct ruleset *rs, struct faults *f)
{
	size_t errors = f->n_errors;
	int r = 0;

	*p = (struct patterns) {0};
	for (size_t i = 0; i < rs->n_jails && r == 0; i++)
		r = add_paths(p, &rs->jails[i], f);
	if (r == 0) {
		p->texts = calloc(p->n + 1, sizeof(*p->texts));
		r = p->texts == NULL ? -ENOMEM : 0;
	}
	if (r == 0 && f->n_errors > errors)
		r = -EINVAL;
	if (r < 0) {
		patterns_done(p);
		return r;
	}
	for (size_t i = 0; i < p->n; i++)
		p->texts[i] = p->items[i].text;
	return 0;
}

void patterns_done(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->items[i].jails);
	for (size_t i = 0; i < p->n_encodings; i++)
		charset_close(p->encodings[i].charset);
	free(p->encodings);
	free(p->items);
	free(p->texts);
	*p = (struct patterns) {0};
}
