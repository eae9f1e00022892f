/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that are injected come out of our own receiver as they were, one each. */
#include "base/util.h"
#include "cli/inject_form.h"
#include "cli/inject_input.h"
#include "source/frames.h"
#include "source/syslog.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define LINES_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sent {
	char *text; /* as it has to arrive, if nothing is cut */
	size_t len;
	size_t front; /* what of it a receiver takes for part of the header */
	bool cut;
};

struct check {
	struct sent sent[LINES_MAX];
	size_t n, got;
};

static void escape(struct sent *s, const char *line, size_t len)
{
	s->text = malloc(len * 4 + 1);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < ' ' && c != '\t') || c == 127)
			s->len += (size_t)sprintf(s->text + s->len, "#%03o", c);
		else
			s->text[s->len++] = line[i];
	}
}

static void on_frame(void *arg, const char *msg, size_t len, bool cut)
{
	struct check *c = arg;
	struct sent *s = &c->sent[c->got++];
	struct syslog_msg m;

	if (c->got > c->n || cut)
		abort();
	syslog_parse(&m, msg, len);
	if (m.facility != 16 || m.severity != 4 || m.program.len != 3 ||
		memcmp(m.program.p, "web", 3) != 0 || m.pid.len != 2 || m.host.len != 2)
		abort();
	if (s->cut ? m.text.len >= s->len : m.text.len != s->len - s->front)
		abort();
	if (memcmp(m.text.p, s->text + s->front, m.text.len) != 0)
		abort();
	free(s->text);
}

static void send_line(struct check *c, struct inject_form *f, struct frames *frames,
	struct frames_room *room, const char *line, size_t len, bool cut)
{
	struct sent *s = &c->sent[c->n++];
	char *dst = malloc(inject_form_room(f, len));
	size_t n;

	escape(s, line, len);
	if (f->rfc5424)
		s->front = s->len >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	else
		while (s->front < s->len && s->text[s->front] == ' ')
			s->front++;
	n = inject_form_put(f, dst, line, len, &cut);
	s->cut = cut;
	frames_take(frames, room, dst, n / 2, on_frame, c);
	frames_take(frames, room, dst + n / 2, n - n / 2, on_frame, c);
	if (c->got != c->n)
		abort();
	free(dst);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct check c;
	struct frames frames = {0};
	struct frames_room room = {.max = 1 << 20};
	struct inject_input in;
	struct inject_form f = {.pri = 16 * 8 + 4, .host = "h1", .tag = "web", .pid = 42};
	const struct timespec now = {1795159928, 0};
	const char *line;
	size_t len;
	bool cut = false;
	_cleanup_close_ int fd = memfd_create("lines", MFD_CLOEXEC);

	if (size < 1 || size > 1 << 17 || fd < 0 ||
		pwrite(fd, data + 1, size - 1, 0) != (ssize_t)size - 1)
		return 0;
	f.rfc5424 = data[0] & 1;
	f.framing = data[0] & 2 ? INJECT_COUNTED : INJECT_NEWLINE;
	f.size = INJECT_SIZE_MIN + (data[0] >> 2);
	inject_form_at(&f, &now);
	if (inject_input_init(&in, fd) < 0)
		abort();
	for (c.n = c.got = 0; c.n < LINES_MAX;) {
		if (inject_input_line(&in, &line, &len, &cut)) {
			c.sent[c.n] = (struct sent) {0};
			send_line(&c, &f, &frames, &room, line, len, cut);
			cut = false;
		} else if (in.ended) {
			break;
		} else {
			inject_input_read(&in);
		}
	}
	frames_done(&frames, &room);
	inject_input_done(&in);
	return 0;
}
