/* The manifest against sha256sum and against the seal computed from docs/FORMAT.md by
 * tools/reader_min.py. */
#include "scratch.h"

#include <jansson.h>

#include "base/alloc.h"
#include "store/manifest.h"
#include "format/merkle.h"
#include "store/segment.h"

static const uint8_t digest[32] = {3};

static m31ri_run_dir make_run(scratch *s)
{
    char root[128];
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    snprintf(root, sizeof root, "%s/experiments", s->path);
    assert_int_equal(m31ri_run_dir_create(root, 0, digest, &d, NULL), M31R_OK);
    return d;
}

/* A log of about `size` bytes whose lines have uneven lengths, some longer than a block. */
static void put_log(const m31ri_run_dir *d, const char *name, size_t size, size_t longest)
{
    m31ri_buf text = M31RI_BUF_INIT;
    uint32_t r = 12345;
    while (text.length < size) {
        r = r * 1664525u + 1013904223u;
        for (size_t i = (r >> 8) % longest; i > 0; i--) {
            m31ri_buf_add_char(&text, (char)('a' + i % 26));
        }
        m31ri_buf_add_char(&text, '\n');
    }
    assert_int_equal(m31ri_create_file(d->fd, name, m31ri_buf_str(&text), text.length, NULL),
                     M31R_OK);
    m31ri_buf_release(&text);
}

static m31ri_run_dir make_full_run(scratch *s)
{
    m31ri_run_dir d = make_run(s);
    put_log(&d, "train.log", 3000000, 300);
    put_log(&d, "train.observer.log", 70000, 100);
    put_log(&d, "train.000001.20261123T102651Z.log", 2500000, 300);
    assert_int_equal(m31ri_segment_compress(d.fd, "train.000001.20261123T102651Z.log", NULL, NULL),
                     M31R_OK);
    scratch_put(d.fd, "train.000002.20261123T102651Z.log.zst", "damaged");
    put_log(&d, "train.stdout.log", 900000, 200000);
    put_log(&d, "metrics.csv", 65000, 60);
    scratch_put(d.fd, "empty.log", "");
    scratch_put(d.fd, "short.log", "no newline at the end");
    scratch_put(d.fd, "metadata.json", "{}\n");
    scratch_put(d.fd, "notes.jsonl", "later\n");
    scratch_put(d.fd, "results.txt", "mine\n");
    int dir = m31ri_open_dir(d.fd, "checkpoints", false);
    scratch_put(dir, "step_1.bin", "weights");
    scratch_put(dir, "odd \"name\"\n", "x");
    assert_int_equal(symlinkat("step_1.bin", dir, "latest"), 0);
    assert_int_equal(mkdirat(dir, "deep", 0777), 0);
    assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
    close(dir);
    dir = m31ri_open_dir(d.fd, "checkpoints/deep", false);
    scratch_put(dir, "train.log", "a payload for all its name\n");
    close(dir);
    return d;
}

static void test_manifest__agrees_with_a_computation_from_its_definition(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_full_run(&s);
    assert_int_equal(m31ri_manifest_write(&d, NULL), M31R_OK);
    char command[512];
    snprintf(command, sizeof command, "python3 %s/tools/reader_min.py --seal %s", M31R_SOURCE_DIR,
             d.path);
    assert_int_equal(system(command), 0);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_manifest__digest_is_that_of_sha256sum_and_classes_are_told(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_full_run(&s);
    assert_int_equal(m31ri_manifest_write(&d, NULL), M31R_OK);
    char command[512];
    snprintf(command, sizeof command, "sha256sum < %s/train.log", d.path);
    FILE *pipe_in = popen(command, "r");
    char hex[65] = {0};
    assert_non_null(fgets(hex, sizeof hex, pipe_in));
    pclose(pipe_in);
    json_t *root = json_loads(scratch_text(d.fd, "manifest.json"), JSON_REJECT_DUPLICATES, NULL);
    size_t i;
    json_t *file;
    int n_seen = 0;
    json_array_foreach(json_object_get(root, "files"), i, file)
    {
        const char *path = json_string_value(json_object_get(file, "path"));
        const char *class = json_string_value(json_object_get(file, "class"));
        bool is_payload =
            strncmp(path, "checkpoints/", 12) == 0 || strcmp(path, "results.txt") == 0;
        assert_string_equal(class, is_payload ? "payload" : "record");
        if (strcmp(path, "train.log") == 0) {
            assert_string_equal(json_string_value(json_object_get(file, "sha256")), hex);
            n_seen++;
        }
        if (strcmp(path, "checkpoints/latest") == 0) {
            assert_string_equal(json_string_value(json_object_get(file, "target")), "step_1.bin");
            n_seen++;
        }
        bool has_no_lines = is_payload || strcmp(path, "metadata.json") == 0 ||
                            strcmp(path, "blocks.jsonl") == 0 ||
                            strcmp(path, "train.000002.20261123T102651Z.log.zst") == 0;
        assert_true(has_no_lines == (json_object_get(file, "merkle") == NULL));
    }
    assert_int_equal(n_seen, 2);
    json_decref(root);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_manifest__record_files_become_read_only_and_payloads_stay(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_full_run(&s);
    assert_int_equal(fchmodat(d.fd, "train.log", 0600, 0), 0);
    assert_int_equal(m31ri_manifest_write(&d, NULL), M31R_OK);
    struct stat st;
    assert_int_equal(fstatat(d.fd, "train.log", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0400); /* never more readable than it was */
    assert_int_equal(fstatat(d.fd, "metadata.json", &st, 0), 0);
    assert_int_equal(st.st_mode & 0222, 0);
    assert_int_equal(fstatat(d.fd, "checkpoints/step_1.bin", &st, 0), 0);
    assert_true((st.st_mode & 0200) != 0);
    assert_int_equal(m31ri_manifest_write(&d, NULL), M31R_OK); /* and may be made again */
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_manifest__any_changed_byte_changes_the_root(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_full_run(&s);
    char roots[2][80];
    for (int round = 0; round < 2; round++) {
        assert_int_equal(m31ri_manifest_write(&d, NULL), M31R_OK);
        json_t *root = json_loads(scratch_text(d.fd, "manifest.json"), 0, NULL);
        snprintf(roots[round], sizeof roots[round], "%s",
                 json_string_value(json_object_get(root, "root")));
        json_decref(root);
        assert_int_equal(fchmodat(d.fd, "train.log", 0600, 0), 0);
        int fd = m31ri_open(d.fd, "train.log", O_WRONLY, 0);
        assert_int_equal(pwrite(fd, "Z", 1, 1234567), 1);
        close(fd);
    }
    assert_string_not_equal(roots[0], roots[1]);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_merkle__matches_the_definition_for_every_small_number_of_leaves(void **state)
{
    (void)state;
    static uint8_t leaves[70][M31RI_SHA256_BYTES];
    for (int n = 0; n < 70; n++) {
        m31ri_merkle m = M31RI_MERKLE_INIT;
        m31ri_sha256_of(&n, sizeof n, leaves[n]);
        for (int i = 0; i <= n; i++) {
            m31ri_merkle_add_digest(&m, leaves[i]);
        }
        /* Level by level, an odd last one carried up: the same tree. */
        uint8_t level[70][M31RI_SHA256_BYTES];
        memcpy(level, leaves, sizeof level);
        for (int size = n + 1; size > 1; size = (size + 1) / 2) {
            for (int i = 0; i < size; i += 2) {
                uint8_t pair[1 + 2 * M31RI_SHA256_BYTES] = {1};
                memcpy(pair + 1, level[i], M31RI_SHA256_BYTES);
                memcpy(pair + 33, level[i + 1 < size ? i + 1 : i], M31RI_SHA256_BYTES);
                if (i + 1 < size) {
                    m31ri_sha256_of(pair, sizeof pair, level[i / 2]);
                } else {
                    memmove(level[i / 2], level[i], M31RI_SHA256_BYTES);
                }
            }
        }
        uint8_t root[M31RI_SHA256_BYTES];
        m31ri_merkle_root(&m, root);
        assert_memory_equal(root, level[0], sizeof root);
    }
}

static void test_manifest__every_failed_allocation_leaves_no_manifest(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    scratch_put(d.fd, "train.log", "line\n");
    scratch_put(d.fd, "metadata.json", "{}\n");
    bool done = false;
    for (int n = 1; !done; n++) {
        assert_true(n < 200);
        m31ri_alloc_fail_at(n, 0);
        m31r_err err = m31ri_manifest_write(&d, NULL);
        m31ri_alloc_fail_at(0, 0);
        done = err == M31R_OK;
        assert_true(done || err == M31R_E_NOMEM);
        assert_int_equal(faccessat(d.fd, "manifest.json", F_OK, 0), done ? 0 : -1);
    }
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest__agrees_with_a_computation_from_its_definition),
        cmocka_unit_test(test_manifest__digest_is_that_of_sha256sum_and_classes_are_told),
        cmocka_unit_test(test_manifest__record_files_become_read_only_and_payloads_stay),
        cmocka_unit_test(test_manifest__any_changed_byte_changes_the_root),
        cmocka_unit_test(test_merkle__matches_the_definition_for_every_small_number_of_leaves),
        cmocka_unit_test(test_manifest__every_failed_allocation_leaves_no_manifest),
    };
    return cmocka_run_group_tests_name("manifest", tests, NULL, NULL);
}
