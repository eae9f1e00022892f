/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/pattern.h"

#include "base/utf8.h"
#include "base/util.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TAG_MAX 64       /* longest name in <...> that is looked at */
#define TAGS_OPEN_MAX 64 /* different names of <F-...> in one expression */

/* Python's letters, digits and underscore; newer PCRE2 counts marks and other connectors, too. */
#define WORD "_\\p{L}\\p{N}"

/*
 * What may be an address: as wide as fail2ban takes it, so that both see a line alike. base/addr
 * has the last word on whether it is one. A zone ("%eth0") is more than fail2ban knows of.
 */
#define IP4 "(?:::f{4,6}:)?(?P<ip4>\\d{1,3}(?:\\.\\d{1,3}){3})"
#define IP6                                                                                        \
	"(?P<ip6>(?:[[:xdigit:]]{1,4}::?|::){1,7}(?:[[:xdigit:]]{1,4}|(?<=:):)"                    \
	"(?:%[\\w.\\-]{1,32})?)"
#define CIDR "(?P<cidr>\\d+)"
#define DNS "(?P<dns>[\\w.^\\-]*\\w)"
#define ADDR "\\[?(?:" IP4 "|" IP6 ")\\]?"
#define HOST "(?:" ADDR "|" DNS ")"
#define SUBNET "\\[?(?:" IP4 "|" IP6 ")(?:/" CIDR ")?\\]?"

static const struct {
	const char *name, *text;
} fixed_tags[] = {
	{"ADDR", ADDR},
	{"F-ADDR/", ADDR},
	{"IP4", IP4},
	{"F-IP4/", IP4},
	{"IP6", IP6},
	{"F-IP6/", IP6},
	{"CIDR", CIDR},
	{"F-CIDR/", CIDR},
	{"SUBNET", SUBNET},
	{"F-SUBNET/", SUBNET},
	{"DNS", DNS},
	{"F-DNS/", DNS},
	{"F-ID/", "(?P<fid>\\S+)"},
	{"F-PORT/", "(?P<fport>\\w+)"},
};

/* One expansion under way. */
struct expansion {
	struct pattern *out;
	const char *src;
	size_t at; /* where the next token begins */
	unsigned flags;
	unsigned n_skips; /* <SKIPLINES> seen so far */
	struct {
		const char *name;
		size_t len;
	} open[TAGS_OPEN_MAX]; /* the names of <F-...> seen so far */
	size_t n_open;
	struct pattern_error *error;
};

static int emit(struct expansion *e, const char *text, size_t len)
{
	uint32_t from = (uint32_t)e->at;
	int r = buf_add(&e->out->text, text, len);

	for (size_t i = 0; r == 0 && i < len; i++)
		r = buf_add(&e->out->from, &from, sizeof(from));
	return r;
}

static int emits(struct expansion *e, const char *text)
{
	return emit(e, text, strlen(text));
}

/* Copies n bytes of the source. */
static int copy(struct expansion *e, size_t n)
{
	int r = 0;

	for (; r == 0 && n > 0; n--) {
		r = emit(e, e->src + e->at, 1);
		e->at++;
	}
	return r;
}

static int refuse(struct expansion *e, const char *message)
{
	e->error->message = message;
	e->error->at = e->at;
	return -EINVAL;
}

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_' || c == '-';
}

/* The group's name for a tag's: lower case, "_" for "-". */
static int open_group(struct expansion *e, const char *name, size_t len)
{
	int r = emits(e, "(?P<");

	if (len == 2 && memcmp(name, "ID", 2) == 0)
		r = r < 0 ? r : emits(e, "fid");
	else if (len == 4 && memcmp(name, "PORT", 4) == 0)
		r = r < 0 ? r : emits(e, "fport");
	else
		for (size_t i = 0; r == 0 && i < len; i++) {
			char c = name[i] == '-' ? '_' : name[i];

			if (c >= 'A' && c <= 'Z')
				c = (char)(c + ('a' - 'A'));
			r = emit(e, &c, 1);
		}
	return r < 0 ? r : emits(e, ">");
}

static bool was_opened(const struct expansion *e, const char *name, size_t len)
{
	for (size_t i = 0; i < e->n_open; i++) {
		if (e->open[i].len == len && memcmp(e->open[i].name, name, len) == 0)
			return true;
	}
	return false;
}

/* <F-NAME> and </F-NAME>. *ret_done: it was one. */
static int custom_tag(struct expansion *e, const char *tag, size_t len, bool *ret_done)
{
	bool closes = len > 0 && tag[0] == '/';
	const char *name = tag + (closes ? 3 : 2);
	size_t name_len;

	if (len < (closes ? 4U : 3U) || memcmp(name - 2, "F-", 2) != 0)
		return 0;
	name_len = len - (size_t)(name - tag);
	for (size_t i = 0; i < name_len; i++) {
		if (!is_name_char(name[i]))
			return 0;
	}
	if (closes) {
		*ret_done = was_opened(e, name, name_len);
		return *ret_done ? emits(e, ")") : 0;
	}
	if (!was_opened(e, name, name_len)) {
		if (e->n_open == TAGS_OPEN_MAX)
			return refuse(e, "too many different <F-...> tags");
		e->open[e->n_open].name = name;
		e->open[e->n_open++].len = name_len;
	}
	*ret_done = true;
	return open_group(e, name, name_len);
}

/* Any number of whole lines; each tag has a group, by which they are given back. */
static int skip_lines(struct expansion *e)
{
	char text[64];
	int r;

	snprintf(text, sizeof(text), "\\n(?P<skiplines%u>(?:(?:.*\\n)*?))", e->n_skips++);
	r = emits(e, text);
	e->at += strlen("<SKIPLINES>");
	return r;
}

/* The text of a tag of ours, in which "\w" is told as Python has it. */
static int emit_tag(struct expansion *e, const char *text)
{
	const char *w;
	int r = 0;

	while (r == 0 && (e->flags & PATTERN_UTF8) != 0 && (w = strstr(text, "\\w")) != NULL) {
		bool in_class = w > text && w[-1] == '[';

		r = emit(e, text, (size_t)(w - text));
		r = r < 0 ? r : emits(e, in_class ? WORD : "[" WORD "]");
		text = w + 2;
	}
	return r < 0 ? r : emits(e, text);
}

static int tag(struct expansion *e)
{
	const char *name = e->src + e->at + 1;
	const char *end = memchr(name, '>', strnlen(name, TAG_MAX));
	size_t len;
	bool done = false;
	int r;

	if (end == NULL)
		return copy(e, 1);
	len = (size_t)(end - name);
	if (len == 9 && memcmp(name, "SKIPLINES", 9) == 0)
		return skip_lines(e);
	if (len == 4 && memcmp(name, "HOST", 4) == 0) {
		r = emit_tag(e, (e->flags & PATTERN_NO_NAMES) != 0 ? ADDR : HOST);
		e->at += len + 2;
		return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fixed_tags); i++) {
		if (strlen(fixed_tags[i].name) != len || memcmp(name, fixed_tags[i].name, len) != 0)
			continue;
		r = emit_tag(e, fixed_tags[i].text);
		e->at += len + 2;
		return r;
	}
	r = custom_tag(e, name, len, &done);
	if (r < 0)
		return r;
	if (!done)
		return copy(e, 1);
	e->at += len + 2;
	return 0;
}

/* The bytes of a character as escapes; in a class any of them may stand. */
static int unicode_bytes(struct expansion *e, unsigned long c, bool in_class)
{
	char b[UTF8_MAX];
	size_t n = utf8_put(b, (uint32_t)c);
	int r;

	r = in_class ? 0 : emits(e, "(?:");
	for (size_t i = 0; r == 0 && i < n; i++) {
		char hex[5] = {'\\', 'x', "0123456789abcdef"[(unsigned char)b[i] >> 4],
			"0123456789abcdef"[b[i] & 15], '\0'};

		r = emits(e, hex);
	}
	return r < 0 || in_class ? r : emits(e, ")");
}

/* \uXXXX as the character, or as the bytes of its UTF-8. */
static int unicode_escape(struct expansion *e, bool in_class)
{
	size_t digits = e->src[e->at + 1] == 'u' ? 4 : 8;
	unsigned long c = 0;
	char code[16];
	int r;

	for (size_t i = 0; i < digits; i++) {
		char d = e->src[e->at + 2 + i];

		if (d >= '0' && d <= '9')
			c = c * 16 + (unsigned long)(d - '0');
		else if ((d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			c = c * 16 + (unsigned long)((d | 0x20) - 'a' + 10);
		else
			return refuse(e, "incomplete \\u escape");
	}
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return refuse(e, "no such character");
	snprintf(code, sizeof(code), "\\x{%lx}", c);
	r = (e->flags & PATTERN_UTF8) != 0 ? emits(e, code) : unicode_bytes(e, c, in_class);
	e->at += 2 + digits;
	return r;
}

/* Beside what is space everywhere Python has the four separators of ASCII. */
#define SPACE "\\s\\x1c-\\x1f"

static int escape(struct expansion *e)
{
	int r;

	switch (e->src[e->at + 1]) {
	case '\0':
		return refuse(e, "a backslash at the end");
	case 'Z':
		/* Python's means the very end; PCRE2's also matches before a last newline. */
		r = emits(e, "\\z");
		e->at += 2;
		return r;
	case 's':
		r = emits(e, "[" SPACE "]");
		e->at += 2;
		return r;
	case 'S':
		r = emits(e, "[^" SPACE "]");
		e->at += 2;
		return r;
	case 'w':
	case 'W':
		if ((e->flags & PATTERN_UTF8) == 0)
			return copy(e, 2);
		r = emits(e, e->src[e->at + 1] == 'w' ? "[" WORD "]" : "[^" WORD "]");
		e->at += 2;
		return r;
	case 'u':
	case 'U':
		return unicode_escape(e, false);
	default:
		return copy(e, 2);
	}
}

/* "[...]": in Python a "[" in it is just a byte, in PCRE2 "[:" would begin a POSIX class. */
static int class(struct expansion *e)
{
	int r = copy(e, 1);

	if (r == 0 && e->src[e->at] == '^')
		r = copy(e, 1);
	if (r == 0 && e->src[e->at] == ']')
		r = copy(e, 1);
	while (r == 0 && e->src[e->at] != '\0' && e->src[e->at] != ']') {
		bool escaped = e->src[e->at] == '\\' && e->src[e->at + 1] != '\0';

		if (escaped && e->src[e->at + 1] == 's') {
			r = emits(e, SPACE);
			e->at += 2;
			continue;
		}
		if (escaped && e->src[e->at + 1] == 'w' && (e->flags & PATTERN_UTF8) != 0) {
			r = emits(e, WORD);
			e->at += 2;
			continue;
		}
		if (escaped && (e->src[e->at + 1] | 0x20) == 'u') {
			r = unicode_escape(e, true);
			continue;
		}
		if (e->src[e->at] == '[')
			r = emits(e, "\\");
		if (r == 0)
			r = copy(e, escaped ? 2 : 1);
	}
	return r < 0 || e->src[e->at] == '\0' ? r : copy(e, 1);
}

/* "(?aiLmsux)", "(?i:": the flags that are about Unicode mean nothing for bytes. */
static int inline_flags(struct expansion *e)
{
	const char *flag = e->src + e->at + 2;
	size_t n = strspn(flag, "aiLmsux");
	char kept[16];
	size_t n_kept = 0;
	int r;

	if (n == 0 || (flag[n] != ')' && flag[n] != ':' && flag[n] != '-'))
		return copy(e, 1);
	for (size_t i = 0; i < n; i++) {
		if (strchr("imsx", flag[i]) != NULL && n_kept < sizeof(kept))
			kept[n_kept++] = flag[i];
	}
	r = emits(e, "(?");
	r = r < 0 ? r : emit(e, kept, n_kept);
	e->at += 2 + n;
	return r;
}

/*
 * Where an address stands in a rules file: a whole one, not what a name of somebody's own making
 * begins with, nor what a greedy expression before it has left of one.
 */
#define IP_NUMBER "{IP_NUMBER}"
#define NO_MORE "(?![0-9A-Za-z_]|[.\\-][0-9A-Za-z_])"
#define WHOLE4 "(?<!\\d)(?<!\\d\\.)" IP4 NO_MORE
#define WHOLE6 "(?<![[:xdigit:]])(?<![[:xdigit:]]:)(?<!::)" IP6 "(?!:[0-9A-Za-z:])" NO_MORE

static int brace(struct expansion *e)
{
	size_t digits = e->src[e->at + 1] == ',' ? strspn(e->src + e->at + 2, "0123456789") : 0;
	int r;

	if ((e->flags & PATTERN_NO_TAGS) == 0 &&
		strncmp(e->src + e->at, IP_NUMBER, strlen(IP_NUMBER)) == 0) {
		r = emit_tag(e, "\\[?(?:" WHOLE4 "|" WHOLE6 ")\\]?");
		e->at += strlen(IP_NUMBER);
		return r;
	}
	if (digits == 0 || e->src[e->at + 2 + digits] != '}')
		return copy(e, 1);
	r = emits(e, "{0");
	e->at++;
	return r < 0 ? r : copy(e, digits + 2);
}

/* Bytes from 0x80: those of one character are kept together when a quantifier follows. */
static int high_bytes(struct expansion *e)
{
	const unsigned char *s = (const unsigned char *)e->src + e->at;
	size_t n = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : *s >= 0xc2 ? 2 : 1;
	int r;

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return copy(e, 1);
	}
	if (n == 1 || s[n] == '\0' || strchr("*+?{", s[n]) == NULL)
		return copy(e, n);
	r = emits(e, "(?:");
	r = r < 0 ? r : copy(e, n);
	return r < 0 ? r : emits(e, ")");
}

int pattern_expand(
	struct pattern *p, const char *source, unsigned flags, struct pattern_error *ret_error)
{
	struct expansion e = {.out = p, .src = source, .flags = flags, .error = ret_error};
	int r = 0;

	if (strlen(source) > UINT16_MAX)
		return refuse(&e, "longer than 65,535 bytes");
	while (r == 0 && source[e.at] != '\0') {
		switch (source[e.at]) {
		case '\\':
			r = escape(&e);
			break;
		case '[':
			r = class(&e);
			break;
		case '<':
			r = (flags & PATTERN_NO_TAGS) != 0 ? copy(&e, 1) : tag(&e);
			break;
		case '{':
			r = brace(&e);
			break;
		case '(':
			/* The name of a group is no tag, be it called "HOST". */
			if (strncmp(source + e.at, "(?P<", 4) == 0)
				r = copy(&e, 4);
			else if (strncmp(source + e.at, "(?<", 3) == 0)
				r = copy(&e, 3);
			else
				r = source[e.at + 1] == '?' ? inline_flags(&e) : copy(&e, 1);
			break;
		default:
			r = (unsigned char)source[e.at] >= 0x80 ? high_bytes(&e) : copy(&e, 1);
		}
	}
	return r;
}

size_t pattern_source(const struct pattern *p, size_t at)
{
	uint32_t from = 0;
	size_t n = p->from.len / sizeof(from);

	if (n == 0)
		return 0;
	/* Past the last byte: right behind what that came from. */
	memcpy(&from, p->from.data + (at < n ? at : n - 1) * sizeof(from), sizeof(from));
	return at < n ? from : (size_t)from + 1;
}

void pattern_done(struct pattern *p)
{
	buf_done(&p->text);
	buf_done(&p->from);
}
