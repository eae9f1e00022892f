/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/say.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVERY_US (USEC_PER_SEC / 10)
#define BAR_MAX 40

static int terminal;

/* The shell's prompt is not to stand behind half a bar. */
static void on_interrupt(int sig)
{
	static const char clear[] = "\r\033[K";
	ssize_t n = write(terminal, clear, sizeof(clear) - 1);

	(void)n;
	raise(sig);
}

static void catch_interrupt(FILE *out)
{
	const struct sigaction mine = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
	struct sigaction old;

	terminal = fileno(out);
	if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
		sigaction(SIGINT, &mine, NULL);
}

void progress_init(struct progress *p, FILE *out)
{
	const char *term = getenv("TERM");

	*p = (struct progress) {.start_us = clock_mono_us()};
	if (!isatty(fileno(out)) || (term != NULL && strcmp(term, "dumb") == 0))
		return;
	p->out = out;
	p->width = cli_width(out);
	p->next_us = p->start_us + EVERY_US;
	catch_interrupt(out);
}

static void draw_bar(const struct progress *p, double share, size_t text_len)
{
	unsigned left = p->width > text_len + 4 ? p->width - (unsigned)text_len - 4 : 0;
	unsigned n = left < BAR_MAX ? left : BAR_MAX, full = (unsigned)(share * n);

	if (n == 0)
		return;
	fputc('[', p->out);
	for (unsigned i = 0; i < n; i++)
		fputc(i < full ? '#' : '.', p->out);
	fputs("] ", p->out);
}

void progress_tell(struct progress *p, uint64_t done, uint64_t total, uint64_t lines)
{
	int64_t now_us, past_us;
	char text[3 * SAY_MAX], rate[SAY_MAX], left[SAY_MAX];
	double share;

	if (p->out == NULL || (now_us = clock_mono_us()) < p->next_us)
		return;
	p->next_us = now_us + EVERY_US;
	past_us = now_us - p->start_us;
	share = total > 0 && done < total ? (double)done / (double)total : total > 0;
	say_count((int64_t)((double)lines * USEC_PER_SEC / (double)past_us), rate);
	if (total > 0)
		snprintf(text, sizeof(text), "%3.0f %%  %s lines/s  %s left", share * 100, rate,
			share > 0 ? say_span((int64_t)((double)past_us / USEC_PER_SEC / share *
						       (1 - share)),
					    left)
				  : "?");
	else
		snprintf(text, sizeof(text), "%s lines  %s lines/s",
			say_count((int64_t)lines, left), rate);
	fputc('\r', p->out);
	if (total > 0)
		draw_bar(p, share, strlen(text));
	fprintf(p->out, "%.*s\033[K", (int)p->width - 1, text);
	fflush(p->out);
	p->is_shown = true;
}

void progress_clear(struct progress *p)
{
	if (!p->is_shown)
		return;
	fputs("\r\033[K", p->out);
	fflush(p->out);
	p->is_shown = false;
}
