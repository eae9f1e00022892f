/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config/setname.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SET_LEN_MAX 72

/* Can a set made from `longer` (NAME4, NAME6) bear the name of one from `shorter` (and NAME4_24)?
 */
static bool meets(const char *shorter, const char *longer)
{
	size_t len = strlen(shorter);

	if (strncmp(shorter, longer, len) != 0)
		return false;
	if (longer[len] == '\0')
		return true;
	return (longer[len] == '4' || longer[len] == '6') && longer[len + 1] == '_' &&
	       longer[len + 2 + strspn(longer + len + 2, "0123456789")] == '\0';
}

static bool is_free(const struct jail *jails, size_t n, const char *name)
{
	if (meets("allow", name) || meets(name, "allow"))
		return false;
	for (size_t i = 0; i < n; i++)
		if (meets(jails[i].set, name) || meets(name, jails[i].set))
			return false;
	return true;
}

static void make_safe(const char *name, char ret[static SET_LEN_MAX + 1])
{
	size_t len = 0;

	if (!isalpha((unsigned char)name[0]) || (unsigned char)name[0] > 0x7f)
		ret[len++] = 'j';
	for (; *name != '\0' && len < SET_LEN_MAX; name++) {
		unsigned char c = (unsigned char)*name;

		ret[len++] = c <= 0x7f && isalnum(c) ? (char)c : '_';
	}
	ret[len] = '\0';
}

static void choose(
	const struct jail *jails, size_t n, const char *safe, char ret[static SET_NAME_MAX])
{
	snprintf(ret, SET_NAME_MAX, "%s", safe);
	for (size_t k = 2; !is_free(jails, n, ret); k++) {
		/* NAME4_2 may look like a prefix set whatever the number is: then NAME4_2x. */
		const char *x = k > n + 2 ? "x" : "";
		char suffix[32];
		int len = snprintf(suffix, sizeof(suffix), "_%zu%s", k > n + 2 ? k - n - 1 : k, x);

		snprintf(ret, SET_NAME_MAX, "%.*s%s", SET_LEN_MAX - len, safe, suffix);
	}
}

void setname_assign(struct arena *arena, struct jail *jails, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char safe[SET_LEN_MAX + 1], name[SET_NAME_MAX];

		make_safe(jails[i].name, safe);
		choose(jails, i, safe, name);
		jails[i].set = arena_strdup(arena, name);
	}
}
