/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/seek.h"

#include "base/clock.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEAR_ENOUGH (1 << 20) /* bytes that are simply read */
#define LOOK 65536            /* a dated line is looked for in so much */

/* When the line was written, if that can be told. */
static bool time_of(enum container kind, struct date_finder *dates, const char *line, size_t len,
	int64_t now_us, int64_t *ret_time)
{
	struct container_piece piece;
	struct stamp stamp;
	char nothing[1];

	if (kind != CONTAINER_NONE) {
		if (!container_read(kind, nothing, sizeof(nothing), line, len, &piece))
			return false;
		*ret_time = piece.time_us;
		return true;
	}
	if (dates == NULL || date_find(dates, line, len, now_us, &stamp) != DATE_FOUND)
		return false;
	*ret_time = stamp.time_us;
	return true;
}

/* The first dated line that starts after off: its time and where it stands. */
static bool dated_line(int fd, enum container kind, struct date_finder *dates, uint64_t off,
	int64_t now_us, int64_t *ret_time, uint64_t *ret_off)
{
	static char buf[LOOK];
	ssize_t n = pread(fd, buf, sizeof(buf), (off_t)off);
	const char *p = n > 0 ? memchr(buf, '\n', (size_t)n) : NULL;

	while (p != NULL) {
		const char *line = p + 1;

		p = memchr(line, '\n', (size_t)(buf + n - line));
		if (p != NULL && time_of(kind, dates, line, (size_t)(p - line), now_us, ret_time)) {
			*ret_off = off + (uint64_t)(line - buf);
			return true;
		}
	}
	return false;
}

uint64_t seek_to(int fd, enum container kind, struct date_finder *dates, int64_t cutoff_us)
{
	int64_t now_us = clock_wall_us(), time_us;
	uint64_t low = 0, high, at;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return 0;
	high = (uint64_t)st.st_size;
	while (high - low > NEAR_ENOUGH) {
		uint64_t middle = low + (high - low) / 2;

		if (!dated_line(fd, kind, dates, middle, now_us, &time_us, &at) || at >= high)
			break;
		if (time_us < cutoff_us)
			low = at;
		else
			high = middle;
	}
	return low;
}
