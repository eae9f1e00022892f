/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "samples.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 16
#define ACTIVE_MAX 16

/* An option set as asked for at one place of a log. */
struct active {
	size_t set;   /* index in log->sets */
	json_t *opts; /* as asked for here */
};

struct reading {
	struct sample_log *log;
	const char *name;
	char *files[FILES_MAX];
	size_t n_files;
	json_t *common; /* fileOptions, or NULL */
	struct active active[ACTIVE_MAX];
	size_t n_active;
	bool asked; /* were options ever asked for? */
	/* In the file being read. */
	const char *path;
	FILE *f;
	unsigned line;
	bool ignoring;
	char *buf;
	size_t room;
};

void sample_die(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static void *need_memory(void *p)
{
	if (p == NULL)
		sample_die("out of memory");
	return p;
}

/* The options that are the filter's own. */
static json_t *filter_options(const json_t *opts)
{
	json_t *own = need_memory(json_object()), *value;
	const char *key;

	json_object_foreach((json_t *)opts, key, value)
	{
		if (strncmp(key, "test.", 5) != 0)
			json_object_set(own, key, value);
	}
	return own;
}

static char *set_key(const json_t *opts)
{
	const char *given = json_string_value(json_object_get(opts, "test.filter-name"));
	json_t *own = filter_options(opts);
	char *key;

	if (given != NULL)
		key = strdup(given);
	else
		key = json_object_size(own) > 0 ? json_dumps(own, JSON_COMPACT) : strdup("");
	json_decref(own);
	return need_memory(key);
}

/* The set of these options, made when it is new. */
static size_t find_set(struct sample_log *log, json_t *opts)
{
	char *key = set_key(opts);

	for (size_t i = 0; i < log->n; i++) {
		if (strcmp(log->sets[i].key, key) == 0) {
			free(key);
			return i;
		}
	}
	log->sets = need_memory(realloc(log->sets, (log->n + 1) * sizeof(*log->sets)));
	log->sets[log->n] = (struct sample_set) {.key = key, .opts = json_incref(opts)};
	return log->n++;
}

static void forget_active(struct reading *r)
{
	for (size_t i = 0; i < r->n_active; i++)
		json_decref(r->active[i].opts);
	r->n_active = 0;
}

static void activate(struct reading *r, const json_t *wanted)
{
	json_t *opts = r->common != NULL ? json_deep_copy(r->common) : json_object();
	const char *condition;

	if (!json_is_object(wanted) || need_memory(opts) == NULL)
		sample_die("%s:%u: options are no object", r->path, r->line);
	json_object_update(opts, (json_t *)wanted);
	condition = json_string_value(json_object_get(opts, "test.condition"));
	if (condition != NULL && condition[0] != '\0')
		r->ignoring = !sample_condition(condition, r->name, opts);
	if (!r->ignoring) {
		if (r->n_active == ACTIVE_MAX)
			sample_die("%s:%u: too many option sets", r->path, r->line);
		r->active[r->n_active++] =
			(struct active) {.set = find_set(r->log, opts), .opts = json_incref(opts)};
	}
	json_decref(opts);
}

static void take_filter_options(struct reading *r, const json_t *value)
{
	size_t i;
	json_t *item;

	forget_active(r);
	r->asked = true;
	r->ignoring = false;
	if (!json_is_array(value)) {
		activate(r, value);
		return;
	}
	json_array_foreach((json_t *)value, i, item) activate(r, item);
}

static void add_file(struct reading *r, const char *name)
{
	if (name == NULL || r->n_files == FILES_MAX || strchr(name, '/') != NULL)
		sample_die("%s:%u: cannot add that file", r->path, r->line);
	r->files[r->n_files++] = need_memory(strdup(name));
}

/* The next line of the file without its end; false at the end. */
static bool next_line(struct reading *r, size_t *ret_len)
{
	ssize_t n = getline(&r->buf, &r->room, r->f);

	if (n < 0)
		return false;
	r->line++;
	while (n > 0 && (r->buf[n - 1] == '\n' || r->buf[n - 1] == '\r'))
		n--;
	r->buf[n] = '\0';
	*ret_len = (size_t)n;
	return true;
}

/* "# failJSON: {...}": the word, and the JSON behind the colon. NULL: it is no such line. */
static const char *annotation(const char *line, const char **ret_word)
{
	static const char *const words[] = {
		"failJSON:", "filterOptions:", "fileOptions:", "addFILE:"};
	const char *p = line;

	if (*p != '#')
		return NULL;
	p += strspn(p, "#");
	p += *p == ' ';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);

		if (strncmp(p, words[i], len) == 0 && p[len] != '\0') {
			*ret_word = words[i];
			return p + len;
		}
	}
	return NULL;
}

static void add_sample(
	struct reading *r, const struct active *a, const char *text, size_t len, json_t *want)
{
	struct sample_set *set = &r->log->sets[a->set];
	const char *prefix = NULL,
		   *constraint = json_string_value(json_object_get(want, "constraint"));
	const char *logtype = json_string_value(json_object_get(a->opts, "logtype"));
	size_t prefix_len = 0;
	struct sample *s;

	if (constraint != NULL && constraint[0] != '\0' &&
		!sample_condition(constraint, r->name, a->opts))
		return;
	/* What the journal's reader puts in front of the message. */
	if (logtype != NULL && strcmp(logtype, "journal") == 0)
		prefix = json_string_value(json_object_get(a->opts, "test.prefix-line"));
	if (prefix != NULL)
		prefix_len = strlen(prefix);
	set->samples = need_memory(realloc(set->samples, (set->n + 1) * sizeof(*set->samples)));
	s = &set->samples[set->n++];
	*s = (struct sample) {.text = need_memory(malloc(prefix_len + len + 1)),
		.len = prefix_len + len,
		.want = json_incref(want),
		.file = need_memory(strdup(r->path)),
		.line = r->line};
	if (prefix != NULL)
		memcpy(s->text, prefix, prefix_len);
	memcpy(s->text + prefix_len, text, len);
	s->text[s->len] = '\0';
}

/* A line of the log itself, with what is said of it. */
static void take_line(struct reading *r, size_t len, json_t *want)
{
	if (r->ignoring)
		return;
	if (!r->asked) {
		json_t *none = need_memory(json_object());

		take_filter_options(r, none);
		json_decref(none);
	}
	for (size_t i = 0; i < r->n_active; i++)
		add_sample(r, &r->active[i], r->buf, len, want);
}

static void take_annotation(struct reading *r, const char *word, const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
	size_t len;

	if (value == NULL)
		sample_die("%s:%u: %s", r->path, r->line, error.text);
	if (strcmp(word, "fileOptions:") == 0) {
		json_decref(r->common);
		r->common = json_incref(value);
	} else if (strcmp(word, "filterOptions:") == 0) {
		take_filter_options(r, value);
	} else if (strcmp(word, "addFILE:") == 0) {
		add_file(r, json_string_value(value));
	} else if (!next_line(r, &len)) {
		sample_die("%s:%u: the file ends before its line", r->path, r->line);
	} else {
		take_line(r, len, value);
	}
	json_decref(value);
}

static void read_file(struct reading *r)
{
	json_t *nothing = need_memory(json_object());
	const char *word, *text;
	size_t len;

	r->f = fopen(r->path, "rbe");
	if (r->f == NULL)
		sample_die("%s: %s", r->path, strerror(errno));
	r->line = 0;
	r->ignoring = false;
	while (next_line(r, &len)) {
		text = annotation(r->buf, &word);
		if (text != NULL)
			take_annotation(r, word, text);
		else if (r->buf[0] != '#' && strspn(r->buf, " \t\v\f\r\n") < len)
			take_line(r, len, nothing);
	}
	fclose(r->f);
	json_decref(nothing);
}

void sample_log_read(struct sample_log *ret, const char *dir, const char *name)
{
	struct reading r = {.log = ret, .name = name};
	char *path;

	*ret = (struct sample_log) {0};
	add_file(&r, name);
	for (size_t i = 0; i < r.n_files; i++) {
		if (asprintf(&path, "%s/%s", dir, r.files[i]) < 0)
			sample_die("out of memory");
		r.path = path;
		read_file(&r);
		free(path);
	}
	ret->n_files = r.n_files;
	for (size_t i = 0; i < r.n_files; i++)
		free(r.files[i]);
	forget_active(&r);
	json_decref(r.common);
	free(r.buf);
}

void sample_log_done(struct sample_log *log)
{
	for (size_t i = 0; i < log->n; i++) {
		struct sample_set *set = &log->sets[i];

		for (size_t k = 0; k < set->n; k++) {
			free(set->samples[k].text);
			free(set->samples[k].file);
			json_decref(set->samples[k].want);
		}
		free(set->samples);
		free(set->key);
		json_decref(set->opts);
	}
	free(log->sets);
}
