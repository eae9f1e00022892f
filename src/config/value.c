/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/value.h"

#include "base/text.h"
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_MAX (4 << 20)

bool value_text(struct reader *r, const struct section *s, const char *key, struct conf_text *ret)
{
	const struct entry *e = section_entry(s, key);
	const char *text;

	if (e == NULL)
		return false;
	text = lines_join(&e->lines, r->scratch, "\n");
	if (text[0] == '\0')
		return false;
	*ret = (struct conf_text) {text, e->where};
	return true;
}

struct where value_where(const struct section *s, const char *key, size_t at)
{
	const struct entry *e = section_entry(s, key);
	struct where where = e->where;

	for (size_t i = 0; i < e->lines.n; i++) {
		size_t len = strlen(e->lines.items[i].text);

		if (len == 0)
			continue;
		where = e->lines.items[i].where;
		if (at <= len)
			break;
		at -= len + 1;
	}
	return where;
}

const char *value_hint(const char *text)
{
	if (strchr(text, '\n') != NULL)
		return " (a line that begins with a blank goes on the value above it)";
	if (strstr(text, " #") != NULL)
		return " (a comment behind a value begins with ';', not with '#')";
	return "";
}

void value_bool(struct reader *r, const struct section *s, const char *key, bool *ret)
{
	struct conf_text t;

	if (!value_text(r, s, key, &t) || text_parse_bool(ret, t.text) == 0)
		return;
	reader_error(r, t.where, "%s = '%s' is neither yes nor no: write 'true' or 'false'%s", key,
		reader_show(r, t.text), value_hint(t.text));
}

void value_number(struct reader *r, const struct section *s, const char *key, long long min,
	long long max, long long *ret)
{
	struct conf_text t;
	long long n;
	char *end;

	if (!value_text(r, s, key, &t))
		return;
	errno = 0;
	n = strtoll(t.text, &end, 10);
	if (errno == 0 && end != t.text && *end == '\0' && n >= min && n <= max) {
		*ret = n;
		return;
	}
	reader_error(r, t.where, "%s = '%s' is not a whole number from %lld to %lld: write one%s",
		key, reader_show(r, t.text), min, max, value_hint(t.text));
}

/* "500", "64M". False for anything else. */
static bool parse_size(const char *text, uint64_t *ret)
{
	static const char units[] = "kmg";
	size_t digits = strspn(text, "0123456789");
	const char *unit = text + digits, *known;
	uint64_t n;

	/* So many digits that they fit with any unit. */
	if (digits == 0 || digits > 10)
		return false;
	n = strtoull(text, NULL, 10);
	if (*unit != '\0') {
		known = strchr(units, tolower((unsigned char)*unit));
		if (known == NULL || unit[1] != '\0')
			return false;
		for (const char *u = units; u <= known; u++)
			n *= 1000;
	}
	*ret = n;
	return true;
}

/* 64000000 as "64M". */
static const char *size_text(struct reader *r, uint64_t n)
{
	static const char *const units[] = {"", "K", "M", "G"};
	size_t unit = 0;

	while (unit + 1 < ARRAY_SIZE(units) && n >= 1000 && n % 1000 == 0) {
		n /= 1000;
		unit++;
	}
	return arena_printf(r->scratch, "%" PRIu64 "%s", n, units[unit]);
}

void value_size(struct reader *r, const struct section *s, const char *key, uint64_t min,
	uint64_t max, uint64_t *ret)
{
	struct conf_text t;
	uint64_t n;

	if (!value_text(r, s, key, &t))
		return;
	if (parse_size(t.text, &n) && n >= min && n <= max) {
		*ret = n;
		return;
	}
	reader_error(r, t.where, "%s = '%s' is no size from %s to %s: write such as '64M'%s", key,
		reader_show(r, t.text), size_text(r, min), size_text(r, max), value_hint(t.text));
}

void value_duration(struct reader *r, const struct section *s, const char *key, int64_t min,
	bool forever, int64_t *ret)
{
	const char *or_forever = forever ? ", or '-1' for ever" : "";
	struct conf_text t;
	int64_t sec;

	if (!value_text(r, s, key, &t))
		return;
	if (text_parse_duration(&sec, t.text) < 0) {
		reader_error(r, t.where,
			"%s = '%s' is not a time: write seconds, or such as '10m', '1h 30m', "
			"'1w'%s%s",
			key, reader_show(r, t.text), or_forever, value_hint(t.text));
		return;
	}
	if (sec < 0 && forever) {
		*ret = -1;
	} else if (sec < min) {
		reader_error(r, t.where, "%s = '%s' is too short: write at least '%llds'%s", key,
			reader_show(r, t.text), (long long)min, or_forever);
	} else {
		*ret = sec;
	}
}

struct words words_of(const struct section *s, const char *key)
{
	const struct entry *e = section_entry(s, key);

	return (struct words) {.lines = e != NULL ? &e->lines : NULL};
}

bool words_next(struct words *w, struct reader *r, const char *separators)
{
	while (w->lines != NULL && w->line < w->lines->n) {
		const struct conf_text *line = &w->lines->items[w->line];
		size_t len;

		if (w->at == NULL)
			w->at = line->text;
		w->at += strspn(w->at, separators);
		len = strcspn(w->at, separators);
		if (len > 0) {
			w->word.text = arena_strndup(r->scratch, w->at, len);
			w->word.where = line->where;
			w->at += len;
			return true;
		}
		w->line++;
		w->at = NULL;
	}
	return false;
}

/* Can it be meant as a host name? Not if it is made of what addresses are made of. */
static bool is_host_name(const char *s)
{
	bool letter = false;

	if (strpbrk(s, ":/") != NULL || strlen(s) > 253)
		return false;
	for (; *s != '\0'; s++) {
		if (!isalnum((unsigned char)*s) && *s != '.' && *s != '-' && *s != '_')
			return false;
		letter |= isalpha((unsigned char)*s) != 0;
	}
	return letter;
}

static bool add_name(struct reader *r, const char *text, struct host_names *names)
{
	size_t len = strlen(text);
	char *name;

	len -= text[len - 1] == '.';
	name = arena_strndup(r->keep, text, len);
	for (char *p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	if (names->n == HOST_NAMES_MAX)
		return false;
	if (names->items == NULL)
		names->items = arena_array(r->keep, HOST_NAMES_MAX, sizeof(*names->items));
	names->items[names->n++] = name;
	return true;
}

static void add_host(struct reader *r, struct conf_text word, const char *key,
	struct prefixset *ret, struct host_names *ret_names)
{
	static const char *const local[] = {"127.0.0.1", "::1"};
	struct prefix p;

	/* RFC 6761 6.3: what this name has need not be asked. */
	if (strcasecmp(word.text, "localhost") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(local); i++)
			if (prefix_parse(&p, local[i], strlen(local[i])) == 0)
				prefixset_add(ret, &p);
		return;
	}
	if (!add_name(r, word.text, ret_names))
		reader_warn(r, word.where,
			"%s: more than %d host names: '%s' is left out, write addresses", key,
			HOST_NAMES_MAX, reader_show(r, word.text));
	else if (strchr(word.text, '.') == NULL)
		reader_warn(r, word.where,
			"%s: '%s' is taken for a host name: write it whole, such as "
			"'host.example.org', or its addresses",
			key, reader_show(r, word.text));
}

static void add_prefix(struct reader *r, struct conf_text word, const char *key,
	struct prefixset *ret, struct host_names *ret_names)
{
	struct prefix p;

	if (prefix_parse(&p, word.text, strlen(word.text)) == 0) {
		if (prefixset_add(ret, &p) < 0)
			reader_error(r, word.where, "out of memory");
	} else if (is_host_name(word.text)) {
		add_host(r, word, key, ret, ret_names);
	} else {
		reader_error(r, word.where,
			"%s: '%s' is no address: write such as '192.0.2.1', '192.0.2.0/24' or "
			"'2001:db8::/32'",
			key, reader_show(r, word.text));
	}
}

/* A file that is one, and no larger than anybody's list; NULL with the reason in errno. */
static FILE *open_list(const char *path)
{
	/* Without O_NONBLOCK a named pipe would hold us here for ever. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error;
	FILE *f = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0) {
		if (S_ISREG(st.st_mode) && st.st_size <= LIST_MAX)
			f = fdopen(fd, "r");
		else
			errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? EFBIG : EINVAL;
	}
	if (f == NULL) {
		error = errno;
		close(fd);
		errno = error;
	}
	return f;
}

/* "file:/path": an address or a name a line; what follows a '#' or ';' is a comment. */
static void add_file(struct reader *r, struct conf_text word, const char *key,
	struct prefixset *ret, struct host_names *ret_names)
{
	const char *path = word.text + strlen("file:");
	struct conf_text entry = {.where = {.line = 0}};
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	FILE *f;

	if (strncmp(path, "//", 2) == 0)
		path += 2;
	f = open_list(path);
	if (f == NULL) {
		reader_error(r, word.where, "%s: cannot read %s: %s", key, reader_show(r, path),
			strerror(errno));
		return;
	}
	entry.where.file = path;
	while (getline(&line, &room, f) >= 0) {
		entry.where.line++;
		line[strcspn(line, "#;\r\n")] = '\0';
		for (char *at = line, *one; (one = strsep(&at, " \t,")) != NULL;) {
			entry.text = one;
			if (*one != '\0')
				add_prefix(r, entry, key, ret, ret_names);
		}
	}
	if (ferror(f))
		reader_error(
			r, word.where, "%s: cannot read %s to its end", key, reader_show(r, path));
	fclose(f);
}

void value_prefixes(struct reader *r, const struct section *s, const char *key,
	struct prefixset *ret, struct host_names *ret_names)
{
	struct words w = words_of(s, key);

	while (words_next(&w, r, ", \t\r\n")) {
		if (strncmp(w.word.text, "file:", 5) == 0)
			add_file(r, w.word, key, ret, ret_names);
		else
			add_prefix(r, w.word, key, ret, ret_names);
	}
}
