/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/addrs.h"

#include "base/addr.h"
#include "base/text.h"

#include <string.h>

json_t *cli_addrs(struct cli *c, int first)
{
	json_t *addrs = json_array();

	for (int i = first; i < c->argc; i++) {
		const char *word = c->argv[i];
		char text[PREFIX_STRLEN], shown[128];
		struct prefix p;

		if (prefix_parse(&p, word, strlen(word)) < 0) {
			text_escape(shown, sizeof(shown), word, strlen(word));
			cli_usage(c, "'%s' is no address", shown);
			json_decref(addrs);
			return NULL;
		}
		json_array_append_new(addrs, json_string(prefix_format(&p, text)));
	}
	return addrs;
}
