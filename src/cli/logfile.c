/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/logfile.h"

#include "base/util.h"
#include "cli/lines.h"
#include "source/unwrap.h"

#include <errno.h>
#include <sys/stat.h>

struct reading {
	struct tail tail;
	struct unwrap unwrap;
	logfile_fn *fn;
	void *arg;
	int error; /* what fn said */
	char decoded[TAIL_LINE_MAX];
	char buf[TAIL_BUFFER];
};

static void on_line(void *arg, const struct tail_line *line)
{
	const struct charset *charset;
	struct reading *r = arg;
	const char *text = line->text;
	size_t len = line->len;
	bool cut;

	charset = r->unwrap.charset;
	if (charset != NULL) {
		len = charset_decode(
			charset, r->decoded, sizeof(r->decoded), text, len, line->off == 0, &cut);
		text = r->decoded;
	}
	while (len > 0 && text[len - 1] == '\r')
		len--;
	if (r->error == 0)
		r->error = r->fn(r->arg, text, len);
}

static int read_file(struct reading *r, const char **ret_unfit)
{
	int e;

	*ret_unfit = unwrap_look(&r->unwrap, &r->tail, false);
	if (*ret_unfit != NULL)
		return -EMEDIUMTYPE;
	do
		e = tail_read(&r->tail, r->buf, TAIL_BUFFER, on_line, r);
	while (e > 0 && r->error == 0);
	if (e == 0)
		e = tail_finish(&r->tail, r->buf, on_line, r);
	return e < 0 ? e : r->error;
}

static int read_pipe(int fd, logfile_fn *fn, void *arg)
{
	struct lines *lines = lines_new(fd);
	const char *line;
	size_t len;
	int e = lines != NULL ? 0 : -ENOMEM;

	while (lines != NULL && e >= 0 && (e = lines_next(lines, &line, &len)) > 0)
		e = fn(arg, line, len);
	lines_free(lines);
	return e;
}

int logfile_read(
	int fd, const struct charset *charset, logfile_fn *fn, void *arg, const char **ret_unfit)
{
	_cleanup_free_ struct reading *r = NULL;
	struct stat st;
	int e;

	*ret_unfit = NULL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return read_pipe(fd, fn, arg);
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		close(fd);
		return -ENOMEM;
	}
	r->fn = fn;
	r->arg = arg;
	r->unwrap.named = charset;
	tail_init(&r->tail, fd, (uint64_t)st.st_dev, st.st_ino);
	e = read_file(r, ret_unfit);
	tail_done(&r->tail);
	return e;
}
