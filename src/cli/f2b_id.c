/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_id.h"

#include "base/util.h"
#include "cli/f2b_room.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdint.h>
#include <string.h>

#define NAMES_MAX 1000

struct f2b_name {
	char *text;
	struct f2b_value ids;
};

static void clear_host_bits(uint8_t *b, unsigned bytes, unsigned bits)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned keep = bits > i * 8 ? bits - i * 8 : 0;

		if (keep < 8)
			b[i] &= (uint8_t)(0xff00u >> keep);
	}
}

/* An address of the family, its first `bits` bits, as text; false if it is none. */
static bool read_addr(const char *text, int family, unsigned bits, struct f2b_value *ret)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	char shown[INET6_ADDRSTRLEN + 5];
	unsigned full = family == AF_INET ? 32 : 128;
	uint8_t b[16];
	size_t len;

	if (inet_pton(family, text, b) != 1)
		return false;
	if (bits < full)
		clear_host_bits(b, full / 8, bits);
	else if (family == AF_INET6 && memcmp(b, mapped, sizeof(mapped)) == 0)
		return inet_ntop(AF_INET, b + 12, shown, sizeof(shown)) != NULL &&
		       (*ret = f2b_value_text(shown, strlen(shown)), true);
	if (inet_ntop(family, b, shown, sizeof(shown)) == NULL)
		return false;
	len = strlen(shown);
	if (bits > 0 && bits < full)
		len += (size_t)snprintf(shown + len, sizeof(shown) - len, "/%u", bits);
	*ret = f2b_value_text(shown, len);
	return true;
}

/* "[ADDR]", "ADDR/24", "ADDR/255.255.255.0" ... */
static bool read_any(const char *text, struct f2b_value *ret)
{
	_cleanup_free_ char *bare = f2b_copy(text, strlen(text));
	size_t len = strlen(bare);
	unsigned bits = 128;
	char *at = bare, *slash, *end;

	if (len > 2 && at[0] == '[' && at[len - 1] == ']') {
		at[len - 1] = '\0';
		at++;
	}
	slash = strchr(at, '/');
	if (slash != NULL) {
		unsigned long n;
		struct in_addr mask;

		*slash = '\0';
		n = strtoul(slash + 1, &end, 10);
		if (inet_pton(AF_INET, slash + 1, &mask) == 1)
			n = (unsigned long)__builtin_popcount(mask.s_addr);
		else if (end == slash + 1 || *end != '\0')
			return false;
		bits = n < 128 ? (unsigned)n : 128;
	}
	return read_addr(at, AF_INET, bits, ret) || read_addr(at, AF_INET6, bits, ret);
}

struct f2b_value f2b_id_read(const struct f2b_value *v, enum f2b_id_kind kind, unsigned cidr)
{
	struct f2b_value id = {0};
	bool found = false;

	if (v->kind != F2B_TEXT || strlen(v->text) != v->len)
		return f2b_value_copy(v);
	if (kind == F2B_ID_ANY)
		found = read_any(v->text, &id);
	else if (kind == F2B_ID_IP4)
		found = read_addr(v->text, AF_INET, 128, &id);
	else if (kind == F2B_ID_IP6)
		found = read_addr(v->text, AF_INET6, 128, &id);
	else if (kind == F2B_ID_CIDR)
		found = read_addr(v->text, AF_INET, cidr, &id) ||
			read_addr(v->text, AF_INET6, cidr, &id);
	return found ? id : f2b_value_copy(v);
}

const char *f2b_id_family(const struct f2b_value *id)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t b[16];

	if (id->kind != F2B_TEXT || (size_t)snprintf(text, sizeof(text), "%.*s",
					    (int)strcspn(id->text, "/"), id->text) >= sizeof(text))
		return NULL;
	if (inet_pton(AF_INET, text, b) == 1)
		return "inet4";
	return inet_pton(AF_INET6, text, b) == 1 ? "inet6" : NULL;
}

bool f2b_id_reverse(const struct f2b_value *id, struct buf *out)
{
	char text[8];
	uint8_t b[16];

	if (id->kind != F2B_TEXT)
		return false;
	if (inet_pton(AF_INET, id->text, b) == 1) {
		for (int i = 3; i >= 0; i--) {
			snprintf(text, sizeof(text), "%u.", b[i]);
			f2b_adds(out, text);
		}
		return true;
	}
	if (inet_pton(AF_INET6, id->text, b) != 1)
		return false;
	for (int i = 15; i >= 0; i--) {
		snprintf(text, sizeof(text), "%x.%x.", b[i] & 0xfu, (unsigned)b[i] >> 4);
		f2b_adds(out, text);
	}
	return true;
}

static void ask(const char *name, int family, struct f2b_value *ret)
{
	struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM}, *all, *one;

	if (getaddrinfo(name, NULL, &hints, &all) != 0)
		return;
	for (one = all; one != NULL; one = one->ai_next) {
		const void *addr =
			family == AF_INET
				? (const void *)&(
					  (const struct sockaddr_in *)(const void *)one->ai_addr)
					  ->sin_addr
				: &((const struct sockaddr_in6 *)(const void *)one->ai_addr)
					   ->sin6_addr;
		char text[INET6_ADDRSTRLEN];
		struct f2b_value id;

		if (inet_ntop(family, addr, text, sizeof(text)) != NULL &&
			read_addr(text, family, 128, &id))
			f2b_value_append(ret, id);
	}
	freeaddrinfo(all);
}

static void keep(struct f2b_names *names, const char *name, const struct f2b_value *ids)
{
	if (names->n == NAMES_MAX)
		return;
	if (names->n == names->room)
		names->items = f2b_more_room(names->items, &names->room, sizeof(*names->items));
	names->items[names->n++] =
		(struct f2b_name) {f2b_copy(name, strlen(name)), f2b_value_copy(ids)};
}

void f2b_names_find(struct f2b_names *names, const char *name, bool resolve, struct f2b_value *ret)
{
	struct f2b_value id = {0};

	*ret = (struct f2b_value) {.kind = F2B_SET};
	if (strchr(name, '/') == NULL && read_any(name, &id)) {
		f2b_value_append(ret, id);
		return;
	}
	if (!resolve)
		return;
	for (size_t i = 0; i < names->n; i++) {
		if (strcmp(names->items[i].text, name) == 0) {
			*ret = f2b_value_copy(&names->items[i].ids);
			return;
		}
	}
	ask(name, AF_INET, ret);
	ask(name, AF_INET6, ret);
	keep(names, name, ret);
}

void f2b_names_done(struct f2b_names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		free(names->items[i].text);
		f2b_value_done(&names->items[i].ids);
	}
	free(names->items);
	*names = (struct f2b_names) {0};
}
