/* SPDX-License-Identifier: GPL-2.0-or-later */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "match/regex.h"

#include "base/text.h"
#include "base/utf8.h"
#include "match/barred.h"
#include "match/pattern.h"
#include "match/steps.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/*
 * A line must not buy more time than it is worth: the limits let through what takes some
 * milliseconds, and no filter in its right mind comes near them.
 */
#define MATCH_LIMIT 200000
#define DEPTH_LIMIT 20000
#define HEAP_LIMIT_KIB 16384
#define JIT_STACK_START (32 * 1024)
#define JIT_STACK_MAX (1024 * 1024)
/*
 * Compiled code counts but some of its steps: a "\s*" that goes back on itself is none, and time
 * grows with the square of the text. So texts longer than this are searched by programs that
 * report each step (slower, even so compiled), and all that search a line may take so many.
 */
#define LONG_TEXT 2048
#define STEPS_MAX 10000000
#define LITERAL_MAX 64
#define MESSAGE_MAX 160
#define EXCERPT 24 /* bytes shown on each side of a fault */

struct regex_engine {
	struct filter_stats *stats;
	pcre2_match_context *match;
	pcre2_match_context *measured; /* for long texts */
	pcre2_match_data *data;        /* large enough for any regex of the engine */
	const PCRE2_SIZE *pairs;       /* in it */
	uint32_t n_pairs;
	pcre2_jit_stack *stack;
	bool is_utf8;       /* the text searched has more than ASCII in it */
	struct steps steps; /* in the present long text, so far */
};

/* An expression as compiled. */
struct program {
	pcre2_code *code; /* NULL: none */
	bool is_jit;
};

struct regex {
	struct program bytes; /* not there if it can only be said in characters */
	/* The same without one of its ways, for texts that do not have `bar` in them (barred.h). */
	struct program without;
	char bar;
	struct program utf8; /* only with PATTERN_UTF8 */
	/* The same for long texts, with callouts; not there if it is too large with them. */
	struct program measured;
	/* The bytes any match begins with, at the text's start: the cheap test comes first. */
	char literal[LITERAL_MAX];
	size_t literal_len;
	struct regex_group *groups;
	size_t n_groups;
};

struct regex_engine *regex_engine_new(struct filter_stats *stats)
{
	struct regex_engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->stats = stats;
	e->steps.most = STEPS_MAX;
	e->match = pcre2_match_context_create(NULL);
	e->measured = pcre2_match_context_create(NULL);
	if (e->match == NULL || e->measured == NULL) {
		regex_engine_free(e);
		return NULL;
	}
	/* Without a stack of its own the compiled code has 32 KiB; worse, but it runs. */
	e->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_MAX, NULL);
	pcre2_set_match_limit(e->match, MATCH_LIMIT);
	pcre2_set_depth_limit(e->match, DEPTH_LIMIT);
	pcre2_set_heap_limit(e->match, HEAP_LIMIT_KIB);
	pcre2_set_match_limit(e->measured, UINT32_MAX);
	pcre2_set_depth_limit(e->measured, UINT32_MAX);
	pcre2_set_heap_limit(e->measured, HEAP_LIMIT_KIB);
	pcre2_set_callout(e->measured, steps_count, &e->steps);
	pcre2_jit_stack_assign(e->measured, NULL, e->stack);
	pcre2_jit_stack_assign(e->match, NULL, e->stack);
	return e;
}

void regex_engine_free(struct regex_engine *e)
{
	if (e == NULL)
		return;
	pcre2_match_data_free(e->data);
	pcre2_jit_stack_free(e->stack);
	pcre2_match_context_free(e->match);
	pcre2_match_context_free(e->measured);
	free(e);
}

static void complain(struct faults *f, const char *what, const struct conf_text *source, size_t at,
	const char *message)
{
	size_t len = strlen(source->text);
	size_t start = at > EXCERPT ? at - EXCERPT : 0;
	size_t stop = len - at > EXCERPT ? at + EXCERPT : len;
	char before[4 * EXCERPT + 4], after[4 * EXCERPT + 4];

	text_escape(before, sizeof(before), source->text + start, at - start);
	text_escape(after, sizeof(after), source->text + at, stop - at);
	fault_add(f, FAULT_ERROR, source->where, "%s: %s at column %zu, after \"%s%s\"%s%s%s%s",
		what, message, at + 1, start > 0 ? "..." : "", before,
		*after != '\0' ? ", before \"" : "", after, stop < len ? "..." : "",
		*after != '\0' ? "\"" : "");
}

/* Is there a "|" outside of all groups? */
static bool has_alternatives(const char *s)
{
	int depth = 0;

	for (; *s != '\0'; s++) {
		if (*s == '\\' && s[1] != '\0') {
			s++;
		} else if (*s == '[') {
			/* "]" right at the start of a class is a byte of it. */
			s += s[1] == '^' ? 2 : 1;
			s += *s == ']' ? 1 : 0;
			for (; *s != '\0' && *s != ']'; s++)
				s += *s == '\\' && s[1] != '\0' ? 1 : 0;
			if (*s == '\0')
				return true;
		} else if (*s == '(') {
			depth++;
		} else if (*s == ')') {
			depth--;
		} else if (*s == '|' && depth == 0) {
			return true;
		}
	}
	return false;
}

/* Comments, quoting and free spacing would take more than the scans here understand. */
static bool is_plain_syntax(const char *s)
{
	if (strstr(s, "(?#") != NULL || strstr(s, "\\Q") != NULL)
		return false;
	for (s = strstr(s, "(?"); s != NULL; s = strstr(s, "(?")) {
		s += 2;
		if (memchr(s, 'x', strspn(s, "imsx-^")) != NULL)
			return false;
	}
	return true;
}

/* The plain bytes after a leading "^". */
static void find_literal(struct regex *r, const char *s)
{
	if (*s != '^' || !is_plain_syntax(s) || has_alternatives(s))
		return;
	for (s++; *s != '\0' && r->literal_len < LITERAL_MAX; s++) {
		if (*s == '\\' && s[1] != '\0' && strchr("[](){}.*+?|^$\\/-:\" ", s[1]) != NULL)
			s++;
		else if (strchr("[](){}.*+?|^$\\", *s) != NULL)
			break;
		r->literal[r->literal_len++] = *s;
	}
	/* A quantifier takes its byte back. */
	if (*s != '\0' && strchr("*+?{", *s) != NULL && r->literal_len > 0)
		r->literal_len--;
}

/* Both programs have the same groups. */
static const pcre2_code *any_code(const struct regex *r)
{
	return r->bytes.code != NULL ? r->bytes.code : r->utf8.code;
}

static void read_groups(struct regex *r, struct arena *arena)
{
	const pcre2_code *code = any_code(r);
	uint32_t n = 0, size = 0;
	PCRE2_SPTR entry = NULL;

	pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &n);
	pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &entry);
	r->groups = arena_array(arena, n, sizeof(*r->groups));
	for (uint32_t i = 0; i < n; i++, entry += size) {
		unsigned number = (unsigned)entry[0] << 8 | entry[1];
		size_t at = r->n_groups++;

		for (; at > 0 && r->groups[at - 1].number > number; at--)
			r->groups[at] = r->groups[at - 1];
		r->groups[at].number = number;
		r->groups[at].name = arena_strdup(arena, (const char *)(entry + 2));
	}
}

int regex_engine_fit(struct regex_engine *e, const struct regex *r)
{
	const pcre2_code *code = any_code(r);
	uint32_t n = 0;

	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &n);
	if (e->data != NULL && n < e->n_pairs)
		return 0;
	pcre2_match_data_free(e->data);
	e->n_pairs = n + 1;
	e->data = pcre2_match_data_create(e->n_pairs, NULL);
	if (e->data == NULL)
		return -ENOMEM;
	e->pairs = pcre2_get_ovector_pointer(e->data);
	return 0;
}

static int compile(struct program *p, struct program *measured, pcre2_compile_context *context,
	const struct pattern *source, unsigned flags, size_t *ret_at,
	PCRE2_UCHAR message[MESSAGE_MAX])
{
	/* With UTF an invalid byte would hide its line, or worse. */
	uint32_t options =
		PCRE2_DUPNAMES | ((flags & PATTERN_UTF8) != 0 ? PCRE2_UTF | PCRE2_UCP
							      : PCRE2_NEVER_UTF | PCRE2_NEVER_UCP);
	PCRE2_SIZE at = 0;
	int error = 0;

	if ((flags & PATTERN_MULTILINE) != 0)
		options |= PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX;
	p->code = pcre2_compile((PCRE2_SPTR)buf_text(&source->text), source->text.len, options,
		&error, &at, context);
	if (p->code == NULL) {
		pcre2_get_error_message(error, message, MESSAGE_MAX);
		*ret_at = pattern_source(source, at);
		return -EINVAL;
	}
	p->is_jit = pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) == 0;
	if ((flags & PATTERN_UTF8) == 0)
		return 0;
	measured->code = pcre2_compile((PCRE2_SPTR)buf_text(&source->text), source->text.len,
		options | PCRE2_AUTO_CALLOUT, &error, &at, context);
	if (measured->code != NULL)
		measured->is_jit = pcre2_jit_compile(measured->code, PCRE2_JIT_COMPLETE) == 0;
	return 0;
}

/* The program for texts without the byte that one of its ways needs; it is not there if it fails.
 */
static void add_without(struct regex *r, const struct pattern *source, unsigned flags,
	pcre2_compile_context *context)
{
	struct pattern less = {0};
	struct barred barred;
	PCRE2_UCHAR message[MESSAGE_MAX];
	size_t at, end;

	if (!barred_find(&barred, buf_text(&source->text), source->text.len))
		return;
	end = barred.off + barred.len;
	if (buf_add(&less.text, buf_text(&source->text), barred.off) == 0 &&
		buf_add(&less.text, "(?:(?!)", 7) == 0 &&
		buf_add(&less.text, buf_text(&source->text) + barred.off, barred.len) == 0 &&
		buf_add(&less.text, ")", 1) == 0 &&
		buf_add(&less.text, buf_text(&source->text) + end, source->text.len - end) == 0 &&
		compile(&r->without, &r->measured, context, &less, flags, &at, message) == 0)
		r->bar = barred.byte;
	pattern_done(&less);
}

/* One of the two programs; find_literal sees the text of the first. */
static int add_program(struct regex *r, pcre2_compile_context *context, const char *what,
	const struct conf_text *source, unsigned flags, struct faults *f)
{
	struct program *p = (flags & PATTERN_UTF8) != 0 ? &r->utf8 : &r->bytes;
	PCRE2_UCHAR message[MESSAGE_MAX];
	struct pattern_error error = {0};
	struct pattern pattern = {0};
	size_t at = 0;
	int rc = pattern_expand(&pattern, source->text, flags, &error);

	if (rc == -EINVAL) {
		complain(f, what, source, error.at, error.message);
	} else if (rc == 0) {
		rc = compile(p, &r->measured, context, &pattern, flags, &at, message);
		if (rc == -EINVAL)
			complain(f, what, source, at, (const char *)message);
	}
	if (rc == 0 && (flags & (PATTERN_MULTILINE | PATTERN_UTF8)) == 0) {
		find_literal(r, buf_text(&pattern.text));
		add_without(r, &pattern, flags, context);
	}
	pattern_done(&pattern);
	return rc;
}

/* Does it have characters in it that are no single bytes? "[a-\u00ff]" makes no sense of bytes. */
static bool names_characters(const char *source)
{
	return utf8_ascii(source, strlen(source)) < strlen(source) ||
	       strstr(source, "\\u") != NULL || strstr(source, "\\U") != NULL;
}

int regex_new(struct regex **ret, struct arena *arena, const char *what,
	const struct conf_text *source, unsigned flags, struct faults *f)
{
	bool utf8 = (flags & PATTERN_UTF8) != 0;
	struct regex *r = calloc(1, sizeof(*r));
	pcre2_compile_context *context = pcre2_compile_context_create(NULL);
	int rc = r != NULL && context != NULL ? 0 : -ENOMEM;

	if (rc == 0)
		pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	if (rc == 0 && (!utf8 || !names_characters(source->text)))
		rc = add_program(r, context, what, source, flags & ~(unsigned)PATTERN_UTF8, f);
	if (rc == 0 && utf8)
		rc = add_program(r, context, what, source, flags, f);
	pcre2_compile_context_free(context);
	if (rc == -ENOMEM)
		fault_add(f, FAULT_ERROR, source->where, "%s: out of memory", what);
	if (rc == 0) {
		read_groups(r, arena);
		*ret = r;
	} else {
		regex_free(r);
	}
	return rc == 0 ? 0 : -EINVAL;
}

void regex_free(struct regex *r)
{
	if (r == NULL)
		return;
	pcre2_code_free(r->bytes.code);
	pcre2_code_free(r->without.code);
	pcre2_code_free(r->utf8.code);
	pcre2_code_free(r->measured.code);
	free(r);
}

unsigned regex_count(const struct regex *r)
{
	uint32_t n = 0;

	pcre2_pattern_info(any_code(r), PCRE2_INFO_CAPTURECOUNT, &n);
	return n;
}

const struct regex_group *regex_groups(const struct regex *r, size_t *ret_n)
{
	*ret_n = r->n_groups;
	return r->groups;
}

void regex_engine_utf8(struct regex_engine *e, bool is_utf8)
{
	e->is_utf8 = is_utf8;
	e->steps = (struct steps) {.most = STEPS_MAX};
}

static bool find_in_long(
	struct regex_engine *e, const struct regex *r, const char *text, size_t len)
{
	const struct program *p = &r->measured;
	PCRE2_SPTR subject = (PCRE2_SPTR)text;
	int rc = PCRE2_ERROR_JIT_STACKLIMIT;

	if (len < r->literal_len || memcmp(text, r->literal, r->literal_len) != 0 ||
		e->steps.taken >= e->steps.most)
		return false;
	e->steps.at = 0;
	if (p->is_jit)
		rc = pcre2_jit_match(p->code, subject, len, 0, 0, e->data, e->measured);
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
		e->stats->jit_retries += p->is_jit;
		e->steps.at = 0;
		rc = pcre2_match(p->code, subject, len, 0, PCRE2_NO_JIT, e->data, e->measured);
	}
	if (rc < PCRE2_ERROR_NOMATCH)
		e->stats->limit_hits++;
	return rc >= 0;
}

bool regex_find(struct regex_engine *e, const struct regex *r, const char *text, size_t len)
{
	if (len > LONG_TEXT && r->measured.code != NULL)
		return find_in_long(e, r, text, len);
	return regex_find_from(e, r, text, 0, len);
}

bool regex_find_from(
	struct regex_engine *e, const struct regex *r, const char *text, size_t from, size_t end)
{
	bool utf8 = r->utf8.code != NULL && (e->is_utf8 || r->bytes.code == NULL);
	const struct program *p = utf8 ? &r->utf8 : &r->bytes;
	PCRE2_SPTR subject = (PCRE2_SPTR)text;
	int rc;

	if (!utf8 && r->without.is_jit && memchr(text, r->bar, end) == NULL)
		p = &r->without;
	if (from == 0 && (end < r->literal_len || memcmp(text, r->literal, r->literal_len) != 0))
		return false;
	if (p->is_jit) {
		rc = pcre2_jit_match(p->code, subject, end, from, 0, e->data, e->match);
		if (rc >= 0)
			return true;
		if (rc == PCRE2_ERROR_NOMATCH)
			return false;
		e->stats->jit_retries++;
	}
	rc = pcre2_match(p->code, subject, end, from, PCRE2_NO_JIT, e->data, e->match);
	if (rc < PCRE2_ERROR_NOMATCH)
		e->stats->limit_hits++;
	return rc >= 0;
}

const size_t *regex_pairs(const struct regex_engine *e)
{
	_Static_assert(PCRE2_UNSET == SIZE_MAX, "offsets");
	return e->pairs;
}

bool regex_is_anchored(const struct regex *r)
{
	uint32_t options = 0;

	pcre2_pattern_info(any_code(r), PCRE2_INFO_ALLOPTIONS, &options);
	return (options & PCRE2_ANCHORED) != 0;
}

bool regex_may_find(struct regex_engine *e, const struct regex *r, const char *text, size_t len)
{
	return r->bytes.code == NULL ||
	       pcre2_match(r->bytes.code, (PCRE2_SPTR)text, len, 0,
		       PCRE2_PARTIAL_HARD | PCRE2_NO_JIT, e->data, e->match) != PCRE2_ERROR_NOMATCH;
}

bool regex_capture(const struct regex_engine *e, const char *text, unsigned number,
	const char **ret, size_t *ret_len)
{
	PCRE2_SIZE start, end;

	/* A regex with fewer groups than the last pair leaves the rest unset or never asks for it.
	 */
	if (number >= e->n_pairs)
		return false;
	start = e->pairs[2 * number];
	end = e->pairs[2 * number + 1];
	if (start == PCRE2_UNSET || end == PCRE2_UNSET || end < start)
		return false;
	*ret = text + start;
	*ret_len = end - start;
	return true;
}
