/* hash_jobs.c - see hash_jobs.h. */
#include "verify/hash_jobs.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/clock.h"
#include "format/blocks.h"
#include "format/digest_cache.h"
#include "format/run_files.h"

#define THREADS_MOST 4
#define BYTES_FOR_TWO (8 * 1024 * 1024) /* below this a thread costs more than it gives */
#define BLOCKS_A_TASK 64
#define PEEK_BYTES 1024
#define READ_BYTES (128 * 1024)
#define FIRST_WORD_NS 1000000000
#define NEXT_WORD_NS 200000000

typedef struct task {
    m31ri_hash_job *job;
    uint64_t first, n; /* blocks; n 0: the whole file */
} task;

typedef struct work {
    int run;
    task *tasks;
    size_t n_tasks, capacity;
    atomic_size_t next; /* relaxed: who gets which task does not matter */
    atomic_bool no_memory;
    pthread_mutex_t lock; /* of the jobs' err */
    m31ri_hash_listener listener;
    uint64_t total;
    atomic_uint_least64_t done;   /* bytes; relaxed */
    atomic_int_least64_t word_ns; /* when the listener is told next */
} work;

/* Counts what was hashed; of all threads one tells the listener when it is time. */
static void count_bytes(work *w, size_t n)
{
    uint64_t done = atomic_fetch_add_explicit(&w->done, n, memory_order_relaxed) + n;
    if (w->listener.told == NULL) {
        return;
    }
    int_least64_t now = m31ri_mono_ns();
    int_least64_t due = atomic_load(&w->word_ns);
    if (now >= due && atomic_compare_exchange_strong(&w->word_ns, &due, now + NEXT_WORD_NS)) {
        w->listener.told(w->listener.context, done, w->total);
    }
}

/* Offset behind the newline that ends the block which begins at `start`; `size` when there is none.
 * 0 or errno. */
static int find_end(int fd, uint64_t start, uint64_t size, uint64_t *out)
{
    char bytes[PEEK_BYTES];
    uint64_t at = start + M31RI_BLOCK_LEAST_BYTES;
    while (at < size) {
        ssize_t n = pread(fd, bytes, sizeof bytes, (off_t)at);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n == 0) {
            break;
        }
        const char *newline = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;
        if (newline != NULL) {
            *out = at + (uint64_t)(newline - bytes) + 1;
            return 0;
        }
        at += n > 0 ? (uint64_t)n : 0;
    }
    *out = size;
    return 0;
}

static int find_blocks(m31ri_hash_job *job, int fd)
{
    uint64_t at = 0, capacity = 0;
    int err = 0;
    while (err == 0 && at < job->bytes) {
        if (job->n_blocks == capacity) {
            capacity = capacity * 2 + 16;
            uint64_t *grown = m31ri_realloc(job->ends, capacity * sizeof *grown);
            if (grown == NULL) {
                return ENOMEM;
            }
            job->ends = grown;
        }
        err = find_end(fd, at, job->bytes, &at);
        job->ends[job->n_blocks++] = at;
    }
    job->leaves = err == 0 ? m31ri_alloc((job->n_blocks + 1) * sizeof *job->leaves) : NULL;
    return err != 0 || job->leaves != NULL ? err : ENOMEM;
}

static int look_at(int run, m31ri_hash_job *job)
{
    struct stat st;
    int fd = m31ri_run_file_open(run, job->path);
    if (fd < 0) {
        return errno;
    }
    int err = fstat(fd, &st) != 0 ? errno : 0;
    if (err == 0 && !S_ISREG(st.st_mode)) {
        err = EINVAL;
    }
    job->bytes = err == 0 ? (uint64_t)st.st_size : 0;
    if (job->most_bytes >= 0 && job->bytes > (uint64_t)job->most_bytes) {
        job->bytes = (uint64_t)job->most_bytes;
    }
    if (err == 0 && job->in_blocks) {
        err = find_blocks(job, fd);
    } else if (err == 0 && job->may_be_remembered) {
        job->is_remembered = m31ri_digest_find(&st, job->sha256);
    }
    close(fd);
    return err;
}

static bool add_task(work *w, m31ri_hash_job *job, uint64_t first, uint64_t n)
{
    if (w->n_tasks == w->capacity) {
        size_t capacity = w->capacity * 2 + 64;
        task *grown = m31ri_realloc(w->tasks, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        w->tasks = grown;
        w->capacity = capacity;
    }
    w->tasks[w->n_tasks++] = (task){job, first, n};
    return true;
}

static int hash_range(int fd, uint64_t offset, uint64_t bytes, m31ri_sha256 *h, char *room)
{
    static const uint8_t leaf_prefix = 0;
    m31ri_sha256_add(h, &leaf_prefix, 1);
    while (bytes > 0) {
        size_t want = bytes < READ_BYTES ? (size_t)bytes : READ_BYTES;
        ssize_t n = pread(fd, room, want, (off_t)offset);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return n == 0 ? EIO : errno;
        }
        if (n > 0) {
            m31ri_sha256_add(h, room, (size_t)n);
            offset += (uint64_t)n;
            bytes -= (uint64_t)n;
        }
    }
    return 0;
}

/* All of a file, whatever its size is now. */
static int hash_file(work *w, int fd, m31ri_hash_job *job, m31ri_sha256 *h, char *room)
{
    int err = 0;
    ssize_t n = 1;
    for (job->bytes = 0; n != 0 && err == 0;) {
        n = pread(fd, room, READ_BYTES, (off_t)job->bytes);
        err = n < 0 && errno != EINTR ? errno : 0;
        if (n > 0) {
            m31ri_sha256_add(h, room, (size_t)n);
            job->bytes += (uint64_t)n;
            count_bytes(w, (size_t)n);
        }
    }
    m31ri_sha256_end(h, job->sha256); /* also begins anew for the next file */
    return err;
}

int m31ri_hash_block(int fd, uint64_t offset, uint64_t bytes, uint8_t out[M31RI_SHA256_BYTES])
{
    m31ri_sha256 *h = m31ri_sha256_new();
    char *room = m31ri_alloc(READ_BYTES);
    int err = h != NULL && room != NULL ? hash_range(fd, offset, bytes, h, room) : ENOMEM;
    if (err == 0) {
        m31ri_sha256_end(h, out);
    }
    m31ri_free(room);
    m31ri_sha256_free(h);
    return err;
}

static int do_task(work *w, const task *t, m31ri_sha256 *h, char *room)
{
    m31ri_hash_job *job = t->job;
    int fd = m31ri_run_file_open(w->run, job->path);
    if (fd < 0) {
        return errno;
    }
    int err = 0;
    if (t->n == 0) {
        struct stat before, after;
        int64_t hashed_ns = m31ri_wall_ns();
        bool is_known = fstat(fd, &before) == 0;
        err = hash_file(w, fd, job, h, room);
        if (err == 0 && is_known && fstat(fd, &after) == 0 &&
            memcmp(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim) == 0) {
            m31ri_digest_keep(fd, &after, job->sha256, hashed_ns);
        }
    }
    for (uint64_t i = t->first; err == 0 && i < t->first + t->n; i++) {
        uint64_t start = i > 0 ? job->ends[i - 1] : 0;
        err = hash_range(fd, start, job->ends[i] - start, h, room);
        m31ri_sha256_end(h, job->leaves[i]);
        count_bytes(w, job->ends[i] - start);
    }
    close(fd);
    return err;
}

static void *work_on(void *argument)
{
    work *w = argument;
    m31ri_sha256 *h = m31ri_sha256_new();
    char *room = m31ri_alloc(READ_BYTES);
    if (h == NULL || room == NULL) {
        atomic_store(&w->no_memory, true);
    }
    while (h != NULL && room != NULL) {
        size_t i = atomic_fetch_add_explicit(&w->next, 1, memory_order_relaxed);
        if (i >= w->n_tasks) {
            break;
        }
        int err = do_task(w, &w->tasks[i], h, room);
        if (err != 0) {
            pthread_mutex_lock(&w->lock);
            w->tasks[i].job->err = err;
            pthread_mutex_unlock(&w->lock);
        }
    }
    m31ri_free(room);
    m31ri_sha256_free(h);
    return NULL;
}

/* False when memory is out. */
static bool plan(work *w, m31ri_hash_job *jobs, size_t n)
{
    bool is_fine = true;
    for (size_t i = 0; i < n && is_fine; i++) {
        m31ri_hash_job *job = &jobs[i];
        job->err = look_at(w->run, job);
        w->total += job->is_remembered ? 0 : job->bytes;
        if (job->err != 0) {
            is_fine = job->err != ENOMEM;
            continue;
        }
        if (!job->in_blocks && !job->is_remembered) {
            is_fine = add_task(w, job, 0, 0);
        }
        for (uint64_t b = 0; job->in_blocks && b < job->n_blocks && is_fine; b += BLOCKS_A_TASK) {
            uint64_t left = job->n_blocks - b;
            is_fine = add_task(w, job, b, left < BLOCKS_A_TASK ? left : BLOCKS_A_TASK);
        }
    }
    return is_fine;
}

static int threads_for(uint64_t total)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (total < BYTES_FOR_TWO || n < 1) {
        return 1;
    }
    return n < THREADS_MOST ? (int)n : THREADS_MOST;
}

m31r_err m31ri_hash_jobs_run(int run, m31ri_hash_job *jobs, size_t n,
                             const m31ri_hash_listener *listener, m31r_error *e)
{
    work w = {.run = run, .lock = PTHREAD_MUTEX_INITIALIZER, .listener = *listener};
    pthread_t threads[THREADS_MOST];
    atomic_init(&w.word_ns, m31ri_mono_ns() + FIRST_WORD_NS);
    bool is_fine = plan(&w, jobs, n);
    int wanted = threads_for(w.total), n_started = 0;
    for (; is_fine && n_started + 1 < wanted && n_started < THREADS_MOST; n_started++) {
        if (pthread_create(&threads[n_started], NULL, work_on, &w) != 0) {
            break;
        }
    }
    if (is_fine) {
        work_on(&w);
    }
    for (int i = 0; i < n_started; i++) {
        pthread_join(threads[i], NULL);
    }
    m31ri_free(w.tasks);
    is_fine = is_fine && !atomic_load(&w.no_memory);
    return is_fine ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory for digests");
}

void m31ri_hash_job_release(m31ri_hash_job *job)
{
    m31ri_free(job->ends);
    m31ri_free(job->leaves);
    job->ends = NULL;
    job->leaves = NULL;
}
