/* The run directory: made once whoever races, joined while it lives, left alone when it has ended.
 */
#include "scratch.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/os_dir.h"
#include "store/run_dir.h"

#define WALL_NS (1763893611LL * 1000000000LL)
#define NOBODY 65534

static const uint8_t digest[32] = {0x9f, 0x3c, 0x01, 0x02};

static char *root_of(const scratch *s)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/experiments", s->path);
    return path;
}

static m31ri_run_dir make_run(scratch *s)
{
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    m31r_error e = {0};
    m31r_err err = m31ri_run_dir_create(root_of(s), WALL_NS, digest, &d, &e);
    if (err != M31R_OK) {
        print_error("%s\n", e.message);
    }
    assert_int_equal(err, M31R_OK);
    return d;
}

static void test_run_dir__new_run_has_its_parts_and_a_locked_owner(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    assert_true(d.is_owner && d.fd >= 3 && d.live_fd >= 3 && d.lock_fd >= 3);
    assert_int_equal(faccessat(d.fd, "checkpoints", W_OK, 0), 0);
    assert_true(d.path[0] == '/');
    assert_non_null(strstr(d.path, d.run_id));
    json_t *owner = json_loads(scratch_text(d.live_fd, "owner"), 0, NULL);
    assert_int_equal(json_integer_value(json_object_get(owner, "pid")), getpid());
    assert_string_equal(json_string_value(json_object_get(owner, "run_id")), d.run_id);
    json_decref(owner);
    int fd = m31ri_open(d.live_fd, "owner", O_RDWR, 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    close(fd);
    assert_false(m31ri_run_dir_has_others(&d, NULL));
    assert_int_equal(m31ri_run_dir_end(&d, NULL), M31R_OK);
    m31ri_run_dir_release(&d);
    assert_int_equal(d.fd, -1);
    scratch_remove(&s);
}

static void test_run_dir__a10_existing_directory_is_never_touched(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir first = make_run(&s);
    m31ri_run_dir second = make_run(&s);
    m31ri_run_dir third = make_run(&s);
    size_t length = strlen(first.run_id);
    assert_memory_equal(second.run_id, first.run_id, length);
    assert_string_equal(second.run_id + length, "-2");
    assert_string_equal(third.run_id + length, "-3");
    m31ri_run_dir_release(&first);
    m31ri_run_dir_release(&second);
    m31ri_run_dir_release(&third);
    scratch_remove(&s);
}

static void test_run_dir__thousand_taken_names_are_a_limit(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(mkdirat(s.dir, "experiments", 0777), 0);
    for (unsigned i = 1; i <= 1000; i++) {
        char path[256];
        char id[M31RI_RUN_ID_BYTES];
        m31ri_run_id_write(WALL_NS, digest, i, id);
        snprintf(path, sizeof path, "%s/%s", root_of(&s), id);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    m31r_error e;
    assert_int_equal(m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, &e), M31R_E_LIMIT);
    assert_int_equal(d.fd, -1);
    scratch_remove(&s);
}

static void test_run_dir__a01_root_that_is_a_symlink_is_resolved_once_and_pinned(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(mkdirat(s.dir, "big-disk", 0777), 0);
    assert_int_equal(mkdirat(s.dir, "evil", 0777), 0);
    assert_int_equal(symlinkat("big-disk", s.dir, "experiments"), 0);
    m31ri_run_dir d = make_run(&s);
    assert_non_null(strstr(d.path, "/big-disk/"));
    assert_int_equal(unlinkat(s.dir, "experiments", 0), 0);
    assert_int_equal(symlinkat("evil", s.dir, "experiments"), 0);
    scratch_put(d.fd, "train.log", "x\n");
    char path[256];
    snprintf(path, sizeof path, "%s/train.log", d.path);
    assert_int_equal(access(path, R_OK), 0);
    m31ri_run_dir_release(&d);
    assert_int_equal(unlinkat(s.dir, "evil", AT_REMOVEDIR), 0); /* still empty */
    scratch_remove(&s);
}

static void assert_root_refused(const char *root, int sys_errno)
{
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    m31r_error e;
    assert_int_equal(m31ri_run_dir_create(root, WALL_NS, digest, &d, &e), M31R_E_IO);
    assert_int_equal(e.code, M31R_E_IO);
    assert_int_equal(e.sys_errno, sys_errno);
    assert_non_null(strstr(e.message, strrchr(root, '/') + 1));
    assert_int_equal(d.fd, -1);
}

static void test_run_dir__a28_loop_and_too_long_paths_are_reported(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(symlinkat("experiments", s.dir, "experiments"), 0);
    assert_root_refused(root_of(&s), ELOOP);
    assert_int_equal(unlinkat(s.dir, "experiments", 0), 0);
    assert_int_equal(symlinkat("nowhere", s.dir, "experiments"), 0);
    assert_root_refused(root_of(&s), ENOENT);
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    char path[400];
    snprintf(path, sizeof path, "%s/%s", s.path, name);
    assert_root_refused(path, ENAMETOOLONG);
    scratch_remove(&s);
}

static void test_run_dir__root_that_is_a_file_is_reported(void **state)
{
    (void)state;
    scratch s = scratch_make();
    scratch_put(s.dir, "experiments", "");
    assert_root_refused(root_of(&s), ENOTDIR);
    scratch_remove(&s);
}

static void test_run_dir__root_without_the_right_to_write_names_the_directory(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(chmod(s.path, 0755), 0);
    assert_int_equal(mkdirat(s.dir, "experiments", 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) != 0) {
            _exit(1);
        }
        m31ri_run_dir d = M31RI_RUN_DIR_INIT;
        m31r_error e;
        bool refused = m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, &e) == M31R_E_IO &&
                       e.sys_errno == EACCES && strstr(e.message, root_of(&s)) != NULL &&
                       e.hint[0] != '\0';
        _exit(refused ? 0 : 1);
    }
    scratch_wait(child);
    scratch_remove(&s);
}

/* Needs the right to mount; without it the case above has to do. */
static void test_run_dir__read_only_and_full_file_systems_are_reported(void **state)
{
    (void)state;
    scratch s = scratch_make();
    assert_int_equal(mkdirat(s.dir, "experiments", 0777), 0);
    if (mount("none", root_of(&s), "tmpfs", MS_RDONLY, NULL) != 0) {
        scratch_remove(&s);
        skip();
    }
    assert_root_refused(root_of(&s), EROFS);
    assert_int_equal(umount(root_of(&s)), 0);
    assert_int_equal(mount("none", root_of(&s), "tmpfs", 0, "size=64k,nr_inodes=4"), 0);
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    m31r_error e;
    assert_int_equal(m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, &e), M31R_E_IO);
    assert_int_equal(e.sys_errno, ENOSPC);
    int dir = m31ri_open_dir(AT_FDCWD, root_of(&s), false);
    m31ri_dir_list list;
    assert_int_equal(m31ri_dir_list_fd(dir, &list, NULL), M31R_OK);
    assert_int_equal(list.n, 0); /* nothing half made stays */
    m31ri_dir_list_release(&list);
    close(dir);
    assert_int_equal(umount(root_of(&s)), 0);
    scratch_remove(&s);
}

static void test_run_dir__a20_descriptors_are_never_standard_ones(void **state)
{
    (void)state;
    scratch s = scratch_make();
    pid_t child = fork();
    if (child == 0) {
        close(0);
        close(1);
        close(2);
        m31ri_run_dir d = M31RI_RUN_DIR_INIT;
        m31r_err err = m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, NULL);
        _exit(err == M31R_OK && d.fd > 2 && d.live_fd > 2 && d.lock_fd > 2 ? 0 : 1);
    }
    scratch_wait(child);
    scratch_remove(&s);
}

static void test_run_dir__a27_no_free_descriptor_is_reported_and_leaves_nothing(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir probe = make_run(&s);
    m31ri_run_dir_release(&probe);
    for (int spare = 0; spare < 3; spare++) {
        pid_t child = fork();
        if (child == 0) {
            struct rlimit limit = {(rlim_t)(s.dir + 1 + spare), (rlim_t)(s.dir + 1 + spare)};
            setrlimit(RLIMIT_NOFILE, &limit);
            m31ri_run_dir d = M31RI_RUN_DIR_INIT;
            m31r_error e;
            m31r_err err = m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, &e);
            _exit(err == M31R_E_IO && e.sys_errno == EMFILE ? 0 : 1);
        }
        scratch_wait(child);
    }
    int dir = m31ri_open_dir(AT_FDCWD, root_of(&s), false);
    m31ri_dir_list list;
    assert_int_equal(m31ri_dir_list_fd(dir, &list, NULL), M31R_OK);
    assert_int_equal(list.n, 1);
    m31ri_dir_list_release(&list);
    close(dir);
    scratch_remove(&s);
}

static void test_run_dir__eight_processes_in_one_second_get_eight_ids(void **state)
{
    (void)state;
    enum { PROCESSES = 8, ROUNDS = 25 };
    scratch s = scratch_make();
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            int bad = 0;
            for (int r = 0; r < ROUNDS; r++) {
                m31ri_run_dir d = M31RI_RUN_DIR_INIT;
                char line[M31RI_RUN_ID_BYTES] = {0};
                bad += m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, NULL) != M31R_OK;
                snprintf(line, sizeof line, "%s", d.run_id);
                bad += write(pipes[1], line, sizeof line) != (ssize_t)sizeof line;
                m31ri_run_dir_release(&d);
            }
            _exit(bad != 0);
        }
    }
    close(pipes[1]);
    static char ids[PROCESSES * ROUNDS][M31RI_RUN_ID_BYTES];
    int n = 0;
    while (n < PROCESSES * ROUNDS && read(pipes[0], ids[n], sizeof ids[n]) == sizeof ids[n]) {
        for (int i = 0; i < n; i++) {
            assert_string_not_equal(ids[i], ids[n]);
        }
        n++;
    }
    assert_int_equal(n, PROCESSES * ROUNDS);
    close(pipes[0]);
    for (int i = 0; i < PROCESSES; i++) {
        scratch_wait(children[i]);
    }
    scratch_remove(&s);
}

/* Swaps whatever run appears for a link to `evil`, as fast as it can; ends with its parent. */
static void swap_for_ever(const scratch *s)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (unsigned n = 0;; n++) {
        char id[M31RI_RUN_ID_BYTES];
        char path[256];
        char aside[256];
        m31ri_run_id_write(WALL_NS, digest, 1, id);
        snprintf(path, sizeof path, "%s/%s", root_of(s), id);
        snprintf(aside, sizeof aside, "%s/aside-%u", s->path, n);
        if (rename(path, aside) == 0 && symlink("../evil", path) != 0) {
            continue;
        }
    }
}

static void test_run_dir__a09_directory_swapped_for_a_link_leads_nowhere(void **state)
{
    (void)state;
    /* 10,000 when asked for by M31R_TEST_LONG: each round has a chance, and they take a minute on a
     * busy machine. */
    const int rounds = getenv("M31R_TEST_LONG") != NULL ? 10000 : 500;
    scratch s = scratch_make();
    assert_int_equal(mkdirat(s.dir, "evil", 0777), 0);
    assert_int_equal(mkdirat(s.dir, "experiments", 0777), 0);
    pid_t attacker = fork();
    if (attacker == 0) {
        swap_for_ever(&s);
    }
    int dir = m31ri_open_dir(s.dir, "experiments", false);
    char id[M31RI_RUN_ID_BYTES];
    m31ri_run_id_write(WALL_NS, digest, 1, id);
    int n_refused = 0;
    for (int i = 0; i < rounds; i++) {
        m31ri_run_dir d = M31RI_RUN_DIR_INIT;
        n_refused += m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, NULL) != M31R_OK;
        if (d.fd >= 0) {
            unlinkat(d.fd, "checkpoints", AT_REMOVEDIR);
            m31ri_run_dir_end(&d, NULL);
        }
        if (unlinkat(dir, id, 0) != 0) {
            unlinkat(dir, id, AT_REMOVEDIR);
        }
        m31ri_run_dir_release(&d);
    }
    kill(attacker, SIGKILL);
    waitpid(attacker, NULL, 0);
    close(dir);
    print_message("%d rounds, %d refused, 0 escapes\n", rounds, n_refused);
    assert_int_equal(unlinkat(s.dir, "evil", AT_REMOVEDIR), 0); /* still empty */
    scratch_remove(&s);
}

static void test_run_dir__a26_second_process_joins_and_does_not_own(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    int ready[2];
    int go[2];
    assert_int_equal(pipe(ready) | pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        m31ri_run_dir j = M31RI_RUN_DIR_INIT;
        char c = 0;
        bool good = m31ri_run_dir_join(d.path, &j, NULL) == M31R_OK && !j.is_owner &&
                    strcmp(j.run_id, d.run_id) == 0 && m31ri_run_dir_has_others(&j, NULL);
        good = write(ready[1], "r", 1) == 1 && read(go[0], &c, 1) == 1 && good;
        m31ri_run_dir_release(&j);
        _exit(good ? 0 : 1);
    }
    char c;
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_true(m31ri_run_dir_has_others(&d, NULL));
    assert_int_equal(write(go[1], "g", 1), 1);
    scratch_wait(child);
    int n_abandoned = -1;
    assert_false(m31ri_run_dir_has_others(&d, &n_abandoned));
    assert_int_equal(n_abandoned, 0);
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    close(go[1]);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_run_dir__killed_joiner_is_abandoned_and_killed_owner_can_be_joined(void **state)
{
    (void)state;
    scratch s = scratch_make();
    char path[256];
    pid_t child = fork();
    if (child == 0) {
        m31ri_run_dir d = make_run(&s);
        m31ri_run_dir j = M31RI_RUN_DIR_INIT;
        m31ri_run_dir_join(d.path, &j, NULL);
        kill(getpid(), SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    char id[M31RI_RUN_ID_BYTES];
    m31ri_run_id_write(WALL_NS, digest, 1, id);
    snprintf(path, sizeof path, "%s/%s", root_of(&s), id);
    m31ri_run_dir j = M31RI_RUN_DIR_INIT;
    assert_int_equal(m31ri_run_dir_join(path, &j, NULL), M31R_OK);
    int n_abandoned = 0;
    assert_false(m31ri_run_dir_has_others(&j, &n_abandoned));
    assert_int_equal(n_abandoned, 2);
    m31ri_run_dir_release(&j);
    scratch_remove(&s);
}

static void test_run_dir__join_tells_ended_missing_and_foreign_apart(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_run_dir j = M31RI_RUN_DIR_INIT;
    char path[256];
    snprintf(path, sizeof path, "%s", d.path);
    scratch_put(d.fd, "metadata.json", "{}");
    assert_int_equal(m31ri_run_dir_shut(&d, NULL), M31R_OK);
    assert_int_equal(m31ri_run_dir_join(path, &j, NULL), M31R_E_CLOSED);
    assert_int_equal(m31ri_run_dir_end(&d, NULL), M31R_OK);
    m31ri_run_dir_release(&d);
    m31r_error e;
    assert_int_equal(m31ri_run_dir_join(path, &j, &e), M31R_E_CLOSED);
    assert_non_null(strstr(e.message, path));
    assert_int_equal(m31ri_run_dir_join("/tmp/m31r-no-such-run", &j, NULL), M31R_E_NOTFOUND);
    assert_int_equal(m31ri_run_dir_join(s.path, &j, NULL), M31R_E_ARG);
    assert_int_equal(m31ri_run_dir_join("/etc/passwd", &j, NULL), M31R_E_ARG);
    assert_int_equal(j.fd, -1);
    scratch_remove(&s);
}

static void test_run_dir__who_joined_before_the_shut_goes_on_and_is_seen(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    m31ri_run_dir j = M31RI_RUN_DIR_INIT;
    assert_int_equal(m31ri_run_dir_join(d.path, &j, NULL), M31R_OK);
    assert_int_equal(m31ri_run_dir_shut(&d, NULL), M31R_OK);
    assert_true(m31ri_run_dir_has_others(&d, NULL));
    m31ri_run_dir_release(&j);
    assert_false(m31ri_run_dir_has_others(&d, NULL));
    assert_int_equal(m31ri_run_dir_end(&d, NULL), M31R_OK);
    assert_int_equal(faccessat(d.fd, ".live.ending", F_OK, 0), -1);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

/* Joiners that come all the time, an owner that shuts: none may be in after the owner saw nobody.
 */
static void test_run_dir__no_joiner_slips_in_while_the_owner_ends(void **state)
{
    (void)state;
    scratch s = scratch_make();
    for (int round = 0; round < 40; round++) {
        m31ri_run_dir d = make_run(&s);
        scratch_put(d.fd, "metadata.json", "{}");
        pid_t child = fork();
        if (child == 0) {
            m31ri_run_dir j = M31RI_RUN_DIR_INIT;
            while (m31ri_run_dir_join(d.path, &j, NULL) == M31R_OK) {
                bool sealed = faccessat(j.fd, "sealed", F_OK, 0) == 0;
                m31ri_run_dir_release(&j);
                if (sealed) {
                    _exit(1);
                }
            }
            _exit(0);
        }
        usleep(200);
        assert_int_equal(m31ri_run_dir_shut(&d, NULL), M31R_OK);
        while (m31ri_run_dir_has_others(&d, NULL)) {
            usleep(100);
        }
        scratch_put(d.fd, "sealed", "");
        scratch_wait(child);
        assert_int_equal(m31ri_run_dir_end(&d, NULL), M31R_OK);
        m31ri_run_dir_release(&d);
    }
    scratch_remove(&s);
}

static void test_run_dir__forked_child_rejoins_and_the_parent_keeps_its_lock(void **state)
{
    (void)state;
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    pid_t child = fork();
    if (child == 0) {
        bool good = m31ri_run_dir_rejoin_after_fork(&d, NULL) == M31R_OK && !d.is_owner &&
                    m31ri_run_dir_has_others(&d, NULL); /* the parent */
        m31ri_run_dir_release(&d);
        _exit(good ? 0 : 1);
    }
    scratch_wait(child);
    child = fork();
    if (child == 0) {
        m31ri_run_dir_release(&d); /* without rejoining: closes its own only */
        _exit(0);
    }
    scratch_wait(child);
    int fd = m31ri_open(d.live_fd, "owner", O_RDWR, 0);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
    close(fd);
    assert_int_equal(m31ri_run_dir_end(&d, NULL), M31R_OK);
    child = fork();
    if (child == 0) {
        m31r_err err = m31ri_run_dir_rejoin_after_fork(&d, NULL);
        m31ri_run_dir_release(&d);
        _exit(err == M31R_E_CLOSED ? 0 : 1);
    }
    scratch_wait(child);
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

static void test_run_dir__every_failed_allocation_is_reported_and_leaves_nothing(void **state)
{
    (void)state;
    bool done = false;
    for (int n = 1; !done; n++) {
        assert_true(n < 60);
        scratch s = scratch_make();
        m31ri_run_dir d = M31RI_RUN_DIR_INIT;
        m31ri_alloc_fail_at(n, 0);
        m31r_err err = m31ri_run_dir_create(root_of(&s), WALL_NS, digest, &d, NULL);
        m31ri_alloc_fail_at(0, 0);
        done = err == M31R_OK;
        if (!done) {
            assert_int_equal(err, M31R_E_NOMEM);
            rmdir(root_of(&s));
            assert_int_equal(access(root_of(&s), F_OK), -1);
        }
        m31ri_run_dir_release(&d);
        scratch_remove(&s);
    }
    scratch s = scratch_make();
    m31ri_run_dir d = make_run(&s);
    done = false;
    for (int n = 1; !done; n++) {
        assert_true(n < 60);
        m31ri_run_dir j = M31RI_RUN_DIR_INIT;
        m31ri_alloc_fail_at(n, 0);
        m31r_err err = m31ri_run_dir_join(d.path, &j, NULL);
        m31ri_alloc_fail_at(0, 0);
        done = err == M31R_OK && n > 8;
        m31ri_run_dir_release(&j);
    }
    m31ri_run_dir_release(&d);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_dir__new_run_has_its_parts_and_a_locked_owner),
        cmocka_unit_test(test_run_dir__a10_existing_directory_is_never_touched),
        cmocka_unit_test(test_run_dir__thousand_taken_names_are_a_limit),
        cmocka_unit_test(test_run_dir__a01_root_that_is_a_symlink_is_resolved_once_and_pinned),
        cmocka_unit_test(test_run_dir__a28_loop_and_too_long_paths_are_reported),
        cmocka_unit_test(test_run_dir__root_that_is_a_file_is_reported),
        cmocka_unit_test(test_run_dir__root_without_the_right_to_write_names_the_directory),
        cmocka_unit_test(test_run_dir__read_only_and_full_file_systems_are_reported),
        cmocka_unit_test(test_run_dir__a20_descriptors_are_never_standard_ones),
        cmocka_unit_test(test_run_dir__a27_no_free_descriptor_is_reported_and_leaves_nothing),
        cmocka_unit_test(test_run_dir__eight_processes_in_one_second_get_eight_ids),
        cmocka_unit_test(test_run_dir__a09_directory_swapped_for_a_link_leads_nowhere),
        cmocka_unit_test(test_run_dir__a26_second_process_joins_and_does_not_own),
        cmocka_unit_test(test_run_dir__killed_joiner_is_abandoned_and_killed_owner_can_be_joined),
        cmocka_unit_test(test_run_dir__join_tells_ended_missing_and_foreign_apart),
        cmocka_unit_test(test_run_dir__who_joined_before_the_shut_goes_on_and_is_seen),
        cmocka_unit_test(test_run_dir__no_joiner_slips_in_while_the_owner_ends),
        cmocka_unit_test(test_run_dir__forked_child_rejoins_and_the_parent_keeps_its_lock),
        cmocka_unit_test(test_run_dir__every_failed_allocation_is_reported_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("run_dir", tests, NULL, NULL);
}
