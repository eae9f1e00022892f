/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/filter.h"
#include "match/window.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FROM "from <ADDR> port \\d{1,5}"

static struct filter *make(
	const char *pref, struct conf_text *fail, size_t n_fail, unsigned maxlines)
{
	struct filter_def def = {
		.name = "fuzz",
		.prefregex = {pref, {0}},
		.failregex = fail,
		.n_failregex = n_fail,
		.maxlines = maxlines,
	};
	struct faults f = {0};
	struct filter *fl = NULL;

	if (filter_new(&fl, &def, &f) == 0 && f.n_errors > 0)
		abort();
	if (fl == NULL && f.n_errors == 0)
		abort();
	for (size_t i = 0; i < f.n; i++)
		free(fault_text(&f.items[i]));
	faults_done(&f);
	return fl;
}

/* Expressions of the kinds that filters have. */
static struct filter *built_in(void)
{
	static struct conf_text fail[] = {
		{"^Failed (?:password|publickey) for (?:invalid user )?<F-USER>.*</F-USER> " FROM
		 "(?: ssh\\d)?$",
			{0}},
		{"^Accepted <F-NOFAIL>\\S+</F-NOFAIL> for <F-USER>\\S+</F-USER> " FROM "\\b", {0}},
		{"^Connection (?!.{482})closed by (?:invalid ?user <F-USER>.*</F-USER> )?<HOST>$",
			{0}},
		{"<F-ALT_USER_1>\\w+</F-ALT_USER_1>@<SUBNET>|<F-ID/>=<DNS>$", {0}},
	};

	return make("^\\s*(?:\\S+ )?sshd(?:\\[<F-MLFID>\\d+</F-MLFID>\\])?: (?:message repeated "
		    "<F-COUNT>\\d+</F-COUNT> times: \\[ <F-CONTENT>.+</F-CONTENT>\\]|"
		    "<F-CONTENT>.+</F-CONTENT>)$",
		fail, sizeof(fail) / sizeof(fail[0]), 1);
}

/* One that looks over several lines. */
static struct filter *built_window(void)
{
	static struct conf_text fail[] = {
		{"^(?P<id>\\w+) from <HOST>$<SKIPLINES>^(?P=id) refused$", {0}},
		{"^x<SKIPLINES>y<SKIPLINES><F-MLFID>\\w*</F-MLFID> <HOST>", {0}},
	};

	return make(NULL, fail, sizeof(fail) / sizeof(fail[0]), 5);
}

extern volatile unsigned fuzz_touched;
volatile unsigned fuzz_touched;

/* Reads all of it, so that what is not there is noticed. */
static void touch(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fuzz_touched += (unsigned char)p[i];
}

static void judge(struct filter *fl, struct window *w, const char *text, size_t len)
{
	struct match m;
	enum verdict v = filter_judge(fl, w, text, len, 0, &m);

	if (v < VERDICT_NOFAIL)
		return;
	if (m.count < 1 || m.count > 1000 || m.n_fields > MATCH_FIELDS_MAX)
		abort();
	if (m.host == NULL && (v == VERDICT_MATCH || m.has_addr))
		abort();
	touch(m.host, m.host_len);
	for (size_t i = 0; i < m.n_fields; i++)
		touch(m.fields[i].value, m.fields[i].len);
	for (size_t i = 0; i < m.n_users; i++)
		touch(m.users[i].value, m.users[i].len);
}

/* Lines for the built-in filter; after a "/" at the start the first line is a failregex for the
 * rest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct filter *built, *over_lines;
	static struct window *window;
	struct filter *fl = NULL;
	const char *p = (const char *)data, *end = p + size;
	char *own = NULL;

	if (built == NULL) {
		built = built_in();
		over_lines = built_window();
		window = window_new(filter_maxlines(over_lines));
	}
	if (size > 0 && *p == '/') {
		const char *q = memchr(p, '\n', size);
		struct conf_text fail = {0};

		q = q != NULL ? q : end;
		fail.text = own = strndup(p + 1, (size_t)(q - p - 1));
		fl = make(NULL, &fail, 1, 1);
		p = q < end ? q + 1 : end;
	}
	while (p < end && (own == NULL || fl != NULL)) {
		const char *q = memchr(p, '\n', (size_t)(end - p));

		q = q != NULL ? q : end;
		judge(fl != NULL ? fl : built, NULL, p, (size_t)(q - p));
		judge(over_lines, window, p, (size_t)(q - p));
		p = q < end ? q + 1 : end;
	}
	filter_free(fl);
	free(own);
	return 0;
}
