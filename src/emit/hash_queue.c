/* hash_queue.c - see hash_queue.h.
 *
 * One lock for the list; the thread sleeps on a condition. In a child of fork there is no thread:
 * the queue is the parent's, and the child begins one of its own.
 */
#include "emit/hash_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "emit/state.h"
#include "format/digest_cache.h"
#include "m31r/log.h"
#include "store/artifact_fate.h"

#define READ_BYTES (1024 * 1024)
#define LEFT_TO_THE_SEAL ((uint64_t)1024 * 1024 * 1024) /* about a second of hashing */
#define FIRST_WORD_NS 1000000000LL
#define NEXT_WORD_NS 5000000000LL

typedef struct hash_job {
    struct hash_job *next;
    char *role, *path;
    m31ri_artifact artifact;
    m31ri_artifact_facts facts;
    int fd;
} hash_job;

struct m31ri_hash_queue {
    m31r_run *run;
    unsigned generation; /* of the process that the thread is in */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t has_work;
    hash_job *first, *last;
    bool is_ending;
    uint64_t bytes_left; /* of all that are not done, under the lock */
    atomic_bool cancel;  /* relaxed: seen at the next megabyte */
};

static void free_job(hash_job *j)
{
    close(j->fd);
    m31ri_free(j->role);
    m31ri_free(j->path);
    m31ri_free(j);
}

static void say_progress(m31r_run *run, const hash_job *j, uint64_t done)
{
    m31r_info(m31r_run_logger(run, "m31r"), "artifact_hashing", "path",
              (const char *)j->facts.shown_path, "bytes_done", done, "bytes", j->facts.bytes);
}

/* False when it was cancelled or cannot be read. */
static bool read_all(const m31ri_hash_queue *q, const hash_job *j,
                     uint8_t digest[M31RI_SHA256_BYTES], uint64_t *out_bytes)
{
    m31ri_sha256 *h = m31ri_sha256_new();
    char *room = m31ri_alloc(READ_BYTES);
    bool is_fine = h != NULL && room != NULL;
    int64_t word_ns = m31ri_mono_ns() + FIRST_WORD_NS;
    ssize_t n = 1;
    *out_bytes = 0;
    while (is_fine && n != 0) {
        n = pread(j->fd, room, READ_BYTES, (off_t)*out_bytes);
        is_fine =
            (n >= 0 || errno == EINTR) && !atomic_load_explicit(&q->cancel, memory_order_relaxed);
        if (is_fine && n > 0) {
            m31ri_sha256_add(h, room, (size_t)n);
            *out_bytes += (uint64_t)n;
        }
        if (is_fine && m31ri_mono_ns() >= word_ns) {
            say_progress(q->run, j, *out_bytes);
            word_ns = m31ri_mono_ns() + NEXT_WORD_NS;
        }
    }
    if (is_fine) {
        m31ri_sha256_end(h, digest);
    }
    m31ri_sha256_free(h);
    m31ri_free(room);
    return is_fine;
}

static int64_t mtime_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static void do_job(m31ri_hash_queue *q, hash_job *j)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    uint64_t bytes;
    struct stat st;
    m31ri_artifact_facts *f = &j->facts;
    int64_t age = m31ri_wall_ns() - f->mtime_ns;
    if (age >= 0 && age < M31RI_MTIME_GRAIN_NS) { /* else a second write may leave the same time */
        nanosleep(&(struct timespec){0, M31RI_MTIME_GRAIN_NS}, NULL);
    }
    f->hashed_ns = m31ri_wall_ns();
    if (!read_all(q, j, digest, &bytes)) {
        return;
    }
    if (fstat(j->fd, &st) != 0 || mtime_of(&st) != f->mtime_ns ||
        (uint64_t)st.st_size != f->bytes || bytes != f->bytes) {
        m31r_warning(m31r_run_logger(q->run, "m31r"), "artifact_overwritten", "path",
                     (const char *)f->shown_path, "role", j->artifact.role);
        return;
    }
    m31ri_digest_keep(j->fd, &st, digest, f->hashed_ns);
    m31ri_sha256_hex(digest, f->sha256);
    m31ri_artifact_hashed(q->run, &j->artifact, f);
}

static void *work(void *argument)
{
    m31ri_hash_queue *q = argument;
    pthread_mutex_lock(&q->lock);
    for (;;) {
        while (q->first == NULL && !q->is_ending) {
            pthread_cond_wait(&q->has_work, &q->lock);
        }
        hash_job *j = q->first;
        if (j == NULL) {
            break;
        }
        q->first = j->next;
        q->last = q->first == NULL ? NULL : q->last;
        pthread_mutex_unlock(&q->lock);
        if (!atomic_load_explicit(&q->cancel, memory_order_relaxed)) {
            do_job(q, j);
        }
        pthread_mutex_lock(&q->lock);
        q->bytes_left -= j->facts.bytes;
        free_job(j);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

static m31ri_hash_queue *start(m31r_run *run)
{
    m31ri_hash_queue *q = m31ri_calloc(1, sizeof *q);
    if (q == NULL) {
        return NULL;
    }
    q->run = run;
    q->generation = m31ri_fork_generation();
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->has_work, NULL);
    if (pthread_create(&q->thread, NULL, work, q) != 0) {
        m31ri_free(q);
        return NULL;
    }
    return q;
}

static hash_job *new_job(const m31ri_artifact *a, const m31ri_artifact_facts *f, int fd)
{
    hash_job *j = m31ri_calloc(1, sizeof *j);
    if (j == NULL) {
        return NULL;
    }
    j->role = m31ri_strdup(a->role);
    j->path = m31ri_strdup(a->path);
    if (j->role == NULL || j->path == NULL) {
        m31ri_free(j->role);
        m31ri_free(j->path);
        m31ri_free(j);
        return NULL;
    }
    j->artifact = (m31ri_artifact){j->role, a->message, j->path, a->step};
    j->facts = *f;
    j->fd = fd;
    return j;
}

bool m31ri_hash_queue_add(m31r_run *run, const m31ri_artifact *a, const m31ri_artifact_facts *f,
                          int fd)
{
    hash_job *j = new_job(a, f, fd);
    pthread_mutex_lock(&run->lock);
    m31ri_hash_queue *q = run->hashing;
    if (j != NULL && (q == NULL || q->generation != m31ri_fork_generation())) {
        q = run->hashing = start(run);
    }
    pthread_mutex_unlock(&run->lock);
    if (j == NULL || q == NULL) {
        if (j != NULL) {
            m31ri_free(j->role);
            m31ri_free(j->path);
            m31ri_free(j);
        }
        return false;
    }
    pthread_mutex_lock(&q->lock);
    if (q->last != NULL) {
        q->last->next = j;
    } else {
        q->first = j;
    }
    q->last = j;
    q->bytes_left += f->bytes;
    pthread_cond_signal(&q->has_work);
    pthread_mutex_unlock(&q->lock);
    return true;
}

void m31ri_hash_queue_stop(m31r_run *run)
{
    m31ri_hash_queue *q = run->hashing;
    run->hashing = NULL;
    if (q == NULL || q->generation != m31ri_fork_generation()) {
        return;
    }
    pthread_mutex_lock(&q->lock);
    q->is_ending = true;
    if (q->bytes_left > LEFT_TO_THE_SEAL) {
        atomic_store_explicit(&q->cancel, true, memory_order_relaxed);
    }
    pthread_cond_signal(&q->has_work);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    pthread_cond_destroy(&q->has_work);
    pthread_mutex_destroy(&q->lock);
    m31ri_free(q);
}
