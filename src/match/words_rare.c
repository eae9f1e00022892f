/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/words_rare.h"

#include <string.h>

#define SEEN_SHARE (1.0f / 150) /* of a gram that common lines have: once in a line or two */

/* Of which most lines of most logs are made, in lower case. */
static const char common_text[] =
	" session opened for user root(uid=0) by (uid=0) session closed for user root "
	"pam_unix(sshd:session): "
	" pam_unix(cron:session): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= "
	"rhost= user="
	" sshd[1]: failed password for invalid user admin from 192.168.1.1 port 22 ssh2: rsa "
	"sha256:"
	" sshd: accepted publickey for connection closed by authenticating user [preauth] check "
	"pass; user unknown"
	" received disconnect from 10.0.0.1 port 1:11: disconnected from bye bye [preauth]"
	" systemd[1]: started finished starting deactivated successfully. kernel: cron[1]: (root) "
	"cmd ( cd / && "
	" named[1]: client query: dovecot: imap-login: login: user=<>, method=plain, rip=, lip=, "
	"session=<>"
	" postfix/smtpd[1]: connect from unknown[ lost connection after auth from unknown[ "
	"disconnect from "
	" - - [01/jan/2025:00:00:00 +0000] \"get /index.html http/1.1\" 200 \"https://www.\" "
	"\"mozilla/5.0 (windows nt "
	"10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/ safari/\" \"post "
	"/wp-login.php http/1.0\" 404 "
	" [error] [client [pid info warning debug notice error: message: status= host= from= to=<";

static float byte_share(uint8_t c)
{
	if (c == ' ')
		return 0.12f;
	if (c >= '0' && c <= '9')
		return 0.025f;
	if (c >= 'A' && c <= 'Z')
		return 0.005f;
	if (c != '\0' && strchr("etaoinsr", c) != NULL)
		return 0.035f;
	if (c >= 'a' && c <= 'z')
		return 0.012f;
	return c != '\0' && strchr(":-.[]()=/\n", c) != NULL ? 0.012f : 0.001f;
}

/* In lower case; two grams with one hash are no harm. */
static unsigned hash_gram(const char *p, unsigned size)
{
	uint32_t h = size;

	for (unsigned i = 0; i < size; i++)
		h = (h << 8 | h >> 24) ^ words_lower((uint8_t)p[i]);
	return h * 0x9e3779b1u >> 16;
}

void words_rare_init(struct words_rare *r)
{
	*r = (struct words_rare) {0};
	for (unsigned c = 0; c < 256; c++)
		r->bytes[c] = byte_share((uint8_t)c);
	for (unsigned size = 2; size <= 4; size++)
		for (size_t i = 0; i + size < sizeof(common_text); i++) {
			unsigned h = hash_gram(common_text + i, size);

			r->common[h / 64] |= (uint64_t)1 << h % 64;
		}
}

float words_rare_share(const struct words_rare *r, const char *p, unsigned size)
{
	unsigned h = hash_gram(p, size);
	float share = 1;

	for (unsigned i = 0; i < size; i++)
		share *= r->bytes[words_lower((uint8_t)p[i])];
	return share < SEEN_SHARE && (r->common[h / 64] >> h % 64 & 1) != 0 ? SEEN_SHARE : share;
}

uint8_t words_rarest(
	const struct words_rare *r, const struct words_unique *u, unsigned size, unsigned count)
{
	float least = (float)count + 1;
	unsigned best = 0;

	for (unsigned at = 0; at + size + count - 1 <= u->len; at++) {
		float sum = 0;

		for (unsigned i = 0; i < count; i++)
			sum += words_rare_share(r, u->text + at + i, size);
		if (sum < least) {
			least = sum;
			best = at;
		}
	}
	return (uint8_t)best;
}
