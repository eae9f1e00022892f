/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Configuration directories made for one test, and what reading them says. */

#include "config/ruleset.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64];
	struct faults faults;
	struct ruleset *rs;
	char *said; /* all faults, a line each, without the directory */
};

static inline void fixture_init(struct fixture *f)
{
	*f = (struct fixture) {.dir = "/tmp/stockade-config-XXXXXX"};
	assert_non_null(mkdtemp(f->dir));
}

static inline void fixture_bytes(struct fixture *f, const char *name, const char *data, size_t len)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	for (char *p = path + strlen(f->dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		mkdir(path, 0700);
		*p = '/';
	}
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void fixture_file(struct fixture *f, const char *name, const char *text)
{
	fixture_bytes(f, name, text, strlen(text));
}

static inline void fixture_tell(struct fixture *f)
{
	size_t dir_len = strlen(f->dir), size;
	FILE *out = open_memstream(&f->said, &size);

	assert_non_null(out);
	for (size_t i = 0; i < f->faults.n; i++) {
		char *text = fault_text(&f->faults.items[i]), *p = text;

		assert_non_null(text);
		assert_null(strchr(text, '\n'));
		for (char *at; (at = strstr(p, f->dir)) != NULL; p = at + dir_len) {
			fwrite(p, 1, (size_t)(at - p), out);
			if (at[dir_len] == '/')
				at++;
		}
		fprintf(out, "%s\n", p);
		free(text);
	}
	fclose(out);
}

static inline int fixture_load(struct fixture *f)
{
	int r = ruleset_load(&f->rs, f->dir, &f->faults);

	fixture_tell(f);
	return r;
}

static inline void fixture_done(struct fixture *f)
{
	char command[128];

	ruleset_free(f->rs);
	faults_done(&f->faults);
	free(f->said);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
	assert_int_equal(system(command), 0);
}

#define FILTER_X "[Definition]\nfailregex = ^x <HOST>$\n"

/* A filter "x", an action "tell" and a jail.conf of these lines load, and this is said. */
static inline void fixture_said(struct fixture *f, const char *jail_conf, const char *said)
{
	fixture_init(f);
	fixture_file(f, "filter.d/x.conf", FILTER_X);
	fixture_file(f, "action.d/tell.conf", "[Definition]\nactionban = echo <ip>\n");
	fixture_file(f, "jail.conf", jail_conf);
	if (fixture_load(f) != 0 || strcmp(f->said, said) != 0)
		fail_msg("%s", f->said);
}

/* The same, and nothing is said. */
static inline void fixture_good(struct fixture *f, const char *jail_conf)
{
	fixture_said(f, jail_conf, "");
}

/* A jail x with that line added; what is wrong with it must be said in these words. */
static inline void fixture_bad(const char *line, const char *said)
{
	struct fixture f;
	char text[8192];

	fixture_init(&f);
	fixture_file(&f, "filter.d/x.conf", FILTER_X);
	snprintf(text, sizeof(text), "[x]\nenabled = true\nlogpath = /l\n%s\n", line);
	fixture_file(&f, "jail.conf", text);
	fixture_load(&f);
	if (strcmp(f.said, said) != 0)
		fail_msg("for:\n%s\nsaid:\n%swanted:\n%s", line, f.said, said);
	fixture_done(&f);
}
