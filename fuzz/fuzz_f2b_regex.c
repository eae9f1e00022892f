/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/util.h"
#include "cli/f2b_regex.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bits of the first byte choose options, the first line is the regex, what follows the log. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Names are never looked up, and no filter is found. */
	static char always[][16] = {"fail2ban-regex", "-r", "-c", "/nonexistent"}, end[] = "--";
	static char options[][32] = {"-L3", "-orow", "-v", "-D", "--no-check-all",
		"-o<msg> <ip> <F-USER> <matches>", "--print-all-matched", "--usedns=no"};
	char *argv[16], *text, *newline;
	static FILE *nowhere;
	int argc = 0;

	if (size < 1 || size > 20000)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		argv[argc++] = always[i];
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if ((data[0] & 1u << i) != 0)
			argv[argc++] = options[i];
	}
	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	text = strndup((const char *)data + 1, size - 1);
	newline = text != NULL ? strchr(text, '\n') : NULL;
	if (nowhere != NULL && newline != NULL) {
		*newline = '\0';
		argv[argc++] = end;
		argv[argc++] = newline + 1;
		argv[argc++] = text;
		f2b_regex_main(argc, argv, nowhere, nowhere);
	}
	free(text);
	return 0;
}
