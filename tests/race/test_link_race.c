/* Someone exchanges the files and directories of a run for links that lead out of it, again and
 * again, while the run is written and sealed: nothing outside is written, made, removed or made
 * read-only. What is written into the run meanwhile may fail. M31R_SOAK=1: 10,000 rounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_file.h"
#include "store/manifest.h"
#include "store/run_dir.h"

#define VICTIM "belongs to somebody else\n"

static const char *const names[] = {"checkpoints",   "train.log",    "metrics.csv",
                                    "metadata.json", "blocks.jsonl", "manifest.json"};
#define NAMES (sizeof names / sizeof *names)

typedef struct attack {
    int run;
    char outside[256];
    atomic_bool is_over;
    atomic_ulong n;
} attack;

static void put_outside(const attack *a, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", a->outside, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, VICTIM, strlen(VICTIM)), (ssize_t)strlen(VICTIM));
    assert_int_equal(fchmod(fd, 0640), 0);
    close(fd);
}

/* A name becomes a link to what is outside, and again what it was. */
static void exchange(attack *a, const char *name)
{
    char aside[64], target[512];
    bool is_directory = strcmp(name, "checkpoints") == 0;
    snprintf(aside, sizeof aside, ".aside-%s", name);
    snprintf(target, sizeof target, "%s%s%s", a->outside, is_directory ? "" : "/",
             is_directory ? "" : name);
    renameat(a->run, name, a->run, aside);
    a->n += symlinkat(target, a->run, name) == 0;
    sched_yield();
    unlinkat(a->run, name, 0);
    renameat(a->run, aside, a->run, name);
}

static void *go_on_exchanging(void *context)
{
    attack *a = context;
    for (size_t i = 0; !atomic_load(&a->is_over); i++) {
        exchange(a, names[(i * 7 + i / 5) % NAMES]);
    }
    return NULL;
}

/* Outside is what was put there. */
static void assert_untouched(const attack *a)
{
    size_t n = 0;
    DIR *dir = opendir(a->outside);
    assert_non_null(dir);
    for (struct dirent *one = readdir(dir); one != NULL; one = readdir(dir)) {
        struct stat st;
        char text[sizeof VICTIM + 8] = "";
        if (one->d_name[0] == '.') {
            continue;
        }
        n++;
        int fd = openat(dirfd(dir), one->d_name, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, text, sizeof text - 1), (ssize_t)strlen(VICTIM));
        assert_string_equal(text, VICTIM);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        close(fd);
    }
    closedir(dir);
    assert_int_equal(n, NAMES);
}

/* What a run does to its files while it lives and when it ends. */
static void write_once(const m31ri_run_dir *d)
{
    static const char line[] = "{\"ts\":\"2026-11-24T00:00:00.000000Z\"}\n";
    size_t written;
    for (size_t i = 1; i < NAMES - 1; i++) {
        int fd = m31ri_open(d->fd, names[i], O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (fd >= 0) {
            m31ri_write_all(fd, line, sizeof line - 1, &written);
            close(fd);
        }
    }
    int folder = m31ri_open_dir(d->fd, "checkpoints", false);
    if (folder >= 0) {
        m31ri_replace_file(folder, "a.bin", line, sizeof line - 1, false, NULL);
        close(folder);
    }
    m31ri_replace_file(d->fd, "metadata.json", "{}\n", 3, false, NULL);
    m31ri_manifest_write(d, NULL);
}

static void test_link_race__nothing_outside_of_the_run_is_touched(void **state)
{
    (void)state;
    static const uint8_t digest[32] = {5};
    static attack a;
    pthread_t thread;
    char root[] = "/tmp/m31r-links-XXXXXX", runs[64], command[128];
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    int rounds = getenv("M31R_SOAK") != NULL ? 10000 : 150;
    assert_non_null(mkdtemp(root));
    snprintf(runs, sizeof runs, "%s/experiments", root);
    snprintf(a.outside, sizeof a.outside, "%s/outside", root);
    assert_int_equal(mkdir(a.outside, 0750), 0);
    for (size_t i = 0; i < NAMES; i++) {
        put_outside(&a, names[i]);
    }
    assert_int_equal(m31ri_run_dir_create(runs, 0, digest, &d, NULL), M31R_OK);
    a.run = d.fd;
    assert_int_equal(pthread_create(&thread, NULL, go_on_exchanging, &a), 0);
    for (int i = 0; i < rounds; i++) {
        for (size_t k = 0; i % 100 == 99 && k < NAMES; k++) { /* what grows makes rounds slow */
            unlinkat(d.fd, names[k], 0);
        }
        write_once(&d);
    }
    atomic_store(&a.is_over, true);
    pthread_join(thread, NULL);
    assert_untouched(&a);
    assert_true(atomic_load(&a.n) > (unsigned long)rounds);
    m31ri_run_dir_release(&d);
    snprintf(command, sizeof command, "chmod -R u+rwX %s && rm -rf %s", root, root);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_link_race__nothing_outside_of_the_run_is_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
