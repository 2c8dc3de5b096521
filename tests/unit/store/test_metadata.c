/* metadata.json and the notices that fill it. */
#include "scratch.h"

#include <jansson.h>
#include <signal.h>

#include "base/alloc.h"
#include "store/metadata.h"
#include "store/notices.h"

static const uint8_t digest[32] = {1};

static m31ri_run_dir make_run(scratch *s)
{
    char root[128];
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    snprintf(root, sizeof root, "%s/experiments", s->path);
    assert_int_equal(m31ri_run_dir_create(root, 0, digest, &d, NULL), M31R_OK);
    return d;
}

static bool fold(m31ri_metadata *m, const char *text)
{
    json_t *notice = json_loads(text, 0, NULL);
    assert_non_null(notice);
    bool understood = m31ri_metadata_fold(m, notice);
    json_decref(notice);
    return understood;
}

static const char *text_at(m31ri_metadata *m, const char *dotted)
{
    const char *text = json_string_value(m31ri_metadata_get(m, dotted));
    return text != NULL ? text : "(no text)";
}

static m31ri_metadata make_metadata(void)
{
    m31ri_metadata m;
    assert_int_equal(m31ri_metadata_init(&m, NULL), M31R_OK);
    return m;
}

static void test_metadata__keys_stand_in_their_order_also_after_set(void **state)
{
    (void)state;
    static const char *const expected =
        "format_version run_id name stage kind timestamp seed config_path config_sha256 "
        "config_original_sha256 dataset_version dataset_path dataset_sha256 tokenizer_version "
        "tokenizer_path tokenizer_sha256 git_commit sources identity_sha256 digests code command "
        "host environment "
        "writer program state end exit_status signal cause cause_evidence resumes reproduces "
        "parents privacy "
        "capture live ranks rank_ends lanes metrics artifacts schemas lost unknown_notices ";
    m31ri_metadata m = make_metadata();
    assert_int_equal(m31ri_metadata_set(&m, "end", json_string("now")), M31R_OK);
    assert_int_equal(m31ri_metadata_set(&m, "run_id", json_string("r")), M31R_OK);
    assert_int_equal(m31ri_metadata_set(&m, "sources.seed", json_string("program")), M31R_OK);
    assert_int_equal(m31ri_metadata_set(&m, "digests.dataset.state", json_string("known")),
                     M31R_OK);
    m31ri_buf keys = M31RI_BUF_INIT;
    const char *key;
    json_t *value;
    json_object_foreach(m.root, key, value)
    {
        m31ri_buf_add_format(&keys, "%s ", key);
    }
    assert_string_equal(m31ri_buf_str(&keys), expected);
    assert_string_equal(text_at(&m, "digests.dataset.state"), "known");
    m31ri_buf_release(&keys);
    m31ri_metadata_release(&m);
}

static void test_metadata__set_without_a_parent_is_refused(void **state)
{
    (void)state;
    m31ri_metadata m = make_metadata();
    m.is_dirty = false;
    assert_int_equal(m31ri_metadata_set(&m, "no.such", json_integer(1)), M31R_E_ARG);
    assert_int_equal(m31ri_metadata_set(&m, "", json_integer(1)), M31R_E_ARG);
    assert_int_equal(m31ri_metadata_set(&m, "kind.x", json_integer(1)), M31R_E_ARG);
    assert_int_equal(m31ri_metadata_set(&m, "kind", NULL), M31R_E_NOMEM);
    assert_int_equal(m31ri_metadata_set(&m, "kind", json_string("run")), M31R_OK);
    assert_false(m.is_dirty);
    assert_null(m31ri_metadata_get(&m, "no.such"));
    assert_null(m31ri_metadata_get(&m, "kind.x"));
    m31ri_metadata_release(&m);
}

static void test_metadata__programs_value_wins_over_a_declared_one_with_a_warning(void **state)
{
    (void)state;
    m31ri_metadata m = make_metadata();
    m31ri_metadata_set(&m, "seed", json_integer(41));
    m31ri_metadata_set(&m, "sources.seed", json_string("declared"));
    m31ri_metadata_set(&m, "dataset_version", json_string("rust@1"));
    m31ri_metadata_set(&m, "sources.dataset", json_string("declared"));
    assert_true(
        fold(&m, "{\"kind\":\"identity\",\"key\":\"dataset\",\"value\":\"rust@1\",\"pid\":1}"));
    assert_null(m.pending_warnings);
    assert_string_equal(text_at(&m, "sources.dataset"), "program");
    assert_true(fold(&m, "{\"kind\":\"identity\",\"key\":\"seed\",\"value\":\"42\",\"pid\":1}"));
    assert_int_equal(json_integer_value(m31ri_metadata_get(&m, "seed")), 42);
    assert_string_equal(m.pending_warnings,
                        "seed: the program says 42, declared said 41; the program's is recorded\n");
    assert_true(fold(&m, "{\"kind\":\"identity\",\"key\":\"seed\",\"value\":\"43\",\"pid\":2}"));
    assert_int_equal(json_integer_value(m31ri_metadata_get(&m, "seed")), 42);
    assert_non_null(strstr(m.pending_warnings, "two processes of the program say 42 and 43"));
    assert_true(fold(&m, "{\"kind\":\"identity\",\"key\":\"tokenizer\",\"value\":\"bpe@3\"}"));
    assert_string_equal(text_at(&m, "tokenizer_version"), "bpe@3");
    assert_null(strstr(m.pending_warnings, "bpe"));
    m31ri_metadata_release(&m);
}

static void test_metadata__artifacts_lanes_metrics_and_losses_are_folded(void **state)
{
    (void)state;
    m31ri_metadata m = make_metadata();
    const char *const lines[] = {
        "{\"kind\":\"artifact\",\"role\":\"checkpoint\",\"path\":\"checkpoints/"
        "a\",\"step\":1,\"bytes\":5}",
        "{\"kind\":\"artifact\",\"role\":\"checkpoint\",\"path\":\"checkpoints/"
        "a\",\"step\":2,\"bytes\":5}",
        "{\"kind\":\"artifact\",\"role\":\"checkpoint\",\"path\":\"checkpoints/"
        "a\",\"step\":1,\"sha256\":\"ab\"}",
        "{\"kind\":\"lane\",\"file\":\"train.log\",\"name\":\"train\",\"state\":\"open\",\"pid\":"
        "7}",
        "{\"kind\":\"lane\",\"file\":\"train.log\",\"records\":12,\"ordered\":false}",
        "{\"kind\":\"metric\",\"name\":\"system.rss_mb\",\"unit\":\"MiB\",\"better\":\"lower\"}",
        "{\"kind\":\"metric\",\"name\":\"x\"}",
        "{\"kind\":\"lost\",\"what\":\"records\",\"reason\":\"ENOSPC\",\"count\":3}",
        "{\"kind\":\"lost\",\"what\":\"points\",\"reason\":\"ENOSPC\",\"count\":"
        "9223372036854775807}",
        "{\"kind\":\"lost\",\"what\":\"points\",\"reason\":\"ENOSPC\",\"count\":5}",
        "{\"kind\":\"critical\",\"msg\":\"boom\"}",
        "{\"kind\":\"close\",\"pid\":7}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        assert_true(fold(&m, lines[i]));
    }
    json_t *artifacts = m31ri_metadata_get(&m, "artifacts");
    assert_int_equal(json_array_size(artifacts), 2);
    json_t *first = json_array_get(artifacts, 0);
    assert_string_equal(json_string_value(json_object_get(first, "sha256")), "ab");
    assert_int_equal(json_integer_value(json_object_get(first, "bytes")), 5);
    json_t *lane = json_array_get(m31ri_metadata_get(&m, "lanes"), 0);
    assert_int_equal(json_array_size(m31ri_metadata_get(&m, "lanes")), 1);
    assert_string_equal(json_string_value(json_object_get(lane, "state")), "closed");
    assert_int_equal(json_integer_value(json_object_get(lane, "records")), 12);
    assert_true(json_is_false(json_object_get(lane, "ordered")));
    json_t *metric = json_object_get(m31ri_metadata_get(&m, "metrics"), "system.rss_mb");
    assert_string_equal(json_string_value(json_object_get(metric, "unit")), "MiB");
    assert_int_equal(json_integer_value(m31ri_metadata_get(&m, "lost.records")), 3);
    assert_true(json_integer_value(m31ri_metadata_get(&m, "lost.points")) == INT64_MAX);
    assert_true(m.is_critical);
    m31ri_metadata_release(&m);
}

static void test_metadata__notices_of_a_wrong_shape_change_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"kind\":5}",
        "{\"kind\":\"unheard\"}",
        "{\"kind\":\"identity\"}",
        "{\"kind\":\"identity\",\"key\":\"seed\",\"value\":\"4x\"}",
        "{\"kind\":\"identity\",\"key\":\"seed\",\"value\":4}",
        "{\"kind\":\"identity\",\"key\":\"state\",\"value\":\"finished\"}",
        "{\"kind\":\"metric\",\"name\":\"\"}",
        "{\"kind\":\"artifact\",\"path\":\"x\"}",
        "{\"kind\":\"lane\",\"name\":\"x\"}",
        "{\"kind\":\"lost\",\"what\":\"records\",\"reason\":\"x\",\"count\":-1}",
        "{\"kind\":\"lost\",\"what\":\"all\",\"reason\":\"x\",\"count\":1}",
        "{\"kind\":\"close\",\"pid\":\"7\"}",
    };
    m31ri_metadata m = make_metadata();
    char *before = json_dumps(m.root, 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(fold(&m, bad[i]));
    }
    char *after = json_dumps(m.root, 0);
    assert_string_equal(before, after);
    assert_null(m.pending_warnings);
    free(before);
    free(after);
    m31ri_metadata_release(&m);
}

static void test_metadata__a11_save_replaces_a_planted_link_and_keeps_its_target(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metadata m = make_metadata();
    scratch_put(d.fd, "victim", "safe");
    assert_int_equal(symlinkat("victim", d.fd, "metadata.json"), 0);
    assert_int_equal(symlinkat("victim", d.fd, "metadata.json.tmp"), 0);
    assert_int_equal(m31ri_metadata_save(&m, &d, true, NULL), M31R_OK);
    assert_false(m.is_dirty);
    assert_string_equal(scratch_text(d.fd, "victim"), "safe");
    json_t *root = json_loads(scratch_text(d.fd, "metadata.json"), JSON_REJECT_DUPLICATES, NULL);
    assert_true(json_equal(root, m.root));
    json_decref(root);
    m31ri_metadata_release(&m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_metadata__unchanged_is_not_written_again(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metadata m = make_metadata();
    struct stat first;
    struct stat second;
    assert_int_equal(m31ri_metadata_save(&m, &d, false, NULL), M31R_OK);
    assert_int_equal(fstatat(d.fd, "metadata.json", &first, 0), 0);
    assert_int_equal(m31ri_metadata_save(&m, &d, false, NULL), M31R_OK);
    assert_int_equal(fstatat(d.fd, "metadata.json", &second, 0), 0);
    assert_true(first.st_ino == second.st_ino && first.st_mtim.tv_nsec == second.st_mtim.tv_nsec);
    assert_true(m.is_unsynced);
    assert_int_equal(m31ri_metadata_save(&m, &d, true, NULL), M31R_OK);
    assert_false(m.is_unsynced);
    m31ri_metadata_release(&m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_notices__eight_killed_processes_lose_no_acknowledged_line(void **state)
{
    (void)state;
    enum { PROCESSES = 8 };
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    int acks[2];
    assert_int_equal(pipe(acks), 0);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (;;) {
                json_t *lost = json_pack("{s:s,s:s,s:s,s:i}", "kind", "lost", "what", "records",
                                         "reason", "x", "count", 1);
                if (m31ri_notice_add(&d, lost, NULL) != M31R_OK || write(acks[1], "a", 1) != 1) {
                    _exit(1);
                }
            }
        }
    }
    close(acks[1]);
    usleep(300 * 1000);
    for (int i = 0; i < PROCESSES; i++) {
        usleep(1000);
        kill(children[i], SIGKILL);
    }
    long n_acknowledged = 0;
    char block[4096];
    for (ssize_t n; (n = read(acks[0], block, sizeof block)) > 0;) {
        n_acknowledged += n;
    }
    for (int i = 0; i < PROCESSES; i++) {
        waitpid(children[i], NULL, 0);
    }
    close(acks[0]);
    m31ri_metadata m = make_metadata();
    uint64_t offset = 0;
    int n_folded = 0;
    assert_int_equal(m31ri_notices_fold(&d, &offset, &m, &n_folded, NULL), M31R_OK);
    long n_counted = (long)json_integer_value(m31ri_metadata_get(&m, "lost.records"));
    assert_int_equal(n_counted, n_folded);
    assert_true(n_counted >= n_acknowledged && n_counted <= n_acknowledged + PROCESSES);
    assert_int_equal(json_integer_value(m31ri_metadata_get(&m, "unknown_notices")), 0);
    m31ri_metadata_release(&m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_notices__are_folded_once_and_unknown_ones_counted(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metadata m = make_metadata();
    uint64_t offset = 0;
    int n = -1;
    assert_int_equal(m31ri_notices_fold(&d, &offset, &m, &n, NULL), M31R_OK);
    assert_int_equal(n, 0);
    m31ri_notice_add(&d, json_pack("{s:s,s:s}", "kind", "critical", "msg", "x"), NULL);
    m31ri_notice_add(&d, json_pack("{s:s}", "kind", "from the future"), NULL);
    int fd = m31ri_open(d.live_fd, "notices", O_WRONLY | O_APPEND, 0);
    assert_int_equal(write(fd, "not json\n{\"kind\":\"cri", 22), 22);
    close(fd);
    assert_int_equal(m31ri_notices_fold(&d, &offset, &m, &n, NULL), M31R_OK);
    assert_int_equal(n, 3);
    assert_int_equal(json_integer_value(m31ri_metadata_get(&m, "unknown_notices")), 2);
    m31ri_notice_add(&d, json_pack("{s:s,s:s}", "kind", "metric", "name", "loss"), NULL);
    assert_int_equal(m31ri_notices_fold(&d, &offset, &m, &n, NULL), M31R_OK);
    assert_int_equal(n, 1);
    assert_int_equal(json_integer_value(m31ri_metadata_get(&m, "unknown_notices")), 2);
    m31ri_metadata_release(&m);
    m31ri_run_dir_end(&d, NULL);
    m31r_error e;
    assert_int_equal(m31ri_notice_add(&d, json_pack("{s:s}", "kind", "late"), &e), M31R_E_CLOSED);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_notices__too_long_ones_are_refused_and_skipped(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_metadata m = make_metadata();
    m31ri_buf text = M31RI_BUF_INIT;
    for (int i = 0; i < 100000; i++) {
        m31ri_buf_add_str(&text, "xxxxxxx");
    }
    json_t *notice = json_pack("{s:s,s:s}", "kind", "critical", "msg", text.data);
    assert_int_equal(m31ri_notice_add(&d, notice, NULL), M31R_E_LIMIT);
    int fd = m31ri_open(d.live_fd, "notices", O_WRONLY | O_APPEND | O_CREAT, 0666);
    assert_int_equal(write(fd, text.data, text.length), (ssize_t)text.length);
    assert_int_equal(write(fd, "\n", 1), 1);
    close(fd);
    m31ri_notice_add(&d, json_pack("{s:s,s:s}", "kind", "critical", "msg", "x"), NULL);
    uint64_t offset = 0;
    assert_int_equal(m31ri_notices_fold(&d, &offset, &m, NULL, NULL), M31R_OK);
    assert_true(m.is_critical);
    assert_true(json_integer_value(m31ri_metadata_get(&m, "unknown_notices")) >= 1);
    m31ri_buf_release(&text);
    m31ri_metadata_release(&m);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_metadata__every_failed_allocation_is_survived(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    for (int n = 1; n < 25; n++) {
        m31ri_metadata m = make_metadata();
        uint64_t offset = 0;
        m31ri_metadata_set(&m, "seed", json_integer(1));
        m31ri_alloc_fail_at(n, 0);
        m31r_err added =
            m31ri_notice_add(&d, json_pack("{s:s,s:s}", "kind", "critical", "msg", "x"), NULL);
        fold(&m, "{\"kind\":\"identity\",\"key\":\"seed\",\"value\":\"2\"}");
        m31r_err folded = m31ri_notices_fold(&d, &offset, &m, NULL, NULL);
        m31r_err saved = m31ri_metadata_save(&m, &d, false, NULL);
        m31ri_alloc_fail_at(0, 0);
        assert_true(added == M31R_OK || added == M31R_E_NOMEM);
        assert_true(folded == M31R_OK || folded == M31R_E_NOMEM);
        assert_true(saved == M31R_OK);
        assert_int_equal(json_integer_value(m31ri_metadata_get(&m, "seed")), 2);
        m31ri_metadata_release(&m);
    }
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static json_int_t lane_count(m31ri_metadata *m, const char *key)
{
    const json_t *lane = json_array_get(m31ri_metadata_get(m, "lanes"), 0);
    return json_integer_value(json_object_get(lane, key));
}

/* One process after the other, one that comes again, a ring of a dead one (told twice), and the
 * first once more. */
static void test_metadata__a_lane_counts_what_all_its_writers_wrote(void **state)
{
    (void)state;
    static const struct {
        const char *notice;
        json_int_t records, lost;
    } steps[] = {
        {"{\"records\":3,\"lost\":0,\"state\":\"open\",\"pid\":7,", 3, 0},
        {"{\"records\":0,\"lost\":0,\"state\":\"open\",\"pid\":8,", 3, 0},
        {"{\"records\":10,\"lost\":2,\"state\":\"closed\",\"pid\":8,", 13, 2},
        {"{\"records\":0,\"lost\":0,\"state\":\"open\",\"pid\":8,", 13, 2},
        {"{\"records\":5,\"lost\":1,\"state\":\"open\",\"pid\":8,", 18, 3},
        {"{\"records\":100,\"lost\":0,\"adds\":true,\"ring\":\"ring.9.1\",\"pid\":9,", 118, 3},
        {"{\"records\":100,\"lost\":0,\"adds\":true,\"ring\":\"ring.9.1\",\"pid\":9,", 118, 3},
        {"{\"records\":7,\"lost\":0,\"state\":\"closed\",\"pid\":7,", 122, 3},
    };
    m31ri_metadata m;
    assert_int_equal(m31ri_metadata_init(&m, NULL), M31R_OK);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        char line[256];
        snprintf(line, sizeof line, "%s\"kind\":\"lane\",\"file\":\"train.log\"}", steps[i].notice);
        assert_true(fold(&m, line));
        assert_int_equal(lane_count(&m, "records"), steps[i].records);
        assert_int_equal(lane_count(&m, "lost"), steps[i].lost);
    }
    m31ri_metadata_release(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metadata__a_lane_counts_what_all_its_writers_wrote),
        cmocka_unit_test(test_metadata__keys_stand_in_their_order_also_after_set),
        cmocka_unit_test(test_metadata__set_without_a_parent_is_refused),
        cmocka_unit_test(test_metadata__programs_value_wins_over_a_declared_one_with_a_warning),
        cmocka_unit_test(test_metadata__artifacts_lanes_metrics_and_losses_are_folded),
        cmocka_unit_test(test_metadata__notices_of_a_wrong_shape_change_nothing),
        cmocka_unit_test(test_metadata__a11_save_replaces_a_planted_link_and_keeps_its_target),
        cmocka_unit_test(test_metadata__unchanged_is_not_written_again),
        cmocka_unit_test(test_notices__eight_killed_processes_lose_no_acknowledged_line),
        cmocka_unit_test(test_notices__are_folded_once_and_unknown_ones_counted),
        cmocka_unit_test(test_notices__too_long_ones_are_refused_and_skipped),
        cmocka_unit_test(test_metadata__every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
