/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fault.h"

#include "base/text.h"
#include "base/util.h"
#include "cli/cli.h"

#include <string.h>
#include <unistd.h>

#define INDENT 4

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* From column `at` on, no word beyond width; blanks stay, at the ends of lines. */
static void fold(FILE *out, const char *s, size_t at, size_t width)
{
	while (*s != '\0') {
		size_t blanks = strspn(s, " "), word = strcspn(s + blanks, " ");
		size_t wide = columns(s + blanks, word);

		fprintf(out, "%.*s", (int)blanks, s);
		at += blanks;
		if (at + wide > width && at > INDENT && word > 0) {
			fprintf(out, "\n%*s", INDENT, "");
			at = INDENT;
		}
		fprintf(out, "%.*s", (int)word, s + blanks);
		at += wide;
		s += blanks + word;
	}
}

static char *escaped(const char *s)
{
	size_t size = strlen(s) * 4 + 1;
	char *text = malloc(size);

	if (text != NULL)
		text_escape(text, size, s, strlen(s));
	return text;
}

static void print(FILE *out, const char *file, long long line, bool warning, const char *message)
{
	_cleanup_free_ char *name = escaped(file), *text = escaped(message);
	const char *kind = warning ? "warning" : "error";
	bool color = cli_wants_color(out);
	char number[24] = "";
	size_t at;

	if (name == NULL || text == NULL)
		return;
	if (line > 0)
		snprintf(number, sizeof(number), ":%lld", line);
	if (file[0] != '\0')
		fprintf(out, "%s%s%s%s: ", color ? "\033[1m" : "", name, number,
			color ? "\033[0m" : "");
	fprintf(out, "%s%s:%s ",
		!color    ? ""
		: warning ? "\033[33m"
			  : "\033[1;31m",
		kind, color ? "\033[0m" : "");
	if (isatty(fileno(out))) {
		at = file[0] != '\0' ? columns(name, strlen(name)) + strlen(number) + 2 : 0;
		fold(out, text, at + strlen(kind) + 2, cli_width(out));
	} else {
		fputs(text, out);
	}
	fputc('\n', out);
}

void cli_faults(FILE *out, const struct faults *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct fault *one = &f->items[i];

		print(out, one->file != NULL ? one->file : "", one->line,
			one->severity == FAULT_WARNING, one->message);
	}
}

void cli_json_faults(FILE *out, const json_t *faults)
{
	const json_t *fault;
	size_t i;

	json_array_foreach(faults, i, fault)
	{
		print(out, answer_text(fault, "file"), answer_int(fault, "line", 0),
			strcmp(answer_text(fault, "severity"), "warning") == 0,
			answer_text(fault, "message"));
	}
}
