/* Notes, tags and releases: written outside the seal, through the privacy rules, read by all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "m31r/notes.h"
#include "m31r/verify.h"
#include "unit/read/scratch_run.h"

#define OTHER "20261122T100000Z-0a0b0c0d"

static int setup(void **state)
{
    if (scratch_make(state) != 0) {
        return -1;
    }
    shell("cp -r %s/" FIXTURE " %s/" OTHER, scratch_root, scratch_root);
    shell("sed -i s/" FIXTURE "/" OTHER "/ %s/" OTHER "/metadata.json%s", scratch_root, "");
    return 0;
}

static m31r_err say(const char *run, m31r_note_kind kind, const char *text, m31r_noted *out)
{
    m31r_error e;
    const m31r_note note = {.kind = kind, .text = text};
    return m31r_note_add(scratch_root, run, &note, out, &e);
}

static void assert_facts(const char *run, const char *tags, const char *release)
{
    m31r_reader *r = NULL;
    m31r_error e = {0};
    if (m31r_reader_open(&r, scratch_root, run, &e) != M31R_OK) {
        fail_msg("%s: %s", run, e.message);
    }
    assert_string_equal(m31r_reader_facts(r)->tags, tags);
    assert_string_equal(m31r_reader_facts(r)->release, release);
    m31r_reader_close(r);
}

static void test_notes__a_tag_names_the_one_run_that_has_it(void **state)
{
    (void)state;
    m31r_noted noted;
    m31r_reader *r = NULL;
    m31r_error e;
    assert_int_equal(say("@", M31R_NOTE_TAG, "baseline", &noted), M31R_OK);
    assert_true(noted.is_news);
    assert_string_equal(noted.run_id, FIXTURE);
    assert_facts("baseline", "baseline", "");
    assert_int_equal(say("@", M31R_NOTE_TAG, "baseline", &noted), M31R_OK);
    assert_false(noted.is_news);
    assert_int_equal(say(OTHER, M31R_NOTE_TAG, "baseline", &noted), M31R_OK);
    assert_int_equal(m31r_reader_open(&r, scratch_root, "baseline", &e), M31R_E_ARG);
    assert_string_equal(e.message, "\"baseline\" means 2 runs");
    assert_int_equal(m31r_reader_open(&r, scratch_root, "basel", &e), M31R_E_NOTFOUND);
    assert_int_equal(say("@", M31R_NOTE_UNTAG, "baseline", &noted), M31R_OK);
    assert_facts("@", "", "");
    assert_int_equal(say("@", M31R_NOTE_TAG, "again", &noted), M31R_OK);
    assert_int_equal(say("@", M31R_NOTE_TAG, "baseline", &noted), M31R_OK);
    assert_facts("@", "again baseline", "");
}

static void test_obs_27__a_release_is_for_ever_and_its_name_leads_to_one_run(void **state)
{
    (void)state;
    m31r_noted noted;
    assert_int_equal(say(OTHER, M31R_NOTE_TAG, "taken", &noted), M31R_OK);
    assert_int_equal(say("@", M31R_NOTE_RELEASE, "taken", &noted), M31R_E_EXISTS);
    assert_int_equal(say("@", M31R_NOTE_RELEASE, OTHER, &noted), M31R_E_EXISTS);
    assert_int_equal(say("@", M31R_NOTE_RELEASE, "v1.0", &noted), M31R_OK);
    assert_facts("v1.0", "", "v1.0");
    assert_int_equal(say("@", M31R_NOTE_RELEASE, "v2.0", &noted), M31R_E_EXISTS);
    assert_int_equal(say("@", M31R_NOTE_RELEASE, NULL, &noted), M31R_OK);
    assert_false(noted.is_news);
    assert_int_equal(say(OTHER, M31R_NOTE_RELEASE, "v1.0", &noted), M31R_E_EXISTS);
    /* A line that says otherwise, however it came there, changes nothing. */
    in_run("sed -n '$p' notes.jsonl | sed 's/v1.0/v9/' >>notes.jsonl");
    in_run("printf '{\"ts\":\"x\",\"level\":\"INFO\",\"module\":\"notes\",\"msg\":\"unrelease\","
           "\"release\":\"v1.0\"}\\n{torn' >>notes.jsonl");
    assert_facts("@", "", "v1.0");
}

static void test_notes__a_release_without_a_name_takes_the_runs_own(void **state)
{
    (void)state;
    m31r_noted noted;
    assert_int_equal(say("@", M31R_NOTE_RELEASE, "", &noted), M31R_E_EXISTS);
    shell("rm -r %s/" OTHER "%s", scratch_root, ""); /* it has the same name */
    assert_int_equal(say("@", M31R_NOTE_RELEASE, "", &noted), M31R_OK);
    assert_string_equal(noted.name, "fixture");
}

static void test_obs_18__notes_go_through_the_privacy_rules(void **state)
{
    (void)state;
    static const char token[] = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    m31r_noted noted;
    char text[128];
    snprintf(text, sizeof text, "see \"it\"\nand %s", token);
    assert_int_equal(say("@", M31R_NOTE_TEXT, text, &noted), M31R_OK);
    assert_int_equal(noted.n_redacted, 1);
    assert_int_equal(say("@", M31R_NOTE_TAG, token, &noted), M31R_E_ARG);
    in_run("! grep -q ghp_ notes.jsonl");
    m31r_reader *r = open_scratch();
    m31r_note note;
    assert_int_equal(m31r_reader_note(r, 0, &note), M31R_OK);
    assert_string_equal(note.text, "see \"it\"\nand [redacted:github_token]");
    assert_int_equal(m31r_reader_note(r, 1, &note), M31R_E_NOTFOUND);
    m31r_reader_close(r);
}

static void test_notes__refuses_what_is_no_name_or_no_text(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "a b", "-x",  ".x",  "a/b",   "../x", "a\n",
                                      "\xc3\xa9", "@",   "a:b", "a,b", "a\x7f", NULL};
    m31r_noted noted;
    char longest[M31R_NOTE_BYTES + 2];
    for (size_t i = 0; bad[i] != NULL; i++) {
        assert_int_equal(say("@", M31R_NOTE_TAG, bad[i], &noted), M31R_E_ARG);
        assert_true(bad[i][0] == '\0' || say("@", M31R_NOTE_RELEASE, bad[i], &noted) == M31R_E_ARG);
    }
    memset(longest, 'x', sizeof longest);
    longest[M31R_NOTE_BYTES + 1] = '\0';
    assert_int_equal(say("@", M31R_NOTE_TEXT, longest, &noted), M31R_E_ARG);
    longest[M31R_NOTE_BYTES] = '\0';
    assert_int_equal(say("@", M31R_NOTE_TEXT, longest, &noted), M31R_OK);
    longest[M31R_TAG_BYTES + 1] = '\0';
    assert_int_equal(say("@", M31R_NOTE_TAG, longest, &noted), M31R_E_ARG);
    assert_int_equal(say("@", M31R_NOTE_TEXT, "", &noted), M31R_E_ARG);
    assert_int_equal(say("no such", M31R_NOTE_TEXT, "x", &noted), M31R_E_NOTFOUND);
}

static void test_notes__a_link_in_place_of_the_file_is_refused(void **state)
{
    (void)state;
    m31r_noted noted;
    in_run("echo keep >../outside && ln -s ../outside notes.jsonl");
    assert_int_not_equal(say("@", M31R_NOTE_TAG, "x", &noted), M31R_OK);
    in_run("test \"$(cat ../outside)\" = keep");
    m31r_reader *r = open_scratch();
    assert_non_null(strstr(m31r_reader_facts(r)->problem, "notes.jsonl cannot be read"));
    m31r_reader_close(r);
}

static void test_notes__eight_processes_at_once_lose_nothing(void **state)
{
    (void)state;
    for (int p = 0; p < 8; p++) {
        if (fork() == 0) {
            int failed = 0;
            for (int i = 0; i < 20; i++) {
                char tag[32];
                m31r_noted noted;
                snprintf(tag, sizeof tag, "t%d-%d", p, i);
                failed += say(FIXTURE, M31R_NOTE_TAG, tag, &noted) != M31R_OK;
            }
            _exit(failed);
        }
    }
    int status;
    while (wait(&status) > 0) {
        assert_int_equal(status, 0);
    }
    in_run("test $(wc -l <notes.jsonl) = 160 && test $(sort -u notes.jsonl | wc -l) = 160");
    m31r_reader *r = open_scratch();
    size_t n = 1;
    for (const char *c = m31r_reader_facts(r)->tags; *c != '\0'; c++) {
        n += *c == ' ';
    }
    assert_int_equal(n, 160);
    m31r_reader_close(r);
}

static void test_notes__lie_outside_of_what_is_verified(void **state)
{
    (void)state;
    m31r_noted noted;
    m31r_verification *v = NULL;
    m31r_error e;
    assert_int_equal(say("@", M31R_NOTE_TEXT, "years later", &noted), M31R_OK);
    m31r_reader *r = open_scratch();
    assert_int_equal(m31r_verify(&v, r, &(m31r_verify_options){.is_complete = true}, &e), M31R_OK);
    assert_int_equal(m31r_verification_verdict(v), M31R_VERDICT_VERIFIED);
    m31r_verification_free(v);
    m31r_reader_close(r);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, scratch_remove)
    const struct CMUnitTest tests[] = {
        CASE(test_notes__a_tag_names_the_one_run_that_has_it),
        CASE(test_obs_27__a_release_is_for_ever_and_its_name_leads_to_one_run),
        CASE(test_notes__a_release_without_a_name_takes_the_runs_own),
        CASE(test_obs_18__notes_go_through_the_privacy_rules),
        CASE(test_notes__refuses_what_is_no_name_or_no_text),
        CASE(test_notes__a_link_in_place_of_the_file_is_refused),
        CASE(test_notes__eight_processes_at_once_lose_nothing),
        CASE(test_notes__lie_outside_of_what_is_verified),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
