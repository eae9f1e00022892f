/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <libnftnl/set.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "wall/nft.h"
#include "wall/nft_state.h"

#define TRIES 4

/* A set-up on its way. */
struct plan {
	const struct ruleset *rs;
	const struct jail **sorted; /* the jails by set */
	struct nft_state state;
	struct nft_jail *jails;
	bool from_scratch;      /* what stands cannot be brought into shape: the whole table anew */
	bool leave_sets;        /* somebody's own rules use sets of jails that are gone */
	struct nft_rule *rules; /* the new ones */
	size_t n_rules, rules_room;
};

static bool has_bit(const struct nft_jail *j, struct nft_kind kind)
{
	return kind.is6 ? j->prefix6[kind.len / 64] >> (kind.len % 64) & 1
			: j->prefix4 >> kind.len & 1;
}

static void set_bit(struct nft_jail *j, struct nft_kind kind)
{
	if (kind.is6)
		j->prefix6[kind.len / 64] |= 1ULL << (kind.len % 64);
	else
		j->prefix4 |= 1U << kind.len;
}

bool nft_has_set(const struct wall *w, unsigned jail, struct nft_kind kind)
{
	if (w->rs->jails[jail].shadow)
		return false;
	return kind.len == NFT_HOST_LEN || has_bit(&w->jails[jail], kind);
}

static int by_set(const void *a, const void *b)
{
	return strcmp((*(const struct jail *const *)a)->set, (*(const struct jail *const *)b)->set);
}

static void on_echo(void *arg, const struct nlmsghdr *nlh)
{
	struct plan *p = arg;
	struct nft_rule rule;

	nft_state_on_table(&p->state, nlh);
	if (!nft_state_rule(&rule, nlh))
		return;
	if (p->n_rules == p->rules_room) {
		size_t room = p->rules_room != 0 ? p->rules_room * 2 : 16;
		struct nft_rule *rules = reallocarray(p->rules, room, sizeof(*rules));

		if (rules == NULL) {
			p->state.error = -ENOMEM;
			return;
		}
		p->rules = rules;
		p->rules_room = room;
	}
	p->rules[p->n_rules++] = rule;
}

/* Reads "4_24" or "6_64" (family, prefix length) at the end of a set's name. Its start, or 0. */
static size_t parse_prefix_name(struct nft_kind *ret, const char *name)
{
	const char *underline = strrchr(name, '_');
	char *end;
	unsigned long len;

	if (underline == NULL || underline - name < 2 || !isdigit((unsigned char)underline[1]))
		return 0;
	if (underline[-1] != '4' && underline[-1] != '6')
		return 0;
	len = strtoul(underline + 1, &end, 10);
	ret->is6 = underline[-1] == '6';
	if (*end != '\0' || len >= (ret->is6 ? 128 : 32) || (underline[1] == '0' && len != 0))
		return 0;
	ret->len = (uint8_t)len;
	return (size_t)(underline - 1 - name);
}

/* Takes a set that stays (or comes anew) off the list: what is left then is to go. */
static void take_off(struct nftnl_set *set)
{
	nftnl_set_list_del(set);
	nftnl_set_free(set);
}

/* A prefix set of one of our jails stays. */
static int adopt_prefix_set(struct nftnl_set *set, void *plan)
{
	struct plan *p = plan;
	const char *name = nftnl_set_get_str(set, NFTNL_SET_NAME);
	char base[NFT_SET_NAME_MAX];
	struct jail key = {.set = base}, *key_at = &key;
	const struct jail **found;
	struct nft_kind kind;
	size_t len = parse_prefix_name(&kind, name);

	if (len == 0 || !nft_state_is_ban_set(set, kind.is6))
		return 0;
	memcpy(base, name, len);
	base[len] = '\0';
	found = bsearch(&key_at, p->sorted, p->rs->n_jails, sizeof(*p->sorted), by_set);
	if (found == NULL || (*found)->shadow)
		return 0;
	set_bit(&p->jails[*found - p->rs->jails], kind);
	take_off(set);
	return 0;
}

/* The set as we want it: left alone if it is, else (anew) made. */
static void want_set(struct plan *p, struct nft_batch *b, const char *name, bool is6, bool allow)
{
	struct nftnl_set *set = nftnl_set_list_lookup_byname(p->state.sets, name);
	bool good = set != NULL &&
		    (allow ? nft_state_is_allow_set(set, is6) : nft_state_is_ban_set(set, is6));

	if (good && allow) {
		/* Without elements: all of them. */
		struct nlmsghdr *nlh = nft_batch_msg(b, NFT_MSG_DELSETELEM, 0);

		mnl_attr_put_strz(nlh, NFTA_SET_ELEM_LIST_SET, name);
	}
	if (set != NULL && !good)
		mnl_attr_put_strz(nft_batch_msg(b, NFT_MSG_DELSET, 0), NFTA_SET_NAME, name);
	if (!good && allow)
		nft_rules_allow_set(b, name, is6);
	else if (!good)
		nft_rules_ban_set(b, name, is6);
	if (set != NULL)
		take_off(set);
}

static void write_sets(struct plan *p, struct nft_batch *b)
{
	char name[NFT_SET_NAME_MAX];

	for (unsigned is6 = 0; is6 < 2; is6++) {
		struct nft_kind kind = {.is6 = is6, .len = NFT_HOST_LEN};

		nft_set_name(name, "allow", kind);
		want_set(p, b, name, is6, true);
		nft_rules_allow_elems(b, name, &p->rs->allow, is6);
		for (size_t i = 0; i < p->rs->n_jails; i++)
			if (!p->rs->jails[i].shadow)
				want_set(p, b, nft_set_name(name, p->rs->jails[i].set, kind), is6,
					false);
	}
}

/* Of a jail that is gone. Somebody's own sets look different or are in use. */
static int drop_set(struct nftnl_set *set, void *batch)
{
	if (nft_state_is_ban_set(set, false) || nft_state_is_ban_set(set, true))
		mnl_attr_put_strz(nft_batch_msg(batch, NFT_MSG_DELSET, 0), NFTA_SET_NAME,
			nftnl_set_get_str(set, NFTNL_SET_NAME));
	return 0;
}

static void write_rules(struct plan *p, struct nft_batch *b)
{
	char name[NFT_SET_NAME_MAX];
	uint32_t set_id = 0;

	for (unsigned is6 = 0; is6 < 2; is6++) {
		struct nft_kind kind = {.is6 = is6, .len = NFT_HOST_LEN};

		nft_rules_allow(b, nft_set_name(name, "allow", kind), is6);
	}
	for (size_t i = 0; i < p->rs->n_jails; i++) {
		const struct jail *j = &p->rs->jails[i];

		if (j->shadow)
			continue;
		for (unsigned is6 = 0; is6 < 2; is6++) {
			struct nft_kind kind = {.is6 = is6, .len = NFT_HOST_LEN};

			nft_rules_drop(b, j, kind, 0, &set_id);
			for (kind.len = 0; kind.len < (is6 ? 128 : 32); kind.len++)
				if (has_bit(&p->jails[i], kind))
					nft_rules_drop(b, j, kind, 0, &set_id);
		}
	}
}

/* Writes the whole set-up. */
static void write_plan(struct plan *p, struct nft_batch *b)
{
	struct nft_state *st = &p->state;

	if (p->from_scratch)
		nft_batch_msg(b, NFT_MSG_DELTABLE, 0);
	/* Flags 0 wakes a table that somebody made dormant. */
	nft_put_be32(
		nft_batch_msg(b, NFT_MSG_NEWTABLE, NLM_F_CREATE | NLM_F_ECHO), NFTA_TABLE_FLAGS, 0);
	if (st->chain) {
		mnl_attr_put_strz(nft_batch_msg(b, NFT_MSG_DELRULE, 0), NFTA_RULE_CHAIN, NFT_CHAIN);
		if (!st->chain_good)
			mnl_attr_put_strz(
				nft_batch_msg(b, NFT_MSG_DELCHAIN, 0), NFTA_CHAIN_NAME, NFT_CHAIN);
	}
	nft_rules_chain(b);
	write_sets(p, b);
	if (!p->leave_sets)
		nftnl_set_list_foreach(st->sets, drop_set, b);
	write_rules(p, b);
}

static int read_state(struct plan *p, struct nft_conn *c)
{
	int r;

	nft_state_done(&p->state);
	r = nft_state_table(&p->state, c);
	if (r < 0)
		return r;
	p->from_scratch = p->from_scratch && p->state.table;
	/* What goes with the table counts as not there. */
	if (p->from_scratch)
		return nft_state_no_sets(&p->state);
	r = nft_state_sets(&p->state, c);
	return r < 0 ? r : nft_state_chain(&p->state, c);
}

static int try_plan(struct plan *p, struct wall *w)
{
	int r = read_state(p, &w->conn);

	if (r < 0)
		return r;
	memset(p->jails, 0, p->rs->n_jails * sizeof(*p->jails));
	p->n_rules = 0;
	nft_batch_begin(&w->batch, &w->conn);
	nftnl_set_list_foreach(p->state.sets, adopt_prefix_set, p);
	write_plan(p, &w->batch);
	r = nft_commit(w, on_echo, p);
	return r < 0 ? r : p->state.error;
}

static int run_plan(struct plan *p, struct wall *w)
{
	int r = -EAGAIN;

	p->sorted = calloc(p->rs->n_jails + 1, sizeof(*p->sorted));
	if (p->sorted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < p->rs->n_jails; i++)
		p->sorted[i] = &p->rs->jails[i];
	qsort(p->sorted, p->rs->n_jails, sizeof(*p->sorted), by_set);
	for (unsigned tries = 0; tries < TRIES; tries++) {
		r = try_plan(p, w);
		if (r != -EBUSY && r != -EEXIST && r != -ENOENT && r != -EINVAL &&
			r != -EOPNOTSUPP && r != -EAGAIN)
			return r;
		/* Somebody changed something since we looked, or what stands is in the way. */
		p->leave_sets = r == -EBUSY;
		p->from_scratch = tries + 2 == TRIES;
	}
	return r;
}

static void plan_done(struct plan *p)
{
	nft_state_done(&p->state);
	free(p->sorted);
	free(p->jails);
	free(p->rules);
}

int nft_setup(struct wall *w, const struct ruleset *rs)
{
	struct plan p = {.rs = rs};
	int r;

	p.jails = calloc(rs->n_jails + 1, sizeof(*p.jails));
	r = p.jails != NULL ? run_plan(&p, w) : -ENOMEM;
	nft_batch_trim(&w->batch);
	if (r < 0 && p.jails != NULL) {
		/* Refused, the sets of the new ruleset are not known to stand; the old one may go.
		 */
		w->rs = rs;
		free(w->jails);
		w->jails = TAKE_PTR(p.jails);
		memset(w->jails, 0, (rs->n_jails + 1) * sizeof(*w->jails));
	}
	if (r == 0) {
		w->rs = rs;
		w->table_handle = p.state.table_handle;
		free(w->jails);
		w->jails = TAKE_PTR(p.jails);
		free(w->rules);
		w->rules = TAKE_PTR(p.rules);
		w->n_rules = p.n_rules;
		w->rules_room = p.rules_room;
		w->torn_down = w->damaged = false;
	}
	w->stats.healthy = r == 0;
	plan_done(&p);
	return r;
}

int nft_setup_repair(struct wall *w)
{
	int r = nft_setup(w, w->rs);

	w->damaged = r < 0;
	if (r == 0)
		w->stats.repairs++;
	return r;
}

int nft_setup_prefix_sets(struct wall *w, const struct nft_item *items, size_t n)
{
	uint64_t last = w->n_rules > 0 ? w->rules[w->n_rules - 1].handle : 0;
	size_t jails_size = w->rs->n_jails * sizeof(*w->jails);
	struct plan p = {
		.rs = w->rs, .rules = w->rules, .n_rules = w->n_rules, .rules_room = w->rules_room};
	_cleanup_free_ struct nft_jail *before = malloc(jails_size + 1);
	char name[NFT_SET_NAME_MAX];
	uint32_t set_id = 0;
	int r;

	if (before == NULL)
		return -ENOMEM;
	memcpy(before, w->jails, jails_size);
	nft_batch_begin(&w->batch, &w->conn);
	for (size_t i = 0; i < n; i++) {
		const struct jail *j = &w->rs->jails[items[i].elem->jail];
		struct nft_kind kind = items[i].kind;

		if (nft_has_set(w, items[i].elem->jail, kind))
			continue;
		set_bit(&w->jails[items[i].elem->jail], kind);
		nft_rules_ban_set(&w->batch, nft_set_name(name, j->set, kind), kind.is6);
		/* Not at the very end: behind somebody's own rules it might not be reached. */
		nft_rules_drop(&w->batch, j, kind, last, &set_id);
	}
	r = nft_commit(w, on_echo, &p);
	if (r == 0)
		r = p.state.error;
	w->rules = p.rules;
	w->rules_room = p.rules_room;
	w->n_rules = p.n_rules;
	if (r < 0)
		memcpy(w->jails, before, jails_size);
	return r;
}

/* Our rules, counted in what the chain has now. */
struct roll {
	const struct wall *w;
	size_t ours;
	bool foreign_before;
};

static int by_handle(const void *a, const void *b)
{
	const struct nft_rule *x = a, *y = b;

	return (x->handle > y->handle) - (x->handle < y->handle);
}

static void on_rule(void *arg, const struct nlmsghdr *nlh)
{
	struct roll *roll = arg;
	const struct nft_rule *ours;
	struct nft_rule rule;

	if (!nft_state_rule(&rule, nlh))
		return;
	ours = bsearch(&rule, roll->w->rules, roll->w->n_rules, sizeof(rule), by_handle);
	if (ours != NULL && ours->print == rule.print)
		roll->ours++;
	else if (roll->ours < roll->w->n_rules)
		roll->foreign_before = true;
}

int nft_setup_stands(struct wall *w)
{
	struct nft_state st = {0};
	struct roll roll;
	char buf[512];
	struct nlmsghdr *nlh;
	int r;

	r = nft_state_table(&st, &w->conn);
	if (r == 0)
		r = nft_state_chain(&st, &w->conn);
	if (r < 0)
		return r;
	if (!st.table || st.table_handle != w->table_handle || st.table_flags != 0 ||
		!st.chain_good)
		return 0;
	for (unsigned tries = 0; tries < TRIES; tries++) {
		nlh = nft_msg_start(buf, NFT_MSG_GETRULE, NLM_F_DUMP, 0);
		mnl_attr_put_strz(nlh, NFTA_RULE_CHAIN, NFT_CHAIN);
		roll = (struct roll) {.w = w};
		r = nft_conn_ask(&w->conn, nlh, on_rule, &roll);
		if (r != 1)
			break;
	}
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	/* Sets cannot be taken away while rules use them, so the rules vouch for them. */
	return roll.ours == w->n_rules && !roll.foreign_before;
}
