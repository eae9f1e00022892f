/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "track/track.h"

#include "base/hash.h"
#include "track/index.h"
#include "track/slots.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CAP_MIN 16
#define CAP_MAX (UINT32_MAX / 4)
#define CHUNK 4096            /* entries a chunk, in which memory is given back: whole pages */
#define SMALL_BYTES (2 << 20) /* what a table takes in small pages, so that few are cheap */
#define SAMPLE 16             /* candidates an eviction chooses from */
#define HAND_STEPS 2          /* entries each hit looks at for having run out */
#define JAILS 65536
#define CLOCK_SLACK 60 /* seconds beyond findtime that late lines may lie behind the others */

/* What is hashed is the key's bytes. */
struct key {
	struct addr addr;
	uint16_t jail;
};

_Static_assert(sizeof(struct key) == 18 && offsetof(struct track_entry, addr) == 0 &&
		       offsetof(struct track_entry, jail) == offsetof(struct key, jail),
	"an entry begins with its key");
_Static_assert(sizeof(struct track_entry) == 72, "what a tracked address costs");
_Static_assert(CHUNK % TRACK_PAGE == 0, "a page lies in one chunk");

struct jail {
	uint32_t clock; /* time of its last hit */
	uint32_t findtime;
	uint32_t entries;
	bool known; /* has had a hit */
};

/*
 * The entries stand without gaps at positions 0 to n-1, the last one filling the place of one that
 * goes, so that a random one is found at once, chunks at the end can be given back, and a page on
 * disk is TRACK_PAGE positions.
 */
struct track {
	struct hash_key key;
	uint64_t rng;
	struct index index;
	struct track_entry *entries; /* room for cap; only the first n_chunks have memory */
	size_t room_bytes;
	struct jail *jails;
	/* A bit a page. dirty: to be flushed. told: by the last flush, which may be taken back. */
	uint64_t *dirty, *told;
	uint32_t n_dirty;
	uint32_t on_disk;     /* no page from this one on is there */
	uint32_t n, n_chunks; /* entries; chunks with memory */
	uint32_t cap;
	uint32_t sample[SAMPLE]; /* the next eviction's; beyond n: not drawn */
	uint32_t hand;           /* next to be looked at for expiry */
	uint32_t clock;          /* time of the last hit of any jail */
	uint64_t evicted, expired;
};

static struct track_entry *entry_at(const struct track *t, uint32_t pos)
{
	return &t->entries[pos];
}

static uint64_t key_hash(const struct track *t, const struct key *k)
{
	return hash_bytes(&t->key, k, sizeof(*k));
}

static uint64_t pos_hash(const void *arg, uint32_t pos)
{
	const struct track *t = arg;

	return hash_bytes(&t->key, entry_at(t, pos), sizeof(struct key));
}

static bool pos_is(const void *arg, uint32_t pos, const void *key)
{
	return memcmp(entry_at(arg, pos), key, sizeof(struct key)) == 0;
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

static uint32_t pages(uint32_t n)
{
	return n / TRACK_PAGE + (n % TRACK_PAGE != 0);
}

/* A map of pages is so many words long. */
static uint32_t map_words(uint32_t cap)
{
	return pages(cap) / 64 + 1;
}

/* The page of that position is to be flushed. */
static void touch(struct track *t, uint32_t pos)
{
	uint32_t page = pos / TRACK_PAGE;
	uint64_t bit = (uint64_t)1 << page % 64;

	t->n_dirty += (t->dirty[page / 64] & bit) == 0;
	t->dirty[page / 64] |= bit;
}

/* Takes an entry out. The last one moves to its position. */
static void drop(struct track *t, uint32_t pos)
{
	struct track_entry *e = entry_at(t, pos);
	uint32_t last = t->n - 1;

	t->jails[e->jail].entries--;
	index_del(&t->index, pos_hash(t, pos), pos);
	touch(t, pos);
	touch(t, last);
	if (pos != last) {
		index_set(&t->index, pos_hash(t, last), last, pos);
		*e = *entry_at(t, last);
	}
	t->n--;
	/* Half a chunk of slack, so that a count going up and down there costs no system calls. */
	if (t->n_chunks > 1 && t->n + CHUNK + CHUNK / 2 <= t->n_chunks * CHUNK)
		madvise(t->entries + (size_t)--t->n_chunks * CHUNK,
			CHUNK * sizeof(struct track_entry), MADV_DONTNEED);
}

/* Some position below n. Which one nobody outside can tell. */
static uint32_t random_pos(struct track *t)
{
	/* splitmix64, from a seed that nobody knows. */
	uint64_t h = t->rng += 0x9e3779b97f4a7c15;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9;
	h = (h ^ h >> 27) * 0x94d049bb133111eb;
	h ^= h >> 31;
	return (uint32_t)((h >> 32) * t->n >> 32);
}

struct value {
	uint64_t count; /* in its window */
	uint32_t goal, newest;
};

static struct value value_of(const struct track *t, const struct track_entry *e)
{
	const struct jail *j = &t->jails[e->jail];
	uint32_t clock = j->clock > t->clock ? j->clock : t->clock;
	struct value v = {.goal = e->goal > 0 ? e->goal : 1, .newest = e->sec[e->n - 1]};

	for (unsigned i = 0; i < e->n; i++)
		if (!j->known || (uint64_t)e->sec[i] + j->findtime > clock)
			v.count += e->count[i];
	return v;
}

static bool value_less(const struct value *a, const struct value *b)
{
	uint64_t x = a->count * b->goal, y = b->count * a->goal;

	return x != y ? x < y : a->newest < b->newest;
}

/* Draws the next sample, which is in the processor's cache by the time that it is looked at. */
static void draw(struct track *t)
{
	for (unsigned i = 0; i < SAMPLE; i++) {
		const char *e;

		t->sample[i] = random_pos(t);
		e = (const char *)entry_at(t, t->sample[i]);
		__builtin_prefetch(e);
		__builtin_prefetch(e + sizeof(struct track_entry) - 1);
	}
}

/* Picks the entry that is missed least among a sample; there must be one. */
static uint32_t pick(struct track *t)
{
	uint32_t best = 0;
	struct value least, v;

	for (unsigned i = 0; i < SAMPLE; i++) {
		uint32_t pos = t->sample[i] < t->n ? t->sample[i] : random_pos(t);

		v = value_of(t, entry_at(t, pos));
		if (i == 0 || value_less(&v, &least)) {
			best = pos;
			least = v;
		}
	}
	draw(t);
	return best;
}

/* An entry without failures yet for a key that has none, at the price of another if it must be. */
static uint32_t create(struct track *t, const struct key *k)
{
	uint32_t pos;

	/* With no memory for a larger index the table is as large as it can be now. */
	while (t->n >= t->cap || !index_room(&t->index)) {
		t->evicted++;
		drop(t, pick(t));
	}
	pos = t->n++;
	if (pos == t->n_chunks * CHUNK)
		t->n_chunks++;
	*entry_at(t, pos) = (struct track_entry) {.addr = k->addr, .jail = k->jail};
	index_add(&t->index, key_hash(t, k), pos);
	t->jails[k->jail].entries++;
	return pos;
}

/* Looks at a few entries in turn and lets go of those that ran out by their jail's clock. */
static void expire(struct track *t)
{
	for (unsigned i = 0; i < HAND_STEPS && t->n > 0; i++) {
		const struct track_entry *e;
		const struct jail *j;

		if (t->hand >= t->n)
			t->hand = 0;
		e = entry_at(t, t->hand);
		j = &t->jails[e->jail];
		if (j->known && (uint64_t)e->sec[e->n - 1] + j->findtime <= j->clock) {
			t->expired++;
			drop(t, t->hand);
		}
		t->hand++;
	}
}

static uint32_t to_sec(int64_t sec)
{
	return sec < 0 ? 0 : sec > UINT32_MAX ? UINT32_MAX : (uint32_t)sec;
}

static struct slots slots_of(struct track_entry *e)
{
	return (struct slots) {.sec = e->sec, .count = e->count, .n = e->n};
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
	struct track_entry *e;
	uint32_t pos;

	j->clock = t->clock = sec;
	j->findtime = findtime;
	j->known = true;
	index_step(&t->index);
	expire(t);
	if (count == 0)
		return track_count(t, jail, addr, time_sec, findtime_sec);

	pos = find(t, &k);
	if (pos == INDEX_NONE)
		pos = create(t, &k);
	e = entry_at(t, pos);
	s = slots_of(e);
	/* An entry from before the clock was set back would make its address immune till then. */
	if (s.n > 0 && before.known && sec + behind <= s.sec[s.n - 1] &&
		before.clock + behind <= s.sec[s.n - 1])
		s.n = 0;
	slots_add(&s, sec, count, findtime);
	e->n = s.n;
	e->goal = maxretry;
	touch(t, pos);
	return slots_count(&s, (int64_t)s.sec[s.n - 1] - findtime);
}

unsigned track_count(const struct track *t, unsigned jail, const struct addr *addr, int64_t now_sec,
	int64_t findtime_sec)
{
	struct key k = key_of(jail, addr);
	uint32_t pos = find(t, &k);
	struct slots s;

	if (pos == INDEX_NONE)
		return 0;
	s = slots_of(entry_at(t, pos));
	return slots_count(&s, (int64_t)to_sec(now_sec) - to_sec(findtime_sec));
}

bool track_forget(struct track *t, unsigned jail, const struct addr *addr)
{
	struct key k = key_of(jail, addr);
	uint32_t pos = find(t, &k);

	if (pos == INDEX_NONE)
		return false;
	drop(t, pos);
	index_step(&t->index);
	return true;
}

size_t track_jail_entries(const struct track *t, unsigned jail)
{
	return jail < JAILS ? t->jails[jail].entries : 0;
}

void track_restore(struct track *t, uint32_t place, const struct track_entry *e)
{
	struct key k = key_of(e->jail, &e->addr);
	uint32_t sec[TRACK_SLOTS], pos = INDEX_NONE;
	uint16_t count[TRACK_SLOTS];
	struct slots s = {.sec = sec, .count = count};
	struct track_entry *at;

	if (t->on_disk <= place / TRACK_PAGE)
		t->on_disk = place / TRACK_PAGE + 1;
	for (unsigned i = 0; i < e->n && i < TRACK_SLOTS; i++)
		if (e->count[i] > 0)
			slots_add(&s, e->sec[i], e->count[i], UINT32_MAX);
	if (s.n > 0) {
		index_step(&t->index);
		pos = find(t, &k);
		if (pos == INDEX_NONE)
			pos = create(t, &k);
		at = entry_at(t, pos);
		memcpy(at->sec, sec, s.n * sizeof(*sec));
		memcpy(at->count, count, s.n * sizeof(*count));
		at->n = s.n;
		at->goal = e->goal;
	}
	if (pos == place)
		return;
	/* Neither page is on disk what it is here. */
	if (pos != INDEX_NONE)
		touch(t, pos);
	if (place < t->cap)
		touch(t, place);
}

static int flush_page(struct track *t, uint32_t page, track_fn *fn, void *arg)
{
	uint32_t first = page * TRACK_PAGE, left = t->n - first;
	int r = fn(arg, page, entry_at(t, first), left < TRACK_PAGE ? left : TRACK_PAGE);

	if (r < 0)
		return r;
	t->told[page / 64] |= (uint64_t)1 << page % 64;
	return 0;
}

static int flush_dirty(struct track *t, track_fn *fn, void *arg)
{
	uint32_t words = map_words(t->cap), in_use = pages(t->n);

	for (uint32_t w = 0; w < words && t->n_dirty > 0; w++) {
		while (t->dirty[w] != 0) {
			uint32_t page = w * 64 + (uint32_t)__builtin_ctzll(t->dirty[w]);
			int r = page < in_use ? flush_page(t, page, fn, arg) : 0;

			if (r < 0)
				return r;
			t->dirty[w] &= t->dirty[w] - 1;
			t->n_dirty--;
		}
	}
	return 0;
}

int track_flush(struct track *t, track_fn *fn, void *arg)
{
	uint32_t in_use = pages(t->n);
	int r;

	memset(t->told, 0, map_words(t->cap) * sizeof(*t->told));
	r = flush_dirty(t, fn, arg);
	if (r == 0 && t->on_disk > in_use)
		r = fn(arg, in_use, NULL, 0);
	if (r < 0)
		track_unflush(t);
	else
		t->on_disk = in_use;
	return r;
}

void track_unflush(struct track *t)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < map_words(t->cap); w++) {
		t->dirty[w] |= t->told[w];
		n += (uint32_t)__builtin_popcountll(t->dirty[w]);
	}
	t->n_dirty = n;
	t->on_disk = UINT32_MAX;
}

void track_flush_all(struct track *t)
{
	for (uint32_t pos = 0; pos < t->n; pos += TRACK_PAGE)
		touch(t, pos);
	t->on_disk = UINT32_MAX;
}

bool track_is_dirty(const struct track *t)
{
	return t->n_dirty > 0 || t->on_disk > pages(t->n);
}

/* The most that a table of cap entries ever holds. */
static uint64_t bytes_at_most(uint32_t cap)
{
	uint64_t chunks = (uint64_t)cap / CHUNK + 1;

	return sizeof(struct track) + chunks * CHUNK * sizeof(struct track_entry) +
	       2 * map_words(cap) * sizeof(uint64_t) + index_bytes_at_most(cap);
}

size_t track_room(uint64_t bytes)
{
	uint32_t low = CAP_MIN, high = CAP_MAX;

	while (low < high) {
		uint32_t mid = low + (high - low + 1) / 2;

		if (bytes_at_most(mid) <= bytes)
			low = mid;
		else
			high = mid - 1;
	}
	return low;
}

void track_get_stats(const struct track *t, struct track_stats *ret)
{
	*ret = (struct track_stats) {
		.entries = t->n,
		.cap = t->cap,
		.evicted = t->evicted,
		.expired = t->expired,
		.bytes = sizeof(*t) + index_bytes(&t->index) +
			 (uint64_t)t->n_chunks * CHUNK * sizeof(struct track_entry) +
			 2 * map_words(t->cap) * sizeof(*t->dirty),
	};
}

/* Address space for all of them: what is never used takes no memory. */
static bool reserve(struct track *t)
{
	size_t bytes = ((size_t)t->cap / CHUNK + 1) * CHUNK * sizeof(struct track_entry);
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return false;
	t->entries = p;
	t->room_bytes = bytes;
	/* Looking into a large table costs more for its pages than for itself. No harm if not. */
	if (bytes > SMALL_BYTES) {
		madvise(p, SMALL_BYTES, MADV_NOHUGEPAGE);
		madvise((char *)p + SMALL_BYTES, bytes - SMALL_BYTES, MADV_HUGEPAGE);
	}
	return true;
}

struct track *track_new(size_t cap)
{
	struct track *t = calloc(1, sizeof(*t));
	struct hash_key seed;

	if (t == NULL)
		return NULL;
	t->cap = cap < CAP_MIN ? CAP_MIN : cap > CAP_MAX ? CAP_MAX : (uint32_t)cap;
	memset(t->sample, 0xff, sizeof(t->sample));
	t->key = hash_key_random();
	seed = hash_key_random();
	t->rng = hash_bytes(&seed, &seed, sizeof(seed));
	t->dirty = calloc(map_words(t->cap), sizeof(*t->dirty));
	t->told = calloc(map_words(t->cap), sizeof(*t->told));
	t->jails = calloc(JAILS, sizeof(*t->jails));
	if (!reserve(t) || t->dirty == NULL || t->told == NULL || t->jails == NULL ||
		index_init(&t->index, t->cap, pos_hash, t) < 0) {
		track_free(t);
		return NULL;
	}
	return t;
}

void track_free(struct track *t)
{
	if (t == NULL)
		return;
	if (t->entries != NULL)
		munmap(t->entries, t->room_bytes);
	index_done(&t->index);
	free(t->dirty);
	free(t->told);
	free(t->jails);
	free(t);
}
