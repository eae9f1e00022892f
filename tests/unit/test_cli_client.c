/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket's client against servers that answer well, badly, in pieces, or not at all. */
#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int count_item(void *arg, json_t *item)
{
	assert_true(json_is_object(item));
	++*(unsigned *)arg;
	return 0;
}

/* Feeds text in pieces of that size. */
static int feed(const char *text, size_t len, size_t piece, struct answer *a, unsigned *items)
{
	struct answer_reader r = {.item = count_item, .arg = items, .answer = a};
	int result = 0;

	*items = 0;
	for (size_t at = 0; at < len && result == 0; at += piece)
		result = answer_feed(&r, text + at, len - at < piece ? len - at : piece);
	answer_reader_done(&r);
	return result;
}

static void pieces(void **state)
{
	static const char text[] = "{\"item\":{\"ip\":\"192.0.2.1\"}}\n{\"item\":{}}\n"
				   "{\"end\":{\"count\":2}}\nwhat follows is not ours";

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		struct answer a = {0};
		unsigned items;

		assert_int_equal(feed(text, sizeof(text) - 1, piece, &a, &items), 1);
		assert_int_equal(items, 2);
		assert_int_equal(answer_int(a.end, "count", 0), 2);
		assert_null(a.error);
		answer_done(&a);
	}
}

static void refusals(void **state)
{
	static const char text[] = "{\"error\":\"no such jail\",\"code\":1}\n";
	static const char odd[] = "{\"error\":\"bad\",\"code\":77,\"faults\":[{\"line\":3}]}\n";
	struct answer a = {0};
	unsigned items;

	(void)state;
	assert_int_equal(feed(text, sizeof(text) - 1, 7, &a, &items), 1);
	assert_string_equal(a.error, "no such jail");
	assert_int_equal(a.code, 1);
	assert_null(a.end);
	answer_done(&a);
	assert_int_equal(feed(odd, sizeof(odd) - 1, 7, &a, &items), 1);
	assert_int_equal(a.code, 2);
	assert_int_equal(json_array_size(a.faults), 1);
	answer_done(&a);
}

static void garbage(void **state)
{
	static const char *const texts[] = {"\n", "hello\n", "{}\n", "[]\n", "{\"end\":3}\n",
		"{\"item\":[]}\n", "{\"error\":null}\n", "{\"end\":{}\n", "{\"end\":{}}}\n",
		"{\"end\":{},\"end\":{}}\n", "{\"item\":{}}\nx\n", "{\"end\":{\"a\":\"\xff\"}}\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct answer a = {0};
		unsigned items;

		assert_int_equal(feed(texts[i], strlen(texts[i]), 5, &a, &items), -EBADMSG);
		assert_null(a.end);
		answer_done(&a);
	}
}

static void endless_line(void **state)
{
	char *text = malloc(ANSWER_LINE_MAX + 2);
	struct answer a = {0};
	unsigned items;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', ANSWER_LINE_MAX + 2);
	assert_int_equal(feed(text, ANSWER_LINE_MAX, 65536, &a, &items), 0);
	assert_int_equal(feed(text, ANSWER_LINE_MAX + 1, 65536, &a, &items), -EMSGSIZE);
	memcpy(text, "{\"end\":{}}", 10);
	text[ANSWER_LINE_MAX] = '\n';
	assert_int_equal(feed(text, ANSWER_LINE_MAX + 1, 65536, &a, &items), 1);
	answer_done(&a);
	free(text);
}

static void accessors(void **state)
{
	json_t *o = json_pack("{s:i, s:f, s:f, s:s, s:b, s:n, s:[]}", "i", 7, "f", 2.9, "big",
		1e300, "s", "x", "b", 1, "n", "a");

	(void)state;
	assert_int_equal(answer_int(o, "i", 0), 7);
	assert_int_equal(answer_int(o, "f", 0), 2);
	assert_int_equal(answer_int(o, "big", -3), -3);
	assert_int_equal(answer_int(o, "s", -3), -3);
	assert_int_equal(answer_int(NULL, "s", -3), -3);
	assert_string_equal(answer_text(o, "s"), "x");
	assert_string_equal(answer_text(o, "n"), "");
	assert_true(answer_bool(o, "b", false));
	assert_true(answer_bool(o, "i", true));
	assert_non_null(answer_array(o, "a"));
	assert_null(answer_array(o, "i"));
	json_decref(o);
}

/* Asks over a pair of sockets; answer NULL: the other end stays silent. */
static int ask(const char *answer, struct answer *a, struct client_error *err)
{
	json_t *request = json_pack("{s:s}", "cmd", "ping");
	char asked[64] = "";
	unsigned items = 0;
	int pair[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	if (answer != NULL) {
		assert_int_equal(write(pair[1], answer, strlen(answer)), strlen(answer));
		shutdown(pair[1], SHUT_WR);
	}
	r = client_ask(pair[0], "/here", request, 50, count_item, &items, a, err);
	assert_int_equal(recv(pair[1], asked, sizeof(asked) - 1, MSG_DONTWAIT), 15);
	assert_string_equal(asked, "{\"cmd\":\"ping\"}\n");
	json_decref(request);
	close(pair[0]);
	close(pair[1]);
	return r;
}

static void conversations(void **state)
{
	struct client_error err = {0};
	struct answer a = {0};

	(void)state;
	assert_int_equal(ask("{\"end\":{\"pong\":true}}\n", &a, &err), 0);
	assert_true(answer_bool(a.end, "pong", false));
	answer_done(&a);
	assert_int_equal(ask("{\"end\":{\"po", &a, &err), -EPIPE);
	assert_non_null(strstr(err.text, "hung up"));
	assert_int_equal(ask("", &a, &err), -EPIPE);
	assert_int_equal(ask("HTTP/1.1 400 Bad Request\r\n", &a, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "not Stockade's"));
	assert_int_equal(ask(NULL, &a, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.text, "does not answer"));
	assert_int_equal(err.status, CLI_UNREACHABLE);
	assert_null(a.end);
}

/* The other end has gone before it was asked, but not without a word. */
static void refused_before_asked(void **state)
{
	static const char words[] = "{\"error\":\"only root may ask\",\"code\":2}\n";
	json_t *request = json_pack("{s:s}", "cmd", "ping");
	struct client_error err = {0};
	struct answer a = {0};
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(write(pair[1], words, sizeof(words) - 1), sizeof(words) - 1);
	close(pair[1]);
	assert_int_equal(client_ask(pair[0], "/here", request, 50, NULL, NULL, &a, &err), 0);
	assert_string_equal(a.error, "only root may ask");
	answer_done(&a);
	json_decref(request);
	close(pair[0]);
}

static int listener(const char *path, int backlog)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void connecting(void **state)
{
	char dir[] = "/tmp/stockade-test-XXXXXX", path[64], longer[200];
	struct client_error err = {0};
	int server, first, second;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/sock", dir);
	assert_int_equal(client_connect(path, 100, &err), -ENOENT);
	assert_int_equal(err.status, CLI_UNREACHABLE);
	assert_non_null(strstr(err.text, "start it with 'stockade run'"));
	assert_non_null(strstr(err.text, path));

	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(client_connect(longer, 100, &err), -ENAMETOOLONG);
	assert_int_equal(err.status, CLI_USAGE);
	assert_int_equal(client_connect("", 100, &err), -ENAMETOOLONG);

	/* A queue that nobody empties must not hold the client for ever. */
	server = listener(path, 0);
	first = client_connect(path, 100, &err);
	assert_true(first >= 0);
	second = client_connect(path, 100, &err);
	assert_int_equal(second, -ETIMEDOUT);
	close(first);
	close(server);
	/* The socket's file outlived its daemon. */
	assert_int_equal(client_connect(path, 100, &err), -ECONNREFUSED);
	assert_non_null(strstr(err.text, "no daemon listens"));
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces),
		cmocka_unit_test(refusals),
		cmocka_unit_test(garbage),
		cmocka_unit_test(endless_line),
		cmocka_unit_test(accessors),
		cmocka_unit_test(conversations),
		cmocka_unit_test(refused_before_asked),
		cmocka_unit_test(connecting),
	};

	return cmocka_run_group_tests_name("cli_client", tests, NULL, NULL);
}
