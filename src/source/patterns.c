/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/patterns.h"

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

int patterns_init(struct patterns *p, const struct ruleset *rs)
{
	*p = (struct patterns) {0};
	for (size_t i = 0; i < rs->n_jails; i++) {
		const struct jail *j = &rs->jails[i];

		if ((j->sources & SOURCE_FILE) == 0)
			continue;
		for (size_t k = 0; k < j->n_logpaths; k++) {
			struct pattern *pat = find_or_add(p, j->logpaths[k].pattern);

			if (pat == NULL || add_jail(pat, j->id, j->logpaths[k].tail) < 0) {
				patterns_done(p);
				return -ENOMEM;
			}
		}
	}
	p->texts = calloc(p->n + 1, sizeof(*p->texts));
	if (p->texts == NULL) {
		patterns_done(p);
		return -ENOMEM;
	}
	for (size_t i = 0; i < p->n; i++)
		p->texts[i] = p->items[i].text;
	return 0;
}

void patterns_done(struct patterns *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->items[i].jails);
	free(p->items);
	free(p->texts);
	*p = (struct patterns) {0};
}
