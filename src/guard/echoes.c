/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/echoes.h"

#include "base/clock.h"
#include "base/hash.h"
#include "source/syslog.h"

#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS 4096
#define KEPT_US (60 * USEC_PER_SEC)

struct echo {
	uint64_t hash;
	int64_t at_us; /* when it came last; 0: nothing */
	uint32_t came[N_WAYS];
};

struct echoes {
	struct hash_key key;
	struct echo slots[SETS][WAYS];
};

struct echoes *echoes_new(void)
{
	struct echoes *e = calloc(1, sizeof(*e));

	if (e != NULL)
		e->key = hash_key_random();
	return e;
}

void echoes_free(struct echoes *e)
{
	free(e);
}

/* "DATE HOST PROGRAM[PID]: TEXT" in files and of syslog, "HOST PROGRAM[PID]: TEXT" in journals. */
static void take_apart(struct syslog_msg *ret, const char *line, size_t len)
{
	const char *blank;

	syslog_parse(ret, line, len);
	if (ret->date.len > 0 || ret->tag.len > 0)
		return;
	blank = memchr(line, ' ', len);
	if (blank == NULL)
		return;
	len -= (size_t)(blank + 1 - line);
	line = blank + 1;
	syslog_parse(ret, line, len);
}

static uint64_t hash_of(const struct echoes *e, size_t jail, const char *line, size_t len)
{
	struct syslog_msg m;
	uint64_t parts[4] = {jail};

	take_apart(&m, line, len);
	if (m.program.len > 0)
		parts[1] = hash_bytes(&e->key, m.program.p, m.program.len);
	if (m.pid.len > 0)
		parts[2] = hash_bytes(&e->key, m.pid.p, m.pid.len);
	if (m.text.len > 0)
		parts[3] = hash_bytes(&e->key, m.text.p, m.text.len);
	return hash_bytes(&e->key, parts, sizeof(parts));
}

static bool is_over(const struct echo *one, int64_t now_us)
{
	return one->at_us == 0 || now_us - one->at_us > KEPT_US || now_us < one->at_us - KEPT_US;
}

/* Where that hash is, or takes the place of the one that came longest ago. */
static struct echo *find(struct echoes *e, uint64_t hash, int64_t now_us)
{
	struct echo *set = e->slots[hash % SETS], *one = &set[0];

	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].hash == hash && !is_over(&set[i], now_us))
			return &set[i];
		if (set[i].at_us < one->at_us)
			one = &set[i];
	}
	*one = (struct echo) {.hash = hash};
	return one;
}

bool echoes_is_one(struct echoes *e, size_t jail, enum source_way way, const char *line, size_t len,
	int64_t now_us)
{
	struct echo *one = find(e, hash_of(e, jail, line, len), now_us);

	one->at_us = now_us;
	one->came[way]++;
	for (size_t i = 0; i < N_WAYS; i++)
		if (i != way && one->came[i] >= one->came[way])
			return true;
	return false;
}
