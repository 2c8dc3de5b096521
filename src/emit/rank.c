/* rank.c - the processes of one distributed job make one run.
 *
 * A launcher gives each process a rank and all of them a key. Rank 0 makes the run and leaves its
 * path in `<root>/.jobs/<key digest>`; the others wait a little for it and join. This is so for
 * programs that use the library and for one `m31r run` a rank; a program below an observer finds
 * M31R_RUN_DIR, which says it all.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "emit/state.h"

#define POLL_MS 50
#define PATH_LIMIT 4096

static const char *first_set(const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && *value != '\0') {
            return value;
        }
    }
    return NULL;
}

/* A number of 0 to 999999 in the first of these variables that is set, else `otherwise`. */
static int number_of(const char *const *names, int otherwise)
{
    const char *text = first_set(names);
    char *end = NULL;
    long n = text != NULL ? strtol(text, &end, 10) : -1;
    return text != NULL && *end == '\0' && n >= 0 && n < 1000000 ? (int)n : otherwise;
}

int m31ri_rank_of_environment(void)
{
    static const char *const names[] = {"RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", NULL};
    return number_of(names, 0);
}

/* Of Slurm only what a step says: in a batch script SLURM_NTASKS tells of tasks that are not there
 * yet. */
int m31ri_rank_count_of_environment(void)
{
    static const char *const names[] = {"WORLD_SIZE", "SLURM_STEP_NUM_TASKS",
                                        "OMPI_COMM_WORLD_SIZE", NULL};
    return number_of(names, 0);
}

bool m31ri_rank_job_key(char *out, size_t size)
{
    static const char *const ranks[] = {"RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", NULL};
    static const char *const keys[] = {"TORCHELASTIC_RUN_ID", "SLURM_JOB_ID", "PMIX_NAMESPACE",
                                       NULL};
    const char *key = first_set(keys);
    const char *address = getenv("MASTER_ADDR");
    const char *port = getenv("MASTER_PORT");
    if (first_set(ranks) == NULL) {
        return false;
    }
    /* torchrun's default id is "none" for every job: the address then tells jobs apart */
    if (address != NULL && port != NULL) {
        snprintf(out, size, "%s|%s:%s", key != NULL ? key : "", address, port);
        return true;
    }
    if (key != NULL) { /* two steps of one Slurm job are two jobs to us */
        const char *step = getenv("SLURM_STEP_ID");
        snprintf(out, size, "%s%s%s", key, step != NULL ? "." : "", step != NULL ? step : "");
    }
    return key != NULL;
}

static void job_file(const char *root, const char *key, char *out, size_t size)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    m31ri_sha256_of(key, strlen(key), digest);
    m31ri_sha256_hex(digest, hex);
    snprintf(out, size, "%s/.jobs/%.16s", root, hex);
}

m31r_err m31ri_rank_publish(const char *root, const char *key, const char *run_path, m31r_error *e)
{
    char path[PATH_LIMIT];
    snprintf(path, sizeof path, "%s/.jobs", root);
    m31r_err err = m31ri_make_dirs(path, e);
    if (err != M31R_OK) {
        return err;
    }
    job_file(root, key, path, sizeof path);
    return m31ri_replace_file(AT_FDCWD, path, run_path, strlen(run_path), false, e);
}

/* The path that was published last, and whether its run goes on: its owner lives. What a dead one
 * left is not the run of this job. */
static bool read_job(const char *root, const char *key, m31ri_buf *out)
{
    char path[PATH_LIMIT];
    job_file(root, key, path, sizeof path);
    m31ri_buf_clear(out);
    if (m31ri_read_file(AT_FDCWD, path, PATH_LIMIT - 1, out, NULL) != M31R_OK || out->length == 0) {
        return false;
    }
    return m31ri_run_dir_is_owned(m31ri_buf_str(out));
}

m31r_err m31ri_rank_find(const char *root, const char *key, int wait_ms, char **out_path,
                         m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    const struct timespec pause = {0, POLL_MS * 1000 * 1000};
    bool found = read_job(root, key, &text);
    for (int waited_ms = 0; !found && waited_ms < wait_ms; waited_ms += POLL_MS) {
        nanosleep(&pause, NULL);
        found = read_job(root, key, &text);
    }
    *out_path = found ? m31ri_strdup(m31ri_buf_str(&text)) : NULL;
    if (*out_path == NULL && text.length > 0) {
        m31ri_fail(e, M31R_E_NOTFOUND,
                   "the run of rank 0 of this job, %s, has ended, and no other was made within "
                   "%d ms",
                   m31ri_buf_str(&text), wait_ms);
    } else if (*out_path == NULL) {
        m31ri_fail(e, M31R_E_NOTFOUND, "rank 0 of this job has made no run below %s within %d ms",
                   root, wait_ms);
    }
    m31ri_buf_release(&text);
    if (*out_path == NULL) {
        m31ri_fail_hint(e, "start the job under `m31r run`, or let rank 0 open the run first");
        return M31R_E_NOTFOUND;
    }
    return M31R_OK;
}
