/* SPDX-License-Identifier: GPL-2.0-or-later */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "match/meter.h"

#include "match/pattern.h"
#include "match/steps.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>

#define HEAP_LIMIT_KIB (64 * 1024)

struct meter {
	pcre2_code *code;
	pcre2_match_context *context;
	pcre2_match_data *data;
	struct steps steps; /* of the search under way */
};

static int compile(struct meter *m, const struct pattern *p, unsigned flags)
{
	uint32_t options = PCRE2_DUPNAMES | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_AUTO_CALLOUT;
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	PCRE2_SIZE at;
	int error;

	if (context == NULL)
		return -ENOMEM;
	if ((flags & PATTERN_MULTILINE) != 0)
		options |= PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX;
	pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	m->code = pcre2_compile(
		(PCRE2_SPTR)buf_text(&p->text), p->text.len, options, &error, &at, context);
	pcre2_compile_context_free(context);
	if (m->code == NULL)
		return -EINVAL;
	m->context = pcre2_match_context_create(NULL);
	m->data = pcre2_match_data_create(1, NULL);
	if (m->context == NULL || m->data == NULL)
		return -ENOMEM;
	pcre2_set_match_limit(m->context, UINT32_MAX);
	pcre2_set_depth_limit(m->context, UINT32_MAX);
	pcre2_set_heap_limit(m->context, HEAP_LIMIT_KIB);
	pcre2_set_callout(m->context, steps_count, &m->steps);
	return 0;
}

int meter_new(struct meter **ret, const char *source, unsigned flags)
{
	struct pattern_error error = {0};
	struct pattern p = {0};
	struct meter *m = calloc(1, sizeof(*m));
	int r = m != NULL ? pattern_expand(&p, source, flags, &error) : -ENOMEM;

	if (r == 0)
		r = compile(m, &p, flags);
	pattern_done(&p);
	if (r < 0) {
		meter_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void meter_free(struct meter *m)
{
	if (m == NULL)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->context);
	pcre2_code_free(m->code);
	free(m);
}

uint64_t meter_steps(struct meter *m, const char *text, size_t len, uint64_t most)
{
	int r;

	m->steps = (struct steps) {.most = most};
	r = pcre2_match(m->code, (PCRE2_SPTR)text, len, 0, 0, m->data, m->context);
	/* The other errors are limits of memory: more than anybody should need. */
	return r < PCRE2_ERROR_NOMATCH ? most : m->steps.taken;
}
