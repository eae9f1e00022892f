/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/clock.h"
#include "base/text.h"
#include "base/util.h"
#include "lint/forge.h"
#include "match/window.h"

#include <string.h>

#define VARIANTS 32       /* texts tried of one expression */
#define LINES_PER_REGEX 6 /* those of them that are attacked */
#define HIDING_VARIANTS 4
#define POOL_MAX 48 /* tails taken from one line to attack another */
#define LINES_MAX 1200
#define IGNOREREGEX_MAX 50
#define JUDGED_MAX 50000               /* lines judged for one filter */
#define SESSION_US INT64_C(3600000000) /* longer than any session lives */
#define LINE_MAX 4096
/* Printable bytes that a field without a name takes if anybody chooses it. */
#define FREE_BYTES 80

enum finding {
	FINDING_FIELD, /* through a field */
	FINDING_START, /* by a line of another program or message */
	FINDING_END,   /* by what stands behind the address */
	FINDING_NAME,  /* by a host's name that begins like an address */
	FINDING_LOST,  /* by itself: it never takes the address that stands there */
	FINDING_HIDE,  /* an ignoreregex: a failure can be made to look like what it means */
	FINDINGS,
};

/* How sure it is that the attacker's text can stand there; the surest is told. */
enum trust {
	TRUST_NAMED,   /* in a field with a name, of bytes that the expression allows for */
	TRUST_FIELD,   /* the same without a name */
	TRUST_ESCAPES, /* with bytes that the expression does not allow for */
};

struct inject {
	struct lint_work *w;
	struct addr own4, own6;
	struct forge_line **lines;
	size_t n_lines;
	struct forge_tail pool[POOL_MAX];
	size_t n_pool;
	unsigned judged;
	int64_t now_us;
	struct window *window; /* what is matched last borrows from it */
	struct proof *proofs;  /* FINDINGS of each failregex, of prefregex, of each ignoreregex */
};

/* A line under attack. */
struct attack {
	char text[LINE_MAX];
	size_t len;
};

/* The best line that shows a finding: the surest, then the shortest. */
struct proof {
	const char *line; /* NULL: nothing was found */
	size_t len;
	enum trust trust;
	const char *got;   /* what it took for the address */
	const char *field; /* what stands at its place, and what it has to let through */
	unsigned char odd;
};

static void attack_add(struct attack *a, const char *s, size_t len)
{
	if (len > LINE_MAX - a->len)
		len = LINE_MAX - a->len;
	memcpy(a->text + a->len, s, len);
	a->len += len;
}

/* The line with [off, end) of it replaced by `head` and `tail`. */
static void attack_make(struct attack *a, const struct regen_text *t, size_t off, size_t end,
	const struct forge_tail *head, const struct forge_tail *tail)
{
	a->len = 0;
	attack_add(a, t->text, off);
	attack_add(a, head->text, head->len);
	attack_add(a, tail->text, tail->len);
	attack_add(a, t->text + end, t->len - end);
}

/* The text may be several lines where the filter looks at several: the last one decides. */
static enum verdict judge_lines(struct inject *in, const char *text, size_t len, struct match *m)
{
	enum verdict v = VERDICT_MISS;

	window_free(in->window);
	in->window = window_new(in->w->def->maxlines);
	while (in->window != NULL && v == VERDICT_MISS) {
		const char *end = memchr(text, '\n', len);
		size_t n = end != NULL ? (size_t)(end - text) : len;

		v = filter_judge(in->w->filter, in->window, text, n, in->now_us, m);
		if (end == NULL)
			break;
		text += n + 1;
		len -= n + 1;
	}
	return v;
}

static enum verdict judge(struct inject *in, const char *text, size_t len, struct match *m)
{
	m->has_addr = m->is_name = false;
	if (in->judged >= JUDGED_MAX) {
		in->w->is_partial = true;
		return VERDICT_MISS;
	}
	in->judged++;
	/* Each line is a session of its own. */
	in->now_us += SESSION_US;
	if (in->w->def->maxlines > 1)
		return judge_lines(in, text, len, m);
	return filter_judge(in->w->filter, NULL, text, len, in->now_us, m);
}

static bool is_own(const struct inject *in, const struct match *m)
{
	return addr_eq(&m->addr, &in->own4) || addr_eq(&m->addr, &in->own6);
}

/* Is the line a failure of another address? */
static bool is_fooled(struct inject *in, const struct attack *a, struct match *m)
{
	return judge(in, a->text, a->len, m) == VERDICT_MATCH && m->has_addr && !is_own(in, m);
}

static bool is_own_name(const struct match *m)
{
	return m->host_len == strlen(FORGE_OWN_NAME) &&
	       memcmp(m->host, FORGE_OWN_NAME, m->host_len) == 0;
}

/* The expression that the address came from. */
static size_t culprit(const struct inject *in, const struct match *m)
{
	const struct lint_regex *r = &in->w->fail[m->regex];

	if (in->w->pref.source == NULL || r->tree.root == NULL || regen_has_host(r->tree.root))
		return m->regex;
	return in->w->def->n_failregex;
}

static const struct lint_regex *regex_of(const struct inject *in, size_t i)
{
	size_t n_fail = in->w->def->n_failregex;

	if (i > n_fail)
		return &in->w->ignore[i - n_fail - 1];
	return i < n_fail ? &in->w->fail[i] : &in->w->pref;
}

static bool ends_closed(const struct lint_regex *r)
{
	const char *s = r->source->text;
	size_t n = strlen(s);

	return (n >= 2 && s[n - 1] == '$' && s[n - 2] != '\\') ||
	       (n >= 2 && s[n - 2] == '\\' && (s[n - 1] == 'Z' || s[n - 1] == 'z'));
}

static const char *advice(const struct lint_regex *r)
{
	if (!ends_closed(r))
		return "write what the service puts behind the address up to the line's end, "
		       "and then $";
	return "write what the service itself puts there instead of .*, .*? or \\S+ "
	       "([^...]* with the byte that ends the field), so that one place alone can be "
	       "the address";
}

/* Notes what the line showed, unless that is known from a better one. */
static void note(struct inject *in, enum finding finding, size_t regex, const struct match *m,
	const struct attack *a, const struct proof *how)
{
	struct proof *p = &in->proofs[regex * FINDINGS + finding];

	if (p->line != NULL &&
		(how->trust > p->trust || (how->trust == p->trust && a->len >= p->len)))
		return;
	*p = *how;
	p->line = arena_strndup(in->w->arena, a->text, a->len);
	p->len = a->len;
	if (finding != FINDING_HIDE)
		p->got = lint_show(in->w, m->host, m->host_len);
}

/* --- fields ----------------------------------------------------------------------------------- */

/* The first byte of the tail that is not in the set; 0: all are. */
static unsigned char first_outside(const struct byteset *s, const struct forge_tail *t)
{
	for (size_t i = 0; i < t->len; i++) {
		if (!byteset_has(s, (unsigned char)t->text[i]))
			return (unsigned char)t->text[i];
	}
	return 0;
}

/* Does anybody choose what stands in a field without a name? Not if it is a number or a keyword. */
static bool is_free(const struct byteset *s)
{
	unsigned n = 0;

	for (unsigned c = '!'; c <= '~'; c++)
		n += byteset_has(s, (unsigned char)c);
	return n >= FREE_BYTES;
}

/*
 * May the tail stand in the field? A byte that ends it ("[^"]*" before a quote) is one that the
 * service has to keep out of it; blanks it seldom does.
 */
static bool is_possible(const struct regen_text *t, const struct regen_mark *m,
	const struct forge_tail *tail, struct proof *ret)
{
	const struct byteset *s = &m->node->child->set;
	unsigned char after = (unsigned char)t->text[m->off + m->len];
	bool is_named = m->field != NULL;

	if (m->len + tail->len > m->node->max || memchr(tail->text, '\n', tail->len) != NULL)
		return false;
	ret->odd = first_outside(s, tail);
	ret->trust = is_named ? TRUST_NAMED : TRUST_FIELD;
	if (ret->odd == 0)
		return is_named || is_free(s);
	ret->trust = TRUST_ESCAPES;
	if (after > ' ' && !byteset_has(s, after) && memchr(tail->text, after, tail->len) != NULL)
		return false;
	return is_free(s) || (is_named && byteset_has(s, 'e'));
}

static const char *field_name(
	struct inject *in, const struct forge_line *line, const struct regen_mark *m)
{
	struct lint_work *w = in->w;

	if (m->field != NULL)
		return arena_printf(w->arena, "the field '%s'", m->field);
	return arena_printf(
		w->arena, "what %s stands for", lint_excerpt(w, &w->fail[line->regex], m->node));
}

static void try_tails(struct inject *in, const struct forge_line *line, const struct regen_mark *m,
	const struct forge_tail *tails, size_t n)
{
	const struct regen_text *t = &line->own;
	struct forge_tail word = {t->text + m->off, m->len};
	struct proof how = {.field = field_name(in, line, m)};
	struct attack a;
	struct match got;

	for (size_t i = 0; i < n; i++) {
		if (!is_possible(t, m, &tails[i], &how))
			continue;
		attack_make(&a, t, m->off, m->off + m->len, &word, &tails[i]);
		if (is_fooled(in, &a, &got))
			note(in, FINDING_FIELD, culprit(in, &got), &got, &a, &how);
	}
}

/* May somebody have chosen what stands there? The host's name and the like before the message no.
 */
static bool is_chosen(const struct regen_text *t, const struct regen_mark *m)
{
	size_t off, end;

	forge_content(t, &off, &end);
	return m->kind == REGEN_FIELD && m->off >= off && m->off + m->len <= end &&
	       (m->field != NULL || !m->is_prefix);
}

static void attack_fields(struct inject *in, const struct forge_line *line,
	const struct forge_tail *own, size_t n_own)
{
	const struct regen_text *t = &line->own;
	size_t off, end;

	forge_content(t, &off, &end);
	for (size_t i = 0; i < t->n_marks; i++) {
		const struct regen_mark *m = &t->marks[i];

		/* What follows it all is the line's end. */
		if (!is_chosen(t, m) || (m->field == NULL && m->off + m->len == end))
			continue;
		try_tails(in, line, m, own, n_own);
		try_tails(in, line, m, forge_known, forge_n_known);
		try_tails(in, line, m, in->pool, in->n_pool);
	}
}

/* With the text of an ignoreregex in it a failure must not pass for what that means. */
static void attack_by_hiding(
	struct inject *in, const struct forge_line *line, size_t ignore, const char *text)
{
	const struct regen_text *t = &line->own;
	struct forge_tail tail = {text, strlen(text)};
	struct attack a;
	struct match got;

	for (size_t i = 0; i < t->n_marks; i++) {
		const struct regen_mark *m = &t->marks[i];
		struct forge_tail word = {t->text + m->off, m->len};
		struct proof how = {0};

		if (!is_chosen(t, m) || !is_possible(t, m, &tail, &how))
			continue;
		how.field = field_name(in, line, m);
		attack_make(&a, t, m->off, m->off + m->len, &word, &tail);
		if (judge(in, a.text, a.len, &got) == VERDICT_IGNORED)
			note(in, FINDING_HIDE, in->w->def->n_failregex + 1 + ignore, &got, &a,
				&how);
	}
}

/* With that ignoreregex alone: one before it might take the line first. */
static void attack_ignoreregex(struct inject *in, size_t ignore)
{
	struct lint_work *w = in->w;
	struct filter_def def = *w->def;
	struct filter *all = w->filter;
	struct faults known = {0};

	def.ignoreregex = &w->def->ignoreregex[ignore];
	def.n_ignoreregex = 1;
	if (filter_new(&w->filter, &def, &known) == 0) {
		for (unsigned v = 0; v < HIDING_VARIANTS; v++) {
			const char *text = forge_text(w, &w->ignore[ignore], v);

			for (size_t i = 0; text != NULL && i < in->n_lines; i++)
				attack_by_hiding(in, in->lines[i], ignore, text);
		}
		filter_free(w->filter);
		w->filter = all;
	}
	faults_done(&known);
}

/* --- ends ------------------------------------------------------------------------------------- */

/*
 * Each expression has a start: prefregex that of the line, the others that of what it leaves. An
 * address in front of that is the service's own word.
 */
static void attack_start(struct inject *in, const struct forge_line *line)
{
	static const char lead[] = "web[77]: a visitor said: ";
	struct attack a = {.len = 0};
	struct match got;
	size_t off, end, own_off;

	/* Who writes into one line writes no other. */
	if (memchr(line->other.text, '\n', line->other.len) != NULL)
		return;
	forge_content(&line->own, &own_off, &end);
	forge_content(&line->other, &off, &end);
	attack_add(&a, line->own.text, own_off);
	attack_add(&a, lead, strlen(lead));
	attack_add(&a, line->other.text + off, line->other.len - off);
	if (is_fooled(in, &a, &got))
		note(in, FINDING_START, got.regex, &got, &a, &(struct proof) {0});
	if (off == 0)
		return;
	a.len = 0;
	attack_add(&a, lead, strlen(lead));
	attack_add(&a, line->other.text, line->other.len);
	if (is_fooled(in, &a, &got))
		note(in, FINDING_START, in->w->def->n_failregex, &got, &a, &(struct proof) {0});
}

/* Text behind a line that the service has ended is nobody's; only an open end can have some. */
static bool attack_end_with(struct inject *in, const struct forge_line *line,
	const struct forge_tail *lead, const struct forge_tail *own, size_t n_own)
{
	const struct forge_tail none = {"", 0};
	const struct regen_text *t = &line->own;
	struct attack a;
	struct match got;
	size_t off, end;

	forge_content(t, &off, &end);
	attack_make(&a, t, end, end, lead, &none);
	if (judge(in, a.text, a.len, &got) != VERDICT_MATCH || !got.has_addr || !is_own(in, &got))
		return false;
	for (size_t i = 0; i < n_own; i++) {
		attack_make(&a, t, end, end, lead, &own[i]);
		if (!is_fooled(in, &a, &got))
			continue;
		note(in, FINDING_END, culprit(in, &got), &got, &a, &(struct proof) {0});
		return true;
	}
	return false;
}

static void attack_end(struct inject *in, const struct forge_line *line,
	const struct forge_tail *own, size_t n_own)
{
	static const struct forge_tail leads[] = {{": said", 6}, {" said", 5}};

	for (size_t i = 0; i < ARRAY_SIZE(leads); i++) {
		if (attack_end_with(in, line, &leads[i], own, n_own))
			return;
	}
}

static void attack_name(struct inject *in, const struct forge_line *line)
{
	static const struct forge_tail name = {
		FORGE_OTHER4 ".example.net", sizeof(FORGE_OTHER4 ".example.net") - 1};
	const struct forge_tail none = {"", 0};
	const struct lint_work *w = in->w;
	const struct regen_text *t = &line->own;
	struct attack a;
	struct match got;

	if (!regen_has_group(w->fail[line->regex].tree.root, "dns") &&
		(w->pref.source == NULL || !regen_has_group(w->pref.tree.root, "dns")))
		return;
	for (size_t i = 0; i < t->n_marks; i++) {
		const struct regen_mark *m = &t->marks[i];

		if (m->kind != REGEN_HOST)
			continue;
		attack_make(&a, t, m->off, m->off + m->len, &name, &none);
		if (is_fooled(in, &a, &got))
			note(in, FINDING_NAME, culprit(in, &got), &got, &a, &(struct proof) {0});
	}
}

/* ---------------------------------------------------------------------------------------------- */

static bool is_known_line(const struct inject *in, const struct forge_line *line)
{
	for (size_t i = 0; i < in->n_lines; i++) {
		if (strcmp(in->lines[i]->own.text, line->own.text) == 0)
			return true;
	}
	return false;
}

/* Adds the line if the filter takes it as it is meant. Returns the next line to write. */
static struct forge_line *collect_line(struct inject *in, struct forge_line *line)
{
	struct attack a = {.len = 0};
	struct match m;

	if (is_known_line(in, line))
		return line;
	if (judge(in, line->own.text, line->own.len, &m) != VERDICT_MATCH)
		return line;
	if (m.has_addr && is_own(in, &m)) {
		in->lines[in->n_lines++] = line;
		return arena_alloc(in->w->arena, sizeof(*line));
	}
	if (m.is_name && !is_own_name(&m)) {
		attack_add(&a, line->own.text, line->own.len);
		note(in, FINDING_LOST, culprit(in, &m), &m, &a, &(struct proof) {0});
	}
	return line;
}

static void collect(struct inject *in)
{
	struct lint_work *w = in->w;
	struct forge_line *line = arena_alloc(w->arena, sizeof(*line));

	in->lines = arena_array(w->arena, LINES_MAX, sizeof(struct forge_line *));
	for (size_t i = 0; i < w->def->n_failregex; i++) {
		size_t start = in->n_lines;

		if (start + LINES_PER_REGEX > LINES_MAX) {
			w->is_partial = true;
			return;
		}
		for (unsigned v = 0; v < VARIANTS && in->n_lines < start + LINES_PER_REGEX; v++) {
			if (forge_line(line, w, i, v) == 0)
				line = collect_line(in, line);
		}
		/* In some lines it may have to be so. */
		if (in->n_lines > start)
			in->proofs[i * FINDINGS + FINDING_LOST].line = NULL;
	}
}

static void fill_pool(struct inject *in)
{
	struct forge_tail tails[FORGE_TAILS_MAX];

	for (size_t i = 0; i < in->n_lines && in->n_pool < POOL_MAX; i++) {
		size_t n = forge_tails(in->w->arena, in->lines[i], tails);

		/* The shortest way round: the rest are for the line's own fields. */
		if (n > 0 && (i == 0 || in->lines[i]->regex != in->lines[i - 1]->regex))
			in->pool[in->n_pool++] = tails[0];
	}
}

/* --- telling -------------------------------------------------------------------------------- */

static const char *how_field(struct lint_work *w, const struct proof *p, const char *what)
{
	const char *hedge = "";

	if (p->odd == ' ')
		hedge = " with a blank in it, where the service logs that as it is,";
	else if (p->odd != 0)
		hedge = arena_printf(w->arena,
			" with \"%c\" in it, where the service logs that as it is,", p->odd);
	return arena_printf(w->arena, "injectable: whoever fills %s%s %s", p->field, hedge, what);
}

static void tell_hiding(struct inject *in, const struct lint_regex *r, const struct proof *p)
{
	fault_add(in->w->faults, FAULT_WARNING, r->source->where,
		"%s: %s: \"%s\" is ignored; begin it with ^ and end it with $, with what the "
		"service "
		"writes between",
		r->what, how_field(in->w, p, "is never banned"), lint_show(in->w, p->line, p->len));
}

static void tell(struct inject *in, size_t regex, enum finding finding)
{
	const struct proof *p = &in->proofs[regex * FINDINGS + finding];
	const struct lint_regex *r = regex_of(in, regex);
	const char *how, *instead;

	/* Nobody wrote the prefregex of a rules file: a rule that shows in it has its own word. */
	if (p->line == NULL || (r == &in->w->pref && in->w->def->heads != NULL))
		return;
	if (finding == FINDING_HIDE) {
		tell_hiding(in, r, p);
		return;
	}
	instead = advice(r);
	if (finding == FINDING_FIELD) {
		how = how_field(in->w, p, "chooses who is banned");
	} else if (finding == FINDING_START) {
		how = "unanchored start: it is found in whatever somebody has logged";
		instead = "begin it with ^ and what the service writes first";
	} else if (finding == FINDING_END) {
		how = "unanchored end: text behind the address can put another in its place";
	} else if (finding == FINDING_NAME) {
		how = "unanchored end: where the service writes names, a client whose name begins "
		      "with an address is taken for that";
		instead = "write what follows <HOST>, at least (?:\\s|$), or <ADDR> if no names "
			  "are written";
	} else {
		how = "what stands before <HOST> takes the address, and leaves it a piece";
		instead = "write what the service puts right before the address instead of .* or "
			  "the like, or <ADDR> if no names are written";
	}
	fault_add(in->w->faults, FAULT_WARNING, r->source->where,
		"%s: %s: of \"%s\" it takes %s; %s", r->what, how,
		lint_show(in->w, p->line, p->len), p->got, instead);
}

void inject_lint(struct lint_work *w)
{
	struct inject in = {.w = w};
	struct forge_tail tails[FORGE_TAILS_MAX];
	size_t n = w->def->n_failregex + 1 + w->def->n_ignoreregex;

	addr_parse(&in.own4, FORGE_OWN4, strlen(FORGE_OWN4));
	addr_parse(&in.own6, FORGE_OWN6, strlen(FORGE_OWN6));
	in.proofs = arena_array(w->arena, n * FINDINGS, sizeof(*in.proofs));
	collect(&in);
	fill_pool(&in);
	for (size_t i = 0; i < in.n_lines; i++) {
		size_t n_tails = forge_tails(w->arena, in.lines[i], tails);

		attack_fields(&in, in.lines[i], tails, n_tails);
		attack_start(&in, in.lines[i]);
		attack_end(&in, in.lines[i], tails, n_tails);
		attack_name(&in, in.lines[i]);
	}
	for (size_t i = 0; i < w->def->n_ignoreregex && i < IGNOREREGEX_MAX; i++)
		attack_ignoreregex(&in, i);
	w->is_partial |= w->def->n_ignoreregex > IGNOREREGEX_MAX;
	for (size_t i = 0; i < n; i++) {
		for (enum finding k = 0; k < FINDINGS; k++)
			tell(&in, i, k);
	}
	window_free(in.window);
}
