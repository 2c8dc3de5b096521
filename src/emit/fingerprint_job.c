/* fingerprint_job.c - the digest of a large dataset, computed while the program already runs.
 *
 * metadata.json says `pending` until it is known. The result travels as a notice, like everything
 * that is told to the owner.
 */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "emit/state.h"
#include "store/notices.h"

#include <time.h>

static void publish(m31r_run *run, const char *what, const m31ri_fingerprint *f, m31r_err err,
                    const m31r_error *e)
{
    char hex[M31RI_SHA256_HEX];
    json_t *notice = NULL;
    if (err == M31R_OK) {
        m31ri_sha256_hex(f->digest, hex);
        notice = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "kind", "digest", "what", what,
                           "state", "known", "sha256", hex, "files", (json_int_t)f->n_files,
                           "bytes", (json_int_t)f->n_bytes);
    } else if (err != M31R_E_CLOSED) {
        notice = json_pack("{s:s, s:s, s:s, s:s}", "kind", "digest", "what", what, "state",
                           "failed", "error", e->message);
    }
    if (notice != NULL) {
        m31ri_notice(run, notice);
    }
}

static void compute(m31ri_fingerprint_job *job, const char *what, const char *path)
{
    m31ri_fingerprint f;
    m31r_error e;
    if (path != NULL) {
        m31r_err err = m31ri_fingerprint_path(path, &job->progress, &f, &e);
        publish(job->run, what, &f, err, &e);
    }
}

static void *work(void *argument)
{
    m31ri_fingerprint_job *job = argument;
    compute(job, "dataset", job->dataset_path);
    compute(job, "tokenizer", job->tokenizer_path);
    atomic_store(&job->is_done, true);
    return NULL;
}

void m31ri_fingerprint_job_start(m31r_run *run)
{
    m31ri_fingerprint_job *job = &run->job;
    job->run = run;
    job->dataset_path = run->identity->dataset_path;
    job->tokenizer_path = run->identity->tokenizer_path;
    if (job->dataset_path == NULL && job->tokenizer_path == NULL) {
        return;
    }
    job->is_running = pthread_create(&job->thread, NULL, work, job) == 0;
    if (!job->is_running) {
        work(job);
    }
}

void m31ri_fingerprint_job_stop(m31r_run *run, int wait_ms)
{
    m31ri_fingerprint_job *job = &run->job;
    if (!job->is_running) {
        return;
    }
    const struct timespec pause = {0, 5 * 1000 * 1000};
    int64_t end = m31ri_mono_ns() + wait_ms * 1000000LL;
    while (!atomic_load(&job->is_done) && m31ri_mono_ns() < end) {
        nanosleep(&pause, NULL);
    }
    atomic_store(&job->progress.cancel, true);
    pthread_join(job->thread, NULL);
    job->is_running = false;
}

const m31ri_fingerprint_progress *m31ri_run_fingerprint_progress(const m31r_run *run)
{
    return run->job.is_running && !atomic_load(&run->job.is_done) ? &run->job.progress : NULL;
}
