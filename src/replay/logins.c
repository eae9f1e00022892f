/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay/logins.h"

#include "base/util.h"

#include <errno.h>

/* The host's name, where there is one, and the program with its process. */
#define FROM(program) "^\\s*(?:\\S+\\s+)?" program "(?:\\[\\d+\\])?:\\s+"
#define USER "<F-USER>\\S+</F-USER>"

static struct conf_text expressions[] = {
	{FROM("sshd(?:-session)?") "Accepted \\S+ for " USER " from <ADDR> port \\d+(?: |$)"},
	{FROM("dropbear") "(?:Password|Pubkey|PAM password) auth succeeded for "
			  "'<F-USER>[^']+</F-USER>' (?:with \\S+ key \\S+ )?from "
			  "<ADDR>:\\d+$"},
	{"^\\s*(?:\\S+\\s+)?(?:dovecot(?:\\[\\d+\\])?:\\s+)?"
	 "(?:imap|pop3|submission|managesieve)-login: (?:Info: )?(?:Login|Logged in): "
	 "user=<<F-USER>[^>]*</F-USER>>, method=\\S+, rip=<ADDR>,"},
	{FROM("(?:imapd|pop3d)(?:-ssl)?") "LOGIN, user=" USER ", ip=\\[<ADDR>\\]"},
	{FROM("(?:cyrus/)?(?:imap|pop3|sieve|timsieved)s?") "login: \\S* ?\\[<ADDR>\\] " USER
							    " \\S+ User logged in"},
	{FROM("postfix(?:/[\\w-]+)*/smtpd") "[0-9A-Za-z]+: "
					    "client=[^\\s\\[]*\\[<ADDR>\\](?::\\d+)?, "
					    "sasl_method=\\S+, sasl_username=" USER},
	{"^\\s*(?:\\[\\d+\\]\\s+)?[\\w-]+ <= \\S+ (?:U=\\S+ )?H=(?:[^\\s(]\\S* )?(?:\\(\\S*\\) )?"
	 "\\[<ADDR>\\](?::\\d+)? [^\"]*\\bA=\\w+:" USER},
	{"^\\s*(?:\\S+\\s+)?(?:vsftpd(?:\\[\\d+\\])?:\\s+)?(?:\\[pid \\d+\\]\\s+)?"
	 "\\[<F-USER>[^\\]]+</F-USER>\\] OK LOGIN: Client \"<ADDR>\""},
	{FROM("proftpd") "(?:\\S+ )?\\(\\S*\\[<ADDR>\\]\\)[\\s:-]+USER " USER ": Login successful"},
	{FROM("pure-ftpd") "\\(\\?@<ADDR>\\) \\[INFO\\] " USER " is now logged in"},
	{FROM("(?:ovpn-|openvpn)\\S*?") "<ADDR>:\\d+ \\[<F-USER>[^\\]]+</F-USER>\\] Peer "
					"Connection "
					"Initiated"},
};

int logins_new(struct filter **ret)
{
	const struct filter_def def = {
		.name = "logins",
		.failregex = expressions,
		.n_failregex = ARRAY_SIZE(expressions),
		.maxlines = 1,
	};
	struct faults faults = {0};
	int r = filter_new(ret, &def, &faults);

	faults_done(&faults);
	return r < 0 ? -ENOMEM : 0;
}
