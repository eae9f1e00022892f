/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * e2e-json KEY...: prints the value at a path, for each JSON value on standard input (one, or one a
 * line). A key picks an object's member, or from a list the item of that index or the object whose
 * name, ip, jail, file, addr or listen it is; "#" is a list's length. Exit 1 if any value lacks it.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *list_pick(const json_t *list, const char *key)
{
	static const char *const names[] = {"name", "ip", "jail", "file", "addr", "listen"};
	char *end;
	size_t i, index;
	json_t *item;

	index = strtoul(key, &end, 10);
	if (*key && !*end)
		return json_array_get(list, index);
	json_array_foreach(list, i, item)
	{
		for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
			const char *s = json_string_value(json_object_get(item, names[j]));

			if (s && !strcmp(s, key))
				return item;
		}
	}
	return NULL;
}

static bool print_at(const json_t *v, char **keys)
{
	char *text;

	for (; *keys; keys++) {
		if (!strcmp(*keys, "#") && json_is_array(v)) {
			printf("%zu\n", json_array_size(v));
			return true;
		}
		v = json_is_array(v) ? list_pick(v, *keys) : json_object_get(v, *keys);
		if (!v)
			return false;
	}
	if (json_is_string(v)) {
		puts(json_string_value(v));
		return true;
	}
	text = json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
	if (!text)
		return false;
	puts(text);
	free(text);
	return true;
}

int main(int argc, char **argv)
{
	bool good = argc > 0;

	for (;;) {
		json_error_t error;
		int c = getchar();
		json_t *v;

		while (c == ' ' || c == '\n' || c == '\r' || c == '\t')
			c = getchar();
		if (c == EOF)
			break;
		ungetc(c, stdin);
		v = json_loadf(stdin, JSON_DISABLE_EOF_CHECK, &error);
		if (!v) {
			fprintf(stderr, "e2e-json: line %d: %s\n", error.line, error.text);
			return 2;
		}
		good &= print_at(v, argv + 1);
		json_decref(v);
	}
	return good ? 0 : 1;
}
