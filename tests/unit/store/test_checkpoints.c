/* blocks.jsonl while a run is live, and the chain of seals. */
#include "scratch.h"

#include "base/alloc.h"
#include "format/seal.h"
#include "store/checkpoints.h"
#include "store/manifest.h"

static const uint8_t digest[32] = {7};
static atomic_bool go_on;

static m31ri_run_dir make_run(scratch *s)
{
    char root[128];
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    snprintf(root, sizeof root, "%s/experiments", s->path);
    assert_int_equal(m31ri_run_dir_create(root, 0, digest, &d, NULL), M31R_OK);
    scratch_put(d.fd, "metadata.json", "{}\n");
    return d;
}

/* Lines `from` to `to` - 1 behind what the file holds. */
static void append(const m31ri_run_dir *d, const char *name, int from, int to)
{
    int fd = m31ri_open(d->fd, name, O_WRONLY | O_CREAT | O_APPEND, 0644);
    FILE *f = fdopen(fd, "a");
    assert_non_null(f);
    for (int i = from; i < to; i++) {
        fprintf(f, "{\"line\":%d,\"text\":\"of a length that is not always %.*s\"}\n", i, i % 9,
                "the same.");
    }
    assert_int_equal(fclose(f), 0);
}

static int n_listed(const m31ri_run_dir *d)
{
    int n = 0;
    for (const char *at = scratch_text(d->fd, "blocks.jsonl"); *at != '\0'; at++) {
        n += *at == '\n';
    }
    return n;
}

static void pass(const m31ri_run_dir *d)
{
    m31ri_checkpoints *c = NULL;
    assert_int_equal(m31ri_checkpoints_open(d->fd, &c, NULL), M31R_OK);
    m31ri_checkpoints_pass(c, &go_on);
    m31ri_checkpoints_close(c);
}

/* Seals the run; what reader_min.py says of it: its exit status. */
static int seal(const m31ri_run_dir *d)
{
    char command[512];
    assert_int_equal(m31ri_manifest_write(d, NULL), M31R_OK);
    snprintf(command, sizeof command, "python3 %s/tools/reader_min.py --seal %s >/dev/null",
             M31R_SOURCE_DIR, d->path);
    return WEXITSTATUS(system(command));
}

static void release(m31ri_run_dir *d, scratch *s)
{
    m31ri_run_dir_release(d);
    scratch_remove(s);
}

static void test_checkpoints__blocks_are_listed_when_they_are_whole(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_checkpoints *c = NULL;
    append(&d, "train.log", 0, 500);
    assert_int_equal(m31ri_checkpoints_open(d.fd, &c, NULL), M31R_OK);
    assert_false(m31ri_checkpoints_are_due(c));
    append(&d, "train.log", 500, 5000);
    append(&d, "metrics.csv", 0, 2500);
    assert_true(m31ri_checkpoints_are_due(c));
    m31ri_checkpoints_pass(c, &go_on);
    assert_false(m31ri_checkpoints_are_due(c));
    m31ri_checkpoints_close(c);
    int n = n_listed(&d);
    assert_in_range(n, 5, 7);
    append(&d, "train.log", 5000, 9000);
    pass(&d); /* another process: it goes on where the list ends */
    assert_true(n_listed(&d) > n);
    assert_int_equal(seal(&d), 0);
    release(&d, &s);
}

static void test_checkpoints__a_rotated_lane_keeps_its_parts(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    append(&d, "train.log", 0, 4000);
    pass(&d);
    append(&d, "train.log", 4000, 4500);
    assert_int_equal(renameat(d.fd, "train.log", d.fd, "train.000001.20261123T102651Z.log"), 0);
    append(&d, "train.log", 0, 3000);
    pass(&d);
    assert_int_equal(seal(&d), 0);
    release(&d, &s);
}

static void test_checkpoints__a_log_cut_and_written_on_is_seen(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    append(&d, "train.log", 0, 4000);
    pass(&d);
    int fd = m31ri_open(d.fd, "train.log", O_WRONLY, 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    close(fd);
    append(&d, "train.log", 100, 6000);
    pass(&d);
    assert_int_equal(seal(&d), 1);
    assert_non_null(strstr(scratch_text(d.fd, "manifest.json"), "\"changed_while_live\":"));
    release(&d, &s);
}

static void test_checkpoints__a_torn_line_of_the_list_goes(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    append(&d, "train.log", 0, 4000);
    pass(&d);
    int fd = m31ri_open(d.fd, "blocks.jsonl", O_WRONLY | O_APPEND, 0);
    assert_int_equal(write(fd, "{\"file\":\"tr", 11), 11);
    close(fd);
    append(&d, "train.log", 4000, 8000);
    pass(&d);
    assert_int_equal(seal(&d), 0);
    release(&d, &s);
}

static void test_checkpoints__nothing_is_written_through_a_link(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    scratch_put(s.dir, "outside", "not ours\n");
    scratch_put(s.dir, "linked", "not ours\n");
    char path[128];
    snprintf(path, sizeof path, "%s/outside", s.path);
    int root = m31ri_open_dir(d.fd, "..", false);
    assert_int_equal(symlinkat(path, root, ".seals.jsonl"), 0);
    append(&d, "train.log", 0, 4000);
    assert_int_equal(linkat(s.dir, "linked", d.fd, "blocks.jsonl", 0), 0);
    pass(&d);
    assert_string_equal(scratch_text(s.dir, "linked"), "not ours\n");
    assert_int_equal(unlinkat(d.fd, "blocks.jsonl", 0), 0);
    assert_int_equal(symlinkat(path, d.fd, "blocks.jsonl"), 0);
    pass(&d);
    assert_int_equal(m31ri_manifest_write(&d, NULL), M31R_OK);
    assert_string_equal(scratch_text(s.dir, "outside"), "not ours\n");
    struct stat st;
    assert_int_equal(fstatat(s.dir, "outside", &st, 0), 0);
    assert_true((st.st_mode & 0200) != 0);
    close(root);
    release(&d, &s);
}

#define N_PROCESSES 8

static void test_seal_chain__runs_that_end_at_once_name_one_another(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir runs[N_PROCESSES];
    pid_t children[N_PROCESSES];
    for (int i = 0; i < N_PROCESSES; i++) {
        runs[i] = make_run(&s);
    }
    for (int i = 0; i < N_PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            _exit(m31ri_manifest_write(&runs[i], NULL) == M31R_OK ? 0 : 1);
        }
    }
    for (int i = 0; i < N_PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    int root = m31ri_open_dir(s.dir, "experiments", false);
    const char *at = scratch_text(root, ".seals.jsonl");
    char before[65] = "";
    int n = 0;
    for (const char *lf; (lf = strchr(at, '\n')) != NULL; at = lf + 1, n++) {
        m31ri_seal one;
        assert_true(m31ri_seal_read(at, (size_t)(lf - at), &one) && m31ri_seal_holds(&one));
        assert_string_equal(one.previous_seal, before);
        snprintf(before, sizeof before, "%s", one.digest);
    }
    assert_int_equal(n, N_PROCESSES);
    close(root);
    for (int i = 0; i < N_PROCESSES; i++) {
        m31ri_run_dir_release(&runs[i]);
    }
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_checkpoints__blocks_are_listed_when_they_are_whole),
        cmocka_unit_test(test_checkpoints__a_rotated_lane_keeps_its_parts),
        cmocka_unit_test(test_checkpoints__a_log_cut_and_written_on_is_seen),
        cmocka_unit_test(test_checkpoints__a_torn_line_of_the_list_goes),
        cmocka_unit_test(test_checkpoints__nothing_is_written_through_a_link),
        cmocka_unit_test(test_seal_chain__runs_that_end_at_once_name_one_another),
    };
    return cmocka_run_group_tests_name("checkpoints", tests, NULL, NULL);
}
