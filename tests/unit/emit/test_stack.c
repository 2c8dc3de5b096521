/* Stacks of ERROR and CRITICAL records: named, the same in every run, bounded, and the caller's own
 * when it has one. */
#include "scratch.h"

#include <errno.h>
#include <sys/wait.h>

#include "format/record.h"

__attribute__((noinline)) static void innermost(m31r_log *log)
{
    m31r_error(log, "broken", "path", "data.bin", "error", m31r_errno(ENOENT));
    __asm__ volatile("");
}

__attribute__((noinline)) static void outer(m31r_log *log)
{
    innermost(log);
    __asm__ volatile("");
}

/* The first record with the message; NULL when there is none. */
static json_t *find_record(const char *dir, const char *message)
{
    char *text = read_text(dir, "train.log");
    json_t *found = NULL;
    for (char *line = strtok(text, "\n"); line != NULL && found == NULL;
         line = strtok(NULL, "\n")) {
        json_t *record = json_loads(line, 0, NULL);
        assert_non_null(record);
        if (strcmp(json_string_value(json_object_get(record, "msg")), message) == 0) {
            found = json_incref(record);
        }
        json_decref(record);
    }
    free(text);
    return found;
}

static const char *text_in(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));
    return text != NULL ? text : "";
}

static void test_obs_25__an_error_has_its_stack_its_step_and_the_errno_in_words(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_step(run, 41, "loss", 2.5);
    outer(m31r_run_logger(run, "loader"));
    m31r_warning(m31r_run_logger(run, "loader"), "slow");
    m31r_run_close(run);
    json_t *r = find_record(dir, "broken");
    assert_non_null(r);
    const char *stack = text_in(r, "stack");
    assert_int_equal(json_integer_value(json_object_get(r, "step")), 41);
    assert_string_equal(text_in(r, "error"), "No such file or directory");
    assert_int_equal(strncmp(stack, "innermost at ", 13), 0);
    assert_non_null(strstr(stack, "test_stack.c:"));
    const char *second = strchr(stack, '\n');
    assert_non_null(second);
    assert_int_equal(strncmp(second, "\nouter at ", 10), 0);
    assert_non_null(strstr(stack, "\nmain at "));
    assert_non_null(strstr(stack, "(test_stack+0x"));
    assert_null(strstr(stack, "m31r_log_emit"));
    json_decref(r);
    r = find_record(dir, "slow");
    assert_null(json_object_get(r, "stack"));
    json_decref(r);
}

static void test_stack__critical_and_calls_with_keys_of_run_time_have_one_too(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "loader");
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    const m31r_value key = m31r_of_string("k"), value = m31r_of_double(1.0 / 0.0);
    const m31r_fields fields = {&key, &value, 1};
    m31r_critical(log, "gives_up", "code", 7);
    m31r_log_write(log, M31R_ERROR, m31r_of_string("at_run_time"), &fields);
    m31r_run_close(run);
    json_t *r = find_record(dir, "gives_up");
    assert_int_equal(strncmp(text_in(r, "stack"), __func__, strlen(__func__)), 0);
    json_decref(r);
    r = find_record(dir, "at_run_time");
    assert_int_equal(strncmp(text_in(r, "stack"), __func__, strlen(__func__)), 0);
    assert_int_equal(json_integer_value(json_object_get(r, "nonfinite")), 1);
    json_decref(r);
    json_t *m = read_json(dir, "metadata.json");
    assert_string_equal(text_in(m, "state"), "failed");
    json_decref(m);
}

static void test_stack__the_callers_own_is_kept(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "py");
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    const m31r_value key = m31r_of_string("stack"), value = m31r_of_string("File \"a.py\"\nmore");
    const m31r_fields fields = {&key, &value, 1};
    m31r_error(log, "of_a_site", "stack", "File \"b.py\"");
    m31r_log_write(log, M31R_ERROR, m31r_of_string("of_run_time"), &fields);
    m31r_run_close(run);
    json_t *r = find_record(dir, "of_a_site");
    assert_string_equal(text_in(r, "stack"), "File \"b.py\"");
    json_decref(r);
    r = find_record(dir, "of_run_time");
    assert_string_equal(text_in(r, "stack"), "File \"a.py\"\nmore");
    assert_null(json_object_get(r, "ctx_stack"));
    json_decref(r);
}

static void test_stack__can_be_turned_off(void **state)
{
    (void)state;
    char dir[4096];
    static const char config[] = "config_version: 1\nobservability:\n  error_stack: false\n";
    assert_int_equal(m31ri_create_file(AT_FDCWD, "off.yaml", config, sizeof config - 1, NULL),
                     M31R_OK);
    m31r_run *run = NULL;
    m31r_error e = {0};
    m31r_run_options o = whole_identity();
    o.config = "off.yaml";
    assert_int_equal(m31r_run_open(&run, &o, &e), M31R_OK);
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    m31r_step(run, 1, "loss", 2.5);
    outer(m31r_run_logger(run, "loader"));
    m31r_run_close(run);
    json_t *r = find_record(dir, "broken");
    assert_null(json_object_get(r, "stack"));
    assert_null(json_object_get(r, "step"));
    json_decref(r);
}

static void test_stack__never_makes_a_record_longer_than_it_may_be(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_run();
    m31r_log *log = m31r_run_logger(run, "loader");
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    char *blob = malloc(M31RI_RECORD_LIMIT);
    assert_non_null(blob);
    memset(blob, 'x', M31RI_RECORD_LIMIT);
    for (size_t less = 0; less < 600; less += 7) {
        m31r_error(log, "long", "blob", m31r_text(blob, M31RI_RECORD_LIMIT - 600 + less));
    }
    m31r_run_close(run);
    free(blob);
    char *text = read_text(dir, "train.log");
    int n = 0, n_cut = 0, n_dropped = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        json_t *r = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(r);
        assert_true(strlen(line) < M31RI_RECORD_LIMIT);
        n += strcmp(text_in(r, "msg"), "long") == 0;
        n_cut += json_object_get(r, "cut") != NULL;
        n_dropped += json_object_get(r, "fields_dropped") != NULL;
        json_decref(r);
    }
    free(text);
    assert_int_equal(n, 86);
    assert_true(n_cut > 10);
    assert_true(n_dropped > 0);
}

/* Runs this program again, as itself and not as a test, with its own places in memory. */
static void run_again(char *stack, size_t size)
{
    char dir[4096];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl("/proc/self/exe", "test_stack", "child", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    ssize_t n = read(ends[0], dir, sizeof dir - 1);
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    assert_true(n > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    dir[n] = '\0';
    json_t *r = find_record(dir, "broken");
    snprintf(stack, size, "%s", text_in(r, "stack"));
    json_decref(r);
}

static void test_stack__is_the_same_wherever_the_program_is_loaded(void **state)
{
    (void)state;
    char first[8192], second[8192];
    run_again(first, sizeof first);
    run_again(second, sizeof second);
    assert_true(strlen(first) > 20);
    assert_string_equal(first, second);
}

static void test_stack__text_is_appended_before_the_counters(void **state)
{
    (void)state;
    const m31r_value keys[] = {m31r_of_string("a"), m31r_of_string("cut")};
    const m31r_value values[] = {m31r_of_double(-1.0 / 0.0), m31r_of_int(5)};
    const m31ri_record_parts parts = {.level = M31R_ERROR,
                                      .module = "m",
                                      .module_length = 1,
                                      .message = "x",
                                      .message_length = 1,
                                      .keys = keys,
                                      .values = values,
                                      .n = 2};
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_buf_add_str(&line, "before\n");
    m31ri_record_write(&line, &parts, NULL, NULL);
    m31ri_record_add_text(&line, 7, "stack", "f\ng", 3, NULL);
    assert_string_equal(strstr(m31ri_buf_str(&line), "\"msg\""),
                        "\"msg\":\"x\",\"a\":\"-Infinity\",\"ctx_cut\":5,\"stack\":\"f\\ng\","
                        "\"renamed\":1,\"nonfinite\":1}\n");
    m31ri_buf_release(&line);
}

static int be_a_child(void)
{
    m31r_run *run = open_run();
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    outer(m31r_run_logger(run, "loader"));
    m31r_run_close(run);
    return write(1, dir, strlen(dir)) > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "child") == 0) {
        return be_a_child();
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_obs_25__an_error_has_its_stack_its_step_and_the_errno_in_words, scratch_enter,
            scratch_leave),
        cmocka_unit_test_setup_teardown(
            test_stack__critical_and_calls_with_keys_of_run_time_have_one_too, scratch_enter,
            scratch_leave),
        cmocka_unit_test_setup_teardown(test_stack__the_callers_own_is_kept, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(test_stack__can_be_turned_off, scratch_enter,
                                        scratch_leave),
        cmocka_unit_test_setup_teardown(test_stack__never_makes_a_record_longer_than_it_may_be,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_stack__is_the_same_wherever_the_program_is_loaded,
                                        scratch_enter, scratch_leave),
        cmocka_unit_test(test_stack__text_is_appended_before_the_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
