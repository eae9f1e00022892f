/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void answer_done(struct answer *a)
{
	json_decref(a->end);
	json_decref(a->faults);
	free(a->error);
	*a = (struct answer) {0};
}

static int take_error(struct answer *a, const json_t *line, const json_t *error)
{
	json_t *faults = json_object_get(line, "faults");

	a->error = strdup(json_string_value(error));
	if (a->error == NULL)
		return -ENOMEM;
	a->code = answer_int(line, "code", 2) == 1 ? 1 : 2;
	if (json_is_array(faults))
		a->faults = json_incref(faults);
	return 1;
}

static int take_line(struct answer_reader *r, const char *data, size_t len)
{
	json_t *line, *item, *end, *error;
	int result = -EBADMSG;

	line = json_loadb(data, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	if (line == NULL)
		return -EBADMSG;
	item = json_object_get(line, "item");
	end = json_object_get(line, "end");
	error = json_object_get(line, "error");
	if (json_is_object(item)) {
		result = r->item != NULL ? r->item(r->arg, item) : 0;
	} else if (json_is_object(end)) {
		r->answer->end = json_incref(end);
		result = 1;
	} else if (json_is_string(error)) {
		result = take_error(r->answer, line, error);
	}
	json_decref(line);
	return result;
}

int answer_feed(struct answer_reader *r, const char *data, size_t len)
{
	while (len > 0) {
		const char *newline = memchr(data, '\n', len);
		size_t part = newline != NULL ? (size_t)(newline - data) : len;
		int result;

		if (r->line.len + part > ANSWER_LINE_MAX)
			return -EMSGSIZE;
		if (newline == NULL)
			return buf_add(&r->line, data, part);
		if (r->line.len == 0) {
			result = take_line(r, data, part);
		} else {
			if (buf_add(&r->line, data, part) < 0)
				return -ENOMEM;
			result = take_line(r, r->line.data, r->line.len);
			buf_drop(&r->line, r->line.len);
		}
		if (result != 0)
			return result;
		data += part + 1;
		len -= part + 1;
	}
	return 0;
}

void answer_reader_done(struct answer_reader *r)
{
	buf_done(&r->line);
}

int64_t answer_int(const json_t *obj, const char *key, int64_t otherwise)
{
	const json_t *v = json_object_get(obj, key);

	if (json_is_integer(v))
		return json_integer_value(v);
	/* A writer may hold seconds as a real; what does not fit is no number of ours. */
	if (json_is_real(v) && json_real_value(v) > -9e15 && json_real_value(v) < 9e15)
		return (int64_t)json_real_value(v);
	return otherwise;
}

bool answer_bool(const json_t *obj, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

const char *answer_text(const json_t *obj, const char *key)
{
	const char *s = json_string_value(json_object_get(obj, key));

	return s != NULL ? s : "";
}

const json_t *answer_array(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	return json_is_array(v) ? v : NULL;
}
