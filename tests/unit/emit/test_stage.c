/* Typed calls: what they write, what they fill, what they refuse to make up. */
#include "scratch.h"

#include <math.h>
#include <pthread.h>
#include <sys/wait.h>

#include "format/stage_table.h"

static char dir[4096];

static m31r_run *open_stage(const char *stage)
{
    m31r_run *run = NULL;
    m31r_error e = {0};
    m31r_run_options o = whole_identity();
    o.stage = stage;
    if (m31r_run_open(&run, &o, &e) != M31R_OK) {
        fail_msg("m31r_run_open: %s; %s", e.message, e.hint);
    }
    snprintf(dir, sizeof dir, "%s", m31r_run_dir(run));
    return run;
}

/* The n-th record (from 0) with this message in a lane's file; the caller frees it. */
static json_t *record(const char *file, const char *message, int n)
{
    char *text = read_text(dir, file);
    json_t *found = NULL;
    for (char *line = strtok(text, "\n"); line != NULL && found == NULL;
         line = strtok(NULL, "\n")) {
        json_t *r = json_loads(line, 0, NULL);
        assert_non_null(r);
        bool is_it = strcmp(json_string_value(json_object_get(r, "msg")), message) == 0;
        if (is_it && n-- == 0) {
            found = json_incref(r);
        }
        json_decref(r);
    }
    free(text);
    return found;
}

static double number(const json_t *r, const char *key)
{
    const json_t *value = json_object_get(r, key);
    if (!json_is_number(value)) {
        fail_msg("%s is no number", key);
    }
    return json_number_value(value);
}

static size_t count_in(const char *file, const char *part)
{
    char *text = read_text(dir, file);
    size_t n = count_of(text, part);
    free(text);
    return n;
}

static void test_obs_13__a_step_has_every_field_of_the_specification(void **state)
{
    (void)state;
    m31r_run *run = open_stage("train");
    for (int i = 1; i <= 3; i++) {
        m31r_train_step(run, .step = i, .loss = 4.0f / (float)i, .lr = i > 1 ? 0.5 : 0.25,
                        .grad_norm = 0, .tokens = 1000, .duration_s = 0.5, .epoch = 0u);
    }
    m31r_train_validation(run, .step = 3, .val_loss = 1.5);
    m31r_train_summary(run, .step = 3);
    m31r_run_close(run);
    json_t *r = record("train.log", "step_complete", 1);
    static const char *const keys[] = {"step",      "loss",       "lr",
                                       "grad_norm", "tokens",     "tokens_per_sec",
                                       "memory_mb", "duration_s", "epoch"};
    size_t i = 0;
    const char *key;
    json_t *value;
    json_object_foreach(r, key, value)
    {
        if (i >= 4) {
            assert_string_equal(key, keys[i - 4]); /* behind ts, level, module, msg */
        }
        i++;
    }
    assert_int_equal(i, 4 + sizeof keys / sizeof *keys);
    assert_true(number(r, "loss") == 2.0 && number(r, "lr") == 0.5 && number(r, "grad_norm") == 0);
    assert_true(number(r, "tokens_per_sec") == 2000.0);
    assert_true(number(r, "memory_mb") > 1);
    json_decref(r);
    r = record("train.log", "train_complete", 0);
    assert_true(number(r, "peak_memory_mb") >= 1 && number(r, "duration_s") >= 0);
    json_decref(r);
    assert_int_equal(count_in("metrics.csv", "\ntokens_per_sec,"), 3);
    assert_int_equal(count_in("metrics.csv", "\nmemory_mb,"), 3);
    assert_int_equal(count_in("metrics.csv", "\nval_loss,3,1.5,"), 1);
    assert_int_equal(count_in("metrics.csv", "\nepoch,2,0.0,"), 1);
    assert_int_equal(count_in("train.log", "ERROR"), 0);
    json_t *m = read_json(dir, "metadata.json");
    const json_t *loss = json_object_get(json_object_get(m, "metrics"), "loss");
    assert_string_equal(json_string_value(json_object_get(loss, "unit")), "nats");
    assert_string_equal(json_string_value(json_object_get(loss, "better")), "lower");
    json_decref(m);
}

static void test_obs_13__a_missing_field_is_named_once_and_never_zero(void **state)
{
    (void)state;
    m31r_run *run = open_stage("train");
    for (int i = 1; i <= 5; i++) {
        m31r_train_step(run, .step = i, .loss = NAN, .lr = 0.0);
    }
    m31r_run_close(run);
    json_t *r = record("train.log", "field_missing", 0);
    assert_string_equal(json_string_value(json_object_get(r, "level")), "ERROR");
    assert_string_equal(json_string_value(json_object_get(r, "record")), "step_complete");
    assert_string_equal(json_string_value(json_object_get(r, "fields")), "grad_norm tokens");
    json_decref(r);
    assert_null(record("train.log", "field_missing", 1));
    r = record("train.log", "step_complete", 4);
    assert_string_equal(json_string_value(json_object_get(r, "loss")), "NaN"); /* a real one */
    assert_true(number(r, "lr") == 0);
    assert_null(json_object_get(r, "grad_norm"));
    assert_null(json_object_get(r, "tokens_per_sec"));
    json_decref(r);
    assert_int_equal(count_in("metrics.csv", "\ngrad_norm,"), 0);
}

static void test_stage__what_is_outside_its_limits_is_named_once(void **state)
{
    (void)state;
    m31r_run *run = open_stage("tokenizer");
    m31r_tokenizer_summary(run, .vocab_size = 10, .coverage = 1.5, .fragmentation = -1.0);
    m31r_run_close(run);
    json_t *r = record("tokenizer.log", "field_out_of_range", 0);
    assert_string_equal(json_string_value(json_object_get(r, "fields")), "coverage fragmentation");
    json_decref(r);
}

static void test_obs_13__every_nth_step_by_config_and_the_last(void **state)
{
    (void)state;
    static const char config[] = "config_version: 1\nobservability:\n  log_every: 10\n";
    assert_int_equal(unlink("train.yaml"), 0);
    assert_int_equal(m31ri_create_file(AT_FDCWD, "train.yaml", config, sizeof config - 1, NULL),
                     M31R_OK);
    m31r_run *run = open_stage("train");
    for (int i = 1; i <= 25; i++) {
        m31r_train_step(run, .step = i, .loss = i == 13 ? INFINITY : 1.0, .lr = 1.0,
                        .grad_norm = 1.0, .tokens = 100, .duration_s = 0.1);
    }
    m31r_train_summary(run, .step = 25);
    m31r_run_close(run);
    static const int steps[] = {1, 10, 13, 20, 25};
    static const int tokens[] = {100, 900, 300, 700, 500};
    for (int i = 0; i < 5; i++) {
        json_t *r = record("train.log", "step_complete", i);
        assert_int_equal((int)number(r, "step"), steps[i]);
        assert_int_equal((int)number(r, "tokens"), tokens[i]);
        assert_true(fabs(number(r, "tokens_per_sec") - 1000.0) < 1e-6);
        json_decref(r);
    }
    assert_null(record("train.log", "step_complete", 5));
}

static void test_obs_14__reasons_and_counts_add_up(void **state)
{
    (void)state;
    m31r_run *run = open_stage("data");
    assert_int_equal(m31ri_create_file(AT_FDCWD, "shard.bin", "abc", 3, NULL), M31R_OK);
    for (int i = 0; i < 7; i++) {
        m31r_data_kept(run, .path = "a.rs", .bytes = 10);
    }
    m31r_data_rejected(run, .path = "b.rs", .reason = "too_large", .bytes = 99);
    m31r_data_rejected(run, .path = "c.rs", .reason = "not_utf8");
    m31r_data_rejected(run, .path = "d.rs", .reason = "too_large");
    m31r_data_duplicate(run, .path = "e.rs", .duplicate_of = "a.rs", .similarity = 1);
    m31r_data_shard(run, .path = "shard.bin", .documents = 7, .split = "train");
    m31r_data_summary(run);
    m31r_run_close(run);
    json_t *r = record("data.log", "reject_reason", 0);
    assert_string_equal(json_string_value(json_object_get(r, "reason")), "not_utf8");
    assert_int_equal((int)number(r, "files"), 1);
    json_decref(r);
    r = record("data.log", "reject_reason", 1);
    assert_int_equal((int)number(r, "files"), 2);
    json_decref(r);
    r = record("data.log", "data_complete", 0);
    assert_int_equal((int)number(r, "files_processed"), 11);
    assert_int_equal((int)number(r, "files_kept"), 7);
    assert_int_equal((int)number(r, "files_rejected"), 3);
    assert_int_equal((int)number(r, "files_duplicate"), 1);
    assert_int_equal((int)number(r, "shards"), 1);
    assert_int_equal((int)number(r, "bytes_kept"), 70);
    json_decref(r);
    r = record("data.log", "shard_written", 0);
    assert_int_equal((int)number(r, "bytes"), 3);
    assert_string_equal(json_string_value(json_object_get(r, "sha256")),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    json_decref(r);
    assert_null(record("data.log", "file_kept", 0)); /* DEBUG is off: counted all the same */
    assert_int_equal(count_in("metrics.csv", "\nfiles_kept,,7.0,"), 1);
}

static void test_obs_16__scores_are_those_of_the_estimator(void **state)
{
    (void)state;
    m31r_run *run = open_stage("eval");
    m31r_eval_task(run, .task = "t1", .category = "fim", .samples = 10, .compiled = 8, .passed = 3,
                   .latency_ms = 20.0);
    m31r_eval_task(run, .task = "t2", .category = "bugs", .samples = 10, .compiled = 10,
                   .passed = 10, .latency_ms = 10.0);
    m31r_eval_task(run, .task = "t3", .category = "fim", .samples = 10, .compiled = 0, .passed = 0,
                   .latency_ms = 30.0);
    m31r_eval_summary(run, .k = 5);
    m31r_run_close(run);
    const double at_5 = 1.0 - 21.0 / 252.0; /* 1 - C(7,5)/C(10,5) */
    json_t *r = record("eval.log", "category_score", 0);
    assert_string_equal(json_string_value(json_object_get(r, "category")), "bugs");
    json_decref(r);
    r = record("eval.log", "category_score", 1);
    assert_int_equal((int)number(r, "tasks"), 2);
    assert_true(fabs(number(r, "compile_rate") - 0.4) < 1e-15);
    assert_true(fabs(number(r, "pass_at_1") - 0.15) < 1e-15);
    assert_true(fabs(number(r, "pass_at_k") - at_5 / 2) < 1e-15);
    json_decref(r);
    r = record("eval.log", "eval_complete", 0);
    assert_int_equal((int)number(r, "tasks"), 3);
    assert_int_equal((int)number(r, "samples"), 30);
    assert_true(fabs(number(r, "compile_rate") - 0.6) < 1e-15);
    assert_true(fabs(number(r, "pass_at_1") - 1.3 / 3) < 1e-15);
    assert_true(fabs(number(r, "pass_at_k") - (at_5 + 1.0) / 3) < 1e-15);
    assert_true(fabs(number(r, "latency_p50_ms") - 20.0) <= 0.2);
    json_decref(r);
    r = record("eval.log", "task_complete", 2);
    assert_int_equal((int)number(r, "number"), 3);
    json_decref(r);
    assert_int_equal(count_in("metrics.csv", "\npass_at_k.fim,"), 1);
    assert_int_equal(count_in("metrics.csv", "\npass_at_k,"), 1);
}

static void test_obs_16__a_k_that_a_task_cannot_give_is_not_made_up(void **state)
{
    (void)state;
    m31r_run *run = open_stage("eval");
    m31r_eval_task(run, .task = "t1", .category = "fim", .samples = 2, .compiled = 2, .passed = 1,
                   .latency_ms = 20.0);
    m31r_eval_summary(run, .k = 5);
    m31r_run_close(run);
    json_t *r = record("eval.log", "eval_complete", 0);
    assert_null(json_object_get(r, "pass_at_k"));
    json_decref(r);
    r = record("eval.log", "field_missing", 0);
    assert_string_equal(json_string_value(json_object_get(r, "fields")), "pass_at_k");
    json_decref(r);
}

#define THREADS 4
#define REQUESTS 200

static void *serve(void *run)
{
    for (int i = 0; i < REQUESTS; i++) {
        m31r_serve_request(run, .status = i % 10 == 0 ? 503 : 200, .latency_ms = 1.0 + i,
                           .first_token_ms = 0.5, .tokens_generated = 3);
    }
    return NULL;
}

static void test_obs_17__requests_are_numbered_from_1_and_counted(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    m31r_run *run = open_stage("serve");
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, serve, run), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    m31r_serve_request(run, .status = 200, .latency_ms = 1.0, .tokens_generated = 0,
                       .error = "disconnected");
    m31r_serve_summary(run);
    m31r_run_close(run);
    for (int i = 0; i < THREADS * REQUESTS; i += 97) {
        json_t *r = record("serve.log", "request_complete", i);
        assert_int_equal((int)number(r, "request"), i + 1);
        json_decref(r);
    }
    json_t *r = record("serve.log", "serving_complete", 0);
    assert_int_equal((int)number(r, "requests"), THREADS * REQUESTS + 1);
    assert_int_equal((int)number(r, "errors"), THREADS * REQUESTS / 10 + 1);
    assert_int_equal((int)number(r, "tokens_generated"), THREADS * REQUESTS * 3);
    assert_true(fabs(number(r, "latency_p90_ms") - 180.0) <= 1.8);
    assert_true(fabs(number(r, "latency_p99_ms") - 198.0) <= 1.98);
    json_decref(r);
    assert_int_equal(count_in("serve.log", "step_went_back"), 0);
    assert_int_equal(count_in("metrics.csv", "\nlatency_ms,"), THREADS * REQUESTS + 1);
}

static void test_stage__a_forked_child_counts_from_zero(void **state)
{
    (void)state;
    m31r_run *run = open_stage("data");
    m31r_data_rejected(run, .path = "a", .reason = "x");
    /* ASan's allocator may be locked by the writing thread at the fork, for ever in the child. */
    (void)m31r_run_flush(run, 1000);
    usleep(20000);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        m31r_data_kept(run, .path = "b", .bytes = 1);
        m31r_data_summary(run);
        m31r_run_close(run);
        _exit(0);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    m31r_run_close(run);
    json_t *r = record("data.p2.log", "data_complete", 0);
    assert_non_null(r);
    assert_int_equal((int)number(r, "files_processed"), 1);
    assert_int_equal((int)number(r, "files_rejected"), 0);
    json_decref(r);
}

static void test_obs_23__parents_are_named_from_shard_to_eval(void **state)
{
    (void)state;
    char ids[3][160];
    m31r_run *run = open_stage("data");
    snprintf(ids[0], sizeof ids[0], "%s", m31r_run_id(run));
    assert_int_equal(m31ri_create_file(AT_FDCWD, "shard.bin", "abc", 3, NULL), M31R_OK);
    m31r_data_shard(run, .path = "shard.bin", .documents = 1);
    m31r_run_close(run);
    run = open_stage("tokenizer");
    snprintf(ids[1], sizeof ids[1], "%s", m31r_run_id(run));
    assert_int_equal(m31r_input_add(run, "shard.bin"), M31R_OK);
    assert_int_equal(m31ri_create_file(AT_FDCWD, "bpe.json", "{}", 2, NULL), M31R_OK);
    assert_int_equal(m31r_output_add(run, "tokenizer", "bpe.json"), M31R_OK);
    assert_int_equal(m31r_output_add(run, "input", "bpe.json"), M31R_E_ARG);
    assert_int_equal(m31r_output_add(run, "Two Words", "bpe.json"), M31R_E_ARG);
    m31r_run_close(run);
    run = open_stage("train");
    snprintf(ids[2], sizeof ids[2], "%s", m31r_run_id(run));
    assert_int_equal(m31r_input_add(run, "shard.bin"), M31R_OK);
    assert_int_equal(m31r_input_add(run, "bpe.json"), M31R_OK);
    assert_int_equal(m31ri_create_file(AT_FDCWD, "model.bin", "weights", 7, NULL), M31R_OK);
    m31r_train_checkpoint(run, .step = 9, .path = "model.bin");
    m31r_run_close(run);
    json_t *m = read_json(dir, "metadata.json");
    const json_t *parents = json_object_get(m, "parents");
    assert_int_equal(json_array_size(parents), 2);
    assert_string_equal(json_string_value(json_array_get(parents, 0)), ids[0]);
    assert_string_equal(json_string_value(json_array_get(parents, 1)), ids[1]);
    assert_true(json_is_null(json_object_get(m, "resumes")));
    const json_t *input = json_array_get(json_object_get(m, "artifacts"), 1);
    assert_string_equal(json_string_value(json_object_get(input, "run")), ids[1]);
    json_decref(m);
    run = open_stage("eval");
    assert_int_equal(m31r_input_add(run, "model.bin"), M31R_OK);
    m31r_run_close(run);
    m = read_json(dir, "metadata.json");
    assert_string_equal(json_string_value(json_array_get(json_object_get(m, "parents"), 0)),
                        ids[2]);
    assert_true(json_is_null(json_object_get(m, "resumes"))); /* evaluating is not going on */
    json_decref(m);
}

static void test_progress__has_a_lane_of_its_own_and_a_pace(void **state)
{
    (void)state;
    m31r_run *run = open_stage("data");
    for (uint64_t i = 0; i <= 100000; i++) {
        m31r_progress(run, i, 100000);
    }
    m31r_run_close(run);
    size_t n = count_in("data.progress.log", "\"msg\":\"progress\"");
    assert_in_range(n, 2, 20);
    assert_int_equal(count_in("data.progress.log", "\"done\":100000,\"total\":100000"), 1);
    assert_int_equal(count_in("data.log", "progress"), 0);
}

static void test_stage__calls_on_nothing_do_nothing(void **state)
{
    (void)state;
    int quiet = open("/dev/null", O_WRONLY);
    int saved = dup(2);
    dup2(quiet, 2);
    m31r_train_step(NULL, .step = 1);
    m31r_progress(NULL, 1, 2);
    m31r_data_summary(NULL);
    dup2(saved, 2);
    close(quiet);
    close(saved);
    m31r_run *run = open_stage("train");
    m31r_train_step_fields f;
    memset(&f, 0xFF, sizeof f);
    m31r_stage_emit(run, (m31r_stage_call)4711, &f, sizeof f);
    m31r_stage_emit(run, M31R_CALL_TRAIN_STEP, NULL, 0);
    m31r_run_close(run);
    assert_int_equal(count_in("train.log", "step_complete"), 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
    const struct CMUnitTest tests[] = {
        CASE(test_obs_13__a_step_has_every_field_of_the_specification),
        CASE(test_obs_13__a_missing_field_is_named_once_and_never_zero),
        CASE(test_stage__what_is_outside_its_limits_is_named_once),
        CASE(test_obs_13__every_nth_step_by_config_and_the_last),
        CASE(test_obs_14__reasons_and_counts_add_up),
        CASE(test_obs_16__scores_are_those_of_the_estimator),
        CASE(test_obs_16__a_k_that_a_task_cannot_give_is_not_made_up),
        CASE(test_obs_17__requests_are_numbered_from_1_and_counted),
        CASE(test_stage__a_forked_child_counts_from_zero),
        CASE(test_obs_23__parents_are_named_from_shard_to_eval),
        CASE(test_progress__has_a_lane_of_its_own_and_a_pace),
        CASE(test_stage__calls_on_nothing_do_nothing),
    };
    return cmocka_run_group_tests_name("stage", tests, NULL, NULL);
}
