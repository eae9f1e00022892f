/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * e2e-mmdb FILE NETWORK/LENGTH=CC...: a small database of countries in MaxMind's format 2.0
 * (https://maxmind.github.io/MaxMind-DB/): a tree of bits whose leaves point to records such as
 * {"country": {"iso_code": "DK"}}.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NODES_MAX 4096
#define RECORDS_MAX 64
#define LEAF 0x80000000u

enum type { STRING = 2, UINT16 = 5, UINT32 = 6, MAP = 7, UINT64 = 9, ARRAY = 11 };

static uint32_t nodes[NODES_MAX][2], n_nodes = 1; /* 0: nothing is known */
static unsigned char data[16384];
static size_t data_len;
static size_t records[RECORDS_MAX];
static unsigned n_records;

static void fail(const char *why, const char *what)
{
	fprintf(stderr, "e2e-mmdb: %s: %s\n", what, why);
	exit(2);
}

static void put_bytes(const void *bytes, size_t n)
{
	if (data_len + n > sizeof(data))
		fail("too much", "data");
	memcpy(data + data_len, bytes, n);
	data_len += n;
}

static void put_control(enum type type, unsigned size)
{
	unsigned char b[2] = {
		(unsigned char)((type > 7 ? 0 : type) << 5 | size), (unsigned char)(type - 7)};

	put_bytes(b, type > 7 ? 2 : 1);
}

static void put_string(const char *s)
{
	put_control(STRING, (unsigned)strlen(s));
	put_bytes(s, strlen(s));
}

static void put_uint(const char *key, enum type type, uint32_t n)
{
	unsigned char b[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
		(unsigned char)(n >> 8), (unsigned char)n};
	unsigned from = type == UINT16 ? 2 : 0;

	put_string(key);
	put_control(type, 4 - from);
	put_bytes(b + from, 4 - from);
}

static void add(const unsigned char *address, unsigned len, uint32_t leaf)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < len; i++) {
		uint32_t *next = &nodes[at][address[i / 8] >> (7 - i % 8) & 1];

		if (i + 1 == len) {
			*next = leaf;
		} else if (*next == 0) {
			if (n_nodes == NODES_MAX)
				fail("too many nodes", "tree");
			at = *next = n_nodes++;
		} else if ((*next & LEAF) != 0) {
			fail("lies in another", "network");
		} else {
			at = *next;
		}
	}
}

static void add_network(char *arg)
{
	char *slash = strchr(arg, '/'), *equals = strchr(arg, '=');
	unsigned char address[16] = {0};
	unsigned len;

	if (slash == NULL || equals == NULL || equals < slash || n_records == RECORDS_MAX)
		fail("no NETWORK/LENGTH=CC", arg);
	*slash = *equals = '\0';
	len = (unsigned)atoi(slash + 1);
	if (inet_pton(AF_INET, arg, address + 12) == 1)
		len += 96;
	else if (inet_pton(AF_INET6, arg, address) != 1)
		fail("no address", arg);
	if (len < 1 || len > 128)
		fail("no length", arg);
	add(address, len, LEAF | n_records);
	records[n_records++] = data_len;
	put_control(MAP, 1);
	put_string("country");
	put_control(MAP, 1);
	put_string("iso_code");
	put_string(equals + 1);
}

/* The value of a record: a node's number, "nothing", or a place in the data. */
static void write_record(FILE *f, uint32_t r)
{
	uint32_t v = (r & LEAF) != 0 ? n_nodes + 16 + (uint32_t)records[r & ~LEAF]
		     : r == 0        ? n_nodes
				     : r;

	fputc((int)(v >> 16 & 255), f);
	fputc((int)(v >> 8 & 255), f);
	fputc((int)(v & 255), f);
}

static void write_metadata(FILE *f)
{
	data_len = 0;
	put_control(MAP, 9);
	put_uint("binary_format_major_version", UINT16, 2);
	put_uint("binary_format_minor_version", UINT16, 0);
	put_uint("build_epoch", UINT64, 1700000000);
	put_string("database_type");
	put_string("Test-Country");
	put_string("description");
	put_control(MAP, 0);
	put_uint("ip_version", UINT16, 6);
	put_string("languages");
	put_control(ARRAY, 0);
	put_uint("node_count", UINT32, n_nodes);
	put_uint("record_size", UINT16, 24);
	fputs("\xab\xcd\xefMaxMind.com", f);
	fwrite(data, 1, data_len, f);
}

int main(int argc, char **argv)
{
	FILE *f = argc > 2 ? fopen(argv[1], "wb") : NULL;
	static const char gap[16];

	if (f == NULL)
		fail("cannot be written", argc > 1 ? argv[1] : "no file");
	for (int i = 2; i < argc; i++)
		add_network(argv[i]);
	for (uint32_t i = 0; i < n_nodes; i++)
		for (int side = 0; side < 2; side++)
			write_record(f, nodes[i][side]);
	fwrite(gap, 1, sizeof(gap), f);
	fwrite(data, 1, data_len, f);
	write_metadata(f);
	return fclose(f) == 0 ? 0 : 2;
}
