/* A run from the program's side: opening, refusing, joining, forking, ending. */
#include "scratch.h"

#include "m31r/recover.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

static void test_obs_21__refusal_names_everything_missing_at_once(void **state)
{
    (void)state;
    m31r_run *run = NULL;
    m31r_error e;
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    assert_int_equal(m31r_run_open(&run, &o, &e), M31R_E_CONFIG);
    assert_null(run);
    assert_int_equal(m31r_err_exit(e.code), 2);
    assert_non_null(strstr(e.message, "config"));
    assert_non_null(strstr(e.message, "seed"));
    assert_non_null(strstr(e.message, "dataset"));
    assert_non_null(strstr(e.message, "tokenizer"));
    assert_non_null(strstr(e.message, "commit"));
    assert_true(strlen(e.hint) > 20);
    assert_int_not_equal(access("experiments", F_OK), 0);
}

static void test_obs_22__a_closed_run_has_exactly_the_named_files(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_step(run, 1, "loss", 2.5, "lr", 0.001);
    assert_int_equal(m31r_run_close(run), M31R_OK);
    static const char *const names[] = {
        "train.log",     "metrics.csv",   "metrics.json", "config_snapshot.yaml",
        "metadata.json", "manifest.json", "checkpoints"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[4200];
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        assert_int_equal(access(path, F_OK), 0);
    }
    char live[4200];
    snprintf(live, sizeof live, "%s/.live", dir);
    assert_int_not_equal(access(live, F_OK), 0);
    json_t *metadata = read_json(dir, "metadata.json");
    assert_string_equal(json_string_value(json_object_get(metadata, "state")), "finished");
    assert_int_equal(json_integer_value(json_object_get(metadata, "seed")), 42);
    assert_string_equal(json_string_value(json_object_get(metadata, "git_commit")), "none");
    json_decref(metadata);
}

static void test_obs_08__mandatory_fields_come_first(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_info(m31r_run_logger(run, "trainer"), "step_complete", "step", 1024, "loss", 1.23, "ok",
              (bool)1, "name", "x", "n", 7u);
    m31r_run_close(run);
    char *text = read_text(dir, "train.log");
    const char *line = strstr(text, "step_complete");
    assert_non_null(line);
    assert_non_null(strstr(text,
                           "\"level\":\"INFO\",\"module\":\"trainer\",\"msg\":\"step_complete\","
                           "\"step\":1024,\"loss\":1.23,\"ok\":true,\"name\":\"x\",\"n\":7}\n"));
    assert_memory_equal(text, "{\"ts\":\"2", 8);
    free(text);
}

static void test_obs_19__a_step_writes_the_record_and_the_points(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_metric_define(run, "loss", "nats", M31R_BETTER_LOWER);
    for (int i = 0; i < 10; i++) {
        m31r_step(run, i, "loss", 10.0 - i, "phase", "warm", "bad", 0.0 / 0.0);
    }
    m31r_metric(run, "seconds", 1.5, M31R_NO_STEP);
    m31r_run_close(run);
    char *points = read_text(dir, "metrics.csv");
    assert_memory_equal(points, "name,step,value,ts,segment\n", 27);
    assert_int_equal(count_of(points, "\nloss,"), 10);
    assert_int_equal(count_of(points, "\nbad,"), 10);
    assert_int_equal(count_of(points, "NaN"), 10);
    assert_non_null(strstr(points, "\nloss,9,1.0,"));
    assert_non_null(strstr(points, "\nseconds,,1.5,"));
    free(points);
    json_t *m = read_json(dir, "metrics.json");
    json_t *loss = json_object_get(json_object_get(m, "metrics"), "loss");
    assert_int_equal(json_integer_value(json_object_get(loss, "count")), 10);
    json_decref(m);
    m = read_json(dir, "metadata.json");
    json_t *unit = json_object_get(json_object_get(json_object_get(m, "metrics"), "loss"), "unit");
    assert_string_equal(json_string_value(unit), "nats");
    json_decref(m);
}

static void test_obs_07__critical_makes_the_run_failed(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_critical(m31r_run_logger(run, "trainer"), "loss_is_nan", "step", 3);
    m31r_run_close(run);
    json_t *m = read_json(dir, "metadata.json");
    assert_string_equal(json_string_value(json_object_get(m, "state")), "failed");
    assert_string_equal(json_string_value(json_object_get(m, "cause")), "critical");
    json_decref(m);
}

static void test_run__null_and_inert_handles_do_nothing(void **state)
{
    (void)state;
    int quiet = open("/dev/null", O_WRONLY);
    int saved = dup(2);
    dup2(quiet, 2);
    m31r_run *run = m31r_run_here("train.yaml"); /* no m31r.yaml: refused */
    m31r_step(NULL, 1, "loss", 1.0);
    m31r_step(run, 1, "loss", 1.0);
    m31r_metric(run, "x", 1.0, 2);
    m31r_info(m31r_run_logger(NULL, "a"), "b");
    m31r_info(m31r_run_logger(run, "a"), "b", "c", 1);
    dup2(saved, 2);
    close(saved);
    close(quiet);
    assert_non_null(run);
    assert_false(m31r_run_is_live(run));
    assert_string_equal(m31r_run_id(run), "");
    assert_int_equal(m31r_checkpoint_add(run, "x", 1), M31R_E_CLOSED);
    assert_int_equal(m31r_run_close(run), M31R_OK);
    assert_int_equal(m31r_run_close(NULL), M31R_OK);
    assert_int_not_equal(access("experiments", F_OK), 0);
}

static int exit_without_close(char *out_dir)
{
    m31r_run *run = open_run();
    tell_dir(out_dir, run);
    m31r_step(run, 1, "loss", 1.0);
    exit(0);
}

static void test_run__exit_without_close_is_finished(void **state)
{
    (void)state;
    char dir[SCRATCH_PATH];
    assert_int_equal(in_child(exit_without_close, dir), 0);
    json_t *m = read_json(dir, "metadata.json");
    assert_string_equal(json_string_value(json_object_get(m, "state")), "finished");
    json_decref(m);
}

static int log_and_be_killed(char *out_dir)
{
    m31r_run *run = open_run();
    tell_dir(out_dir, run);
    m31r_log *log = m31r_run_logger(run, "trainer");
    for (int i = 0; i < 1000; i++) {
        m31r_info(log, "acknowledged", "i", i);
    }
    return kill(getpid(), SIGKILL);
}

static void test_run__kill_9_loses_no_acknowledged_record(void **state)
{
    (void)state;
    char dir[SCRATCH_PATH];
    assert_true(WIFSIGNALED(in_child(log_and_be_killed, dir)));
    settle_rings(dir);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"acknowledged\""), 1000);
    free(text);
}

static void test_run__a_joiner_writes_into_the_same_run(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *owner = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(owner));
    setenv("M31R_RUN_DIR", dir, 1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "exit 0", (char *)NULL);
        _exit(1);
    }
    waitpid(child, NULL, 0);
    const m31r_value key = m31r_of_string("n"), value = m31r_of_int(3);
    const m31r_shell_record record = {M31R_INFO, "backup", "copied", &key, &value, 1};
    m31r_error e;
    assert_int_equal(m31r_shell_log(&record, &e), M31R_OK);
    assert_int_equal(m31r_shell_log(&record, &e), M31R_OK);
    assert_int_equal(m31r_shell_metric("files", 3.0, 7, &e), M31R_OK);
    m31r_run_close(owner);
    assert_int_equal(m31r_shell_log(&record, &e), M31R_E_CLOSED);
    char *text = read_text(dir, "train.shell.log");
    assert_non_null(strstr(text, "\"module\":\"backup\",\"msg\":\"copied\",\"n\":3}"));
    free(text);
    text = read_text(dir, "metrics.csv");
    assert_non_null(strstr(text, "\nfiles,7,3.0,"));
    free(text);
    json_t *m = read_json(dir, "metadata.json");
    json_t *shell = json_array_get(json_object_get(m, "lanes"), 1);
    assert_string_equal(json_string_value(json_object_get(shell, "file")), "train.shell.log");
    assert_int_equal(json_integer_value(json_object_get(shell, "records")), 2);
    json_decref(m);
}

static void test_run__a_forked_child_gets_a_lane_of_its_own(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "trainer");
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_info(log, "before");
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        m31r_info(log, "from_child");
        m31r_metric(run, "child_metric", 1.0, 1);
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    m31r_info(log, "after");
    m31r_run_close(run);
    char *mine = read_text(dir, "train.log");
    char *childs = read_text(dir, "train.p2.log");
    char *points = read_text(dir, "metrics.csv");
    assert_int_equal(count_of(mine, "from_child"), 0);
    assert_int_equal(count_of(mine, "\"after\""), 1);
    assert_int_equal(count_of(childs, "\"from_child\""), 1);
    assert_int_equal(count_of(points, "child_metric"), 1);
    free(mine);
    free(childs);
    free(points);
}

/* Asked by LeakSanitizer at exit. In a child forked while another thread was allocating, its look
 * for leaks would wait for ever for that thread, which the child does not have. */
static bool is_forked_child;
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int __lsan_is_turned_off(void)
{
    return is_forked_child;
}

static void test_run__a_forked_child_that_emits_nothing_leaves_the_run_alone(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        is_forked_child = true;
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    m31r_info(m31r_run_logger(run, "trainer"), "still_open");
    json_t *m = read_json(dir, "metadata.json");
    assert_true(json_is_null(json_object_get(m, "end")));
    json_decref(m);
    assert_int_equal(m31r_run_close(run), M31R_OK);
}

static void test_run__two_runs_of_one_thing_share_the_hash(void **state)
{
    (void)state;
    char first[64], second[64];
    m31r_run *run = open_run();
    snprintf(first, sizeof first, "%s", m31r_run_id(run));
    m31r_run_close(run);
    run = open_run();
    snprintf(second, sizeof second, "%s", m31r_run_id(run));
    m31r_run_close(run);
    assert_string_not_equal(first, second);
    assert_memory_equal(first + 17, second + 17, 8);
}

static void test_run__a_checkpoint_is_registered_with_its_digest(void **state)
{
    (void)state;
    char dir[4096], path[4200];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    snprintf(path, sizeof path, "%s/checkpoints/a.bin", dir);
    assert_int_equal(m31ri_create_file(AT_FDCWD, path, "abc", 3, NULL), M31R_OK);
    assert_int_equal(m31r_checkpoint_add(run, "checkpoints/a.bin", 200), M31R_OK);
    assert_int_equal(m31r_checkpoint_add(run, "checkpoints/none.bin", 300), M31R_E_NOTFOUND);
    m31r_run_close(run);
    json_t *m = read_json(dir, "metadata.json");
    json_t *a = json_array_get(json_object_get(m, "artifacts"), 0);
    assert_string_equal(json_string_value(json_object_get(a, "path")), "checkpoints/a.bin");
    assert_int_equal(json_integer_value(json_object_get(a, "step")), 200);
    assert_string_equal(json_string_value(json_object_get(a, "sha256")),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    json_decref(m);
}

static const char *state_of(const json_t *m, size_t i)
{
    const char *state = json_string_value(
        json_object_get(json_array_get(json_object_get(m, "artifacts"), i), "state"));
    return state != NULL ? state : "";
}

static void test_run__what_became_of_checkpoints_is_told_at_the_end(void **state)
{
    (void)state;
    static const char *const names[] = {"kept", "gone", "over", "twice"};
    char dir[4096], path[4200];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/checkpoints/%s.bin", dir, names[i]);
        assert_int_equal(m31ri_create_file(AT_FDCWD, path, "abc", 3, NULL), M31R_OK);
        assert_int_equal(m31r_checkpoint_add(run, path, i), M31R_OK);
    }
    nanosleep(&(struct timespec){0, 20 * 1000 * 1000}, NULL);
    FILE *f = fopen(path, "w");
    assert_true(f != NULL && fputs("abd", f) >= 0 && fclose(f) == 0);
    assert_int_equal(m31r_checkpoint_add(run, path, 9), M31R_OK);
    snprintf(path, sizeof path, "%s/checkpoints/over.bin", dir);
    f = fopen(path, "r+"); /* in place, and of the same size */
    assert_true(f != NULL && fputs("xyz", f) >= 0 && fclose(f) == 0);
    snprintf(path, sizeof path, "%s/checkpoints/gone.bin", dir);
    assert_int_equal(unlink(path), 0);
    m31r_run_close(run);
    json_t *m = read_json(dir, "metadata.json");
    const char *const expected[] = {"", "removed", "replaced", "replaced", ""};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(state_of(m, i), expected[i]);
    }
    json_decref(m);
    char *text = read_text(dir, "train.log");
    assert_int_equal(count_of(text, "\"artifact_removed\""), 1);
    assert_int_equal(count_of(text, "\"artifact_replaced\""), 2);
    free(text);
}

static void test_run__a_checkpoint_changed_unseen_is_sealed_as_it_was_registered(void **state)
{
    (void)state;
    char dir[4096], path[4200], line[256];
    const struct timespec past[2] = {{1700000000, 0}, {1700000000, 0}};
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    snprintf(path, sizeof path, "%s/checkpoints/a.bin", dir);
    assert_int_equal(m31ri_create_file(AT_FDCWD, path, "abc", 3, NULL), M31R_OK);
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    assert_int_equal(m31r_checkpoint_add(run, path, 1), M31R_OK);
    FILE *f = fopen(path, "r+"); /* and its time put back: `verify` then finds another content */
    assert_true(f != NULL && fputs("xyz", f) >= 0 && fclose(f) == 0);
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    m31r_run_close(run);
    char *text = read_text(dir, "manifest.json");
    snprintf(line, sizeof line, "\"bytes\":3,\"sha256\":\"%s\"",
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(count_of(text, line), 1);
    free(text);
}

static void test_run__the_end_does_not_wait_for_large_files(void **state)
{
    (void)state;
    char dir[4096], path[4200];
    m31r_recovery recovery;
    m31r_error e;
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    snprintf(path, sizeof path, "%s/checkpoints/large.bin", dir);
    assert_int_equal(m31ri_create_file(AT_FDCWD, path, "abc", 3, NULL), M31R_OK);
    assert_int_equal(truncate(path, (off_t)1100 * 1024 * 1024), 0); /* a hole: it takes no room */
    assert_int_equal(m31r_run_close(run), M31R_OK);
    json_t *m = read_json(dir, "metadata.json");
    assert_string_equal(json_string_value(json_object_get(m, "state")), "finished");
    assert_string_equal(json_string_value(json_object_get(m, "seal")), "pending");
    json_decref(m);
    snprintf(path, sizeof path, "%s/manifest.json", dir);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(m31r_recover(NULL, dir, false, &recovery, &e), M31R_OK);
    assert_int_equal(recovery.kind, M31R_RECOVERY_DONE);
    assert_int_equal(access(path, F_OK), 0);
    m = read_json(dir, "metadata.json");
    assert_null(json_object_get(m, "seal"));
    json_decref(m);
}

static void test_run__reading_another_runs_checkpoint_makes_it_a_continuation(void **state)
{
    (void)state;
    char first_id[64], path[4200], dir[4096];
    m31r_run *run = open_run();
    snprintf(first_id, sizeof first_id, "%s", m31r_run_id(run));
    snprintf(path, sizeof path, "%s/checkpoints/a.bin", m31r_run_dir(run));
    assert_int_equal(m31ri_create_file(AT_FDCWD, path, "weights", 7, NULL), M31R_OK);
    assert_int_equal(m31r_checkpoint_add(run, path, 200), M31R_OK);
    m31r_run_close(run);
    assert_int_equal(rename(path, "moved.bin"), 0);
    run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    assert_int_equal(m31r_input_add(run, "moved.bin"), M31R_OK);
    m31r_run_close(run);
    json_t *m = read_json(dir, "metadata.json");
    json_t *resumes = json_object_get(m, "resumes");
    assert_string_equal(json_string_value(json_object_get(resumes, "run")), first_id);
    assert_int_equal(json_integer_value(json_object_get(resumes, "step")), 200);
    json_decref(m);
}

static void test_run__a_stated_end_is_recorded(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    assert_int_equal(m31r_run_end(run, M31R_END_INTERRUPTED, "preempted"), M31R_OK);
    json_t *m = read_json(dir, "metadata.json");
    assert_string_equal(json_string_value(json_object_get(m, "state")), "interrupted");
    assert_string_equal(json_string_value(json_object_get(m, "cause")), "preempted");
    json_decref(m);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        CASE(test_obs_21__refusal_names_everything_missing_at_once),
        CASE(test_obs_22__a_closed_run_has_exactly_the_named_files),
        CASE(test_obs_08__mandatory_fields_come_first),
        CASE(test_obs_19__a_step_writes_the_record_and_the_points),
        CASE(test_obs_07__critical_makes_the_run_failed),
        CASE(test_run__null_and_inert_handles_do_nothing),
        CASE(test_run__exit_without_close_is_finished),
        CASE(test_run__kill_9_loses_no_acknowledged_record),
        CASE(test_run__a_joiner_writes_into_the_same_run),
        CASE(test_run__a_forked_child_gets_a_lane_of_its_own),
        CASE(test_run__a_forked_child_that_emits_nothing_leaves_the_run_alone),
        CASE(test_run__two_runs_of_one_thing_share_the_hash),
        CASE(test_run__a_checkpoint_is_registered_with_its_digest),
        CASE(test_run__what_became_of_checkpoints_is_told_at_the_end),
        CASE(test_run__a_checkpoint_changed_unseen_is_sealed_as_it_was_registered),
        CASE(test_run__the_end_does_not_wait_for_large_files),
        CASE(test_run__reading_another_runs_checkpoint_makes_it_a_continuation),
        CASE(test_run__a_stated_end_is_recorded),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
