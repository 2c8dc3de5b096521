/* A ring that nobody empties: by default callers wait, with `when_full: drop` DEBUG and INFO go
 * first. Every loss is counted and said. */
#include "scratch.h"

#include <pthread.h>

#include "base/clock.h"
#include "emit/state.h"

#define MANY 40000 /* of about 50 bytes: more than a ring of 1 MiB holds */

static m31r_run *open_with(const char *when_full, const char *timeout_s, char dir[4096])
{
    char config[256];
    m31r_run *run = NULL;
    m31r_error e = {0};
    int n = snprintf(config, sizeof config,
                     "config_version: 1\nobservability:\n  when_full: %s\n  block_timeout_s: %s\n",
                     when_full, timeout_s);
    assert_int_equal(m31ri_create_file(AT_FDCWD, "full.yaml", config, (size_t)n, NULL), M31R_OK);
    m31r_run_options o = whole_identity();
    o.config = "full.yaml";
    if (m31r_run_open(&run, &o, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    snprintf(dir, 4096, "%s", m31r_run_dir(run));
    assert_non_null(run->rings);
    return run;
}

/* Lines with `part`, in one pass: a megabyte of text is long for strstr under a sanitizer. */
static int64_t count_lines(const char *text, const char *part)
{
    int64_t n = 0;
    const char *end = text + strlen(text), *next;
    for (const char *at = text; at < end; at = next + 1) {
        next = memchr(at, '\n', (size_t)(end - at));
        assert_non_null(next);
        n += memmem(at, (size_t)(next - at), part, strlen(part)) != NULL;
    }
    return n;
}

/* What the records `records_lost` of the run say, and metadata.json with them. */
static int64_t count_said(const char *dir)
{
    int64_t n = 0;
    char *text = read_text(dir, "train.log");
    const char *end = text + strlen(text), *next;
    for (const char *at = text; at < end; at = next + 1) {
        next = memchr(at, '\n', (size_t)(end - at));
        const char *lost = memmem(at, (size_t)(next - at), "\"records_lost\"", 14);
        if (lost != NULL) {
            const char *count = memmem(lost, (size_t)(next - lost), "\"count\":", 8);
            assert_non_null(count);
            assert_non_null(memmem(lost, (size_t)(next - lost), "\"reason\":\"ring_full\"", 20));
            n += strtoll(count + 8, NULL, 10);
        }
    }
    free(text);
    json_t *m = read_json(dir, "metadata.json");
    const json_t *lost = json_object_get(json_object_get(m, "lost"), "records");
    assert_int_equal(json_integer_value(lost), n);
    json_decref(m);
    return n;
}

static void test_full_ring__drops_debug_and_info_first_at_once_and_counts_them(void **state)
{
    (void)state;
    char dir[4096];
    /* one call that waited would be the end of the test: it has 120 s */
    m31r_run *run = open_with("drop", "1000", dir);
    m31r_log *log = m31r_run_logger(run, "busy");
    pthread_mutex_lock(&run->rings->pass_lock); /* the writer is held up */
    for (int i = 0; i < MANY; i++) {
        m31r_info(log, "low", "i", i, "x", 0.5);
    }
    const m31r_value key = m31r_of_string("k"), value = m31r_of_int(1);
    const m31r_fields fields = {&key, &value, 1};
    assert_int_equal(m31r_log_write(log, M31R_INFO, m31r_of_string("low"), &fields), M31R_E_IO);
    for (int i = 0; i < 1000; i++) {
        m31r_warning(log, "high", "i", i);
    }
    m31r_step(run, 7, "loss", 0.25);
    pthread_mutex_unlock(&run->rings->pass_lock);
    assert_int_equal(m31r_run_close(run), M31R_E_IO); /* something was lost */
    char *text = read_text(dir, "train.log");
    int64_t n_low = count_lines(text, "\"low\"");
    assert_int_equal(count_lines(text, "\"high\""), 1000);
    assert_int_equal(count_lines(text, "\"step_complete\""), 1);
    free(text);
    assert_true(n_low > 1000 && n_low < MANY);
    assert_int_equal(n_low + count_said(dir), MANY + 1);
}

static void test_full_ring__blocks_by_default_then_counts(void **state)
{
    (void)state;
    char dir[4096];
    m31r_run *run = open_with("block", "0.3", dir);
    m31r_log *log = m31r_run_logger(run, "busy");
    pthread_mutex_lock(&run->rings->pass_lock);
    int64_t n = 0, since = m31ri_mono_ns();
    while (m31ri_mono_ns() - since < 300 * 1000000LL) { /* until a call has waited */
        m31r_info(log, "low", "i", n);
        n++;
    }
    assert_true(m31ri_mono_ns() - since < 1300 * 1000000LL);
    pthread_mutex_unlock(&run->rings->pass_lock);
    assert_int_equal(m31r_run_close(run), M31R_E_IO); /* something was lost */
    char *text = read_text(dir, "train.log");
    int64_t n_low = count_lines(text, "\"low\"");
    free(text);
    int64_t n_said = count_said(dir);
    assert_true(n_said >= 1);
    assert_int_equal(n_low + n_said, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            test_full_ring__drops_debug_and_info_first_at_once_and_counts_them, scratch_enter,
            scratch_leave),
        cmocka_unit_test_setup_teardown(test_full_ring__blocks_by_default_then_counts,
                                        scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
