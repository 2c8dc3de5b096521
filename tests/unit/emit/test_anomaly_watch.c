/* What goes wrong in the points of a program that nobody observes: recorded by its own writer,
 * while it runs, as `m31r anomalies` finds it afterwards. */
#include "scratch.h"

#include <math.h>
#include <signal.h>
#include <time.h>

#include "m31r/anomaly.h"

#define OBSERVER_LANE "train.observer.log"

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* A calm loss, NaN at steps 100 to 119, a spike at step 200. */
static void train(m31r_run *run, int64_t from, int64_t to)
{
    for (int64_t step = from; step < to; step++) {
        double loss = step >= 100 && step < 120 ? NAN
                      : step == 200             ? 9
                                                : 3 + (double)(step % 7) / 100;
        m31r_metric(run, "loss", loss, step);
    }
}

static bool has_lane(const char *dir)
{
    char path[SCRATCH_PATH + 32];
    snprintf(path, sizeof path, "%s/" OBSERVER_LANE, dir);
    return access(path, F_OK) == 0;
}

static int count(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        n++;
    }
    return n;
}

/* Every anomaly that the points of the run say now was recorded then, and nothing else. */
static void expect_all_recorded(const char *dir, const char *const *kinds, const int64_t *steps,
                                size_t n)
{
    m31r_reader *reader = NULL;
    m31r_anomalies *found = NULL;
    m31r_anomaly_facts a;
    m31r_error e;
    assert_int_equal(m31r_reader_open(&reader, NULL, dir, &e), M31R_OK);
    assert_int_equal(m31r_anomalies_open(&found, reader, &e), M31R_OK);
    assert_int_equal(m31r_anomalies_count(found), n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(m31r_anomalies_get(found, i, &a), M31R_OK);
        assert_string_equal(a.kind, kinds[i]);
        assert_int_equal(a.step, steps[i]);
        assert_string_equal(a.record_file, OBSERVER_LANE);
        assert_int_not_equal(a.record_line, 0);
        assert_string_equal(a.file, "metrics.csv");
    }
    m31r_anomalies_close(found);
    m31r_reader_close(reader);
}

static void test_obs_24__anomalies_of_a_program_alone_are_recorded(void **state)
{
    (void)state;
    static const char *const kinds[] = {"nonfinite", "spike"};
    static const int64_t steps[] = {100, 200};
    char dir[SCRATCH_PATH];
    m31r_run *run = open_run();
    tell_dir(dir, run);
    m31r_info(m31r_run_logger(run, "trainer"), "begun");
    train(run, 1, 300);
    assert_int_equal(m31r_run_close(run), M31R_OK);
    expect_all_recorded(dir, kinds, steps, 2);
    char *text = read_text(dir, OBSERVER_LANE);
    assert_int_equal(
        count(text, "\"level\":\"WARNING\",\"module\":\"observer\",\"msg\":\"anomaly\""), 2);
    assert_int_equal(count(text, "\"msg\":\"anomaly_cleared\""), 2);
    assert_int_equal(count(text, "\n"), 4);
    assert_non_null(strstr(text, "\"evidence\":\"NaN; last finite 3.01\""));
    free(text);
    text = read_text(dir, "train.log");
    assert_int_equal(count(text, "\n"), 3); /* run_start, begun, run_end */
    free(text);
    json_t *metadata = read_json(dir, "metadata.json");
    json_t *lane = json_array_get(json_object_get(metadata, "lanes"), 1);
    assert_string_equal(json_string_value(json_object_get(lane, "name")), "observer");
    assert_string_equal(json_string_value(json_object_get(lane, "state")), "closed");
    assert_int_equal(json_integer_value(json_object_get(lane, "records")), 4);
    json_decref(metadata);
}

/* Points as the sampler makes them: without a step, a GPU a metric. Of two that worked one is left
 * with nothing to do; in turns with its work a pause is none. */
static void test_obs_24__an_idle_gpu_is_told_by_its_samples(void **state)
{
    (void)state;
    static const char *const kinds[] = {"gpu_idle"};
    static const int64_t steps[] = {M31R_NO_STEP};
    char dir[SCRATCH_PATH];
    m31r_run *run = open_run();
    tell_dir(dir, run);
    for (int i = 0; i < 100; i++) {
        m31r_metric(run, "system.gpu0.util_percent", i < 50 ? 97 : 0, M31R_NO_STEP);
        m31r_metric(run, "system.gpu1.util_percent", i % 3 == 0 ? 0 : 90, M31R_NO_STEP);
    }
    m31r_run_close(run);
    expect_all_recorded(dir, kinds, steps, 1);
    char *text = read_text(dir, OBSERVER_LANE);
    assert_non_null(strstr(text, "\"metric\":\"system.gpu0.util_percent\",\"evidence\":"));
    free(text);
}

static void test_obs_24__where_nothing_goes_wrong_nothing_is_added(void **state)
{
    (void)state;
    char dir[SCRATCH_PATH];
    m31r_run *run = open_run();
    tell_dir(dir, run);
    train(run, 300, 600);
    m31r_run_close(run);
    assert_false(has_lane(dir));
}

static void test_obs_24__a_config_turns_it_off(void **state)
{
    (void)state;
    static const char config[] = "config_version: 1\nobservability:\n  anomalies: false\n";
    char dir[SCRATCH_PATH];
    assert_int_equal(unlink("train.yaml"), 0);
    assert_int_equal(m31ri_create_file(AT_FDCWD, "train.yaml", config, sizeof config - 1, NULL),
                     M31R_OK);
    m31r_run *run = open_run();
    tell_dir(dir, run);
    train(run, 1, 300);
    m31r_run_close(run);
    assert_false(has_lane(dir));
}

/* The record is there within seconds, while the program works on; a forked child does not say it
 * again; then the program is killed. */
static int train_until_killed(char *dir)
{
    m31r_run *run = open_run();
    tell_dir(dir, run);
    train(run, 1, 150);
    for (int i = 0; i < 200 && !has_lane(dir); i++) {
        sleep_ms(50);
    }
    if (!has_lane(dir)) {
        return 1;
    }
    pid_t child = fork();
    if (child == 0) {
        m31r_metric(run, "loss", 3, 150);
        _exit(m31r_run_flush(run, 5000) == M31R_OK ? 0 : 2);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0) {
        return 3;
    }
    raise(SIGKILL);
    return 4;
}

static void test_obs_24__it_is_recorded_while_the_program_runs(void **state)
{
    (void)state;
    static const char *const kinds[] = {"nonfinite"};
    static const int64_t steps[] = {100};
    char dir[SCRATCH_PATH];
    int status = in_child(train_until_killed, dir);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    expect_all_recorded(dir, kinds, steps, 1);
    char path[SCRATCH_PATH + 64];
    snprintf(path, sizeof path, "%s/train.p2-observer.log", dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* No call is made: it is the writer that notices. A stall is ten seconds at least. */
static void test_obs_24__a_program_alone_that_stands_still_is_told(void **state)
{
    (void)state;
    if (getenv("M31R_SOAK") == NULL) {
        skip();
    }
    char dir[SCRATCH_PATH];
    m31r_run *run = open_run();
    tell_dir(dir, run);
    for (int64_t step = 1; step <= 40; step++) {
        m31r_metric(run, "loss", 3 + (double)(step % 7) / 100, step);
        sleep_ms(30);
    }
    assert_false(has_lane(dir));
    sleep_ms(13000);
    char *text = read_text(dir, OBSERVER_LANE);
    assert_int_equal(count(text, "\"msg\":\"anomaly\",\"kind\":\"stalled\""), 1);
    free(text);
    m31r_run_close(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_obs_24__anomalies_of_a_program_alone_are_recorded,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_obs_24__an_idle_gpu_is_told_by_its_samples,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_obs_24__where_nothing_goes_wrong_nothing_is_added,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_obs_24__a_config_turns_it_off, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(test_obs_24__it_is_recorded_while_the_program_runs,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_obs_24__a_program_alone_that_stands_still_is_told,
                                        scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
