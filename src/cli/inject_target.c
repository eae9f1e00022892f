/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject_target.h"

#include "base/addr.h"
#include "base/util.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *scheme;
	enum inject_kind kind;
} schemes[] = {
	{"udp://", INJECT_UDP},
	{"tcp://", INJECT_TCP},
	{"unix://", INJECT_UNIX},
	{"unix-stream://", INJECT_UNIX_STREAM},
};

static int copy(char *dst, size_t size, const char *s, size_t len)
{
	if (len == 0 || len >= size)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
			return -EINVAL;
	memcpy(dst, s, len);
	dst[len] = '\0';
	return 0;
}

static int parse_path(struct inject_target *ret, const char *s)
{
	if (s[0] != '/' || s[1] == '\0' || strlen(s) >= sizeof(ret->path))
		return -EINVAL;
	strcpy(ret->path, s);
	strcpy(ret->shown, s);
	return 0;
}

static int parse_place(struct inject_target *ret, const char *s)
{
	const char *host = s, *end = s + strlen(s), *colon = strrchr(s, ':');
	const char *port = INJECT_PORT;
	struct addr a;

	if (s[0] == '[') {
		end = strchr(s, ']');
		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		host = s + 1;
		if (end[1] == ':')
			port = end + 2;
	} else if (colon != NULL && addr_parse(&a, s, strlen(s)) < 0) {
		if (strchr(s, ':') != colon)
			return -EINVAL;
		end = colon;
		port = colon + 1;
	}
	if (copy(ret->host, sizeof(ret->host), host, (size_t)(end - host)) < 0 ||
		copy(ret->port, sizeof(ret->port), port, strlen(port)) < 0)
		return -EINVAL;
	snprintf(ret->shown, sizeof(ret->shown),
		strchr(ret->host, ':') != NULL ? "%s://[%s]:%s" : "%s://%s:%s",
		ret->kind == INJECT_UDP ? "udp" : "tcp", ret->host, ret->port);
	return 0;
}

int inject_target_parse(struct inject_target *ret, const char *s)
{
	*ret = (struct inject_target) {.kind = INJECT_UDP};
	if (s[0] == '/') {
		ret->kind = INJECT_UNIX;
		return parse_path(ret, s);
	}
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t len = strlen(schemes[i].scheme);

		if (strncmp(s, schemes[i].scheme, len) != 0)
			continue;
		ret->kind = schemes[i].kind;
		return ret->kind == INJECT_UDP || ret->kind == INJECT_TCP
			       ? parse_place(ret, s + len)
			       : parse_path(ret, s + len);
	}
	return strstr(s, "://") != NULL ? -EPROTONOSUPPORT : parse_place(ret, s);
}
