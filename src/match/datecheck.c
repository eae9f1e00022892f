/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/datecheck.h"

#include "base/text.h"
#include "base/util.h"

#include <string.h>
#include <strings.h>

#define SHOWN_MAX 200
#define WORD_MAX 16

/* Formats of strftime that a date pattern has not, and what says the same. */
static const struct {
	char format;
	const char *instead;
} others[] = {
	{'T', "%H:%M:%S"},
	{'R', "%H:%M"},
	{'r', "%I:%M:%S %p"},
	{'F', "%Y-%m-%d"},
	{'D', "%m/%d/%y"},
	{'e', "%d"},
	{'h', "%b"},
	{'s', "{EPOCH}"},
	{'N', "%f"},
	{'L', "%f"},
	{'P', "%p"},
	{'E', "%ExY, %Exm, %Exd, %ExH, %ExM, %ExS"},
	{'t', "\\t"},
};

static const char *instead_of(const char *format)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].format == format[1])
			return others[i].instead;
	return "%Y, %m, %d, %H, %M, %S, %b, %z or the like";
}

void datecheck_format(const char *pattern, size_t at, struct where where, struct faults *f)
{
	size_t len = strncmp(pattern + at, "%Ex", 3) == 0 ? 4 : 2;
	char bad[24], whole[SHOWN_MAX];

	text_escape(bad, sizeof(bad), pattern + at, strnlen(pattern + at, len));
	text_escape(whole, sizeof(whole), pattern, strlen(pattern));
	fault_add(f, FAULT_ERROR, where,
		"datepattern '%s': '%s' is no format: write %s, or '%%%%' for the sign itself; a "
		"configuration file needs each '%%' twice",
		whole, bad, instead_of(pattern + at));
}

/* The length of "{WORD}" at s, 0 if there is none: what braces after a group mean has digits. */
static size_t word_at(const char *s)
{
	size_t n = 1;

	while (n < WORD_MAX &&
		((s[n] >= 'A' && s[n] <= 'Z') || s[n] == '^' || s[n] == '-' || s[n] == '_'))
		n++;
	return n > 2 && s[n] == '}' ? n + 1 : 0;
}

static bool is_any(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

void datecheck_words(const char *pattern, struct where where, struct faults *f)
{
	static const char *const anywhere[] = {"{DATE}", "{EPOCH}", "{LEPOCH}"};
	static const char *const in_front[] = {"{^LN-BEG}", "{UNB}"};
	static const char *const alone[] = {"{NONE}", "{DEFAULT}"};
	static const char *const all[] = {
		"{DATE}", "{EPOCH}", "{LEPOCH}", "{^LN-BEG}", "{UNB}", "{NONE}", "{DEFAULT}"};

	for (const char *p = strchr(pattern, '{'); p != NULL; p = strchr(p + 1, '{')) {
		size_t n = word_at(p);
		char word[WORD_MAX + 2];
		const char *near, *why;

		if (n == 0 || (p > pattern && p[-1] == '\\'))
			continue;
		memcpy(word, p, n);
		word[n] = '\0';
		near = text_nearest(word, all, ARRAY_SIZE(all));
		if (is_any(word, anywhere, ARRAY_SIZE(anywhere)))
			continue;
		if (is_any(word, in_front, ARRAY_SIZE(in_front)))
			why = p > pattern ? "means something in front of a pattern only" : NULL;
		else if (is_any(word, alone, ARRAY_SIZE(alone)))
			why = strlen(pattern) > n ? "means something on a line of its own only"
						  : NULL;
		else
			why = "means nothing";
		if (why == NULL)
			continue;
		fault_add(f, FAULT_WARNING, where,
			"datepattern: '%s' %s, here it is just text%s%s%s", word, why,
			near != NULL && strcmp(near, word) != 0 ? "; did you mean '" : "",
			near != NULL && strcmp(near, word) != 0 ? near : "",
			near != NULL && strcmp(near, word) != 0 ? "'?" : "");
	}
}

void datecheck_fields(
	const struct date_template *t, const char *pattern, struct where where, struct faults *f)
{
	char whole[SHOWN_MAX];

	/* Who writes "()" cuts nothing out, and means it. */
	if (t->kind != DATE_CIVIL || t->n_fields > 0 || strstr(t->regex, "()") != NULL)
		return;
	text_escape(whole, sizeof(whole), pattern, strlen(pattern));
	fault_add(f, FAULT_WARNING, where,
		"datepattern '%s' has no part of a date in it, so that lines that match it are "
		"dated today, 0:00: write formats (%%%%Y-%%%%m-%%%%d %%%%H:%%%%M:%%%%S), {DATE}, "
		"EPOCH or TAI64N",
		whole);
}
