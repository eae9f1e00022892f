/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/rarity.h"

#include "base/util.h"

#include <stdbool.h>
#include <string.h>

#define COMMON_MAX 16  /* letters of a common word */
#define LETTERS_MAX 16 /* bits of another word, however long */
#define FIRST 1        /* a run of letters with which the piece begins */
#define LAST 2         /* ... ends */

/* The commonest first, in large letters what is written so. */
static const struct {
	const char *word;
	unsigned char len, bits;
} common[] = {
#define WORD(word, bits)                                                                           \
	{                                                                                          \
		word, sizeof(word) - 1, bits                                                       \
	}
	WORD("for", 1),
	WORD("from", 1),
	WORD("HTTP", 1),
	WORD("http", 1),
	WORD("pam", 1),
	WORD("sshd", 1),
	WORD("unix", 1),
	WORD("user", 1),
	WORD("by", 2),
	WORD("com", 2),
	WORD("GET", 2),
	WORD("get", 2),
	WORD("IP", 2),
	WORD("ip", 2),
	WORD("port", 2),
	WORD("session", 2),
	WORD("ssh", 2),
	WORD("the", 2),
	WORD("to", 2),
	WORD("closed", 3),
	WORD("connection", 3),
	WORD("daemon", 3),
	WORD("error", 3),
	WORD("failed", 3),
	WORD("html", 3),
	WORD("in", 3),
	WORD("info", 3),
	WORD("is", 3),
	WORD("not", 3),
	WORD("of", 3),
	WORD("on", 3),
	WORD("password", 3),
	WORD("POST", 3),
	WORD("post", 3),
	WORD("postfix", 3),
	WORD("root", 3),
	WORD("SSH", 3),
	WORD("www", 3),
	WORD("address", 4),
	WORD("and", 4),
	WORD("auth", 4),
	WORD("authentication", 4),
	WORD("client", 4),
	WORD("disconnect", 4),
	WORD("disconnected", 4),
	WORD("euid", 4),
	WORD("failure", 4),
	WORD("host", 4),
	WORD("invalid", 4),
	WORD("log", 4),
	WORD("login", 4),
	WORD("mail", 4),
	WORD("message", 4),
	WORD("no", 4),
	WORD("opened", 4),
	WORD("PAM", 4),
	WORD("preauth", 4),
	WORD("received", 4),
	WORD("remote", 4),
	WORD("request", 4),
	WORD("rhost", 4),
	WORD("ruser", 4),
	WORD("server", 4),
	WORD("SMTP", 4),
	WORD("smtp", 4),
	WORD("smtpd", 4),
	WORD("status", 4),
	WORD("tty", 4),
	WORD("uid", 4),
	WORD("warning", 4),
	WORD("with", 4),
	WORD("accepted", 5),
	WORD("attempt", 5),
	WORD("connect", 5),
	WORD("file", 5),
	WORD("HEAD", 5),
	WORD("logname", 5),
	WORD("method", 5),
	WORD("name", 5),
	WORD("notice", 5),
	WORD("publickey", 5),
	WORD("system", 5),
#undef WORD
};

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool starts(const char *word, const char *text, size_t len)
{
	return word[0] == text[0] && memcmp(word, text, len) == 0;
}

/* Is it that word, or what is left of it when the piece begins or ends within it? */
static bool is_of(const char *word, size_t n, const char *text, size_t len, unsigned ends)
{
	if (len > n)
		return false;
	if (len == n)
		return starts(word, text, len);
	switch (ends) {
	case FIRST:
		return starts(word + n - len, text, len);
	case LAST:
		return starts(word, text, len);
	case FIRST | LAST:
		return memmem(word, n, text, len) != NULL;
	default:
		return false;
	}
}

static bool is_large(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] >= 'a')
			return false;
	}
	return len > 1;
}

static unsigned letter_bits(const char *text, size_t len, unsigned ends)
{
	size_t bits = len < 4 ? 3 * len : len + 7;
	bool keep = is_large(text, len);
	char word[COMMON_MAX];

	if (len <= COMMON_MAX) {
		for (size_t i = 0; i < len; i++)
			word[i] = (char)(keep ? text[i] : text[i] | 32);
		for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
			if (is_of(common[i].word, common[i].len, word, len, ends))
				return common[i].bits < bits ? common[i].bits : (unsigned)bits;
		}
	}
	return (unsigned)(bits < LETTERS_MAX ? bits : LETTERS_MAX);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A run of digits, or a byte that is neither that nor a letter. */
static unsigned other_bits(const char *text, size_t len)
{
	if (is_digit(*text))
		return len < 3 ? (unsigned)(2 * len) : 5;
	if (strchr(" :", *text) != NULL)
		return 0;
	return strchr(".,-/[]()\"", *text) != NULL ? 1 : 2;
}

/* The piece that begins at i: a run of letters or digits, or another byte. */
static size_t piece(const char *text, size_t len, size_t i, unsigned *ret_bits)
{
	bool (*is_kind)(char) = is_digit(text[i]) ? is_digit : is_letter;
	size_t n = 0;

	while (i + n < len && is_kind(text[i + n]))
		n++;
	n += n == 0;
	*ret_bits = is_letter(text[i]) ? letter_bits(text + i, n,
						 (i == 0 ? FIRST : 0) | (i + n == len ? LAST : 0))
				       : other_bits(text + i, n);
	return n;
}

unsigned rarity_bits(const char *text, size_t len)
{
	unsigned sum = 0, most = 0;

	for (size_t i = 0; i < len;) {
		unsigned bits;

		i += piece(text, len, i, &bits);
		sum += bits;
		most = bits > most ? bits : most;
	}
	return most + (sum - most) / 2;
}
