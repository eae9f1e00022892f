/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/utf8.h"
#include "cli/f2b_regex.h"
#include "cli/f2b_room.h"
#include "source/charset.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>

/* A log file under way. */
struct reading {
	struct f2b *b;
	const char *encoding;
	struct charset *given;       /* NULL: bytes as they stand */
	const struct charset *meant; /* what its first bytes say it is */
	bool warned;
	char decoded[UTF8_MAX * TAIL_LINE_MAX];
	char line[UTF8_GROWTH * UTF8_MAX * TAIL_LINE_MAX];
	char buf[TAIL_BUFFER];
};

/* The encoding of this system's texts. */
static void system_encoding(char *buf, size_t size)
{
	locale_t l = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	const char *name = l != (locale_t)0 ? nl_langinfo_l(CODESET, l) : "UTF-8";

	/* The plain C locale says nothing about what logs are written in. */
	snprintf(buf, size, "%s", strncmp(name, "ANSI_", 5) == 0 ? "UTF-8" : name);
	if (l != (locale_t)0)
		freelocale(l);
}

/* A line in UTF-8; comments and empty ones are passed over. */
static void judge(struct f2b *b, const char *line, size_t len)
{
	while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
		len--;
	if (len > 0 && line[0] != '#')
		f2b_judge(b, line, len, NULL);
}

/* Once a file. */
static void warn_decoding(struct reading *r, const char *line, size_t len)
{
	struct buf shown = {0};

	if (r->warned)
		return;
	r->warned = true;
	f2b_repr(line, len, &shown);
	f2b_warn(r->b, "Error decoding line from '%s' with '%s'.", r->b->o.log, r->encoding);
	f2b_warn(r->b, "Continuing to process line ignoring invalid characters: %s",
		buf_text(&shown));
	buf_done(&shown);
}

static void take_line(void *arg, const struct tail_line *line)
{
	struct reading *r = arg;
	const char *text = line->text;
	size_t len = line->len, n;
	bool cut;

	if (line->off == 0)
		r->meant = charset_of(r->given, text, len);
	if (r->meant != NULL) {
		len = charset_decode(
			r->meant, r->decoded, sizeof(r->decoded), text, len, line->off == 0, &cut);
		text = r->decoded;
	}
	n = utf8_replace(r->line, text, len);
	if (n != len || memcmp(text, r->line, len) != 0)
		warn_decoding(r, r->line, n);
	judge(r->b, r->line, n);
}

static bool open_encoding(struct reading *r)
{
	int error = charset_open(&r->given, r->encoding);

	if (error == -EOPNOTSUPP)
		f2b_print(
			r->b, "ERROR: lines cannot be told apart in the encoding %s", r->encoding);
	else if (error < 0)
		f2b_print(r->b, "ERROR: unknown encoding: %s", r->encoding);
	return error == 0;
}

/* What follows the last line end is a line still being written, and waits for its end. */
static int read_lines(struct reading *r, int fd)
{
	struct tail tail;
	int more;

	tail_init(&tail, fd, 0, 0);
	charset_apply(r->given, &tail);
	do
		more = tail_read(&tail, r->buf, TAIL_BUFFER, take_line, r);
	while (more > 0 && !ferror(r->b->out));
	tail_done(&tail);
	return more;
}

static bool read_file(struct f2b *b)
{
	struct reading *r = f2b_room(sizeof(*r));
	int fd = open(b->o.log, O_RDONLY | O_CLOEXEC), error = 0;
	bool good = false;
	char name[64];

	system_encoding(name, sizeof(name));
	r->b = b;
	r->encoding = b->o.encoding != NULL ? b->o.encoding : name;
	if (fd < 0) {
		f2b_print(b, "[Errno %d] %s: '%s'", errno, strerror(errno), b->o.log);
	} else if (!open_encoding(r)) {
		close(fd);
	} else {
		f2b_tell(b, "Use         log file : %s", b->o.log);
		f2b_tell(b, "Use         encoding : %s", r->encoding);
		f2b_tell(b, "%s", "");
		error = read_lines(r, fd);
		good = error >= 0;
	}
	if (error < 0)
		f2b_print(b, "ERROR: %s: %s", b->o.log, strerror(-error));
	charset_close(r->given);
	free(r);
	return good;
}

static void tell_lines(struct f2b *b, const char *text, size_t n)
{
	char shown[4 * F2B_SHORT_MAX];

	f2b_tell(b, "Use      multi line : %zu line(s)", n);
	for (size_t i = 0; i < n && i < 5; i++) {
		const char *end = strchrnul(text, '\n');
		char *line = f2b_copy(text, (size_t)(end - text));

		f2b_tell(b, "| %2zu: %s", i + 1, f2b_short(line, shown));
		free(line);
		text = end + (*end != '\0');
	}
	if (n > 5)
		f2b_tell(b, "| ...");
	f2b_tell(b, "`-");
}

/* LOG is the lines themselves. */
static void read_text(struct f2b *b)
{
	size_t len = strlen(b->o.log), n = 1;
	char *text = f2b_room(UTF8_GROWTH * len + 1), shown[4 * F2B_SHORT_MAX];

	len = utf8_replace(text, b->o.log, len);
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	if (b->finder.maxlines <= 1 && n == 1)
		f2b_tell(b, "Use      single line : %s", f2b_short(text, shown));
	else
		tell_lines(b, text, n);
	f2b_tell(b, "%s", "");
	for (const char *line = text; line <= text + len; line = strchrnul(line, '\n') + 1)
		judge(b, line, strcspn(line, "\n"));
	free(text);
}

bool f2b_is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool f2b_is_journal(const struct f2b *b)
{
	return strncmp(b->o.log, "systemd-journal", 15) == 0;
}

bool f2b_read(struct f2b *b)
{
	if (f2b_is_file(b->o.log))
		return read_file(b);
	if (f2b_is_journal(b))
		return f2b_read_journal(b);
	read_text(b);
	return true;
}
