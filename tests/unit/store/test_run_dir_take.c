/* A run whose processes are dead, taken to be ended; and where its locks are. */
#include "scratch.h"

#include <errno.h>

#include "base/alloc.h"
#include "format/live_place.h"
#include "store/run_dir.h"

#define WALL_NS (1763893611LL * 1000000000LL)

static const uint8_t digest[32] = {0x9f, 0x3c, 0x01, 0x02};

/* A run with a metadata.json, as soon as its owner has begun it. */
static m31ri_run_dir make_run(const scratch *s)
{
    char root[128];
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    snprintf(root, sizeof root, "%s/experiments", s->path);
    assert_int_equal(m31ri_run_dir_create(root, WALL_NS, digest, &d, NULL), M31R_OK);
    scratch_put(d.fd, "metadata.json", "{}");
    return d;
}

static m31ri_run_life life_of(const char *path)
{
    m31ri_run_life life;
    assert_int_equal(m31ri_run_dir_life(path, &life, NULL), M31R_OK);
    return life;
}

static void test_run_dir_take__a_live_run_is_refused_and_stays(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_run_dir taken;
    m31r_error e = {0};
    assert_int_equal(life_of(d.path), M31RI_RUN_LIVE);
    assert_int_equal(m31ri_run_dir_take(d.path, &taken, &e), M31R_E_BUSY);
    assert_non_null(strstr(e.message, "living owner"));
    assert_int_equal(faccessat(d.fd, ".live/owner", F_OK, 0), 0);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_run_dir_take__a_joiner_that_lives_is_enough_to_refuse(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_run_dir joiner;
    m31ri_run_dir taken;
    char *path = m31ri_strdup(d.path);
    assert_int_equal(m31ri_run_dir_join(path, &joiner, NULL), M31R_OK);
    m31ri_run_dir_release(&d); /* the owner is gone without an end */
    assert_int_equal(life_of(path), M31RI_RUN_LIVE);
    assert_int_equal(m31ri_run_dir_take(path, &taken, NULL), M31R_E_BUSY);
    assert_int_equal(faccessat(joiner.fd, ".live", F_OK, 0), 0);
    m31ri_run_dir_release(&joiner);
    assert_int_equal(m31ri_run_dir_take(path, &taken, NULL), M31R_OK);
    m31ri_run_dir_release(&taken);
    m31ri_free(path);
    scratch_remove(&s);
}

static void test_run_dir_take__what_was_left_is_taken_by_one_and_ended(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_run_dir taken;
    m31ri_run_dir other;
    char *path = m31ri_strdup(d.path);
    m31ri_run_dir_release(&d);
    assert_int_equal(life_of(path), M31RI_RUN_LEFT);
    assert_int_equal(m31ri_run_dir_take(path, &taken, NULL), M31R_OK);
    assert_true(taken.is_owner && strstr(path, taken.run_id) != NULL);
    assert_int_equal(life_of(path), M31RI_RUN_LIVE);
    assert_int_equal(m31ri_run_dir_take(path, &other, NULL), M31R_E_BUSY);
    assert_int_equal(m31ri_run_dir_join(path, &other, NULL), M31R_E_CLOSED);
    assert_int_equal(m31ri_run_dir_end(&taken, NULL), M31R_OK);
    assert_true(m31ri_run_dir_was_ended(&taken));
    m31ri_run_dir_release(&taken);
    assert_int_equal(life_of(path), M31RI_RUN_UNSEALED);
    m31ri_free(path);
    scratch_remove(&s);
}

static void test_run_dir_take__what_an_ending_owner_left_is_taken(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_run_dir taken;
    char *path = m31ri_strdup(d.path);
    assert_int_equal(m31ri_run_dir_shut(&d, NULL), M31R_OK);
    assert_int_equal(unlinkat(d.live_fd, "owner", 0), 0); /* as far as it came */
    m31ri_run_dir_release(&d);
    assert_int_equal(life_of(path), M31RI_RUN_LEFT);
    assert_int_equal(m31ri_run_dir_take(path, &taken, NULL), M31R_OK);
    assert_int_equal(m31ri_run_dir_end(&taken, NULL), M31R_OK);
    assert_int_equal(faccessat(taken.fd, ".live.ending", F_OK, 0), -1);
    m31ri_run_dir_release(&taken);
    m31ri_free(path);
    scratch_remove(&s);
}

static void test_run_dir_take__no_run_is_no_run(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir taken;
    assert_int_equal(m31ri_run_dir_take(s.path, &taken, NULL), M31R_E_ARG);
    assert_int_equal(faccessat(s.dir, ".live.ending", F_OK, 0), -1);
    assert_int_equal(m31ri_run_dir_take("/no/such/run", &taken, NULL), M31R_E_NOTFOUND);
    scratch_remove(&s);
}

static void put_at(int run, const char *text)
{
    assert_int_equal(mkdirat(run, ".live", 0777), 0);
    int live = m31ri_open_dir(run, ".live", false);
    scratch_put(live, M31RI_LIVE_AT, text);
    close(live);
}

static void test_live_place__follows_only_what_is_whole_and_a_directory(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "nonsense",
                                        "{}",
                                        "{\"path\":7,\"host\":\"x\"}",
                                        "{\"path\":\"relative\",\"host\":\"x\"}",
                                        "[1,2]"};
    m31ri_live_place place;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        scratch s = scratch_make();
        put_at(s.dir, wrong[i]);
        assert_int_equal(m31ri_live_open(s.dir, ".live", &place), EINVAL);
        scratch_remove(&s);
    }
    scratch s = scratch_make();
    put_at(s.dir, "{\"path\":\"/tmp\",\"host\":\"elsewhere\",\"because\":\"nfs\"}\n");
    assert_int_equal(m31ri_live_open(s.dir, ".live", &place), 0);
    assert_true(place.fd == -1 && place.gate_fd >= 3);
    assert_string_equal(place.host, "elsewhere");
    m31ri_live_release(&place);
    scratch_remove(&s);
}

static void test_live_place__is_followed_to_a_directory_and_back_when_it_is_gone(void **state)
{
    (void)state;
    scratch s = scratch_make();
    char text[512];
    char path[128];
    char host[65] = "";
    m31ri_live_place place;
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    snprintf(path, sizeof path, "%s/local", s.path);
    assert_true(m31ri_live_at_write(path, host, "nfs", text, sizeof text));
    assert_false(m31ri_live_at_write(path, host, "nfs", text, 8));
    put_at(s.dir, text);
    assert_int_equal(m31ri_live_open(s.dir, ".live", &place), 0);
    assert_true(place.fd >= 3 && place.gate_fd == -1); /* gone: the one in the run */
    m31ri_live_release(&place);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(m31ri_live_open(s.dir, ".live", &place), 0);
    assert_true(place.fd >= 3 && place.gate_fd >= 3);
    assert_string_equal(place.path, path);
    m31ri_live_release(&place);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/tmp", path), 0);
    assert_int_not_equal(m31ri_live_open(s.dir, ".live", &place), 0);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_dir_take__a_live_run_is_refused_and_stays),
        cmocka_unit_test(test_run_dir_take__a_joiner_that_lives_is_enough_to_refuse),
        cmocka_unit_test(test_run_dir_take__what_was_left_is_taken_by_one_and_ended),
        cmocka_unit_test(test_run_dir_take__what_an_ending_owner_left_is_taken),
        cmocka_unit_test(test_run_dir_take__no_run_is_no_run),
        cmocka_unit_test(test_live_place__follows_only_what_is_whole_and_a_directory),
        cmocka_unit_test(test_live_place__is_followed_to_a_directory_and_back_when_it_is_gone),
    };
    return cmocka_run_group_tests_name("run_dir_take", tests, NULL, NULL);
}
