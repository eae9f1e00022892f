/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guard/countries.h"

#include "base/sockaddr.h"
#include "base/text.h"
#include "base/util.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first jail that asks for countries, or NULL. */
static const struct jail *who_asks(const struct ruleset *rs)
{
	for (size_t i = 0; i < rs->n_jails; i++)
		if (rs->jails[i].n_countries > 0)
			return &rs->jails[i];
	return NULL;
}

#ifdef HAVE_MAXMINDDB
#include <maxminddb.h>
#include <sys/stat.h>

/* Where geoipupdate and packages put it. */
static const char *const usual_places[] = {
	"/usr/share/GeoIP/GeoLite2-Country.mmdb",
	"/var/lib/GeoIP/GeoLite2-Country.mmdb",
	"/usr/share/GeoIP/GeoIP2-Country.mmdb",
	"/var/lib/GeoIP/GeoIP2-Country.mmdb",
	"/usr/share/GeoIP/GeoLite2-City.mmdb",
	"/var/lib/GeoIP/GeoLite2-City.mmdb",
};

struct countries {
	MMDB_s db;
};

static bool is_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return false;
	errno = EINVAL;
	return S_ISREG(st.st_mode);
}

static const char *find_usual(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(usual_places); i++)
		if (is_file(usual_places[i]))
			return usual_places[i];
	return NULL;
}

static int open_path(struct countries **ret, const char *path, struct where where, struct faults *f)
{
	struct countries *c = calloc(1, sizeof(*c));
	const char *why = NULL;
	char shown[256];
	int r;

	if (c == NULL)
		return -ENOMEM;
	if (!is_file(path))
		why = errno == EINVAL ? "it is no file" : strerror(errno);
	else if ((r = MMDB_open(path, MMDB_MODE_MMAP, &c->db)) != MMDB_SUCCESS)
		why = MMDB_strerror(r);
	if (why == NULL) {
		*ret = c;
		return 0;
	}
	text_escape(shown, sizeof(shown), path, strlen(path));
	fault_add(f, FAULT_ERROR, where,
		"the countries' database %s cannot be used: %s; write where one in MaxMind's "
		"format is, such as geoipupdate brings (GeoLite2-Country.mmdb)",
		shown, why);
	free(c);
	return -EINVAL;
}

int countries_open(struct countries **ret, const struct ruleset *rs, struct faults *f)
{
	const struct jail *j = who_asks(rs);
	const char *path = rs->countries.text;

	*ret = NULL;
	if (j == NULL)
		return 0;
	if (path == NULL)
		path = find_usual();
	if (path != NULL)
		return open_path(ret, path,
			rs->countries.text != NULL ? rs->countries.where : j->countries_where, f);
	fault_add(f, FAULT_ERROR, j->countries_where,
		"ignorecountry: nothing tells which addresses are of which country: have "
		"geoipupdate bring GeoLite2-Country.mmdb, and write 'countries = PATH' below "
		"[Definition] in stockade.conf unless it is in /usr/share/GeoIP or /var/lib/GeoIP");
	return -EINVAL;
}

void countries_close(struct countries *c)
{
	if (c == NULL)
		return;
	MMDB_close(&c->db);
	free(c);
}

static bool look_up(const MMDB_s *db, const struct addr *a, MMDB_entry_s *ret)
{
	struct sockaddr_storage sa;
	MMDB_lookup_result_s found;
	int error;

	sockaddr_set(&sa, a, 0);
	found = MMDB_lookup_sockaddr(db, (const struct sockaddr *)&sa, &error);
	*ret = found.entry;
	return error == MMDB_SUCCESS && found.found_entry;
}

bool countries_find(const struct countries *c, const struct addr *a, char ret_code[3])
{
	/* Where somebody is matters more than where his network is registered. */
	static const char *const keys[] = {"country", "registered_country"};
	MMDB_entry_data_s data;
	MMDB_entry_s entry;

	if (c == NULL || !look_up(&c->db, a, &entry))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *const path[] = {keys[i], "iso_code", NULL};

		if (MMDB_aget_value(&entry, &data, path) != MMDB_SUCCESS || !data.has_data ||
			data.type != MMDB_DATA_TYPE_UTF8_STRING || data.data_size != 2)
			continue;
		memcpy(ret_code, data.utf8_string, 2);
		ret_code[2] = '\0';
		return true;
	}
	return false;
}

#else

int countries_open(struct countries **ret, const struct ruleset *rs, struct faults *f)
{
	const struct jail *j = who_asks(rs);

	*ret = NULL;
	if (j == NULL)
		return 0;
	fault_add(f, FAULT_ERROR, j->countries_where,
		"ignorecountry needs libmaxminddb, which this stockade was built without: build "
		"it anew where libmaxminddb-dev is installed, or remove the line");
	return -EINVAL;
}

void countries_close(struct countries *c)
{
	(void)c;
}

bool countries_find(const struct countries *c, const struct addr *a, char ret_code[3])
{
	(void)c;
	(void)a;
	(void)ret_code;
	return false;
}

#endif

bool countries_ignored(
	const struct countries *c, const struct jail *j, const struct addr *a, char ret_code[3])
{
	if (j->n_countries == 0 || !countries_find(c, a, ret_code))
		return false;
	for (size_t i = 0; i < j->n_countries; i++)
		if (memcmp(j->countries[i].code, ret_code, 3) == 0)
			return true;
	return false;
}
