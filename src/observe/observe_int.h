/* observe_int.h - what the three observing processes and their parts share.
 *
 *     FRONT   the process the user started: signals, our terminal, the end's status. Not in the
 * data path.
 *       \-- GUARD   a session of its own: waits, and makes a new keeper when one is killed
 *             \-- KEEPER   a session of its own: opens the run, starts the program, reads it,
 *                 records, prints, ends the run
 *                   \-- the program, in FRONT's process group (or in a session of its own on a
 *                       pseudo-terminal)
 *
 * What an heir of a killed keeper needs lies in shared memory that both have from before the fork.
 */
#ifndef M31RI_OBSERVE_INT_H
#define M31RI_OBSERVE_INT_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/os_child.h"
#include "emit/rank.h"
#include "emit/run_int.h"
#include "m31r/observe.h"
#include "observe/pattern_int.h"
#include "observe/printer.h"
#include "observe/stream.h"

enum { M31RI_OUT = 0, M31RI_ERR = 1, M31RI_STREAMS = 2 };

/* How far the run is. Goes forward only. */
enum {
    M31RI_PHASE_OPENING,
    M31RI_PHASE_RUNNING, /* the program was started */
    M31RI_PHASE_ENDED,   /* it has ended; its wait status is known or never will be */
    M31RI_PHASE_DONE     /* the run is recorded; the front may go */
};

/* Things that were seen in the program's output, as hints for the cause of a failure. */
enum { M31RI_SEEN_CUDA_OOM = 1, M31RI_SEEN_DISK_FULL = 2 };

/* Anomalies of a loss that end the program, by the user's choice. */
enum { M31RI_STOP_ON_NAN = 1, M31RI_STOP_ON_DIVERGED = 2 };

/* The shared memory. Atomics are written by one process and read by the other; everything else has
 * one user at a time: the keeper, then its heir. */
typedef struct m31ri_shared {
    atomic_int phase;
    atomic_int keeper_pid; /* caretaker.h says who may write it */
    atomic_int program_pid, guard_pid, front_pid;
    atomic_int wait_status; /* of the program; valid from M31RI_PHASE_ENDED on when has_status */
    atomic_int has_status;
    atomic_int asked_signal; /* the last of INT, TERM, HUP that we were sent, and when */
    atomic_llong asked_mono_ns;
    atomic_int is_raw;     /* our terminal is in raw mode */
    atomic_int is_stopped; /* the program is stopped */
    int n_heirs;
    bool is_front_loss_told;
    int exec_errno;
    int seen;                /* M31RI_SEEN_* */
    int stopped_for;         /* M31RI_STOP_ON_*: the program was asked to end; 0: it was not */
    int64_t stop_mono_ns;    /* when */
    bool is_stop_forced;     /* it did not, and was killed */
    char stop_evidence[256]; /* for what */
    int64_t start_mono_ns;
    int64_t oom_kills; /* of its memory cgroup, before the program started; -1: not known */
    char run_dir[PATH_MAX];
    char run_id[M31RI_RUN_ID_BYTES];
    char nonfinite_metric[132]; /* the metric whose last value was not a number; "" */
    m31r_error error;           /* why the run could not be opened */
    m31ri_stream_shared streams[M31RI_STREAMS];
    m31r_pattern_count counts[M31R_PATTERN_LIMIT];
} m31ri_shared;

/* How the program's descriptors hang together with ours. */
typedef struct m31ri_wiring {
    bool ours_is_terminal[3];
    bool
        is_interactive; /* stdin and stdout are terminals: the program gets a terminal of its own */
    int inner[M31RI_STREAMS]; /* write ends or slaves, for the program */
    int outer[M31RI_STREAMS]; /* read ends or masters */
    struct termios terminal;  /* ours, as it was */
    bool has_terminal;        /* `terminal` holds that of descriptor 0 */
} m31ri_wiring;

/* All that is known before the keeper is made. */
typedef struct m31ri_plan {
    const m31r_observe_options *options;
    m31ri_identity *identity;
    m31r_patterns *patterns;
    m31ri_capture capture;
    double sample_interval_s;
    int stop_on;       /* M31RI_STOP_ON_* */
    const char **argv; /* {seed} replaced */
    int rank;          /* in the job of a launcher; -1: there is none */
    char job_key[M31RI_RANK_KEY_BYTES];
    m31ri_signal_state signals; /* as inherited */
    m31ri_wiring wiring;
    m31ri_shared *shared;
    char *rings[M31RI_STREAMS];
    int wake_front[2], wake_keeper[2]; /* pipes: a byte says «look at the shared memory» */
    int front_pidfd, guard_pidfd;      /* made by these themselves; -1: dead, or not known here */
} m31ri_plan;

/* wiring.c: pipes and pseudo-terminals for a program, by what our own descriptors are. */
m31r_err m31ri_wiring_open(m31ri_wiring *w, m31r_error *e);
void m31ri_wiring_close_inner(m31ri_wiring *w);
void m31ri_wiring_follow_size(const m31ri_wiring *w);

/* What is done when the program has a process and before it is one: whoever finds us dead must find
 * the program in the record. */
typedef struct m31ri_program_hook {
    void (*begun)(void *context, pid_t pid);
    void *context;
} m31ri_program_hook;

/* launch.c: starts the program with its environment; the phase becomes RUNNING, or ENDED when exec
 * failed. */
m31r_err m31ri_launch(m31ri_plan *p, m31ri_program_hook hook, m31r_error *e);

/* keeper.c: the keeper's whole life, or that of its heir. Never returns. */
_Noreturn void m31ri_keeper_main(m31ri_plan *p, bool is_heir);

/* front.c: waits for the end, passes signals on, makes heirs. Fills `end`. */
m31r_err m31ri_front_wait(m31ri_plan *p, m31r_observe_end *end, m31r_error *e);

/* ending.c: what the end was, by all that was seen. */
typedef struct m31ri_ending {
    m31ri_run_end end;
    char signal[16];
    char evidence[256];
} m31ri_ending;

void m31ri_ending_judge(const m31ri_shared *s, m31ri_ending *out);

/* The line that ends our stderr; a rank above 0 says which it is. */
void m31ri_ending_line(const m31ri_shared *s, const m31ri_run_end *end, int rank, m31ri_buf *out);

#endif
