/* rotation.c - size-based rotation of lanes, and the thread that compresses segments.
 *
 * The name says ordinal and time, both from what is in the record, so nothing about a segment is
 * random. Compressing takes seconds and must cost the one who writes nothing: one thread a run does
 * it and looks itself for what there is to do, so that a segment left by a killed one is done too.
 */
#include "emit/rotation.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/os_process.h"
#include "emit/state.h"
#include "format/segments.h"
#include "store/segment.h"

#define MIB ((uint64_t)1024 * 1024)

/* Compresses the plain segments of one lane. */
static void compress_lane(int dir, const char *lane_file)
{
    m31ri_segment_list list = {0};
    if (m31ri_segment_list_read(dir, lane_file, &list, NULL) != M31R_OK) {
        return;
    }
    for (size_t i = 0; i < list.n; i++) {
        if (list.segments[i].has_plain) {
            m31ri_segment_compress(dir, list.segments[i].file, NULL, NULL);
        }
    }
    m31ri_segment_list_release(&list);
}

static void *compress(void *argument)
{
    m31r_run *run = argument;
    m31ri_compressor *c = &run->compressor;
    m31ri_thread_be_idle();
    do {
        char files[M31RI_RING_LANES][M31RI_LANE_FILE_BYTES];
        size_t n = 0;
        pthread_mutex_lock(&run->lock);
        for (const m31r_lane *l = run->lanes; l != NULL && n < M31RI_RING_LANES; l = l->next) {
            snprintf(files[n++], sizeof files[0], "%s", l->file);
        }
        pthread_mutex_unlock(&run->lock);
        for (size_t i = 0; i < n; i++) {
            compress_lane(run->dir.fd, files[i]);
        }
    } while (atomic_exchange_explicit(&c->has_more, false, memory_order_acq_rel));
    atomic_store_explicit(&c->is_done, true, memory_order_release);
    return NULL;
}

/* Starts the thread, or tells the one that is at work. Signals are the program's. */
static void start_compressor(m31r_run *run)
{
    m31ri_compressor *c = &run->compressor;
    atomic_store_explicit(&c->has_more, true, memory_order_release);
    if (c->is_started && !atomic_load_explicit(&c->is_done, memory_order_acquire)) {
        return;
    }
    if (c->is_started) {
        pthread_join(c->thread, NULL);
    }
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store_explicit(&c->is_done, false, memory_order_relaxed);
    atomic_store_explicit(&c->has_more, false, memory_order_relaxed);
    c->is_started = pthread_create(&c->thread, NULL, compress, run) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool m31ri_lane_rotate(m31r_lane *lane, uint64_t size, int64_t wall_ns)
{
    m31r_run *run = lane->run;
    uint32_t ordinal;
    char segment[M31RI_SEGMENT_NAME_BYTES];
    if (run->is_shell || lane->append == NULL || size < (uint64_t)run->settings->rotate_mib * MIB ||
        m31ri_segment_next_ordinal(run->dir.fd, lane->file, &ordinal, NULL) != M31R_OK) {
        return false;
    }
    m31ri_segment_name_write(lane->file, ordinal, wall_ns, segment);
    if (m31ri_append_rotate(lane->append, segment) != 0) {
        return false;
    }
    if (run->settings->compress) {
        start_compressor(run);
    }
    return true;
}

void m31ri_compressor_stop(m31r_run *run)
{
    m31ri_compressor *c = &run->compressor;
    if (c->is_started) {
        pthread_join(c->thread, NULL);
        c->is_started = false;
    }
}

void m31ri_compressor_forget(m31r_run *run)
{
    run->compressor.is_started = false;
}
