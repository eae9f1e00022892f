/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rules file of any bytes; what can be read of it is a filter that may judge. */
#include "config/rules.h"
#include "match/filter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is no rule has been told, and whatever is one has a title and a time that can be. */
static void look(const struct rules *rules, const struct faults *f)
{
	if (rules->regexes.n == 0 && f->n == 0)
		abort();
	for (size_t i = 0; i < rules->regexes.n; i++) {
		const struct rule_head *h = rules->heads[i];

		if (strlen(h->title) > 100 || h->bantime_sec < 0 ||
			strstr(rules->regexes.items[i].text, RULES_ADDRESS) == NULL ||
			rules->regexes.items[i].where.line == 0)
			abort();
	}
}

static void judge(const struct rules *rules)
{
	static const char line[] = " host sshd[1]: Failed password for root from 192.0.2.1 port 5";
	struct filter_def def = {
		.name = "fuzz",
		.prefregex = {"^\\s*\\S+ +<F-CONTENT>.+</F-CONTENT>$", {0}},
		.failregex = rules->regexes.items,
		.n_failregex = rules->regexes.n < 8 ? rules->regexes.n : 8,
		.heads = rules->heads,
		.usedns = {"no", {0}},
	};
	struct faults f = {0};
	struct filter *filter = NULL;
	struct match m;

	if (filter_new(&filter, &def, &f) == 0 &&
		filter_judge(filter, NULL, line, sizeof(line) - 1, 0, &m) == VERDICT_MATCH &&
		m.regex >= def.n_failregex)
		abort();
	filter_free(filter);
	faults_done(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *keep = arena_new();
	struct faults f = {0};
	struct rules rules;
	struct reader r;

	if (keep == NULL || reader_init(&r, keep, "/", &f) < 0)
		abort();
	rules_parse(&r, "rules", (const char *)data, size, &rules);
	look(&rules, &f);
	judge(&rules);
	reader_done(&r);
	arena_free(keep);
	faults_done(&f);
	return 0;
}
