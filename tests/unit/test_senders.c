/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many messages each sender may send. */
#include "guard/senders.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define A_SEC 10

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text, strlen(text)), 0);
	return a;
}

/* Of so many at that time, how many may be taken? */
static unsigned taken(struct senders *s, const char *from, unsigned n, int64_t at_us)
{
	struct addr a = address(from);
	unsigned good = 0;

	while (n-- > 0)
		good += senders_take(s, &a, at_us);
	return good;
}

/* As many as come in a second at once, and then as they run off. */
static void rate(void **state)
{
	struct senders *s = senders_new(A_SEC);
	unsigned good = 0;

	(void)state;
	assert_non_null(s);
	assert_int_equal(taken(s, "192.0.2.1", 100, USEC_PER_SEC), A_SEC);
	assert_int_equal(taken(s, "192.0.2.1", 100, USEC_PER_SEC * 3 / 2), A_SEC / 2);
	assert_int_equal(taken(s, "192.0.2.1", 100, USEC_PER_SEC * 3600), A_SEC);
	/* Who goes on sending much gets his share, no less. */
	for (int64_t t = 0; t < 1000; t++)
		good += taken(s, "192.0.2.2", 1, USEC_PER_SEC + t * 10000);
	assert_in_range(good, 10 * A_SEC + A_SEC - 2, 10 * A_SEC + A_SEC);
	senders_free(s);
}

static void each_by_itself(void **state)
{
	struct senders *s = senders_new(A_SEC);

	(void)state;
	assert_non_null(s);
	assert_int_equal(taken(s, "192.0.2.1", 50, USEC_PER_SEC), A_SEC);
	assert_int_equal(taken(s, "192.0.2.2", 50, USEC_PER_SEC), A_SEC);
	/* Who has an IPv6 address has all of its network. */
	assert_int_equal(taken(s, "2001:db8::1", 6, USEC_PER_SEC), 6);
	assert_int_equal(taken(s, "2001:db8::2", 6, USEC_PER_SEC), A_SEC - 6);
	assert_int_equal(taken(s, "2001:db8:0:1::2", 6, USEC_PER_SEC), 6);
	senders_free(s);
	senders_free(NULL);
}

/* Many who send a little do not make room for one who sends much. */
static void many(void **state)
{
	struct senders *s = senders_new(A_SEC);
	unsigned good = 0;
	char text[32];

	(void)state;
	assert_non_null(s);
	assert_int_equal(taken(s, "192.0.2.1", 50, USEC_PER_SEC), A_SEC);
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		good += taken(s, text, 1, USEC_PER_SEC);
	}
	assert_int_equal(good, 100000);
	assert_int_equal(taken(s, "192.0.2.1", 50, USEC_PER_SEC), 0);
	senders_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate),
		cmocka_unit_test(each_by_itself),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("senders", tests, NULL, NULL);
}
