/* rings.h - the calling side of a run's rings in this process: which ring is this thread's, what is
 * a call site's number, what waits for whom.
 *
 * An emitting call copies its values into the ring of its thread and returns: no lock, no system
 * call, no allocation. What is rare goes the long way, under the lock: a thread's first call, a
 * call site's first record, a full ring. What does not fit a ring's record (keys known at run time
 * only, long strings) becomes a line in the caller and goes through the same ring, so that order
 * holds.
 */
#ifndef M31RI_RINGS_H
#define M31RI_RINGS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/log.h"
#include "ring/ring_dictionary.h"
#include "ring/ring_put.h"
#include "stack/stack_modules.h"
#include "stack/stack_walk.h"

#define M31RI_MAX_SITES 4096
#define M31RI_SERIES_SLOTS 4096 /* a power of two; half of them are used */

typedef struct m31ri_drain m31ri_drain;

/* Steps go forward inside a segment; each name remembers where it was. */
typedef struct m31ri_ring_series {
    uint32_t id; /* in the dictionary; 0: it had no room, and points carry no number for it */
    atomic_int_fast64_t last_step;
    atomic_uint segment; /* plus 1; 0: no step yet */
    uint32_t length;
    char name[];
} m31ri_ring_series;

/* What is known of a call site in this run. */
typedef struct m31ri_site_info {
    uint32_t id;
    uint32_t n_keys;
    bool has_text;    /* strings or sensitive values: the longer of the two ways */
    bool is_low;      /* DEBUG or INFO */
    bool is_critical; /* waits for the disk */
    bool is_severe;   /* carries a stack */
    bool has_step;    /* among the keys */
    bool is_hot;      /* nothing is decided at a call: the short way may be opened */
    uint8_t types[M31RI_SITE_KEYS];
    bool is_denied[M31RI_SITE_KEYS];
    m31ri_ring_series *series[M31RI_SITE_KEYS]; /* of numeric keys; NULL until a step needs it */
    atomic_bool has_series;
} m31ri_site_info;

/* A ring, and what its thread needs beside it. */
typedef struct m31ri_thread_ring {
    m31ri_ring ring;
    uint64_t owner; /* number of the thread; 0: none */
    uint64_t n_put; /* records of the slot up to the last thread's end; its own: ring.hot */
    bool has_room;  /* the file system gave the slot its pages */
    int64_t last_step;
    m31ri_buf line, scrubbed;
} m31ri_thread_ring;

typedef struct m31ri_rings {
    atomic_uint_fast64_t
        *token;      /* relaxed: `serial`; 0 in a forked child, and once the rings have ended */
    uint64_t serial; /* of this object, never used again in this process */
    m31r_run *run;
    m31ri_ring_file file;
    m31ri_ring_header header;    /* a copy, for when the file's memory goes */
    atomic_bool is_broken;       /* that has happened: crash.c */
    pthread_mutex_t lock;        /* dictionary, slots, series */
    pthread_mutex_t shared_lock; /* slot 0 */
    m31ri_thread_ring threads[M31RI_RING_SLOTS];
    _Atomic(m31ri_site_info *) sites[M31RI_MAX_SITES];
    _Atomic(m31ri_ring_series *) series[M31RI_SERIES_SLOTS];
    uint32_t n_series, n_sites, n_loggers, n_lanes;
    atomic_uint segment;
    m31ri_modules modules; /* refreshed under the lock */
    int64_t block_timeout_ns;
    /* the writer, when it is a thread of ours */
    pthread_mutex_t writer_lock;
    pthread_t writer;
    pthread_mutex_t pass_lock; /* held by the writer while it works, and over a fork */
    bool is_paused;
    bool has_writer;
    bool has_lease;   /* we write; else the writer stands by, if there is one */
    bool has_rotated; /* a file was, or could not be: what the observer asked for is done */
    uint32_t taken[M31RI_RING_SLOTS]; /* standing by: up to here each ring was seen empty */
    bool is_shut;                     /* no writer is started any more */
    atomic_bool must_stop;
    m31ri_drain *drain;            /* also kept by a writer that was: its counts are the lanes' */
    char note[32];                 /* its name in `.live` */
    struct m31ri_rings *forgotten; /* in a child: the next of those that were the parent's */
} m31ri_rings;

/* Starts rings for the run in this process; what is emitted from here on goes through them. On
 * failure (`e` says why) the run goes on without: each call writes for itself. */
m31r_err m31ri_rings_begin(m31r_run *run, m31r_error *e);

/* Everything that was emitted is in the files, the ring file is gone, and lanes are written
 * directly again. */
void m31ri_rings_end(m31r_run *run);

/* The same at exit of the process, whose other threads may be emitting at this moment: nothing that
 * they could touch is freed, and what they put in meanwhile is written too. */
void m31ri_rings_end_at_exit(m31r_run *run);

/* The ring file has lost its memory: lanes are written directly from here on, and what it held is
 * counted. By the writer, which then ends; false: not now, somebody is stopping it. */
bool m31ri_rings_give_up(m31ri_rings *rs);

/* In a forked child: the parent's rings are the parent's. */
void m31ri_rings_forget(m31r_run *run);

/* Waits, at most `wait_ms`, until what this process has emitted so far is in the files. */
m31r_err m31ri_rings_flush(m31ri_rings *rs, int wait_ms);

/* A lane or logger that came later gets its number. */
void m31ri_rings_add_lane(m31ri_rings *rs, m31r_lane *lane);
void m31ri_rings_add_logger(m31ri_rings *rs, m31r_log *log);

/* A record, or a step's record with its points. False: it must go the long way. */
bool m31ri_rings_emit(m31ri_rings *rs, m31r_log *log, m31r_site *site, const m31r_value *values);
bool m31ri_rings_step(m31ri_rings *rs, m31r_log *log, int64_t step, m31r_site *site,
                      const m31r_value *values);

/* ring_ways.c: from here on records of the call site, number `id` here, by this logger and the
 * calling thread go the short way (m31r/hot.h). */
void m31ri_rings_open_way(m31ri_rings *rs, m31r_log *log, m31r_site *site, uint32_t id);

/* The thread that has `t` may go the short way. */
void m31ri_rings_let_pass(const m31ri_rings *rs, const m31ri_thread_ring *t);

/* No thread goes the short way any more (signal-safe); no logger of the run leads to the rings. */
void m31ri_rings_close_threads(const m31ri_rings *rs);
void m31ri_rings_close_loggers(m31ri_rings *rs);

/* An ERROR or CRITICAL record with the stack of the call that returns to `from`; false: the long
 * way. A CRITICAL one is on disk. */
bool m31ri_rings_emit_severe(m31ri_rings *rs, m31r_log *log, m31r_site *site,
                             const m31r_value *values, const void *from);

/* Addresses of a stack, innermost first. */
typedef struct m31ri_stack {
    uint32_t n;
    uintptr_t addresses[M31RI_STACK_FRAMES];
} m31ri_stack;

/* A record whose parts are known only now; `stack` may be NULL. */
struct m31ri_record_parts;
m31r_err m31ri_rings_line(m31ri_rings *rs, m31r_lane *lane, const struct m31ri_record_parts *parts,
                          const m31ri_stack *stack);

/* ring_modules.c: the loaded modules are in the dictionary, and addresses become places in them. */
void m31ri_rings_know_modules(m31ri_rings *rs);
void m31ri_rings_places(m31ri_rings *rs, const m31ri_stack *stack, m31ri_frame *out);

/* The calling thread's stack from the frame on to which `from` returns. How many places. */
uint32_t m31ri_rings_stack(m31ri_rings *rs, const void *from, m31ri_frame out[M31RI_RING_STACK]);

/* One point. */
m31r_err m31ri_rings_point(m31ri_rings *rs, const char *name, const m31r_value *value,
                           int64_t step);

/* Records that were ever put into slot `i`, modulo 2^32; under rs->lock. */
uint32_t m31ri_rings_n_put(const m31ri_rings *rs, uint32_t i);

/* Records that found no room and were dropped. */
uint64_t m31ri_rings_dropped(const m31ri_rings *rs);

/* With what a failing disk has cost so far. */
uint64_t m31ri_rings_lost(const m31ri_rings *rs);

/* A thread ends: its rings may be another's. */
void m31ri_rings_leave(m31ri_rings *rs, uint64_t owner);

/* writer.c: before a fork the writer is kept from working, so that the child's copy of the memory
 * is not in the middle of anything; not for long when a disk holds it up. */
void m31ri_writer_pause(m31ri_rings *rs);
void m31ri_writer_go_on(m31ri_rings *rs);

/* writer.c: a thread that drains, when nobody else does. True when one runs or was started; none is
 * after the stop. */
bool m31ri_writer_start(m31ri_rings *rs);
void m31ri_writer_stop(m31ri_rings *rs);

/* After the stop: the lease and rs->drain are ours, of an observer who is asked for them. False: it
 * did not let go within the block timeout, or the disk fails. */
bool m31ri_writer_take(m31ri_rings *rs);

#endif
