/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool addr_is4(const struct addr *a)
{
	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, 16) == 0;
}

int addr_cmp(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, 16);
}

struct addr addr_from4(const uint8_t b4[4])
{
	struct addr a;

	memcpy(a.b, mapped, sizeof(mapped));
	memcpy(a.b + 12, b4, 4);
	return a;
}

const uint8_t *addr_wire(const struct addr *a, size_t *ret_len)
{
	if (addr_is4(a)) {
		*ret_len = 4;
		return a->b + 12;
	}
	*ret_len = 16;
	return a->b;
}

/* Exactly four decimal parts without leading zeros, as inet_pton(3) has it, but for s[0..len). */
static int parse4(struct addr *ret, const char *s, size_t len)
{
	uint8_t quad[4];
	unsigned part = 0, value = 0, digits = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] >= '0' && s[i] <= '9') {
			if (digits > 0 && value == 0)
				return -EINVAL;
			value = value * 10 + (unsigned)(s[i] - '0');
			if (++digits > 3 || value > 255)
				return -EINVAL;
		} else if (s[i] == '.') {
			if (digits == 0 || part == 3)
				return -EINVAL;
			quad[part++] = (uint8_t)value;
			value = digits = 0;
		} else {
			return -EINVAL;
		}
	}
	if (part != 3 || digits == 0)
		return -EINVAL;
	quad[3] = (uint8_t)value;
	*ret = addr_from4(quad);
	return 0;
}

static int parse6(struct addr *ret, const char *s, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr in6;
	const char *zone;

	if (len >= 2 && s[0] == '[' && s[len - 1] == ']') {
		s++;
		len -= 2;
	}
	zone = memchr(s, '%', len);
	if (zone != NULL) {
		if (zone + 1 == s + len)
			return -EINVAL;
		len = (size_t)(zone - s);
	}
	if (len == 0 || len >= sizeof(text) || memchr(s, '\0', len) != NULL)
		return -EINVAL;
	memcpy(text, s, len);
	text[len] = '\0';
	if (inet_pton(AF_INET6, text, &in6) != 1)
		return -EINVAL;
	memcpy(ret->b, &in6, 16);
	return 0;
}

int addr_parse(struct addr *ret, const char *s, size_t len)
{
	if (len == 0)
		return -EINVAL;
	/* What is no IPv4 address is another, or none; no IPv6 address is an IPv4 one. */
	if (len <= INET_ADDRSTRLEN - 1 && parse4(ret, s, len) == 0)
		return 0;
	return memchr(s, ':', len) != NULL ? parse6(ret, s, len) : -EINVAL;
}

/* "24", or "255.255.255.0" for IPv4, to a length in the family's own count. */
static int parse_mask(const char *s, size_t len, bool is4, unsigned *ret)
{
	unsigned value = 0;
	struct addr mask;

	if (is4 && addr_parse(&mask, s, len) == 0 && addr_is4(&mask)) {
		uint32_t bits = (uint32_t)mask.b[12] << 24 | (uint32_t)mask.b[13] << 16 |
				(uint32_t)mask.b[14] << 8 | mask.b[15];

		if ((~bits & (~bits + 1)) != 0)
			return -EINVAL;
		*ret = (unsigned)__builtin_popcount(bits);
		return 0;
	}
	if (len == 0 || len > 3)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -EINVAL;
		value = value * 10 + (unsigned)(s[i] - '0');
	}
	if (value > (is4 ? 32U : 128U))
		return -EINVAL;
	*ret = value;
	return 0;
}

int prefix_parse(struct prefix *ret, const char *s, size_t len)
{
	const char *slash = memchr(s, '/', len);
	size_t addr_len = slash != NULL ? (size_t)(slash - s) : len;
	struct addr a;
	unsigned bits;

	if (addr_parse(&a, s, addr_len) < 0)
		return -EINVAL;
	bits = addr_is4(&a) ? 32 : 128;
	if (slash != NULL && parse_mask(slash + 1, len - addr_len - 1, addr_is4(&a), &bits) < 0)
		return -EINVAL;
	*ret = prefix_of(&a, (uint8_t)(addr_is4(&a) ? 96 + bits : bits));
	return 0;
}

const char *addr_format(const struct addr *a, char buf[static ADDR_STRLEN])
{
	if (addr_is4(a))
		inet_ntop(AF_INET, a->b + 12, buf, ADDR_STRLEN);
	else
		inet_ntop(AF_INET6, a->b, buf, ADDR_STRLEN);
	return buf;
}

unsigned prefix_family_len(const struct prefix *p)
{
	return p->len >= 96 && addr_is4(&p->addr) ? p->len - 96U : p->len;
}

const char *prefix_format(const struct prefix *p, char buf[static PREFIX_STRLEN])
{
	size_t used;

	addr_format(&p->addr, buf);
	if (p->len == 128)
		return buf;
	used = strlen(buf);
	snprintf(buf + used, PREFIX_STRLEN - used, "/%u", prefix_family_len(p));
	return buf;
}

struct prefix prefix_of(const struct addr *a, uint8_t len)
{
	struct prefix p = {.addr = *a, .len = len};

	for (unsigned i = len; i < 128; i++)
		p.addr.b[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
	return p;
}

struct addr addr_owner(const struct addr *a)
{
	return addr_is4(a) ? *a : prefix_of(a, 64).addr;
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct prefix q = prefix_of(a, p->len);

	return addr_eq(&q.addr, &p->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->len <= b->len ? prefix_contains(a, &b->addr) : prefix_contains(b, &a->addr);
}
