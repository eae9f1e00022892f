/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "track/track.h"

#include "base/hash.h"
#include "track/index.h"
#include "track/slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK 4096   /* records a chunk: whole pages */
#define SAMPLE 16    /* candidates an eviction chooses from */
#define HAND_STEPS 2 /* entries each hit looks at for having run out */
#define JAILS 65536
#define CLOCK_SLACK 60 /* seconds beyond findtime that late lines may lie behind the others */

struct key {
	struct addr addr;
	uint16_t jail;
};

/* What is hashed is the key's bytes. */
_Static_assert(sizeof(struct key) == 18, "no padding in a key");

/* n 0: gone, kept until the disk has been told. */
struct rec {
	struct key key;
	uint8_t n;
	uint8_t flags;
	uint32_t goal;
	uint16_t count[TRACK_SLOTS];
	uint32_t sec[TRACK_SLOTS];
};

_Static_assert(sizeof(struct rec) == 72, "what a tracked address costs");

#define REC_ON_DISK 1 /* there may be a row of it */
#define REC_MINOR 2   /* gone, but its row does no harm: it ran out or was evicted */

/* dirty: to be flushed. told: flushed by the last track_flush, which may yet be taken back. */
struct chunk {
	struct rec *recs; /* NULL when not in use */
	uint32_t n_dirty, n_told;
	uint64_t dirty[CHUNK / 64], told[CHUNK / 64];
};

struct jail {
	uint32_t clock; /* time of its last hit */
	uint32_t findtime;
	uint32_t entries;
	bool known; /* has had a hit */
};

/*
 * The records stand without gaps at positions 0 to n-1, the last one filling the place of one that
 * goes, so that a random one is found at once and chunks at the end can be given back.
 */
struct track {
	struct hash_key key, rng;
	uint64_t rng_n;
	struct index index;
	struct chunk *chunks;
	struct jail *jails;
	uint32_t n, n_chunks; /* records; chunks with memory, at least 1 */
	uint32_t cap, gone_max;
	uint32_t live, gone; /* live + gone = n, live <= cap, n <= cap + gone_max */
	uint32_t hand;       /* next to be looked at for expiry */
	uint32_t clock;      /* time of the last hit of any jail */
	uint32_t top_jail;
	uint64_t dirty;
	uint64_t evicted, expired;
};

static struct rec *rec_at(const struct track *t, uint32_t pos)
{
	return &t->chunks[pos / CHUNK].recs[pos % CHUNK];
}

static uint64_t key_hash(const struct track *t, const struct key *k)
{
	return hash_bytes(&t->key, k, sizeof(*k));
}

static uint64_t pos_hash(const void *arg, uint32_t pos)
{
	const struct track *t = arg;

	return key_hash(t, &rec_at(t, pos)->key);
}

static bool pos_is(const void *arg, uint32_t pos, const void *key)
{
	return memcmp(&rec_at(arg, pos)->key, key, sizeof(struct key)) == 0;
}

static struct key key_of(unsigned jail, const struct addr *addr)
{
	assert(jail < JAILS);
	return (struct key) {.addr = *addr, .jail = (uint16_t)jail};
}

static uint32_t find(const struct track *t, const struct key *k)
{
	return index_find(&t->index, key_hash(t, k), pos_is, k);
}

/* The entry of a key that is not gone, or NULL. */
static struct rec *find_live(const struct track *t, const struct key *k)
{
	uint32_t pos = find(t, k);
	struct rec *r = pos == INDEX_NONE ? NULL : rec_at(t, pos);

	return r != NULL && r->n > 0 ? r : NULL;
}

static bool bit_get(const uint64_t *map, uint32_t i)
{
	return (map[i / 64] >> (i % 64) & 1) != 0;
}

static void set_dirty(struct track *t, uint32_t pos, bool on)
{
	struct chunk *c = &t->chunks[pos / CHUNK];
	uint32_t i = pos % CHUNK;

	if (bit_get(c->dirty, i) == on)
		return;
	c->dirty[i / 64] ^= (uint64_t)1 << (i % 64);
	c->n_dirty += on ? 1 : (uint32_t)-1;
	t->dirty += on ? 1 : (uint64_t)-1;
}

static void set_told(struct track *t, uint32_t pos, bool on)
{
	struct chunk *c = &t->chunks[pos / CHUNK];
	uint32_t i = pos % CHUNK;

	if (bit_get(c->told, i) == on)
		return;
	c->told[i / 64] ^= (uint64_t)1 << (i % 64);
	c->n_told += on ? 1 : (uint32_t)-1;
}

static int chunk_map(struct track *t)
{
	void *p = mmap(NULL, CHUNK * sizeof(struct rec), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	t->chunks[t->n_chunks++].recs = p;
	return 0;
}

static void chunk_unmap(struct track *t)
{
	struct chunk *c = &t->chunks[--t->n_chunks];

	munmap(c->recs, CHUNK * sizeof(struct rec));
	c->recs = NULL;
}

/* Takes a record out for good. The last one moves to its position. */
static void drop(struct track *t, uint32_t pos)
{
	struct rec *r = rec_at(t, pos);
	uint32_t last = t->n - 1;

	if (r->n > 0) {
		t->live--;
		t->jails[r->key.jail].entries--;
	} else {
		t->gone--;
	}
	index_del(&t->index, pos_hash(t, pos), pos);
	if (pos != last) {
		struct chunk *c = &t->chunks[last / CHUNK];

		index_set(&t->index, pos_hash(t, last), last, pos);
		*r = *rec_at(t, last);
		set_dirty(t, pos, bit_get(c->dirty, last % CHUNK));
		set_told(t, pos, bit_get(c->told, last % CHUNK));
	}
	set_dirty(t, last, false);
	set_told(t, last, false);
	t->n--;
	/* Half a chunk of slack, so that a count going up and down there costs no system calls. */
	if (t->n_chunks > 1 && t->n + CHUNK + CHUNK / 2 <= t->n_chunks * CHUNK)
		chunk_unmap(t);
}

/* Ends a live entry. What may be on disk stays as a note to delete it there. */
static void retire(struct track *t, uint32_t pos, bool minor)
{
	struct rec *r = rec_at(t, pos);

	if ((r->flags & REC_ON_DISK) == 0 || (minor && t->gone >= t->gone_max)) {
		drop(t, pos);
		return;
	}
	t->live--;
	t->jails[r->key.jail].entries--;
	t->gone++;
	r->n = 0;
	r->flags = REC_ON_DISK | (minor ? REC_MINOR : 0);
	set_dirty(t, pos, true);
}

/* Some position below n. Which one nobody outside can tell. */
static uint32_t random_pos(struct track *t)
{
	uint64_t h = hash_bytes(&t->rng, &t->rng_n, sizeof(t->rng_n));

	t->rng_n++;
	return (uint32_t)((h >> 32) * t->n >> 32);
}

struct value {
	uint64_t count; /* in its window */
	uint32_t goal, newest;
};

static struct value value_of(const struct track *t, const struct rec *r)
{
	const struct jail *j = &t->jails[r->key.jail];
	uint32_t clock = j->clock > t->clock ? j->clock : t->clock;
	struct value v = {.goal = r->goal > 0 ? r->goal : 1, .newest = r->sec[r->n - 1]};

	for (unsigned i = 0; i < r->n; i++)
		if (!j->known || (uint64_t)r->sec[i] + j->findtime > clock)
			v.count += r->count[i];
	return v;
}

static bool value_less(const struct value *a, const struct value *b)
{
	uint64_t x = a->count * b->goal, y = b->count * a->goal;

	return x != y ? x < y : a->newest < b->newest;
}

/* The first record from pos on, going round, that is live (or gone); there must be one. */
static uint32_t next_of(const struct track *t, uint32_t pos, bool live)
{
	while ((rec_at(t, pos)->n > 0) != live)
		pos = pos + 1 < t->n ? pos + 1 : 0;
	return pos;
}

/* Picks the live entry that is missed least among a sample; there must be one. */
static uint32_t pick(struct track *t)
{
	uint32_t pos[SAMPLE], best = INDEX_NONE;
	struct value least, v;

	for (unsigned i = 0; i < SAMPLE; i++) {
		pos[i] = random_pos(t);
		__builtin_prefetch(rec_at(t, pos[i]));
		__builtin_prefetch((char *)rec_at(t, pos[i]) + 64);
	}
	for (unsigned i = 0; i < SAMPLE; i++) {
		const struct rec *r = rec_at(t, pos[i]);

		if (r->n == 0)
			continue;
		v = value_of(t, r);
		if (best == INDEX_NONE || value_less(&v, &least)) {
			best = pos[i];
			least = v;
		}
	}
	return best != INDEX_NONE ? best : next_of(t, pos[0], true);
}

/* Forgets one note of something gone, one that does no harm if there is one in the sample. */
static void drop_gone(struct track *t)
{
	uint32_t pos = INDEX_NONE;

	for (unsigned i = 0; i < 2 * SAMPLE; i++) {
		uint32_t p = random_pos(t);
		const struct rec *r = rec_at(t, p);

		if (r->n > 0)
			continue;
		pos = p;
		if ((r->flags & REC_MINOR) != 0)
			break;
	}
	drop(t, pos != INDEX_NONE ? pos : next_of(t, random_pos(t), false));
}

/* Room for one more record, at the price of another if it must be. */
static void make_room(struct track *t)
{
	if (t->n >= t->cap + t->gone_max)
		drop_gone(t);
	/* Without memory the table is as large as it can be now. A chunk is always there. */
	while (!index_room(&t->index) || (t->n == t->n_chunks * CHUNK && chunk_map(t) < 0)) {
		if (t->live > 0) {
			t->evicted++;
			drop(t, pick(t));
		} else {
			drop_gone(t);
		}
	}
}

/* A live record without failures yet for a key that has none. */
static uint32_t create(struct track *t, const struct key *k)
{
	uint32_t pos;
	struct rec *r;

	if (t->live >= t->cap) {
		t->evicted++;
		retire(t, pick(t), true);
	}
	/* Only now, as evicting moves records. */
	pos = find(t, k);
	if (pos != INDEX_NONE) {
		/* Gone a moment ago and back: its row on disk is written over. */
		r = rec_at(t, pos);
		r->flags = REC_ON_DISK;
		t->gone--;
	} else {
		make_room(t);
		pos = t->n++;
		r = rec_at(t, pos);
		*r = (struct rec) {.key = *k};
		index_add(&t->index, key_hash(t, k), pos);
	}
	t->live++;
	t->jails[k->jail].entries++;
	if (k->jail > t->top_jail)
		t->top_jail = k->jail;
	return pos;
}

/* Looks at a few entries in turn and lets go of those that ran out by their jail's clock. */
static void expire(struct track *t)
{
	for (unsigned i = 0; i < HAND_STEPS && t->n > 0; i++) {
		const struct rec *r;
		const struct jail *j;

		if (t->hand >= t->n)
			t->hand = 0;
		r = rec_at(t, t->hand);
		j = &t->jails[r->key.jail];
		if (r->n > 0 && j->known && (uint64_t)r->sec[r->n - 1] + j->findtime <= j->clock) {
			t->expired++;
			retire(t, t->hand, true);
		}
		t->hand++;
	}
}

static uint32_t to_sec(int64_t sec)
{
	return sec < 0 ? 0 : sec > UINT32_MAX ? UINT32_MAX : (uint32_t)sec;
}

unsigned track_hit(struct track *t, unsigned jail, const struct addr *addr, int64_t time_sec,
	unsigned count, int64_t findtime_sec, unsigned maxretry)
{
	uint32_t sec = to_sec(time_sec), findtime = to_sec(findtime_sec < 1 ? 1 : findtime_sec);
	struct key k = key_of(jail, addr);
	struct jail *j = &t->jails[jail];
	struct jail before = *j;
	struct slots s;
	uint64_t behind = (uint64_t)findtime + CLOCK_SLACK;
	struct rec *r;
	uint32_t pos;

	j->clock = t->clock = sec;
	j->findtime = findtime;
	j->known = true;
	index_step(&t->index);
	expire(t);
	if (count == 0)
		return track_count(t, jail, addr, time_sec, findtime_sec);

	pos = find(t, &k);
	if (pos == INDEX_NONE || rec_at(t, pos)->n == 0)
		pos = create(t, &k);
	r = rec_at(t, pos);
	s = (struct slots) {.sec = r->sec, .count = r->count, .n = r->n};
	/* An entry from before the clock was set back would make its address immune till then. */
	if (s.n > 0 && before.known && sec + behind <= s.sec[s.n - 1] &&
		before.clock + behind <= s.sec[s.n - 1])
		s.n = 0;
	slots_add(&s, sec, count, findtime);
	r->n = s.n;
	r->goal = maxretry;
	set_dirty(t, pos, true);
	return slots_count(&s, (int64_t)s.sec[s.n - 1] - findtime);
}

unsigned track_count(const struct track *t, unsigned jail, const struct addr *addr, int64_t now_sec,
	int64_t findtime_sec)
{
	struct key k = key_of(jail, addr);
	struct rec *r = find_live(t, &k);
	struct slots s;

	if (r == NULL)
		return 0;
	s = (struct slots) {.sec = r->sec, .count = r->count, .n = r->n};
	return slots_count(&s, (int64_t)to_sec(now_sec) - to_sec(findtime_sec));
}

bool track_forget(struct track *t, unsigned jail, const struct addr *addr)
{
	struct key k = key_of(jail, addr);
	uint32_t pos = find(t, &k);

	if (pos == INDEX_NONE)
		return false;
	if (rec_at(t, pos)->n == 0) {
		rec_at(t, pos)->flags &= (uint8_t)~REC_MINOR;
		return false;
	}
	retire(t, pos, false);
	index_step(&t->index);
	return true;
}

size_t track_jail_entries(const struct track *t, unsigned jail)
{
	return jail < JAILS ? t->jails[jail].entries : 0;
}

void track_restore(struct track *t, const struct track_entry *e)
{
	struct key k = key_of(e->jail, &e->addr);
	uint32_t sec[TRACK_SLOTS], pos;
	uint16_t count[TRACK_SLOTS];
	struct slots s = {.sec = sec, .count = count};
	struct rec *r;

	for (unsigned i = 0; i < e->n && i < TRACK_SLOTS; i++)
		if (e->count[i] > 0)
			slots_add(&s, e->sec[i], e->count[i], UINT32_MAX);
	if (s.n == 0)
		return;
	index_step(&t->index);
	pos = find(t, &k);
	if (pos == INDEX_NONE || rec_at(t, pos)->n == 0)
		pos = create(t, &k);
	r = rec_at(t, pos);
	memcpy(r->sec, sec, s.n * sizeof(*sec));
	memcpy(r->count, count, s.n * sizeof(*count));
	r->n = s.n;
	r->goal = e->goal;
	r->flags = REC_ON_DISK;
	set_dirty(t, pos, false);
}

/* Position of the highest bit below `below` in a chunk's map, or -1. */
static int last_bit(const uint64_t *map, int below)
{
	while (below > 0) {
		int w = (below - 1) / 64, in = below - w * 64;
		uint64_t bits = map[w] & (in == 64 ? UINT64_MAX : ((uint64_t)1 << in) - 1);

		if (bits != 0)
			return w * 64 + 63 - __builtin_clzll(bits);
		below = w * 64;
	}
	return -1;
}

/* The last flush is on disk. From the end, so that what takes the place of one that goes is done.
 */
static void settle(struct track *t)
{
	for (uint32_t c = t->n_chunks; c-- > 0;) {
		struct chunk *ch = &t->chunks[c];

		for (int i = CHUNK; ch->n_told > 0 && (i = last_bit(ch->told, i)) >= 0;) {
			uint32_t pos = c * CHUNK + (uint32_t)i;

			set_told(t, pos, false);
			if (rec_at(t, pos)->n == 0 && !bit_get(ch->dirty, (uint32_t)i))
				drop(t, pos);
		}
	}
}

static void to_entry(const struct rec *r, struct track_entry *ret)
{
	*ret = (struct track_entry) {.addr = r->key.addr,
		.jail = r->key.jail,
		.n = r->n,
		.flags = TRACK_DIRTY,
		.goal = r->goal};
	memcpy(ret->sec, r->sec, r->n * sizeof(*r->sec));
	memcpy(ret->count, r->count, r->n * sizeof(*r->count));
}

int track_flush(struct track *t, track_fn *fn, void *arg)
{
	struct track_entry e;

	settle(t);
	for (uint32_t c = t->n_chunks; c-- > 0;) {
		struct chunk *ch = &t->chunks[c];

		for (int i = CHUNK; ch->n_dirty > 0 && (i = last_bit(ch->dirty, i)) >= 0;) {
			uint32_t pos = c * CHUNK + (uint32_t)i;
			struct rec *r = rec_at(t, pos);
			int err;

			to_entry(r, &e);
			err = fn(arg, &e, r->n == 0);
			if (err < 0) {
				track_unflush(t);
				return err;
			}
			r->flags |= REC_ON_DISK;
			set_dirty(t, pos, false);
			set_told(t, pos, true);
		}
	}
	return 0;
}

void track_unflush(struct track *t)
{
	for (uint32_t c = 0; c < t->n_chunks; c++) {
		struct chunk *ch = &t->chunks[c];

		for (int i = CHUNK; ch->n_told > 0 && (i = last_bit(ch->told, i)) >= 0;) {
			set_told(t, c * CHUNK + (uint32_t)i, false);
			set_dirty(t, c * CHUNK + (uint32_t)i, true);
		}
	}
}

void track_flush_all(struct track *t)
{
	for (uint32_t pos = t->n; pos-- > 0;) {
		struct rec *r = rec_at(t, pos);

		set_told(t, pos, false);
		if (r->n == 0) {
			drop(t, pos);
		} else {
			r->flags &= (uint8_t)~REC_ON_DISK;
			set_dirty(t, pos, true);
		}
	}
}

bool track_is_dirty(const struct track *t)
{
	return t->dirty > 0;
}

void track_get_stats(const struct track *t, struct track_stats *ret)
{
	*ret = (struct track_stats) {
		.entries = t->live,
		.cap = t->cap,
		.evicted = t->evicted,
		.expired = t->expired,
		.bytes = sizeof(*t) + index_bytes(&t->index) +
			 (uint64_t)t->n_chunks *
				 (CHUNK * sizeof(struct rec) + sizeof(struct chunk)) +
			 ((uint64_t)t->top_jail + 1) * sizeof(struct jail),
	};
}

struct track *track_new(size_t cap)
{
	struct track *t = calloc(1, sizeof(*t));
	uint64_t most;

	if (t == NULL)
		return NULL;
	t->cap = cap < 16 ? 16 : cap > UINT32_MAX / 4 ? UINT32_MAX / 4 : (uint32_t)cap;
	t->gone_max = t->cap / 8 + 16;
	most = (uint64_t)t->cap + t->gone_max;
	t->key = hash_key_random();
	t->rng = hash_key_random();
	/* Large and mostly untouched: what is never used takes no memory. */
	t->chunks = calloc(most / CHUNK + 1, sizeof(*t->chunks));
	t->jails = calloc(JAILS, sizeof(*t->jails));
	if (t->chunks == NULL || t->jails == NULL || chunk_map(t) < 0 ||
		index_init(&t->index, (uint32_t)most, pos_hash, t) < 0) {
		track_free(t);
		return NULL;
	}
	return t;
}

void track_free(struct track *t)
{
	if (t == NULL)
		return;
	while (t->n_chunks > 0)
		chunk_unmap(t);
	index_done(&t->index);
	free(t->chunks);
	free(t->jails);
	free(t);
}
