/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loggen auth|access [-n LINES] [-a SHARE] [-s SEED] [-S SOURCES] [-t START] [-r RATE] [-i]
 *
 * Writes a made-up log to standard output: what sshd, cron, sudo and others say (auth), or a web
 * server's access log (access). SHARE of the events (0 to 1) are attacks, by SOURCES addresses of
 * which few come often and most seldom. The log begins at START (seconds since 1970, UTC) and has
 * RATE lines a second of its own time. -i: dates as in ISO 8601. The same arguments make the same
 * bytes, and a shorter log is the beginning of a longer one. All addresses are from blocks that
 * belong to nobody: 198.18.0.0/15 and 2001:db8::/32 attack, 100.64.0.0/10 are guests.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BUF_SIZE (1u << 20)
#define LINE_MAX_LEN 2048u
#define SOURCES_MAX 100000u /* 198.18.0.0/15 has 131,072 */
#define GUESTS 5000u
#define SLOTS (1u << 18)
#define USEC 1000000ULL

/*
 * An event's lines, all about one address, port, user and process:
 * %a address, %p port, %i process, %u user who is there, %v one who is not, %n a number, %N a
 * larger one, %h a key's hash, %c command, %f page, %q question after it, %s asset, %b browser,
 * %x what scanners ask for
 */
struct event {
	unsigned weight;
	const char *line[6];
};

struct events {
	const struct event *event;
	size_t n;
	unsigned sum;
};

struct gen {
	char *buf, *pos;
	uint64_t rng, left;
	double now_us, step_us;
	uint32_t *slot; /* sources, each as often as it comes */
	uint32_t n_sources;
	uint64_t stamp_sec;
	char stamp[40];
	size_t stamp_len;
	bool access, iso;
	/* of the event that is being written */
	uint32_t addr, port, pid, pick;
	bool guest;
};

static const struct event auth_attack[] = {
	{30, {"sshd[%i]: Failed password for %u from %a port %p ssh2",
		     "sshd[%i]: Connection closed by authenticating user %u %a port %p "
		     "[preauth]"}},
	{10, {"sshd[%i]: pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 "
	      "tty=ssh ruser= rhost=%a  user=%u",
		     "sshd[%i]: Failed password for %u from %a port %p ssh2",
		     "sshd[%i]: Received disconnect from %a port %p:11: Bye Bye [preauth]",
		     "sshd[%i]: Disconnected from authenticating user %u %a port %p [preauth]"}},
	{34, {"sshd[%i]: Invalid user %v from %a port %p",
		     "sshd[%i]: pam_unix(sshd:auth): check pass; user unknown",
		     "sshd[%i]: pam_unix(sshd:auth): authentication failure; logname= uid=0 "
		     "euid=0 tty=ssh ruser= rhost=%a",
		     "sshd[%i]: Failed password for invalid user %v from %a port %p ssh2",
		     "sshd[%i]: Received disconnect from %a port %p:11: Bye Bye [preauth]",
		     "sshd[%i]: Disconnected from invalid user %v %a port %p [preauth]"}},
	{6, {"sshd[%i]: Invalid user %v from %a port %p",
		    "sshd[%i]: Connection closed by invalid user %v %a port %p [preauth]"}},
	{12, {"sshd[%i]: Connection closed by %a port %p [preauth]"}},
	{3, {"sshd[%i]: Connection reset by %a port %p"}},
	{2, {"sshd[%i]: error: maximum authentication attempts exceeded for %u from %a port "
	     "%p ssh2 [preauth]",
		    "sshd[%i]: Disconnecting authenticating user %u %a port %p: Too many "
		    "authentication failures [preauth]"}},
	{2, {"sshd[%i]: banner exchange: Connection from %a port %p: invalid format"}},
	{1, {"sshd[%i]: error: kex_exchange_identification: Connection closed by remote host",
		    "sshd[%i]: Connection closed by %a port %p"}},
};

static const struct event auth_guest[] = {
	{40, {"CRON[%i]: pam_unix(cron:session): session opened for user root(uid=0) by "
	      "root(uid=0)",
		     "CRON[%i]: pam_unix(cron:session): session closed for user root"}},
	{18, {"sudo:   deploy : TTY=pts/0 ; PWD=/home/deploy ; USER=root ; COMMAND=%c",
		     "sudo: pam_unix(sudo:session): session opened for user root(uid=0) by "
		     "deploy(uid=1000)",
		     "sudo: pam_unix(sudo:session): session closed for user root"}},
	{20, {"systemd-logind[612]: New session %n of user deploy.",
		     "systemd-logind[612]: Session %n logged out. Waiting for processes to "
		     "exit.",
		     "systemd-logind[612]: Removed session %n."}},
	{17, {"sshd[%i]: Accepted publickey for deploy from %a port %p ssh2: ED25519 SHA256:%h",
		     "sshd[%i]: pam_unix(sshd:session): session opened for user "
		     "deploy(uid=1000) by deploy(uid=0)",
		     "sshd[%i]: Received disconnect from %a port %p:11: disconnected by user",
		     "sshd[%i]: Disconnected from user deploy %a port %p",
		     "sshd[%i]: pam_unix(sshd:session): session closed for user deploy"}},
	{3, {"su[%i]: (to postgres) root on none",
		    "su[%i]: pam_unix(su:session): session opened for user postgres(uid=112) "
		    "by (uid=0)",
		    "su[%i]: pam_unix(su:session): session closed for user postgres"}},
	{2, {"polkitd[533]: Registered Authentication Agent for unix-process:%i:%N (system bus "
	     "name :1.%n [pkttyagent], object path /org/freedesktop/PolicyKit1/"
	     "AuthenticationAgent, locale C.UTF-8)"}},
};

static const struct event access_attack[] = {
	{40, {"\"GET /%x HTTP/1.1\" 404 %n \"-\" \"%b\""}},
	{10, {"\"POST /%x HTTP/1.1\" 404 %n \"-\" \"%b\""}},
	{6, {"\"\\x16\\x03\\x01\\x01\\xFC\\x01\" 400 157 \"-\" \"-\""}},
	{4, {"\"MGLNDD_203.0.113.5_80\" 400 157 \"-\" \"-\""}},
	{6, {"\"GET /index.php?page=http://203.0.113.%i/shell.txt? HTTP/1.1\" 404 %n \"-\" "
	     "\"%b\""}},
	{4, {"\"GET %f HTTP/1.1\" 200 %N \"-\" \"EmailSiphon\""}},
	{4, {"\"GET %f HTTP/1.1\" 200 %N \"-\" \"Mozilla/5.0 (compatible; Googlebot/2.1; "
	     "+http://www.google.com/bot.html)\""}},
	{26, {"\"GET /%x HTTP/1.1\" 403 %n \"-\" \"curl/7.88.1\"",
		     "\"GET / HTTP/1.1\" 200 %N \"-\" \"curl/7.88.1\""}},
};

static const struct event access_guest[] = {
	{45, {"\"GET %f HTTP/1.1\" 200 %N \"https://www.example.org/\" \"%b\"",
		     "\"GET %s HTTP/1.1\" 200 %N \"https://www.example.org%f\" \"%b\"",
		     "\"GET %s HTTP/2.0\" 304 0 \"https://www.example.org%f\" \"%b\"",
		     "\"GET %s HTTP/2.0\" 200 %N \"https://www.example.org%f\" \"%b\""}},
	{20, {"\"GET %f?%q HTTP/1.1\" 200 %N \"-\" \"%b\""}},
	{15, {"\"POST /api/v1/items/%n HTTP/2.0\" 201 %n \"https://www.example.org%f\" \"%b\""}},
	{12, {"\"GET /api/v1/items?offset=%n&limit=50 HTTP/2.0\" 200 %N "
	      "\"https://www.example.org%f\" \"%b\""}},
	{5, {"\"GET %f HTTP/1.1\" 301 162 \"-\" \"%b\""}},
	{3, {"\"GET /favicon.ico HTTP/1.1\" 404 153 \"https://www.example.org/\" \"%b\""}},
};

static const char *const users[] = {
	"root", "root", "root", "root", "root", "admin", "deploy", "git", "postgres", "www-data"};
static const char *const strangers[] = {"admin", "test", "oracle", "ubuntu", "pi", "user", "ftp",
	"jenkins", "guest", "support", "minecraft", "hadoop", "nagios", "dev", "es", "steam",
	"validator", "sol", "tomcat", "a b"};
static const char *const commands[] = {"/usr/bin/systemctl restart app-7",
	"/usr/bin/apt-get update", "/usr/bin/journalctl -u nginx -n 50",
	"/usr/sbin/nft list ruleset", "/usr/bin/install -m 0644 app.conf /etc/app/app.conf"};
static const char *const pages[] = {"/", "/index.html", "/news/2026/autumn-release",
	"/docs/install", "/docs/reference/configuration", "/blog/how-we-count", "/about",
	"/shop/basket", "/login", "/search"};
static const char *const questions[] = {
	"q=wooden+fence", "page=2", "sort=price&order=asc", "lang=en", "ref=newsletter&id=2211"};
static const char *const assets[] = {"/static/css/main.4f2a.css", "/static/js/app.91cc.js",
	"/static/img/logo.svg", "/static/img/hero-1600.webp", "/static/fonts/text.woff2"};
static const char *const browsers[] = {
	"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/142.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
	"Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	"Version/26.0 Safari/605.1.15"};
static const char *const scans[] = {"wp-login.php", "phpmyadmin/index.php", "cgi-bin/test.cgi",
	"roundcube/", "horde/login.php", ".env", ".git/config", "vendor/phpunit/src/eval-stdin.php",
	"wp-admin.php", "pma/index.php", "actuator/health", "boaform/admin/formLogin", "webmail/",
	"backup.sql", "solr/admin/info/system"};

static void die(const char *what)
{
	fprintf(stderr, "loggen: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t next(struct gen *g)
{
	uint64_t z = (g->rng += 0x9e3779b97f4a7c15U);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

static uint32_t below(struct gen *g, uint32_t n)
{
	return (uint32_t)((next(g) >> 32) * n >> 32);
}

static double share(struct gen *g)
{
	return (double)(next(g) >> 11) / 9007199254740992.0;
}

static void put(struct gen *g, const char *s, size_t n)
{
	memcpy(g->pos, s, n);
	g->pos += n;
}

static void put_text(struct gen *g, const char *s)
{
	put(g, s, strlen(s));
}

static void put_number(struct gen *g, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	put(g, digits + n, sizeof(digits) - n);
}

static void put_base(struct gen *g, uint64_t v, unsigned bits, int n)
{
	static const char letters[] =
		"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+/";

	while (n-- > 0)
		*g->pos++ = letters[v >> (bits * (unsigned)n) & ((1u << bits) - 1)];
}

static void put_addr(struct gen *g)
{
	uint32_t v = g->guest ? 0x64400000u + g->addr * 797u
			      : 0xc6120000u + (g->addr * 40503u & 0x1ffffu);

	if (!g->guest && g->addr % 16 == 15) {
		put_text(g, "2001:db8:");
		put_base(g, v & 0xffff, 4, 4);
		put_text(g, "::");
		put_base(g, 0x1000 + g->addr % 0xfff, 4, 4);
		return;
	}
	for (int shift = 24; shift >= 0; shift -= 8) {
		put_number(g, v >> shift & 255);
		if (shift)
			*g->pos++ = '.';
	}
}

/* The second's text is made once; what is finer stands behind it. */
static void put_stamp(struct gen *g)
{
	uint64_t us = (uint64_t)g->now_us;
	time_t sec = (time_t)(us / USEC);
	struct tm tm;

	if (g->stamp_sec != us / USEC) {
		g->stamp_sec = us / USEC;
		gmtime_r(&sec, &tm);
		g->stamp_len = strftime(g->stamp, sizeof(g->stamp),
			g->iso      ? "%Y-%m-%dT%H:%M:%S"
			: g->access ? "%d/%b/%Y:%H:%M:%S +0000"
				    : "%b %e %H:%M:%S",
			&tm);
	}
	put(g, g->stamp, g->stamp_len);
	if (g->iso) {
		uint64_t part = us % USEC + USEC;

		put_number(g, part);
		g->pos[-7] = '.';
		put_text(g, "+00:00");
	}
}

#define PUT_ONE(g, list) put_text(g, (list)[(g)->pick % COUNT(list)])

static void put_field(struct gen *g, char what)
{
	switch (what) {
	case 'a':
		put_addr(g);
		break;
	case 'p':
		put_number(g, g->port);
		break;
	case 'i':
		put_number(g, g->access ? g->pid & 255 : g->pid);
		break;
	case 'n':
		put_number(g, g->pick % 1000);
		break;
	case 'N':
		put_number(g, 1000 + g->pick % 90000);
		break;
	case 'h':
		put_base(g, next(g), 6, 10);
		put_base(g, next(g), 6, 10);
		put_base(g, next(g), 6, 10);
		put_base(g, next(g), 6, 10);
		put_base(g, next(g), 6, 3);
		break;
	case 'u':
		PUT_ONE(g, users);
		break;
	case 'v':
		PUT_ONE(g, strangers);
		break;
	case 'c':
		PUT_ONE(g, commands);
		break;
	case 'f':
		PUT_ONE(g, pages);
		break;
	case 'q':
		PUT_ONE(g, questions);
		break;
	case 's':
		put_text(g, assets[below(g, COUNT(assets))]);
		break;
	case 'b':
		put_text(g, browsers[g->addr % COUNT(browsers)]);
		break;
	case 'x':
		PUT_ONE(g, scans);
		break;
	}
}

static void flush(struct gen *g)
{
	const char *at = g->buf;

	while (at < g->pos) {
		ssize_t n = write(STDOUT_FILENO, at, (size_t)(g->pos - at));

		if (n < 0)
			die("write");
		at += n;
	}
	g->pos = g->buf;
}

static void put_line(struct gen *g, const char *text)
{
	const char *field;

	if (g->access) {
		put_addr(g);
		put_text(g, " - - [");
		put_stamp(g);
		put_text(g, "] ");
	} else {
		put_stamp(g);
		put_text(g, " srv1 ");
	}
	while ((field = strchr(text, '%')) != NULL) {
		put(g, text, (size_t)(field - text));
		put_field(g, field[1]);
		text = field + 2;
	}
	put_text(g, text);
	*g->pos++ = '\n';
	if (g->pos > g->buf + BUF_SIZE - LINE_MAX_LEN)
		flush(g);
}

static const struct event *pick_event(struct gen *g, const struct events *all)
{
	uint32_t at = below(g, all->sum);
	const struct event *e = all->event;

	while (at >= e->weight)
		at -= e++->weight;
	return e;
}

static void put_event(struct gen *g, const struct events *all, bool guest)
{
	const struct event *e = pick_event(g, all);
	unsigned n = 0;

	g->guest = guest;
	g->addr = guest ? below(g, GUESTS) : g->slot[below(g, SLOTS)];
	g->port = 1024 + below(g, 64512);
	g->pid = (g->pid + 1 + below(g, 7)) % 4000000;
	g->pick = below(g, 1u << 30);
	while (n < COUNT(e->line) && e->line[n] && g->left) {
		put_line(g, e->line[n++]);
		g->left--;
	}
	g->now_us += -log(1 - share(g)) * g->step_us * n;
}

/* The i-th source comes in proportion to 1 / i^0.9. */
static void spread(struct gen *g)
{
	double sum = 0, upto = 0;
	uint32_t at = 0;

	g->slot = malloc(SLOTS * sizeof(*g->slot));
	g->buf = g->pos = malloc(BUF_SIZE);
	if (!g->slot || !g->buf)
		die("memory");
	for (uint32_t i = 1; i <= g->n_sources; i++)
		sum += pow(i, -0.9);
	for (uint32_t i = 1; i <= g->n_sources; i++) {
		upto += pow(i, -0.9) / sum * SLOTS;
		while (at < SLOTS && (at < upto || i == g->n_sources))
			g->slot[at++] = i - 1;
	}
}

static struct events add_up(const struct event *event, size_t n)
{
	struct events all = {.event = event, .n = n};

	for (size_t i = 0; i < n; i++)
		all.sum += event[i].weight;
	return all;
}

static void usage(void)
{
	fprintf(stderr, "usage: loggen auth|access [-n LINES] [-a SHARE] [-s SEED] [-S SOURCES] "
			"[-t START] [-r RATE] [-i]\n");
	exit(2);
}

static double number(const char *text, double min, double max)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || *end || !(v >= min && v <= max)) {
		fprintf(stderr, "loggen: %s is not between %g and %g\n", text, min, max);
		exit(2);
	}
	return v;
}

int main(int argc, char **argv)
{
	struct gen g = {.left = 1000000, .pid = 1000, .n_sources = 20000};
	double attack = 0.6, start = 1793491200, rate = 2; /* 2026-11-01 */
	struct events bad, good;
	int c;

	if (argc < 2 || (strcmp(argv[1], "auth") != 0 && strcmp(argv[1], "access") != 0))
		usage();
	g.access = strcmp(argv[1], "access") == 0;
	optind = 2;
	while ((c = getopt(argc, argv, "n:a:s:S:t:r:i")) != -1) {
		switch (c) {
		case 'n':
			g.left = (uint64_t)number(optarg, 1, 1e12);
			break;
		case 'a':
			attack = number(optarg, 0, 1);
			break;
		case 's':
			g.rng = (uint64_t)number(optarg, 0, 1e15);
			break;
		case 'S':
			g.n_sources = (uint32_t)number(optarg, 1, SOURCES_MAX);
			break;
		case 't':
			start = number(optarg, 1, 1e10);
			break;
		case 'r':
			rate = number(optarg, 1e-6, 1e9);
			break;
		case 'i':
			g.iso = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || (g.access && g.iso))
		usage();
	g.now_us = start * USEC;
	g.step_us = USEC / rate;
	spread(&g);
	bad = g.access ? add_up(access_attack, COUNT(access_attack))
		       : add_up(auth_attack, COUNT(auth_attack));
	good = g.access ? add_up(access_guest, COUNT(access_guest))
			: add_up(auth_guest, COUNT(auth_guest));
	while (g.left) {
		bool guest = share(&g) >= attack;

		put_event(&g, guest ? &good : &bad, guest);
	}
	flush(&g);
	free(g.slot);
	free(g.buf);
	return 0;
}
