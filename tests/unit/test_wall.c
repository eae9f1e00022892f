/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each test has a network namespace of its own, with the real kernel and the real nft in it. */
#include "base/clock.h"
#include "base/util.h"
#include "wall/nft.h"
#include "wall/wall.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define HOUR_MS 3600000ULL

static struct port_range ssh_ports[] = {{22, 22}};
static struct port_range web_ports[] = {{443, 443}, {80, 80}, {8000, 8100}, {8050, 8200}};
static struct port_range mail_ports[] = {{25, 25}, {587, 587}, {25, 25}};
static struct jail jails[] = {
	{.id = 0,
		.name = "sshd",
		.set = "sshd",
		.protocols = PROTO_TCP | PROTO_UDP,
		.ports = ssh_ports,
		.n_ports = 1},
	{.id = 1,
		.name = "web",
		.set = "web",
		.protocols = PROTO_TCP,
		.ports = web_ports,
		.n_ports = 4},
	{.id = 2, .name = "all", .set = "all", .protocols = PROTO_ALL},
	{.id = 3, .name = "shadow", .set = "shadow", .protocols = PROTO_ALL, .shadow = true},
	{.id = 4,
		.name = "mail",
		.set = "mail",
		.protocols = PROTO_TCP,
		.ports = mail_ports,
		.n_ports = 3},
	{.id = 5, .name = "anytcp", .set = "anytcp", .protocols = PROTO_TCP},
};
static struct ruleset rules;
static struct wall *w;

/* Runs a shell command; the output is kept until the next. */
static const char *sh(const char *command)
{
	static char out[1 << 20];
	FILE *p = popen(command, "r");
	size_t n;

	assert_non_null(p);
	n = fread(out, 1, sizeof(out) - 1, p);
	out[n] = '\0';
	assert_int_equal(pclose(p), 0);
	return out;
}

static void lists(const char *text)
{
	const char *out = sh("nft list ruleset");

	if (strstr(out, text) == NULL)
		fail_msg("not in the ruleset: %s\n%s", text, out);
}

static void lists_not(const char *text)
{
	const char *out = sh("nft list ruleset");

	if (strstr(out, text) != NULL)
		fail_msg("still in the ruleset: %s\n%s", text, out);
}

static struct wall_elem elem(unsigned jail, const char *text, uint64_t timeout_ms)
{
	struct wall_elem e = {.jail = (uint16_t)jail, .timeout_ms = timeout_ms};

	assert_int_equal(prefix_parse(&e.prefix, text, strlen(text)), 0);
	return e;
}

static struct wall_elem numbered(unsigned jail, unsigned i)
{
	uint8_t b[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
	struct wall_elem e = {.jail = (uint16_t)jail, .timeout_ms = HOUR_MS};

	e.prefix = (struct prefix) {.addr = addr_from4(b), .len = 128};
	return e;
}

static int ban(unsigned jail, const char *text, uint64_t timeout_ms)
{
	struct wall_elem e = elem(jail, text, timeout_ms);

	return wall_nft.ban(w, &e, 1);
}

static int unban(unsigned jail, const char *text)
{
	struct wall_elem e = elem(jail, text, 0);

	return wall_nft.unban(w, &e, 1);
}

static struct wall_elem look(unsigned jail, const char *text)
{
	struct wall_elem e = elem(jail, text, 0);

	assert_int_equal(wall_nft.look(w, &e, 1), 0);
	return e;
}

static void allow(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(&p, text, strlen(text)), 0);
	assert_int_equal(prefixset_add(&rules.allow, &p), 0);
}

static bool readable(void)
{
	struct pollfd p = {.fd = wall_nft.fd(w), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static struct wall_stats stats(void)
{
	struct wall_stats s;

	wall_nft.get_stats(w, &s);
	return s;
}

static void enter_namespace(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &lo), 0);
	close(fd);
}

static void open_wall(void)
{
	const char *error = "";
	int r = wall_nft.open(&w, &rules, &error);

	if (r < 0)
		fail_msg("open: %d %s", r, error);
}

static int start(void **state)
{
	(void)state;
	enter_namespace();
	rules = (struct ruleset) {.jails = jails, .n_jails = ARRAY_SIZE(jails)};
	open_wall();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	wall_nft.close(w);
	w = NULL;
	prefixset_done(&rules.allow);
	return 0;
}

/* --- What nft prints --- */

static void layout(void **state)
{
	(void)state;
	lists("table inet stockade {");
	lists("\tset allow4 {\n\t\ttype ipv4_addr\n\t\tflags interval\n\t}");
	lists("\tset allow6 {\n\t\ttype ipv6_addr\n\t\tflags interval\n\t}");
	lists("\tset sshd4 {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t\tcounter\n\t}");
	lists("\tset sshd6 {\n\t\ttype ipv6_addr\n\t\tflags timeout\n\t\tcounter\n\t}");
	lists("\tchain early {\n"
	      "\t\ttype filter hook prerouting priority raw - 10; policy accept;\n"
	      "\t\tip saddr @allow4 accept\n"
	      "\t\tip6 saddr @allow6 accept\n"
	      "\t\ttcp dport 22 ip saddr @sshd4 drop\n"
	      "\t\tudp dport 22 ip saddr @sshd4 drop\n"
	      "\t\ttcp dport 22 ip6 saddr @sshd6 drop\n"
	      "\t\tudp dport 22 ip6 saddr @sshd6 drop\n"
	      "\t\ttcp dport { 80, 443, 8000-8200 } ip saddr @web4 drop\n"
	      "\t\ttcp dport { 80, 443, 8000-8200 } ip6 saddr @web6 drop\n"
	      "\t\tip saddr @all4 drop\n"
	      "\t\tip6 saddr @all6 drop\n"
	      "\t\ttcp dport { 25, 587 } ip saddr @mail4 drop\n"
	      "\t\ttcp dport { 25, 587 } ip6 saddr @mail6 drop\n"
	      "\t\tmeta l4proto tcp ip saddr @anytcp4 drop\n"
	      "\t\tmeta l4proto tcp ip6 saddr @anytcp6 drop\n"
	      "\t}\n");
	lists_not("shadow");
	assert_true(stats().healthy);
	assert_int_equal(stats().transactions, 1);
}

static void allow_lists(void **state)
{
	(void)state;
	allow("127.0.0.0/8");
	allow("10.0.0.0/24");
	allow("10.0.1.0/24");
	allow("255.255.255.255");
	allow("192.0.2.7");
	allow("2001:db8::/32");
	allow("::1");
	allow("ffff::/16");
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	lists("10.0.0.0/23,");
	lists("127.0.0.0/8,");
	lists("192.0.2.7, 255.255.255.255 }");
	lists("elements = { ::1,");
	lists("2001:db8::/32,");
	lists("ffff::/16 }");
	/* Again over a set that is not empty, and then with other elements. */
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	prefixset_done(&rules.allow);
	allow("0.0.0.0/0");
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	lists("elements = { 0.0.0.0/0 }");
	lists_not("2001:db8");
	/* The whole 128-bit space has IPv4 inside. */
	prefixset_done(&rules.allow);
	allow("::/0");
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	lists("elements = { 0.0.0.0/0 }");
	lists("elements = { ::/0 }");
}

/* The elements of a set by nft's JSON, as a list that the caller owns. */
static json_t *json_elems(const char *set)
{
	json_t *root = json_loads(sh("nft -j list ruleset"), 0, NULL), *item, *elems = NULL;
	size_t i;

	assert_non_null(root);
	json_array_foreach(json_object_get(root, "nftables"), i, item)
	{
		json_t *s = json_object_get(item, "set");

		if (s != NULL && strcmp(json_string_value(json_object_get(s, "name")), set) == 0)
			elems = json_incref(json_object_get(s, "elem"));
	}
	json_decref(root);
	return elems;
}

static void nft_understands(void **state)
{
	char *before;
	json_t *elems, *e;

	(void)state;
	allow("192.0.2.0/24");
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	assert_int_equal(ban(0, "198.51.100.4", 0), 0);
	assert_int_equal(ban(0, "198.51.100.0/24", 0), 0);
	assert_int_equal(ban(0, "2001:db8::9", 0), 0);
	assert_int_equal(ban(0, "2001:db8:1:2::/64", 0), 0);
	assert_int_equal(ban(1, "2001:db8::a", HOUR_MS), 0);
	/* Between the two some versions of nft write "==". */
	lists("tcp dport 22 ip saddr & 255.255.255.0 ");
	lists(" @sshd4_24 drop\n");
	lists("udp dport 22 ip6 saddr & ffff:ffff:ffff:ffff:: ");
	lists(" @sshd6_64 drop\n");
	elems = json_elems("web6");
	assert_int_equal(json_array_size(elems), 1);
	e = json_object_get(json_array_get(elems, 0), "elem");
	assert_string_equal(json_string_value(json_object_get(e, "val")), "2001:db8::a");
	assert_int_equal(json_integer_value(json_object_get(e, "timeout")), 3600);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(e, "counter"), "packets")), 0);
	json_decref(elems);
	/* What nft lists, nft loads. The set-up brings the rules in their lasting order. */
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	assert_int_equal(unban(1, "2001:db8::a"), 0);
	before = strdup(sh("R=$(nft list ruleset); nft flush ruleset; echo \"$R\" | nft -f - && "
			   "echo \"$R\""));
	assert_non_null(before);
	assert_string_equal(before, sh("nft list ruleset"));
	/* Somebody loaded that: our rules anew, the bans kept. */
	assert_int_equal(wall_nft.notice(w), 1);
	assert_string_equal(before, sh("nft list ruleset"));
	assert_int_equal(wall_nft.notice(w), 0);
	free(before);
}

/* --- What the kernel does --- */

/* Sends a datagram (or connects) on loopback from src to dst. Did it arrive? */
static bool passes(int type, const char *src, const char *dst, uint16_t port)
{
	struct sockaddr_in6 from6 = {.sin6_family = AF_INET6}, to6 = from6;
	struct sockaddr_in from4 = {.sin_family = AF_INET}, to4 = from4;
	bool is6 = strchr(src, ':') != NULL, arrived;
	void *from = is6 ? (void *)&from6 : &from4, *to = is6 ? (void *)&to6 : &to4;
	socklen_t size = is6 ? sizeof(from6) : sizeof(from4);
	int server = socket(is6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int client = socket(is6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = server, .events = POLLIN};
	static const int on = 1;

	assert_int_equal(inet_pton(is6 ? AF_INET6 : AF_INET, src,
				 is6 ? (void *)&from6.sin6_addr : &from4.sin_addr),
		1);
	assert_int_equal(inet_pton(is6 ? AF_INET6 : AF_INET, dst,
				 is6 ? (void *)&to6.sin6_addr : &to4.sin_addr),
		1);
	to4.sin_port = to6.sin6_port = htons(port);
	setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(server, to, size), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(server, 1), 0);
	assert_int_equal(bind(client, from, size), 0);
	if (connect(client, to, size) < 0)
		assert_int_equal(errno, EINPROGRESS);
	if (type == SOCK_DGRAM)
		assert_int_equal(send(client, "x", 1, 0), 1);
	arrived = poll(&p, 1, 30) == 1;
	close(client);
	close(server);
	return arrived;
}

static void drops(void **state)
{
	(void)state;
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 22));
	assert_int_equal(ban(0, "127.0.0.5", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 22));
	assert_false(passes(SOCK_DGRAM, "127.0.0.5", "127.0.0.1", 22));
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 23));
	assert_true(passes(SOCK_STREAM, "127.0.0.6", "127.0.0.1", 22));
	assert_int_equal(unban(0, "127.0.0.5"), 0);
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 22));

	assert_int_equal(ban(1, "127.0.0.5", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 8150));
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 8201));
	assert_true(passes(SOCK_DGRAM, "127.0.0.5", "127.0.0.1", 80));
	assert_int_equal(ban(4, "127.0.0.7", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "127.0.0.7", "127.0.0.1", 587));
	assert_true(passes(SOCK_STREAM, "127.0.0.7", "127.0.0.1", 26));
	assert_int_equal(ban(2, "127.0.0.8", HOUR_MS), 0);
	assert_false(passes(SOCK_DGRAM, "127.0.0.8", "127.0.0.1", 9));
	assert_int_equal(ban(5, "127.0.0.9", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "127.0.0.9", "127.0.0.1", 9));
	assert_true(passes(SOCK_DGRAM, "127.0.0.9", "127.0.0.1", 9));
	/* A shadow jail only decides. */
	assert_int_equal(ban(3, "127.0.0.10", HOUR_MS), 0);
	assert_true(passes(SOCK_DGRAM, "127.0.0.10", "127.0.0.1", 9));
}

static void drops_prefixes_and_ipv6(void **state)
{
	(void)state;
	sh("ip addr add 2001:db8::5/128 dev lo nodad && ip addr add 2001:db8:0:1::5/128 dev lo "
	   "nodad");
	assert_true(passes(SOCK_STREAM, "2001:db8::5", "::1", 22));
	assert_int_equal(ban(0, "2001:db8::5", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "2001:db8::5", "::1", 22));
	assert_true(passes(SOCK_STREAM, "2001:db8:0:1::5", "::1", 22));
	assert_int_equal(ban(0, "2001:db8:0:1::/64", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "2001:db8:0:1::5", "::1", 22));
	assert_true(passes(SOCK_STREAM, "::1", "::1", 22));

	assert_int_equal(ban(2, "127.0.3.0/24", HOUR_MS), 0);
	assert_int_equal(ban(2, "127.0.4.0/24", HOUR_MS), 0);
	assert_int_equal(ban(2, "127.1.0.0/16", 0), 0);
	assert_false(passes(SOCK_DGRAM, "127.0.3.77", "127.0.0.1", 9));
	assert_false(passes(SOCK_DGRAM, "127.0.4.255", "127.0.0.1", 9));
	assert_false(passes(SOCK_DGRAM, "127.1.2.3", "127.0.0.1", 9));
	assert_true(passes(SOCK_DGRAM, "127.0.5.0", "127.0.0.1", 9));
	assert_int_equal(look(2, "127.0.3.0/24").packets, 1);
	assert_int_equal(unban(2, "127.0.3.0/24"), 0);
	assert_true(passes(SOCK_DGRAM, "127.0.3.77", "127.0.0.1", 9));
	assert_false(readable());
}

/* A ban may be for packets to one host alone. */
static void drops_by_destination(void **state)
{
	static struct addr web1[3], web2;
	static struct jail of_hosts[] = {
		{.id = 0,
			.name = "sshd@web1",
			.set = "sshd_web1",
			.protocols = PROTO_TCP,
			.ports = ssh_ports,
			.n_ports = 1,
			.to = web1,
			.n_to = ARRAY_SIZE(web1)},
		{.id = 1,
			.name = "sshd@web2",
			.set = "sshd_web2",
			.protocols = PROTO_ALL,
			.to = &web2,
			.n_to = 1},
	};
	static const struct ruleset hosts = {.jails = of_hosts, .n_jails = ARRAY_SIZE(of_hosts)};

	(void)state;
	assert_int_equal(addr_parse(&web1[0], "127.0.1.1", 9), 0);
	assert_int_equal(addr_parse(&web1[1], "127.0.1.2", 9), 0);
	assert_int_equal(addr_parse(&web1[2], "2001:db8::1", 11), 0);
	assert_int_equal(addr_parse(&web2, "127.0.2.1", 9), 0);
	assert_int_equal(wall_nft.set_up(w, &hosts), 0);
	lists("\t\ttcp dport 22 ip daddr { 127.0.1.1, 127.0.1.2 } ip saddr @sshd_web14 drop\n"
	      "\t\ttcp dport 22 ip6 daddr 2001:db8::1 ip6 saddr @sshd_web16 drop\n"
	      "\t\tip daddr 127.0.2.1 ip saddr @sshd_web24 drop\n"
	      "\t}\n");
	sh("ip addr add 2001:db8::1/128 dev lo nodad && ip addr add 2001:db8::5/128 dev lo nodad");
	assert_int_equal(ban(0, "127.0.0.5", HOUR_MS), 0);
	assert_int_equal(ban(0, "2001:db8::5", HOUR_MS), 0);
	assert_int_equal(ban(1, "127.0.0.6", HOUR_MS), 0);
	assert_int_equal(ban(1, "127.0.3.0/24", HOUR_MS), 0);
	assert_int_equal(ban(1, "2001:db8::5", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "127.0.0.5", "127.0.1.1", 22));
	assert_false(passes(SOCK_STREAM, "127.0.0.5", "127.0.1.2", 22));
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.1.3", 22));
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.2.1", 22));
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.1.1", 23));
	assert_false(passes(SOCK_STREAM, "2001:db8::5", "2001:db8::1", 22));
	assert_true(passes(SOCK_STREAM, "2001:db8::5", "::1", 22));
	assert_false(passes(SOCK_DGRAM, "127.0.0.6", "127.0.2.1", 9));
	assert_true(passes(SOCK_DGRAM, "127.0.0.6", "127.0.1.1", 9));
	assert_false(passes(SOCK_DGRAM, "127.0.3.9", "127.0.2.1", 9));
	assert_true(passes(SOCK_DGRAM, "127.0.3.9", "127.0.1.1", 9));
	/* What stands is known again, and put back when somebody changes it. */
	wall_nft.notice(w);
	assert_int_equal(stats().repairs, 0);
	sh("nft insert rule inet stockade early accept");
	assert_int_equal(wall_nft.notice(w), 1);
	assert_false(passes(SOCK_STREAM, "127.0.0.5", "127.0.1.1", 22));
	assert_true(passes(SOCK_STREAM, "127.0.0.5", "127.0.2.1", 22));
	/* Bans stay when the next configuration has the same jails. */
	assert_int_equal(wall_nft.set_up(w, &hosts), 0);
	assert_true(look(1, "127.0.3.0/24").there);
	assert_false(passes(SOCK_DGRAM, "127.0.3.9", "127.0.2.1", 9));
}

static void allow_beats_ban(void **state)
{
	(void)state;
	assert_int_equal(ban(2, "127.0.0.5", 0), 0);
	assert_false(passes(SOCK_DGRAM, "127.0.0.5", "127.0.0.1", 9));
	allow("127.0.0.4/31");
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	assert_true(passes(SOCK_DGRAM, "127.0.0.5", "127.0.0.1", 9));
	assert_true(look(2, "127.0.0.5").there);
}

static void prolong(void **state)
{
	struct wall_elem e;

	(void)state;
	assert_int_equal(ban(2, "127.0.0.5", HOUR_MS), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_false(passes(SOCK_DGRAM, "127.0.0.5", "127.0.0.1", 9));
	for (unsigned i = 0; i < 4; i++) {
		static const uint64_t timeouts[] = {2 * HOUR_MS, 5000, 0, HOUR_MS};

		assert_int_equal(ban(2, "127.0.0.5", timeouts[i]), 0);
		e = look(2, "127.0.0.5");
		assert_true(e.there);
		assert_int_equal(e.packets, 3);
		assert_int_equal(e.bytes, 3 * 29);
		if (timeouts[i] == 0)
			assert_int_equal(e.timeout_ms, 0);
		else
			assert_in_range(e.timeout_ms, timeouts[i] - 2000, timeouts[i]);
	}
	/* Milliseconds count, and what the kernel cannot hold is cut. */
	assert_int_equal(ban(2, "127.0.0.6", 200), 0);
	assert_true(look(2, "127.0.0.6").there);
	usleep(250000);
	assert_false(look(2, "127.0.0.6").there);
	assert_int_equal(ban(2, "127.0.0.6", UINT64_MAX), 0);
	assert_true(look(2, "127.0.0.6").timeout_ms > 5000000 * HOUR_MS);
	assert_int_equal(ban(2, "127.0.0.6", 1), 0);
}

static void doubles(void **state)
{
	struct wall_elem few[] = {elem(0, "192.0.2.1", 10000), elem(0, "192.0.2.2", 10000),
		elem(0, "192.0.2.1", HOUR_MS), elem(1, "192.0.2.1", 20000), elem(0, "192.0.2.1", 0),
		elem(0, "192.0.2.0/24", 1000), elem(0, "192.0.2.0/24", 0)};
	struct wall_elem *many = calloc(5000, sizeof(*many));

	(void)state;
	assert_int_equal(wall_nft.ban(w, few, ARRAY_SIZE(few)), 0);
	assert_true(look(0, "192.0.2.1").there);
	assert_int_equal(look(0, "192.0.2.1").timeout_ms, 0);
	assert_int_equal(look(0, "192.0.2.0/24").timeout_ms, 0);
	assert_in_range(look(1, "192.0.2.1").timeout_ms, 1, 20000);
	for (unsigned i = 0; i < 5000; i++) {
		many[i] = numbered(i % 3, i / 6);
		many[i].timeout_ms = i * 1000 + HOUR_MS;
	}
	assert_int_equal(wall_nft.ban(w, many, 5000), 0);
	assert_in_range(look(0, "10.0.0.0").timeout_ms, HOUR_MS + 1000, HOUR_MS + 3000);
	assert_int_equal(wall_nft.unban(w, many, 5000), 0);
	assert_false(look(0, "10.0.0.0").there);
	free(many);
}

static void unbans(void **state)
{
	struct wall_elem *many = calloc(1000, sizeof(*many));

	(void)state;
	assert_int_equal(unban(0, "192.0.2.1"), 0);
	assert_int_equal(unban(0, "192.0.2.0/24"), 0);
	assert_int_equal(ban(0, "192.0.2.1", 0), 0);
	assert_int_equal(unban(0, "192.0.2.1"), 0);
	assert_int_equal(unban(0, "192.0.2.1"), 0);
	for (unsigned i = 0; i < 1000; i++)
		many[i] = numbered(1, i);
	assert_int_equal(wall_nft.unban(w, many, 1000), 0);
	assert_int_equal(wall_nft.ban(w, many, 700), 0);
	assert_int_equal(wall_nft.unban(w, many, 200), 0);
	assert_int_equal(wall_nft.unban(w, many, 1000), 0);
	lists_not("10.0.");
	assert_int_equal(stats().failures, 0);
	free(many);
}

static void bad_arguments(void **state)
{
	struct wall_elem e = elem(0, "192.0.2.1", 0);

	(void)state;
	e.jail = ARRAY_SIZE(jails);
	assert_int_equal(wall_nft.ban(w, &e, 1), -EINVAL);
	assert_int_equal(wall_nft.look(w, &e, 1), -EINVAL);
	e.jail = 0;
	e.prefix.len = 90;
	assert_int_equal(wall_nft.ban(w, &e, 1), -EINVAL);
	assert_int_equal(wall_nft.unban(w, &e, 1), -EINVAL);
	assert_int_equal(wall_nft.ban(w, NULL, 0), 0);
	assert_int_equal(stats().failures, 4 - 0);
	assert_string_equal(stats().last_error, "unban: Invalid argument");
}

/* --- Reading back --- */

struct tally {
	size_t n, forever, prefixes, ipv6, limit;
};

static int count(void *arg, const struct wall_elem *elems, size_t n)
{
	struct tally *t = arg;

	for (size_t i = 0; i < n; i++) {
		t->forever += elems[i].timeout_ms == 0;
		t->prefixes += elems[i].prefix.len != 128;
		t->ipv6 += !addr_is4(&elems[i].prefix.addr);
		assert_true(elems[i].timeout_ms <= HOUR_MS);
	}
	t->n += n;
	return t->limit > 0 && t->n >= t->limit ? -ECANCELED : 0;
}

static void dumps(void **state)
{
	struct wall_elem *many = calloc(20000, sizeof(*many));
	struct tally t = {0};

	(void)state;
	assert_int_equal(wall_nft.dump(w, count, &t), 0);
	assert_int_equal(t.n, 0);
	for (unsigned i = 0; i < 20000; i++)
		many[i] = numbered(i % 2, i);
	assert_int_equal(wall_nft.ban(w, many, 20000), 0);
	assert_int_equal(ban(1, "2001:db8::1", 0), 0);
	assert_int_equal(ban(1, "2001:db8::2", HOUR_MS), 0);
	assert_int_equal(ban(1, "2001:db8:1::/48", HOUR_MS), 0);
	assert_int_equal(ban(4, "203.0.113.0/25", 0), 0);
	assert_int_equal(wall_nft.dump(w, count, &t), 0);
	assert_int_equal(t.n, 20004);
	assert_int_equal(t.forever, 2);
	assert_int_equal(t.prefixes, 2);
	assert_int_equal(t.ipv6, 3);
	t = (struct tally) {.limit = 1};
	assert_int_equal(wall_nft.dump(w, count, &t), -ECANCELED);
	assert_in_range(t.n, 1, 1000);
	/* And goes on working after having been stopped. */
	assert_int_equal(ban(1, "2001:db8::3", 0), 0);
	free(many);
}

/* --- Others in the kernel --- */

static void own_changes_are_quiet(void **state)
{
	struct wall_elem *many = calloc(40000, sizeof(*many));

	(void)state;
	for (unsigned i = 0; i < 40000; i++)
		many[i] = numbered(0, i);
	assert_int_equal(ban(0, "192.0.2.1", 0), 0);
	assert_int_equal(ban(0, "192.0.2.0/24", 0), 0);
	assert_int_equal(wall_nft.ban(w, many, 40000), 0);
	for (unsigned i = 0; i < 20000; i++)
		many[i].timeout_ms = 0;
	assert_int_equal(wall_nft.ban(w, many, 40000), 0);
	assert_int_equal(wall_nft.unban(w, many, 30000), 0);
	assert_int_equal(wall_nft.unban(w, many, 40000), 0);
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	assert_false(readable());
	assert_int_equal(wall_nft.notice(w), 0);
	free(many);
}

static void others_changes_are_theirs(void **state)
{
	static const char *const commands[] = {
		"nft add table ip mine",
		("nft add chain inet stockade mine '{ type filter hook input priority 0; }' && "
		 "nft add rule inet stockade mine ip saddr @sshd4 counter"),
		"nft add rule inet stockade early counter",
		"nft add rule inet stockade early ip saddr 192.0.2.1 accept",
		"nft delete element inet stockade sshd4 { 192.0.2.9 }",
		"nft add element inet stockade sshd4 { 192.0.2.11 timeout 1h }",
		"nft flush set inet stockade sshd4",
		"nft add element inet stockade sshd4 { 192.0.2.10 timeout 1h }",
		"nft add set inet stockade mine '{ type ipv4_addr; flags timeout; }'",
	};

	(void)state;
	assert_int_equal(ban(0, "192.0.2.9", 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		sh(commands[i]);
		assert_true(readable());
		if (wall_nft.notice(w) != 0)
			fail_msg("took as damage: %s", commands[i]);
		assert_false(readable());
	}
	assert_int_equal(stats().repairs, 0);
	/* What a repair must leave alone, it leaves alone. A prefix rule does not come too late. */
	assert_int_equal(ban(0, "192.0.2.0/24", 0), 0);
	lists("@sshd4_24 drop\n\t\tcounter packets");
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	lists("chain mine {");
	lists("set mine {");
	lists("elements = { 192.0.2.10 ");
}

static void damage_is_repaired(void **state)
{
	static const char *const commands[] = {
		"nft flush ruleset",
		"nft delete table inet stockade",
		"nft delete table inet stockade && nft add table inet stockade",
		"nft flush chain inet stockade early",
		"nft insert rule inet stockade early accept",
		"nft delete rule inet stockade early handle $(nft -a list chain inet stockade "
		"early | "
		"sed -n 's/.*@web4 drop # handle //p')",
		"nft replace rule inet stockade early handle $(nft -a list chain inet stockade "
		"early | "
		"sed -n 's/.*@web4 drop # handle //p') counter",
		"nft add table inet stockade '{ flags dormant; }'",
		"nft chain inet stockade early '{ policy drop; }'",
		"nft rename chain inet stockade early late",
		"nft flush chain inet stockade early && nft delete chain inet stockade early && "
		"nft add chain inet stockade early '{ type filter hook input priority 0; }'",
		"nft flush chain inet stockade early && nft delete set inet stockade web4 && "
		"nft add set inet stockade web4 '{ type inet_service; }'",
		"nft delete table inet stockade && nft add table inet stockade && "
		"nft add set inet stockade sshd4 '{ type ipv4_addr; flags timeout; size 5; }'",
	};
	static const char check[] =
		"nft list chain inet stockade early; nft list set inet stockade web4; "
		"nft list set inet stockade sshd4";
	char *good;
	uint64_t repairs = 0;

	(void)state;
	good = strdup(sh(check));
	assert_non_null(good);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		sh(commands[i]);
		assert_true(readable());
		if (wall_nft.notice(w) != 1)
			fail_msg("took as harmless: %s", commands[i]);
		if (strstr(commands[i], "rename") != NULL)
			sh("nft delete chain inet stockade late");
		assert_int_equal(stats().repairs, ++repairs);
		assert_true(stats().healthy);
		assert_string_equal(sh(check), good);
		wall_nft.notice(w);
		assert_false(readable());
	}
	assert_int_equal(stats().repairs, repairs);
	free(good);
}

static void last_resort(void **state)
{
	(void)state;
	assert_int_equal(ban(0, "192.0.2.0/24", 0), 0);
	sh("nft flush chain inet stockade early && nft delete set inet stockade web4 && "
	   "nft add set inet stockade web4 '{ type inet_service; }' && "
	   "nft add chain inet stockade mine && "
	   "nft add rule inet stockade mine tcp dport @web4 counter");
	/* What is in the way cannot be taken out by itself: all goes, prefix sets too. */
	assert_int_equal(wall_nft.notice(w), 1);
	lists_not("chain mine {");
	lists_not("@sshd4_24");
	assert_int_equal(ban(0, "192.0.2.0/24", 0), 0);
	lists("tcp dport 22 ip saddr & 255.255.255.0 ");
	lists("\tset web4 {\n\t\ttype ipv4_addr\n\t\tflags timeout\n\t\tcounter\n\t}");
}

static void ban_after_flush(void **state)
{
	struct wall_elem *many = calloc(1000, sizeof(*many));

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		many[i] = numbered(1, i);
	assert_int_equal(ban(0, "192.0.2.0/24", 0), 0);
	sh("nft flush ruleset");
	assert_int_equal(ban(0, "192.0.2.1", 0), 0);
	assert_true(look(0, "192.0.2.1").there);
	assert_false(look(0, "192.0.2.0/24").there);
	assert_true(readable());
	assert_int_equal(wall_nft.notice(w), 1);
	assert_int_equal(wall_nft.notice(w), 0);
	sh("nft flush ruleset");
	assert_int_equal(ban(0, "192.0.2.0/24", 0), 0);
	assert_true(look(0, "192.0.2.0/24").there);
	assert_int_equal(wall_nft.notice(w), 1);
	sh("nft flush ruleset");
	assert_int_equal(wall_nft.ban(w, many, 1000), 0);
	assert_true(look(1, "10.0.0.9").there);
	assert_int_equal(wall_nft.notice(w), 1);
	sh("nft flush ruleset");
	assert_int_equal(unban(0, "192.0.2.1"), 0);
	assert_int_equal(wall_nft.notice(w), 1);
	assert_int_equal(stats().repairs, 4);
	free(many);
}

static void heard_with_ears_shut(void **state)
{
	struct nft_watch_pause pause;

	(void)state;
	nft_watch_shut(w, &pause);
	assert_int_equal(ban(0, "192.0.2.1", 0), 0);
	nft_watch_reopen(w, &pause);
	assert_false(readable());
	nft_watch_shut(w, &pause);
	sh("nft flush chain inet stockade early");
	assert_false(readable());
	nft_watch_reopen(w, &pause);
	assert_true(readable());
	assert_int_equal(wall_nft.notice(w), 1);
	assert_int_equal(wall_nft.notice(w), 0);
}

static void reload(void **state)
{
	struct jail other[] = {jails[1], jails[0], jails[5]};
	struct ruleset later = {.jails = other, .n_jails = 3};

	(void)state;
	other[2].set = "new";
	assert_int_equal(ban(1, "127.0.0.5", 0), 0);
	assert_int_equal(ban(0, "127.0.3.0/24", HOUR_MS), 0);
	assert_int_equal(ban(2, "127.0.0.6", HOUR_MS), 0);
	assert_int_equal(ban(2, "127.0.6.0/24", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 80));
	assert_int_equal(wall_nft.set_up(w, &later), 0);
	assert_true(look(0, "127.0.0.5").there);
	assert_true(look(0, "127.0.0.5").packets > 0);
	assert_true(look(1, "127.0.3.0/24").there);
	assert_false(passes(SOCK_STREAM, "127.0.3.1", "127.0.0.1", 22));
	assert_true(passes(SOCK_DGRAM, "127.0.0.6", "127.0.0.1", 9));
	lists("set new4 {");
	lists_not("all4");
	lists_not("anytcp");
	assert_int_equal(ban(2, "127.0.0.6", HOUR_MS), 0);
	assert_false(passes(SOCK_STREAM, "127.0.0.6", "127.0.0.1", 9));
	/* A set that somebody's own rule uses cannot go, and does not have to. */
	sh("nft add chain inet stockade mine; nft add rule inet stockade mine ip saddr @new4 "
	   "counter");
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	lists("ip saddr @new4 counter");
	lists_not("@new4 drop");
	lists("set all4");
	assert_true(look(1, "127.0.0.5").there);
	assert_int_equal(stats().failures, 0);
}

static void restart(void **state)
{
	(void)state;
	assert_int_equal(ban(1, "127.0.0.5", 0), 0);
	assert_int_equal(ban(0, "127.0.3.0/24", HOUR_MS), 0);
	wall_nft.close(w);
	assert_false(passes(SOCK_STREAM, "127.0.0.5", "127.0.0.1", 80));
	sh("nft add set inet stockade sshd6_64 '{ type ipv4_addr; flags timeout; counter; }'");
	open_wall();
	assert_false(passes(SOCK_STREAM, "127.0.3.1", "127.0.0.1", 22));
	assert_true(look(1, "127.0.0.5").packets > 0);
	assert_true(look(0, "127.0.3.0/24").packets > 0);
	lists_not("sshd6_64");
	assert_int_equal(ban(0, "2001:db8::/64", 0), 0);
	assert_false(readable());
}

static void tears_down(void **state)
{
	(void)state;
	assert_int_equal(ban(1, "127.0.0.5", 0), 0);
	assert_int_equal(wall_nft.tear_down(w), 0);
	assert_string_equal(sh("nft list ruleset"), "");
	assert_int_equal(wall_nft.tear_down(w), 0);
	sh("nft add table ip mine");
	assert_int_equal(wall_nft.notice(w), 0);
	assert_false(stats().healthy);
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	assert_true(stats().healthy);
	assert_false(look(1, "127.0.0.5").there);
}

static void namespaces(void **state)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct wall *first = w;

	(void)state;
	enter_namespace();
	open_wall();
	assert_int_equal(ban(0, "192.0.2.1", 0), 0);
	sh("nft flush ruleset");
	assert_int_equal(wall_nft.notice(first), 0);
	assert_int_equal(wall_nft.notice(w), 1);
	assert_int_equal(setns(here, CLONE_NEWNET), 0);
	close(here);
	lists_not("192.0.2.1");
	wall_nft.close(w);
	w = first;
	assert_int_equal(ban(0, "192.0.2.2", 0), 0);
	lists("192.0.2.2");
}

static void no_permission(void **state)
{
	const char *error = "";
	struct wall *other = NULL;
	int status, pipe_fds[2];
	char text[256] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(pipe_fds), 0);
	pid = fork();
	if (pid == 0) {
		int r = setuid(65534) < 0 ? -1 : wall_nft.open(&other, &rules, &error);

		if (write(pipe_fds[1], error, strlen(error)) < 0)
			_exit(1);
		_exit(r == -EPERM ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(pipe_fds[0], text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "root"));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

/* --- Many --- */

static void thousand_jails(void **state)
{
	struct jail *many = calloc(1000, sizeof(*many));
	char(*names)[16] = calloc(1000, sizeof(*names));
	struct ruleset large = {.jails = many, .n_jails = 1000};
	int64_t start_us;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(names[i], sizeof(names[i]), "j%u_", i);
		many[i] = jails[i % 2];
		many[i].set = names[i];
	}
	start_us = clock_mono_us();
	assert_int_equal(wall_nft.set_up(w, &large), 0);
	print_message("# set-up of 1,000 jails: %.1f ms\n", (clock_mono_us() - start_us) / 1e3);
	start_us = clock_mono_us();
	sh("nft add table ip mine");
	assert_int_equal(wall_nft.notice(w), 0);
	sh("nft flush ruleset");
	assert_int_equal(wall_nft.notice(w), 1);
	assert_int_equal(ban(999, "192.0.2.1", 0), 0);
	assert_int_equal(wall_nft.set_up(w, &rules), 0);
	lists_not("j1_");
	free(many);
	free(names);
}

static void many(void **state)
{
	enum { N = 100000 };
	struct wall_elem *elems = calloc(N, sizeof(*elems));
	struct tally t = {0};
	int64_t start_us = clock_mono_us(), ban_us, again_us, dump_us;

	(void)state;
	for (unsigned i = 0; i < N; i++)
		elems[i] = numbered(i % 2, i);
	start_us = clock_mono_us();
	assert_int_equal(wall_nft.ban(w, elems, N), 0);
	ban_us = clock_mono_us() - start_us;
	assert_int_equal(wall_nft.ban(w, elems, N), 0);
	again_us = clock_mono_us() - start_us - ban_us;
	assert_int_equal(wall_nft.dump(w, count, &t), 0);
	dump_us = clock_mono_us() - start_us - ban_us - again_us;
	assert_int_equal(t.n, N);
	assert_int_equal(stats().banned, 2 * N);
	print_message("# 100,000 bans %.0f ms, again %.0f ms, dump %.0f ms\n", ban_us / 1e3,
		again_us / 1e3, dump_us / 1e3);
	free(elems);
}

static void none(void **state)
{
	struct wall_elem e = elem(0, "192.0.2.1", 0);
	const char *error = "";
	struct wall_stats s;
	struct wall *air;

	(void)state;
	assert_int_equal(wall_none.open(&air, &rules, &error), 0);
	assert_int_equal(wall_none.set_up(air, &rules), 0);
	assert_int_equal(wall_none.ban(air, &e, 1), 0);
	assert_int_equal(wall_none.unban(air, &e, 1), 0);
	assert_int_equal(wall_none.look(air, &e, 1), 0);
	assert_false(e.there);
	assert_int_equal(wall_none.dump(air, count, NULL), 0);
	assert_int_equal(wall_none.fd(air), -1);
	assert_int_equal(wall_none.notice(air), 0);
	assert_int_equal(wall_none.tear_down(air), 0);
	wall_none.get_stats(air, &s);
	assert_true(s.healthy);
	wall_none.close(air);
	wall_none.close(NULL);
}

#define IN_NAMESPACE(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none),
		IN_NAMESPACE(layout),
		IN_NAMESPACE(allow_lists),
		IN_NAMESPACE(nft_understands),
		IN_NAMESPACE(drops),
		IN_NAMESPACE(drops_prefixes_and_ipv6),
		IN_NAMESPACE(drops_by_destination),
		IN_NAMESPACE(allow_beats_ban),
		IN_NAMESPACE(prolong),
		IN_NAMESPACE(doubles),
		IN_NAMESPACE(unbans),
		IN_NAMESPACE(bad_arguments),
		IN_NAMESPACE(dumps),
		IN_NAMESPACE(own_changes_are_quiet),
		IN_NAMESPACE(others_changes_are_theirs),
		IN_NAMESPACE(damage_is_repaired),
		IN_NAMESPACE(last_resort),
		IN_NAMESPACE(ban_after_flush),
		IN_NAMESPACE(heard_with_ears_shut),
		IN_NAMESPACE(reload),
		IN_NAMESPACE(restart),
		IN_NAMESPACE(tears_down),
		IN_NAMESPACE(namespaces),
		IN_NAMESPACE(no_permission),
		IN_NAMESPACE(thousand_jails),
		IN_NAMESPACE(many),
	};

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		printf("1..0 # SKIP needs root, for network namespaces\n");
		return 0;
	}
	if (system("nft list ruleset >/dev/null 2>&1") != 0) {
		printf("1..0 # SKIP needs nft and a kernel with nf_tables\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
