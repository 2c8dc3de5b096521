/* scratch.h - a scratch folder with a config, and the options of a run in it; for the tests of
 * emit. */
#ifndef M31RI_TEST_SCRATCH_H
#define M31RI_TEST_SCRATCH_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/buf.h"
#include "base/os_file.h"
#include "drain/ring_settle.h"
#include "m31r/m31r.h"

typedef struct scratch {
    char path[64];
    char start[4096];
} scratch;

/* Makes a scratch folder with train.yaml and goes there; M31R_RUN_DIR and rank variables are unset.
 */
static inline int scratch_enter(void **state)
{
    static const char *const unset[] = {
        "M31R_RUN_DIR",         "RANK",      "SLURM_PROCID", "SLURM_JOB_ID",
        "OMPI_COMM_WORLD_RANK", "M31R_SEED", "MASTER_ADDR"};
    static const char config[] = "config_version: 1\nlr: 0.001\n";
    scratch *s = calloc(1, sizeof *s);
    assert_non_null(s);
    assert_non_null(getcwd(s->start, sizeof s->start));
    const char *below = getenv("TMPDIR"); /* another file system */
    snprintf(s->path, sizeof s->path, "%.40s/m31r-emit-XXXXXX", below != NULL ? below : "/tmp");
    assert_non_null(mkdtemp(s->path));
    assert_int_equal(chdir(s->path), 0);
    assert_int_equal(m31ri_create_file(AT_FDCWD, "train.yaml", config, sizeof config - 1, NULL),
                     M31R_OK);
    for (size_t i = 0; i < sizeof unset / sizeof *unset; i++) {
        unsetenv(unset[i]);
    }
    *state = s;
    return 0;
}

static inline int scratch_leave(void **state)
{
    scratch *s = *state;
    char command[192];
    unsetenv("M31R_RUN_DIR");
    assert_int_equal(chdir(s->start), 0);
    snprintf(command, sizeof command, "chmod -R u+w %.63s && rm -rf %.63s", s->path, s->path);
    assert_int_equal(system(command), 0);
    free(s);
    return 0;
}

static inline m31r_run_options whole_identity(void)
{
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    o.config = "train.yaml";
    o.seed = "42";
    o.dataset = "rust@1";
    o.tokenizer = "bytes@1";
    o.commit = "none";
    o.no_stdout = true;
    return o;
}

static inline m31r_run *open_run(void)
{
    m31r_run *run = NULL;
    m31r_error e = {0};
    m31r_run_options o = whole_identity();
    m31r_err err = m31r_run_open(&run, &o, &e);
    if (err != M31R_OK) {
        fail_msg("m31r_run_open: %s; %s", e.message, e.hint);
    }
    return run;
}

#define SCRATCH_PATH 4096

static inline void tell_dir(char *out_dir, const m31r_run *run)
{
    snprintf(out_dir, SCRATCH_PATH, "%s", m31r_run_dir(run));
}

/* Runs `body` in a child, which tells the directory of its run (tell_dir), and waits for it. What
 * `body` returns is the child's exit status. Returns the wait status; `dir` has SCRATCH_PATH bytes.
 */
static inline int in_child(int (*body)(char *out_dir), char *dir)
{
    char *told =
        mmap(NULL, SCRATCH_PATH, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(told, MAP_FAILED);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        _exit(body(told));
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(told[0] != '\0');
    memcpy(dir, told, SCRATCH_PATH);
    munmap(told, SCRATCH_PATH);
    return status;
}

/* What a dead process of the run in `dir` left in its rings goes into the files. */
static inline void settle_rings(const char *dir)
{
    m31r_error e = {0};
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    m31ri_privacy *privacy = m31ri_privacy_new(NULL);
    if (m31ri_run_dir_join(dir, &d, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    (void)m31ri_rings_settle(&d, privacy, M31RI_SETTLE_OR_LEAVE, 1000);
    m31ri_run_dir_release(&d);
    m31ri_privacy_free(privacy);
}

/* Text of a file of the run whose directory is `dir`; freed by the caller. */
static inline char *read_text(const char *dir, const char *name)
{
    char path[4500];
    m31ri_buf b = M31RI_BUF_INIT;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    m31r_error e;
    if (m31ri_read_file(AT_FDCWD, path, 1 << 28, &b, &e) != M31R_OK) {
        fail_msg("%s", e.message);
    }
    if (b.data == NULL) {
        m31ri_buf_add_str(&b, "");
    }
    return b.data;
}

static inline json_t *read_json(const char *dir, const char *name)
{
    char *text = read_text(dir, name);
    json_t *root = json_loads(text, 0, NULL);
    free(text);
    assert_non_null(root);
    return root;
}

static inline size_t count_of(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *p = strstr(text, part); p != NULL; p = strstr(p + 1, part)) {
        n++;
    }
    return n;
}

#endif
