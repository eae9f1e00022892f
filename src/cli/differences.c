/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/differences.h"

#include "base/clock.h"
#include "base/util.h"
#include "cli/say.h"
#include "cli/table.h"

#include <string.h>
#include <time.h>

static const struct table_column columns[] = {
	{"ADDRESS"},
	{"JAIL", .shrink = true},
	{"FIRST BAN"},
	{"BANS", .right = true},
	{"FAILURES", .right = true},
	{"LOGINS", .right = true},
	{"USER", .shrink = true},
};

const char *differences_time(int64_t us, bool for_people, char buf[static 64])
{
	time_t t = (time_t)(us / USEC_PER_SEC - (us % USEC_PER_SEC < 0));
	struct tm tm;
	size_t n;

	buf[0] = '\0';
	if (localtime_r(&t, &tm) == NULL)
		return buf;
	n = strftime(buf, 63, for_people ? "%Y-%m-%d %H:%M:%S" : "%Y-%m-%dT%H:%M:%S%z", &tm);
	if (!for_people && n >= 5) {
		/* "+0100" to "+01:00". */
		memmove(buf + n - 1, buf + n - 2, 3);
		buf[n - 2] = ':';
	}
	return buf;
}

static void print_json(struct cli *c, const struct tally_entry *e, unsigned side)
{
	const char *jail = e->side[side].jail->name;
	char ip[PREFIX_STRLEN], time[64];
	json_t *line = json_pack("{s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:s?}", "ip",
		prefix_format(&e->who, ip), "jail", cli_json_text(jail, strlen(jail)), "in",
		side == TALLY_NEW ? "new" : "old", "time",
		differences_time(e->side[side].first_us, false, time), "logins",
		(json_int_t)e->logins, "bans", (json_int_t)e->side[side].bans, "failures",
		(json_int_t)e->side[side].failures, "user", e->logins > 0 ? e->user : NULL);

	cli_json(c, line);
	json_decref(line);
}

static void add_row(struct table *t, const struct tally_entry *e, unsigned side)
{
	const char *jail = e->side[side].jail->name;
	char buf[64], ip[PREFIX_STRLEN];

	table_cellf(t, "%s", prefix_format(&e->who, ip));
	table_cell(t, jail, strlen(jail));
	table_cellf(t, "%s", differences_time(e->side[side].first_us, true, buf));
	table_cellf(t, "%s", say_count(e->side[side].bans, buf));
	table_cellf(t, "%s", say_count(e->side[side].failures, buf));
	table_cellf(t, "%s", e->logins > 0 ? say_count((int64_t)e->logins, buf) : "-");
	table_cellf(t, "%s", e->logins > 0 ? e->user : "");
}

/* Who is banned by one side alone. */
static void print_side(
	struct cli *c, const struct tally_entry **list, size_t n, unsigned side, const char *name)
{
	struct table *t;

	fprintf(c->out, "%sonly with ", cli_style(c, STYLE_BOLD));
	cli_text(c->out, name, strlen(name));
	fprintf(c->out, ":%s\n", cli_style(c, STYLE_PLAIN));
	t = table_new(c->out, columns, ARRAY_SIZE(columns), c->width, cli_style(c, STYLE_BOLD),
		cli_style(c, STYLE_PLAIN));
	for (size_t i = 0; t != NULL && i < n; i++)
		if (list[i]->side[side].bans > 0)
			add_row(t, list[i], side);
	table_end(t);
	fputc('\n', c->out);
}

static void print_sum(struct cli *c, const struct tally_sums *s, unsigned side, const char *name)
{
	size_t n = s->only[side], in = s->logged_in[side];
	char buf[SAY_MAX];

	fprintf(c->out, "%s address%s would be banned with ", say_count((int64_t)n, buf),
		n == 1 ? "" : "es");
	cli_text(c->out, name, strlen(name));
	fputs(" alone", c->out);
	if (in > 0)
		fprintf(c->out, ", %s%s of %s ha%s logged in successfully%s",
			cli_style(c, STYLE_WARN), say_count((int64_t)in, buf),
			n == 1 ? "which" : "them", in == 1 ? "s" : "ve", cli_style(c, STYLE_PLAIN));
	fputc('\n', c->out);
}

int differences_print(struct cli *c, struct tally *t, const char *const names[static TALLY_SIDES])
{
	static const unsigned order[] = {TALLY_NEW, TALLY_OLD};
	char one[SAY_MAX], two[SAY_MAX], three[SAY_MAX];
	const struct tally_entry **list;
	struct tally_sums sums;
	size_t n;

	list = tally_differences(t, &n, &sums);
	if (list == NULL) {
		cli_complain(c, "out of memory");
		return CLI_USAGE;
	}
	for (size_t i = 0; c->json && i < n; i++)
		print_json(c, list[i], list[i]->side[TALLY_OLD].bans > 0 ? TALLY_OLD : TALLY_NEW);
	for (size_t i = 0; !c->json && i < ARRAY_SIZE(order); i++)
		if (sums.only[order[i]] > 0)
			print_side(c, list, n, order[i], names[order[i]]);
	if (!c->json) {
		fprintf(c->out, "%s address%s would be banned with both (%s and %s bans in all)\n",
			say_count((int64_t)sums.both, one), sums.both == 1 ? "" : "es",
			say_count((int64_t)sums.bans[TALLY_OLD], two),
			say_count((int64_t)sums.bans[TALLY_NEW], three));
		for (size_t i = 0; i < ARRAY_SIZE(order); i++)
			print_sum(c, &sums, order[i], names[order[i]]);
	}
	if (sums.lost > 0)
		cli_complain(c, "%s bans and logins are left out: there was no room for them",
			say_count((int64_t)sums.lost, one));
	free(list);
	return n > 0 ? CLI_GOOD : CLI_NO;
}
