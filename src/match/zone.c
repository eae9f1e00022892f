/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "match/zone.h"

#include "base/text.h"
#include "base/util.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX 5

/*
 * What fail2ban takes each name for, in minutes. Several are used for more than one zone in the
 * world; none knows of summer time.
 */
static const struct zone_name {
	char name[NAME_MAX + 1];
	short minutes;
} zone_names[] = {
	{"A", 60},
	{"ACDT", 630},
	{"ACST", 570},
	{"ACT", 480},
	{"ADT", -180},
	{"AEDT", 660},
	{"AEST", 600},
	{"AFT", 270},
	{"AKDT", -480},
	{"AKST", -540},
	{"ALMT", 360},
	{"AMST", 300},
	{"AMT", 240},
	{"ANAST", 720},
	{"ANAT", 720},
	{"AQTT", 300},
	{"ART", -180},
	{"AST", -240},
	{"AWDT", 540},
	{"AWST", 480},
	{"AZOT", -60},
	{"AZST", 300},
	{"AZT", 240},
	{"B", 120},
	{"BDT", 480},
	{"BIOT", 360},
	{"BNT", 480},
	{"BOT", -240},
	{"BRST", -120},
	{"BRT", -180},
	{"BTT", 360},
	{"C", 180},
	{"CAST", 480},
	{"CAT", 120},
	{"CCT", 390},
	{"CDT", -300},
	{"CEDT", 120},
	{"CEST", 120},
	{"CET", 60},
	{"CIST", -480},
	{"CKT", -600},
	{"CLST", -180},
	{"CLT", -240},
	{"COST", -240},
	{"COT", -300},
	{"CST", -360},
	{"CVT", -60},
	{"CXT", 420},
	{"D", 240},
	{"DAVT", 420},
	{"DFT", 60},
	{"E", 300},
	{"EASST", -300},
	{"EAST", -360},
	{"EAT", 180},
	{"ECT", -300},
	{"EDT", -240},
	{"EEDT", 180},
	{"EEST", 180},
	{"EET", 120},
	{"EGST", 0},
	{"EGT", -60},
	{"EST", -300},
	{"F", 360},
	{"FJST", 780},
	{"FJT", 720},
	{"FKST", -180},
	{"FKT", -240},
	{"FNT", -120},
	{"G", 420},
	{"GALT", -360},
	{"GAMT", -540},
	{"GET", 240},
	{"GFT", -180},
	{"GILT", 720},
	{"GIT", -540},
	{"GMT", 0},
	{"GST", 240},
	{"GYT", -240},
	{"H", 480},
	{"HAA", -180},
	{"HAC", -300},
	{"HADT", -540},
	{"HAE", -240},
	{"HAP", -420},
	{"HAR", -360},
	{"HAST", -600},
	{"HAT", -150},
	{"HAY", -480},
	{"HKT", 480},
	{"HLV", -270},
	{"HMT", 300},
	{"HNA", -240},
	{"HNC", -360},
	{"HNE", -300},
	{"HNP", -480},
	{"HNR", -420},
	{"HNT", -210},
	{"HNY", -540},
	{"HOVT", 420},
	{"HST", -600},
	{"I", 540},
	{"ICT", 420},
	{"IDT", 180},
	{"IOT", 360},
	{"IRDT", 270},
	{"IRKST", 540},
	{"IRKT", 480},
	{"IRST", 210},
	{"JST", 540},
	{"K", 600},
	{"KGT", 360},
	{"KRAST", 480},
	{"KRAT", 420},
	{"KST", 540},
	{"KUYT", 240},
	{"L", 660},
	{"LHDT", 660},
	{"LHST", 630},
	{"M", 720},
	{"MAGST", 720},
	{"MAGT", 660},
	{"MART", -570},
	{"MAWT", 300},
	{"MDT", -360},
	{"MHT", 720},
	{"MIT", -570},
	{"MMT", 390},
	{"MSD", 240},
	{"MSK", 180},
	{"MST", -420},
	{"MUT", 240},
	{"MVT", 300},
	{"MYT", 480},
	{"N", -60},
	{"NCT", 660},
	{"NDT", -150},
	{"NFT", 690},
	{"NOVST", 420},
	{"NOVT", 360},
	{"NPT", 345},
	{"NST", -210},
	{"NUT", -660},
	{"NZDT", 780},
	{"NZST", 720},
	{"O", -120},
	{"OMSST", 420},
	{"OMST", 360},
	{"P", -180},
	{"PDT", -420},
	{"PET", -300},
	{"PETST", 720},
	{"PETT", 720},
	{"PGT", 600},
	{"PHT", 480},
	{"PKT", 300},
	{"PMDT", -120},
	{"PMST", -180},
	{"PONT", 660},
	{"PST", -480},
	{"PWT", 540},
	{"PYST", -180},
	{"PYT", -240},
	{"Q", -240},
	{"R", -300},
	{"RET", 240},
	{"S", -360},
	{"SAMT", 240},
	{"SAST", 120},
	{"SBT", 660},
	{"SCT", 240},
	{"SGT", 480},
	{"SLT", 330},
	{"SRT", -180},
	{"SST", -660},
	{"T", -420},
	{"TAHT", -600},
	{"TFT", 300},
	{"THA", 420},
	{"TJT", 300},
	{"TKT", -600},
	{"TLT", 540},
	{"TMT", 300},
	{"TVT", 720},
	{"U", -480},
	{"ULAT", 480},
	{"UTC", 0},
	{"UYST", -120},
	{"UYT", -180},
	{"UZT", 300},
	{"V", -540},
	{"VET", -270},
	{"VLAST", 660},
	{"VLAT", 600},
	{"VUT", 660},
	{"W", -600},
	{"WAST", 120},
	{"WAT", 60},
	{"WDT", 540},
	{"WEDT", 60},
	{"WEST", 60},
	{"WET", 0},
	{"WFT", 720},
	{"WGST", -120},
	{"WGT", -180},
	{"WIB", 420},
	{"WIT", 540},
	{"WITA", 480},
	{"WST", 480},
	{"X", -660},
	{"Y", -720},
	{"YAKST", 600},
	{"YAKT", 540},
	{"YAPT", 600},
	{"YEKST", 360},
	{"YEKT", 300},
	{"Z", 0},
};

static int compare(const void *a, const void *b)
{
	return strcmp(a, ((const struct zone_name *)b)->name);
}

static int find_name(int *ret_minutes, const char *text, size_t len)
{
	const struct zone_name *z;
	char name[NAME_MAX + 1];

	memcpy(name, text, len);
	name[len] = '\0';
	z = bsearch(name, zone_names, ARRAY_SIZE(zone_names), sizeof(zone_names[0]), compare);
	if (z == NULL)
		return -EINVAL;
	*ret_minutes = z->minutes;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "+02", "+0200", "+02:00". */
static int read_offset(int *ret_minutes, const char *s, size_t len)
{
	size_t at = len == 6 && s[3] == ':' ? 4 : 3;
	int minutes = 0;

	if ((len != 3 && len != at + 2) || (s[1] != '0' && s[1] != '1') || !is_digit(s[2]))
		return -EINVAL;
	if (len > 3) {
		if (!is_digit(s[at]) || !is_digit(s[at + 1]))
			return -EINVAL;
		minutes = (s[at] - '0') * 10 + (s[at + 1] - '0');
	}
	minutes += ((s[1] - '0') * 10 + (s[2] - '0')) * 60;
	*ret_minutes = s[0] == '-' ? -minutes : minutes;
	return 0;
}

int zone_read(int *ret_minutes, const char *text, size_t len)
{
	int name = 0, offset = 0, r;
	size_t n = 0;

	while (n < len && text[n] >= 'A' && text[n] <= 'Z')
		n++;
	if (n > NAME_MAX || n == 2)
		return -EINVAL;
	if (n > 0 && (r = find_name(&name, text, n)) < 0)
		return r;
	if (n < len) {
		if (text[n] != '+' && text[n] != '-')
			return -EINVAL;
		r = read_offset(&offset, text + n, len - n);
		if (r < 0)
			return r;
	}
	*ret_minutes = name + offset;
	return 0;
}

const char *zone_nearest(const char *text)
{
	const char *names[ARRAY_SIZE(zone_names)];

	for (size_t i = 0; i < ARRAY_SIZE(zone_names); i++)
		names[i] = zone_names[i].name;
	return text_nearest(text, names, ARRAY_SIZE(zone_names));
}
