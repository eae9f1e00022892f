/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config_fixture.h"
#include "source/journals.h"
#include "source/patterns.h"

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_init(f);
	fixture_file(
		f, "filter.d/f.conf", "[Definition]\nfailregex = <HOST>\njournalmatch = A=1\n");
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	fixture_done(*state);
	free(*state);
	return 0;
}

static void load(struct fixture *f, const char *text)
{
	fixture_file(f, "jail.conf", text);
	assert_int_equal(ruleset_load(&f->rs, f->dir, &f->faults), 0);
}

static void said(const struct fixture *f, const char *part)
{
	if (strstr(f->said, part) == NULL)
		fail_msg("%s", f->said);
}

static void shared(void **state)
{
	struct fixture *f = *state;
	struct journals js;

	load(f, "[DEFAULT]\nenabled = true\nfilter = f\nbackend = systemd\n[a]\n[b]\n"
		"[c]\nbackend = systemd[journalpath=/j]\n"
		"[d]\nbackend = systemd[journalpath='/j', journalflags=1]\n"
		"[e]\nbackend = systemd[journalpath=\"/j\"]\n"
		"[f]\nbackend = systemd[journalfiles=\"/x/a.journal, /x/*.journal\"]\n"
		"[g]\nbackend = systemd[namespace=mail]\n"
		"[h]\nbackend = auto\nlogpath = /log\n");
	assert_int_equal(journals_init(&js, f->rs, &f->faults), 0);
	assert_int_equal(js.n, 5);
	assert_string_equal(js.items[0].name, "journal");
	assert_int_equal(js.items[0].conf.n_jails, 2);
	assert_int_equal(js.items[0].conf.flags, 4);
	assert_false(js.items[0].is_elsewhere);
	assert_string_equal(js.items[1].name, "journal[path=/j]");
	assert_string_equal(js.items[1].conf.dir, "/j");
	assert_int_equal(js.items[1].conf.flags, 0);
	assert_int_equal(js.items[1].conf.n_jails, 2);
	assert_int_equal(js.items[1].conf.jails[1].id, 4);
	assert_string_equal(js.items[1].conf.jails[1].match, "A=1");
	assert_true(js.items[1].is_elsewhere);
	assert_int_equal(js.items[2].conf.flags, 1);
	assert_string_equal(js.items[3].conf.files[0], "/x/a.journal");
	assert_string_equal(js.items[3].conf.files[1], "/x/*.journal");
	assert_null(js.items[3].conf.files[2]);
	assert_string_equal(js.items[4].conf.name_space, "mail");
	assert_int_equal(js.items[4].conf.flags, 4);
	journals_done(&js);
}

static void faults(void **state)
{
	struct fixture *f = *state;
	struct journals js;

	load(f, "[DEFAULT]\nenabled = true\nfilter = f\nbackend = "
		"systemd[journalpth=/j]\n[a]\n[b]\n"
		"[c]\nbackend = systemd[journalpath=j]\n"
		"[d]\nbackend = systemd[journalflags=x]\n"
		"[e]\nbackend = systemd[namespace=../x]\n"
		"[f]\nbackend = systemd[journalpath=/a, journalfiles=/b]\n"
		"[g]\nbackend = systemd[journalfiles=\"/a b\"]\n"
		"[h]\nbackend = systemd[journalflags=16]\n");
	assert_int_equal(journals_init(&js, f->rs, &f->faults), -EINVAL);
	assert_int_equal(js.n, 0);
	fixture_tell(f);
	said(f, "jail.conf:4: error: backend: option 'journalpth' is unknown");
	said(f, "did you mean 'journalpath'?");
	said(f, "jail.conf:8: error: journalpath 'j' does not begin at the root");
	said(f, "jail.conf:10: error: journalflags 'x'");
	said(f, "jail.conf:12: error: namespace '../x'");
	said(f, "jail.conf:14: error: backend: journalpath and journalfiles exclude");
	said(f, "jail.conf:16: error: journalfiles: 'b' does not begin at the root");
	said(f, "jail.conf:18: error: journalflags '16'");
	/* What [DEFAULT] says is told once, not for each jail. */
	assert_int_equal(f->faults.n, 7);
}

/* What check says of a jail that is not there to be run. */
static void checked(void **state)
{
	struct fixture *f = *state;

	load(f, "[a]\nenabled = true\nfilter = f\nbackend = systemd[journalpath=/nonexistent]\n");
	journals_check_jail(&f->rs->jails[0], &f->faults);
	fixture_tell(f);
	said(f, "jail.conf:4: warning: journalpath '/nonexistent' has no journal in it yet");
}

static void encodings(void **state)
{
	struct fixture *f = *state;
	struct patterns p;

	load(f, "[DEFAULT]\nenabled = true\nfilter = f\n"
		"[a]\nlogpath = /x\nlogencoding = auto\n[b]\nlogpath = /x\nlogencoding = latin1\n"
		"[c]\nlogpath = /x\n  /y\nlogencoding = utf-8\n[d]\nlogpath = /y\nlogencoding = "
		"UTF8\n");
	assert_int_equal(patterns_init(&p, f->rs, &f->faults), 0);
	assert_int_equal(p.n, 2);
	assert_non_null(p.items[0].charset);
	assert_null(p.items[1].charset);
	patterns_done(&p);
	fixture_tell(f);
	said(f, "jail.conf:13: warning: jail 'c' reads '/x' in another encoding than jail 'b'");
	assert_int_equal(f->faults.n, 1);
}

static void bad_encodings(void **state)
{
	struct fixture *f = *state;
	struct patterns p;

	load(f, "[DEFAULT]\nenabled = true\nfilter = f\nlogpath = /x\nlogencoding = "
		"klingon\n[a]\n[b]\n"
		"[c]\nlogencoding = ebcdic-us\n");
	assert_int_equal(patterns_init(&p, f->rs, &f->faults), -EINVAL);
	fixture_tell(f);
	said(f, "jail.conf:5: error: logencoding 'klingon' is unknown");
	said(f, "jail.conf:9: error: logencoding 'ebcdic-us' does not write letters");
	assert_int_equal(f->faults.n, 2);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(shared),
		TEST(faults),
		TEST(checked),
		TEST(encodings),
		TEST(bad_encodings),
	};

	return cmocka_run_group_tests_name("journals", tests, NULL, NULL);
}
