/* Rings of dead programs: which are removed, and which may still be wanted. */
#include "../emit/scratch.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ring/ring_file.h"
#include "ring/ring_sweep.h"

/* A ring made by a process that is dead when this returns; its path in `out`. */
static void leave_ring(const char *run_path, char out[256])
{
    int ends[2];
    assert_int_equal(mkdir("rings", 0700) == 0 || errno == EEXIST, 1);
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        m31ri_ring_file f;
        const m31ri_ring_shape shape = {.directory = "rings",
                                        .run_id = "20261123T102651Z-00000000",
                                        .run_path = run_path,
                                        .points_file = "metrics.csv",
                                        .n_slots = 2,
                                        .slot_bytes = 64 * 1024};
        bool is_made = m31ri_ring_file_make(&shape, &f, NULL) == M31R_OK &&
                       write(ends[1], f.path, sizeof f.path) == (ssize_t)sizeof f.path;
        _exit(is_made ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], out, 256), 256);
    close(ends[0]);
    close(ends[1]);
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

static const char *absolute(const char *name)
{
    static char path[4096];
    char here[2048];
    assert_non_null(getcwd(here, sizeof here));
    snprintf(path, sizeof path, "%s/%s", here, name);
    return path;
}

static void test_ring_sweep__a_run_that_was_deleted_leaves_no_ring(void **state)
{
    (void)state;
    char ring[256];
    assert_int_equal(mkdir("experiments", 0700), 0);
    leave_ring(absolute("experiments/gone"), ring);
    assert_int_equal(m31ri_rings_sweep("rings"), 1);
    assert_false(is_there(ring));
}

static void test_ring_sweep__what_may_be_recovered_stays(void **state)
{
    (void)state;
    char left[256], unmounted[256], unsaid[256];
    assert_int_equal(mkdir("experiments", 0700), 0);
    assert_int_equal(mkdir("experiments/left", 0700), 0);
    assert_int_equal(mkdir("experiments/left/.live", 0700), 0);
    leave_ring(absolute("experiments/left"), left);
    leave_ring(absolute("elsewhere/experiments/run"), unmounted);
    leave_ring(NULL, unsaid);
    assert_int_equal(m31ri_rings_sweep("rings"), 0);
    assert_true(is_there(left) && is_there(unmounted) && is_there(unsaid));
    assert_int_equal(rmdir("experiments/left/.live"), 0); /* it ended, without this ring */
    assert_int_equal(m31ri_rings_sweep("rings"), 1);
    assert_false(is_there(left));
}

static void test_ring_sweep__a_living_program_keeps_its_ring(void **state)
{
    (void)state;
    m31ri_ring_file f;
    assert_int_equal(mkdir("experiments", 0700), 0);
    assert_int_equal(mkdir("rings", 0700), 0);
    const m31ri_ring_shape shape = {.directory = "rings",
                                    .run_id = "20261123T102651Z-00000000",
                                    .run_path = absolute("experiments/gone"),
                                    .points_file = "metrics.csv",
                                    .n_slots = 2,
                                    .slot_bytes = 64 * 1024};
    assert_int_equal(m31ri_ring_file_make(&shape, &f, NULL), M31R_OK);
    fflush(NULL);
    pid_t child = fork(); /* of another process */
    if (child == 0) {
        _exit(m31ri_rings_sweep("rings"));
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(m31ri_rings_sweep("rings"), 0);
    assert_true(is_there(f.path));
    m31ri_ring_file_remove(&f);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        CASE(test_ring_sweep__a_run_that_was_deleted_leaves_no_ring),
        CASE(test_ring_sweep__what_may_be_recovered_stays),
        CASE(test_ring_sweep__a_living_program_keeps_its_ring),
    };
    return cmocka_run_group_tests_name("ring_sweep", tests, NULL, NULL);
}
