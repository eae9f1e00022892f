/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/plan.h"

#include "base/util.h"

#include <errno.h>

int plan_load(struct plan **ret, const char *confdir, struct faults *f)
{
	struct plan *p = calloc(1, sizeof(*p));
	size_t errors_before = f->n_errors;
	int r = -ENOMEM;

	if (p == NULL)
		return -ENOMEM;
	r = ruleset_load(&p->rs, confdir, f);
	if (r < 0)
		goto fail;
	p->filters = calloc(p->rs->n_jails + 1, sizeof(struct filter *));
	r = p->filters == NULL ? -ENOMEM : patterns_init(&p->patterns, p->rs, f);
	if (r < 0 && r != -EINVAL)
		goto fail;
	/* All faults are told in one go. */
	for (size_t i = 0; i < p->rs->n_jails; i++)
		filter_new(&p->filters[i], p->rs->jails[i].filter, f);
	if (f->n_errors > errors_before) {
		r = -EINVAL;
		goto fail;
	}
	*ret = p;
	return 0;

fail:
	plan_free(p);
	return r;
}

void plan_free(struct plan *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; p->filters != NULL && i < p->rs->n_jails; i++)
		filter_free(p->filters[i]);
	free(p->filters);
	patterns_done(&p->patterns);
	ruleset_free(p->rs);
	free(p);
}
