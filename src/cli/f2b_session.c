/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_session.h"

#include "cli/f2b_room.h"

#include <string.h>

/* What a line says of its session, and what the session was before. */
struct state {
	bool nofail, gained, forget;
	bool was_nofail;
};

static void forget(struct f2b_sessions *s, size_t at)
{
	free(s->items[at].id);
	f2b_fail_done(s->items[at].fail);
	free(s->items[at].fail);
	s->n--;
	memmove(s->items + at, s->items + at + 1, (s->n - at) * sizeof(s->items[0]));
}

static void add_user(struct f2b_fail *fail, const struct f2b_fail *line)
{
	const struct f2b_value *v = f2b_fail_get(line, "user");
	struct f2b_value user;

	if (v == NULL || !f2b_value_is_true(v))
		return;
	/* The line may be the failure itself, whose fields move when there is one more. */
	user = f2b_value_copy(v);
	if (!f2b_fail_is_true(fail, "users"))
		f2b_fail_set(fail, "users", (struct f2b_value) {.kind = F2B_SET});
	f2b_value_append(f2b_fail_get(fail, "users"), user);
}

static struct state read_state(struct f2b_fail *line)
{
	struct state st = {0};

	if (f2b_fail_is_true(line, "mlfgained")) {
		st.nofail = st.gained = true;
		if (!f2b_fail_is_true(line, "nofail"))
			f2b_fail_set(
				line, "nofail", f2b_value_copy(f2b_fail_get(line, "mlfgained")));
	} else {
		st.nofail = f2b_fail_is_true(line, "nofail");
	}
	st.forget = f2b_fail_drop(line, "mlfforget");
	return st;
}

/* The session goes on with this line. */
static void update(struct f2b_fail *session, struct f2b_fail *line, struct state *st)
{
	add_user(session, line);
	st->was_nofail = f2b_fail_drop(session, "nofail");
	st->was_nofail |= f2b_fail_drop(session, "mlfgained");
	if (st->gained)
		session->pending = false;
	/* With nothing held back the lines so far have been told already. */
	if (!st->was_nofail && !session->pending)
		f2b_fail_drop(session, "matches");
	f2b_fail_update(session, line, true);
}

static void keep_lines(
	struct f2b_fail *fail, const struct f2b_tuples *lines, const struct state *st)
{
	struct f2b_value held = {.kind = F2B_LINES}, *v;

	if (st->nofail) {
		if (!st->forget)
			f2b_fail_add_lines(fail, "nofail-matches", lines);
		return;
	}
	v = f2b_fail_get(fail, "nofail-matches");
	if (v != NULL)
		held = f2b_value_copy(v);
	f2b_fail_drop(fail, "nofail-matches");
	v = f2b_fail_get(fail, "matches");
	if (held.lines.n > 0 && v != NULL)
		f2b_tuples_extend(&held.lines, &v->lines);
	if (held.lines.n > 0)
		f2b_fail_set(fail, "matches", held);
	f2b_fail_add_lines(fail, "matches", st->gained ? &(struct f2b_tuples) {0} : lines);
}

/* Where a session goes that is new: the oldest makes room. */
static struct f2b_fail *begin(struct f2b_sessions *s, const char *id)
{
	if (s->n == F2B_SESSIONS)
		forget(s, 0);
	s->items[s->n].id = f2b_copy(id, strlen(id));
	s->items[s->n].fail = f2b_room(sizeof(struct f2b_fail));
	return s->items[s->n++].fail;
}

struct f2b_fail *f2b_session_merge(struct f2b_sessions *s, struct f2b_fail *line,
	const struct f2b_tuples *lines, struct f2b_fail *own)
{
	struct state st = read_state(line);
	const struct f2b_value *id = f2b_fail_get(line, "mlfid"), *users;
	struct f2b_fail *fail = own;
	bool known, was_pending;
	size_t at = 0;

	while (at < s->n && strcmp(s->items[at].id, id->text) != 0)
		at++;
	known = at < s->n;
	if (known) {
		fail = s->items[at].fail;
		update(fail, line, &st);
		f2b_fail_done(line);
		if (st.forget) {
			*own = *fail;
			*fail = (struct f2b_fail) {0};
			fail = own;
			forget(s, at);
		}
	} else {
		if (!st.forget)
			fail = begin(s, id->text);
		*fail = *line;
		*line = (struct f2b_fail) {0};
		if (!st.forget)
			add_user(fail, fail);
	}
	users = known || !st.forget ? f2b_fail_get(fail, "users") : NULL;
	was_pending = fail->pending;
	fail->pending = false;
	/* Somebody who tries several users is not cleared by one that works. */
	if (was_pending || (users != NULL && users->n_items > 1)) {
		f2b_fail_drop(fail, "nofail");
		f2b_fail_drop(fail, "mlfgained");
		st.nofail = st.gained = false;
	}
	keep_lines(fail, lines, &st);
	return fail;
}

void f2b_sessions_done(struct f2b_sessions *s)
{
	while (s->n > 0)
		forget(s, s->n - 1);
}
