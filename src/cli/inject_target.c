/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/inject_target.h"

#include "base/addr.h"
#include "base/util.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const schemes[] = {
	[INJECT_UDP] = "udp://",
	[INJECT_TCP] = "tcp://",
	[INJECT_TLS] = "tls://",
	[INJECT_UNIX] = "unix://",
	[INJECT_UNIX_STREAM] = "unix-stream://",
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
	snprintf(ret->shown, sizeof(ret->shown), "%s%s", schemes[ret->kind], s);
	return 0;
}

static int parse_place(struct inject_target *ret, const char *s)
{
	const char *host = s, *end = s + strlen(s), *colon = strrchr(s, ':');
	const char *port = ret->kind == INJECT_TLS ? INJECT_TLS_PORT : INJECT_PORT;
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
	if (strspn(ret->port, "0123456789") == strlen(ret->port) &&
		(strlen(ret->port) > 5 || atoi(ret->port) < 1 || atoi(ret->port) > UINT16_MAX))
		return -EINVAL;
	snprintf(ret->shown, sizeof(ret->shown),
		strchr(ret->host, ':') != NULL ? "%s[%s]:%s" : "%s%s:%s", schemes[ret->kind],
		ret->host, ret->port);
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
		size_t len = strlen(schemes[i]);

		if (strncmp(s, schemes[i], len) != 0)
			continue;
		ret->kind = (enum inject_kind)i;
		return ret->kind == INJECT_UNIX || ret->kind == INJECT_UNIX_STREAM
			       ? parse_path(ret, s + len)
			       : parse_place(ret, s + len);
	}
	return strstr(s, "://") != NULL ? -EINVAL : parse_place(ret, s);
}
