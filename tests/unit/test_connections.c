/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/connections.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX 100

static struct connections *all;
static struct connection *refused; /* none */

static struct addr host(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, strlen(text)), 0);
	return a;
}

/* Another of theirs, as guard takes it: who has to go for it is freed, and told by ret_out's fd. */
static struct connection *come(const char *who, int fd, int *ret_out)
{
	struct addr a = host(who);
	struct connection *out, *one;

	*ret_out = -1;
	if (connections_admit(all, &a, &out) < 0) {
		assert_null(out);
		return refused;
	}
	if (out != NULL) {
		*ret_out = out->fd;
		connections_remove(all, out);
		free(out);
	}
	one = calloc(1, sizeof(*one));
	one->fd = fd;
	one->sender = a;
	assert_int_equal(connections_add(all, &a, one), 0);
	return one;
}

static struct connection *come_in_peace(const char *who, int fd)
{
	int out;
	struct connection *one = come(who, fd, &out);

	assert_int_equal(out, -1);
	assert_non_null(one);
	return one;
}

static int set_up(void **state)
{
	(void)state;
	all = connections_new(MAX);
	return all == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	struct connection *one;

	(void)state;
	while ((one = connections_any(all)) != NULL) {
		connections_remove(all, one);
		free(one);
	}
	assert_int_equal(connections_count(all), 0);
	connections_free(all);
	return 0;
}

static void who_has_many_makes_room(void **state)
{
	int out;

	(void)state;
	for (int i = 0; i < 3; i++)
		connections_spoke(all, come_in_peace("192.0.2.1", i));
	for (int i = 3; i < MAX; i++)
		come_in_peace("192.0.2.2", i);
	assert_int_equal(connections_count(all), MAX);
	/* Of the one with most the first that came, for himself and for others. */
	come("192.0.2.2", 200, &out);
	assert_int_equal(out, 3);
	come("192.0.2.3", 201, &out);
	assert_int_equal(out, 4);
	come("192.0.2.1", 202, &out);
	assert_int_equal(out, 5);
	assert_int_equal(connections_count(all), MAX);
}

static void silent_ones_go_first(void **state)
{
	struct connection *some[MAX];
	int out;

	(void)state;
	for (int i = 0; i < MAX; i++)
		some[i] = come_in_peace("192.0.2.1", i);
	for (int i = 0; i < MAX; i++)
		if (i != 70)
			connections_spoke(all, some[i]);
	come("192.0.2.2", 200, &out);
	assert_int_equal(out, 70);
	/* Then who has not said anything for longest. */
	connections_spoke(all, some[0]);
	connections_spoke(all, some[2]);
	come("192.0.2.2", 201, &out);
	assert_int_equal(out, 1);
	come("192.0.2.2", 202, &out);
	assert_int_equal(out, 3);
}

/* Neither of two who want all gets more than the other. */
static void shares(void **state)
{
	unsigned n_first = 0, n_all = 0;
	struct connection *one;
	int out;

	(void)state;
	for (int i = 0; i < MAX; i++)
		come_in_peace("192.0.2.1", 1);
	for (int i = 0; i < 3 * MAX; i++) {
		come("192.0.2.2", 2, &out);
		come("192.0.2.1", 1, &out);
	}
	while ((one = connections_any(all)) != NULL) {
		n_all++;
		n_first += one->fd == 1;
		connections_remove(all, one);
		free(one);
	}
	assert_int_equal(n_all, MAX);
	assert_in_range(n_first, MAX / 2 - 1, MAX / 2 + 1);
}

/* Many hosts with one connection each push out nobody who has said something. */
static void many_hosts(void **state)
{
	struct connection *some[MAX];
	char who[32];
	int out;

	(void)state;
	for (int i = 0; i < MAX; i++) {
		snprintf(who, sizeof(who), "10.0.0.%d", i);
		some[i] = come_in_peace(who, i);
	}
	for (int i = 0; i < MAX; i++)
		if (i != 5 && i != 9)
			connections_spoke(all, some[i]);
	come("192.0.2.1", 200, &out);
	assert_int_equal(out, 5);
	connections_spoke(all, come("192.0.2.2", 201, &out));
	assert_int_equal(out, 9);
	come("192.0.2.3", 202, &out);
	assert_int_equal(out, 200);
	connections_spoke(all, come("192.0.2.4", 203, &out));
	assert_int_equal(out, 202);
	assert_ptr_equal(come("192.0.2.5", 204, &out), refused);
	/* But he may have another in place of his own. */
	come("10.0.0.7", 205, &out);
	assert_int_equal(out, 7);
}

/* Who has a /64 has one address, in this. */
static void ipv6_blocks(void **state)
{
	char who[64];
	int out;

	(void)state;
	connections_spoke(all, come_in_peace("2001:db8:1::1", 0));
	for (int i = 1; i < MAX; i++) {
		snprintf(who, sizeof(who), "2001:db8::%d", i);
		connections_spoke(all, come_in_peace(who, i));
	}
	connections_spoke(all, come("2001:db8::ffff", 200, &out));
	assert_int_equal(out, 1);
	come("2001:db8:1::2", 201, &out);
	assert_int_equal(out, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(who_has_many_makes_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(silent_ones_go_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(shares, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_hosts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ipv6_blocks, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("connections", tests, NULL, NULL);
}
