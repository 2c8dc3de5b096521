/* keeper.h - the keeper's state, shared by its files (keeper*.c, sampler.c). */
#ifndef M31RI_KEEPER_H
#define M31RI_KEEPER_H

#include "base/os_proc_tree.h"
#include "observe/capture.h"
#include "base/gpu.h"
#include "observe/lane_tail.h"
#include "observe/observe_int.h"

#define M31RI_HINT_NS (60LL * 1000 * 1000 * 1000)

/* When to say that a pattern matched nothing: once, after a minute of the program or at its end. */
typedef struct m31ri_hint {
    bool is_given;
} m31ri_hint;

/* True once, when it is time; `start_mono_ns` is 0 before the program started. */
bool m31ri_hint_is_due(m31ri_hint *h, int64_t start_mono_ns, int64_t now_ns, bool at_end);

typedef struct m31ri_sampler {
    m31ri_proc_tree *tree;
    m31ri_gpu *gpu;
    int64_t last_mono_ns; /* 0: no sample yet */
    uint64_t last_cpu_ns;
    uint64_t peak_rss_bytes;
    uint64_t read_bytes, write_bytes;
} m31ri_sampler;

typedef struct m31ri_keeper {
    m31ri_plan *plan;
    m31ri_shared *shared;
    m31r_run *run; /* NULL: an heir that could not take the run over, or a rank whose run was not
                      found: the program is only passed on */
    m31r_lane *observer;
    m31ri_capture_stream streams[M31RI_STREAMS];
    m31ri_printer printers[M31RI_STREAMS]; /* our stdout and stderr */
    m31ri_printer
        *records_to; /* where records that are no captured lines are shown; NULL: nowhere */
    m31ri_buf proposals[M31R_PATTERN_LIMIT];
    m31ri_lane_tail *tail;
    int tail_dir;
    char own_files[3][128]; /* lanes that are shown as they are written, not by following their
                               files */
    const char *without[3];
    m31ri_buf text; /* scratch for lines shown on a terminal */
    m31ri_sampler sampler;
    bool is_heir;
    bool front_is_gone;
    bool has_left; /* rank 0 has ended the run before us */
    bool was_stopped;
    m31ri_hint hint;
    int program_pidfd;
    int64_t ended_mono_ns; /* when the program was seen to have ended */
    int64_t last_bytes_ns; /* when it last printed */
    int64_t next_sample_ns, next_tick_ns, next_tail_ns, next_progress_ns;
    int64_t next_loaded_ns; /* when to look at what the program has loaded */
    int64_t loaded_age_ns;  /* how old the program was when it was last looked at so, and lived */
} m31ri_keeper;

/* keeper.c: signals that others may send to our process or group must not end the record; the front
 * decides. */
void m31ri_observer_ignore_signals(void);

/* keeper_report.c: a record on the observer lane, also shown; then the records of the program's own
 * lanes. */
void m31ri_keeper_report(m31ri_keeper *k, m31r_level level, const char *message,
                         const m31ri_field *fields, size_t n);
bool m31ri_keeper_show_lanes(m31ri_keeper *k); /* true when there is more to show at once */
void m31ri_keeper_report_unmatched(m31ri_keeper *k);
void m31ri_keeper_report_counts(m31ri_keeper *k);
void m31ri_keeper_report_progress(m31ri_keeper *k);
void m31ri_keeper_report_disk(m31ri_keeper *k);
void m31ri_keeper_report_clock(m31ri_keeper *k);

/* keeper_anomalies.c: a record for each anomaly of the points since the last call; ends the program
 * where --stop-on asks for it. */
void m31ri_keeper_report_anomalies(m31ri_keeper *k);

/* sampler.c */
void m31ri_sampler_begin(m31ri_keeper *k);
void m31ri_sampler_take(m31ri_keeper *k);
void m31ri_sampler_end(m31ri_keeper *k);

/* keeper_open.c: the run opened and the program started, or both taken over from a dead keeper. */
m31r_err m31ri_keeper_open(m31ri_keeper *k, m31r_error *e);

/* Without a run there are no records to show: the program's bytes are passed on as they are. */
void m31ri_keeper_pass_bytes_on(m31ri_keeper *k);

/* A rank above 0 that works on after rank 0 has ended the run adds nothing to what was sealed. */
void m31ri_keeper_leave_ended_run(m31ri_keeper *k);

/* keeper_loaded.c: which libraries the program has loaded; looks when it is time, once more at its
 * end. */
void m31ri_keeper_look_at_loaded(m31ri_keeper *k, int64_t now_ns);
void m31ri_keeper_end_loaded(m31ri_keeper *k);

/* keeper_end.c: the run's end, our last line, and whoever still prints after it. */
void m31ri_keeper_end(m31ri_keeper *k);

/* program_watch.c: what became of the program; called by its parent, the keeper or its caretaker.
 */
void m31ri_program_watch(m31ri_shared *s);

/* The roots of the tree of processes that is the program: the observers first, since its orphans
 * are children of ours or of those who made us, then the program. 0: dead. */
enum { M31RI_OBSERVERS = 3, M31RI_ROOTS = 4 };
void m31ri_keeper_roots(const m31ri_keeper *k, int64_t roots[M31RI_ROOTS]);

/* A byte into a wake-up pipe; full is as good as written. */
void m31ri_wake(const int pipe_ends[2]);
void m31ri_wake_clear(const int pipe_ends[2]);

#endif
