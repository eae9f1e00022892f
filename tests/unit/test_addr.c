/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/addr.h"
#include "base/prefixset.h"
#include "base/sockaddr.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *in, const char *out)
{
	char buf[PREFIX_STRLEN];
	struct prefix p;

	assert_int_equal(prefix_parse(&p, in, strlen(in)), 0);
	assert_string_equal(prefix_format(&p, buf), out);
}

static void good(void **state)
{
	(void)state;
	check("192.0.2.1", "192.0.2.1");
	check("192.0.2.77/24", "192.0.2.0/24");
	check("192.0.2.77/255.255.255.0", "192.0.2.0/24");
	check("0.0.0.0/0", "0.0.0.0/0");
	check("::ffff:192.0.2.1", "192.0.2.1");
	check("2001:DB8:0:0::1", "2001:db8::1");
	check("[2001:db8::1]", "2001:db8::1");
	check("fe80::1%eth0", "fe80::1");
	check("2001:db8:1:2:3::/64", "2001:db8:1:2::/64");
	check("::/0", "::/0");
}

static void bad(void **state)
{
	static const char *const texts[] = {"", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256",
		"1.2.3.4 ", " 1.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/255.0.255.0", "1.2.3.4x",
		":::", "2001:db8::1::2", "2001:db8::/129", "fe80::1%", "[::1", "1.2.3.-4", "1..2.3",
		"::1/0x1", "12345::"};
	struct prefix p;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_not_equal(prefix_parse(&p, texts[i], strlen(texts[i])), 0);
	assert_int_not_equal(prefix_parse(&p, "::1\0::", 6), 0);
}

static struct prefix prefix(const char *s)
{
	struct prefix p;

	assert_int_equal(prefix_parse(&p, s, strlen(s)), 0);
	return p;
}

static void set_nests(void **state)
{
	struct prefixset s = {0};
	const char *texts[] = {
		"10.0.0.0/8", "10.1.0.0/16", "192.0.2.4", "192.0.2.0/24", "::1", "2001:db8::/32"};
	struct prefix p;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		p = prefix(texts[i]);
		assert_int_equal(prefixset_add(&s, &p), 0);
	}
	assert_int_equal(s.n, 4);
	p = prefix("10.1.2.3");
	assert_true(prefixset_contains(&s, &p.addr));
	p = prefix("192.0.2.255");
	assert_true(prefixset_contains(&s, &p.addr));
	p = prefix("192.0.3.0");
	assert_false(prefixset_contains(&s, &p.addr));
	p = prefix("192.0.0.0/16");
	assert_true(prefixset_overlaps(&s, &p));
	p = prefix("193.0.0.0/16");
	assert_false(prefixset_overlaps(&s, &p));
	prefixset_done(&s);
}

/* Against the plain list, for random small blocks. */
static void set_random(void **state)
{
	unsigned seed = 7;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		struct prefixset s = {0};
		struct prefix list[24];

		for (unsigned i = 0; i < 24; i++) {
			uint8_t quad[4] = {10, 0, 0, (uint8_t)rand_r(&seed)};
			struct addr a = addr_from4(quad);

			list[i] = prefix_of(&a, (uint8_t)(120 + rand_r(&seed) % 9));
			if (list[i].len < 123)
				list[i].len = 128, list[i].addr = a;
			assert_int_equal(prefixset_add(&s, &list[i]), 0);
		}
		for (unsigned v = 0; v < 256; v++) {
			uint8_t quad[4] = {10, 0, 0, (uint8_t)v};
			struct addr a = addr_from4(quad);
			bool want = false;

			for (unsigned i = 0; i < 24; i++)
				want |= prefix_contains(&list[i], &a);
			assert_int_equal(prefixset_contains(&s, &a), want);
		}
		prefixset_done(&s);
	}
}

static void owners(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
	};
	struct addr a, b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(addr_parse(&a, cases[i].a, strlen(cases[i].a)), 0);
		assert_int_equal(addr_parse(&b, cases[i].b, strlen(cases[i].b)), 0);
		a = addr_owner(&a);
		b = addr_owner(&b);
		assert_int_equal(addr_eq(&a, &b), cases[i].same);
	}
}

static void sockaddrs(void **state)
{
	const struct sockaddr path = {.sa_family = AF_UNIX};
	struct sockaddr_storage sa;
	struct addr a, b;

	(void)state;
	assert_int_equal(addr_parse(&a, "192.0.2.1", 9), 0);
	assert_int_equal(sockaddr_set(&sa, &a, 514), sizeof(struct sockaddr_in));
	assert_int_equal(sa.ss_family, AF_INET);
	assert_int_equal(((struct sockaddr_in *)&sa)->sin_port, htons(514));
	assert_int_equal(sockaddr_get((struct sockaddr *)&sa, &b), 0);
	assert_true(addr_eq(&a, &b));
	assert_int_equal(addr_parse(&a, "2001:db8::1", 11), 0);
	assert_int_equal(sockaddr_set(&sa, &a, 514), sizeof(struct sockaddr_in6));
	assert_int_equal(sa.ss_family, AF_INET6);
	assert_int_equal(((struct sockaddr_in6 *)&sa)->sin6_port, htons(514));
	assert_int_equal(sockaddr_get((struct sockaddr *)&sa, &b), 0);
	assert_true(addr_eq(&a, &b));
	assert_int_equal(sockaddr_get(&path, &b), -EAFNOSUPPORT);
	assert_true(addr_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(owners),
		cmocka_unit_test(sockaddrs),
		cmocka_unit_test(set_nests),
		cmocka_unit_test(set_random),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
