/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Speed of the nft wall, as root, in a network namespace of its own: bench-wall [ELEMENTS]. */
#include "wall/wall.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SINGLES 10000
#define HOUR_MS 3600000

static struct port_range ssh_port = {22, 22};
static struct jail jail = {
	.name = "sshd", .set = "sshd", .protocols = PROTO_TCP, .ports = &ssh_port, .n_ports = 1};
static struct ruleset rules = {.jails = &jail, .n_jails = 1};
static struct wall *w;

static struct wall_elem nth(uint32_t i)
{
	uint32_t v = i * 2654435761U;
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	return (struct wall_elem) {
		.prefix = {.addr = addr_from4(b), .len = 128}, .timeout_ms = HOUR_MS};
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

typedef int op_fn(struct wall *w, const struct wall_elem *elems, size_t n);

static void singles(const char *what, op_fn *op, uint64_t timeout_ms)
{
	static int64_t took[SINGLES];

	for (uint32_t i = 0; i < SINGLES; i++) {
		struct wall_elem e = nth(i);
		int64_t start = now_ns();

		e.timeout_ms = timeout_ms;
		if (op(w, &e, 1) < 0)
			exit(1);
		took[i] = now_ns() - start;
	}
	qsort(took, SINGLES, sizeof(*took), by_number);
	printf("%-28s p50 %6.1f us   p99 %6.1f us\n", what, (double)took[SINGLES / 2] / 1e3,
		(double)took[SINGLES * 99 / 100] / 1e3);
}

static void bulk(const char *what, op_fn *op, const struct wall_elem *elems, size_t n)
{
	int64_t start = now_ns();

	if (op(w, elems, n) < 0)
		exit(1);
	printf("%-20s %8zu %9.1f ms\n", what, n, (double)(now_ns() - start) / 1e6);
	fflush(stdout);
}

static int count(void *arg, const struct wall_elem *elems, size_t n)
{
	(void)elems;
	*(size_t *)arg += n;
	return 0;
}

static void steps(struct wall_elem *elems, size_t n)
{
	size_t seen = 0;
	int64_t start;

	for (size_t i = 0; i < n; i++)
		elems[i] = nth((uint32_t)i);
	start = now_ns();
	bulk("ban", wall_nft.ban, elems, n);
	/* As after a restart: all are there and end when they should. */
	for (size_t i = 0; i < n; i++)
		elems[i].timeout_ms -= (uint64_t)(now_ns() - start) / 1000000;
	bulk("ban, nothing changes", wall_nft.ban, elems, n);
	for (size_t i = 0; i < n; i++)
		elems[i].timeout_ms += HOUR_MS;
	bulk("prolong", wall_nft.ban, elems, n);
	start = now_ns();
	if (n <= 100000 && wall_nft.dump(w, count, &seen) == 0)
		printf("%-20s %8zu %9.1f ms\n", "dump", seen, (double)(now_ns() - start) / 1e6);
	bulk("unban", wall_nft.unban, elems, n);
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	struct wall_elem *elems = calloc(n + 1, sizeof(*elems));
	const char *error = "";

	if (elems == NULL || unshare(CLONE_NEWNET) < 0 || wall_nft.open(&w, &rules, &error) < 0) {
		fprintf(stderr, "bench-wall: needs root: %s\n", error);
		return 1;
	}
	singles("single ban", wall_nft.ban, HOUR_MS);
	singles("single ban, longer", wall_nft.ban, 2 * HOUR_MS);
	singles("single unban", wall_nft.unban, 0);
	steps(elems, 10000);
	steps(elems, n);
	wall_nft.close(w);
	free(elems);
	return 0;
}
