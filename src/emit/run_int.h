/* run_int.h - a run from the inside: what the observer (src/observe) needs beyond the public API.
 *
 * The observer is an owner like any other: it opens the run, then starts a program that joins it.
 * The difference is that it ends the run with what it saw (exit status, signal, cause), not with
 * what it believes of itself.
 */
#ifndef M31RI_RUN_INT_H
#define M31RI_RUN_INT_H

#include <jansson.h>

#include "base/buf.h"
#include "m31r/log.h"
#include "m31r/metric.h"
#include "m31r/run.h"
#include "identity/identity.h"
#include "stat/run_watch.h"
#include "store/reserve.h"
#include "store/run_dir.h"

/* A field of a record. */
typedef struct m31ri_field {
    const char *key;
    m31r_value value;
} m31ri_field;

/* How a run ended. NULL and 0 where it does not apply. */
typedef struct m31ri_run_end {
    const char *state; /* "finished", "failed", "killed", "interrupted" */
    bool has_exit_status;
    int exit_status;
    const char *signal;    /* "SIGKILL" */
    const char *cause;     /* kernel_oom cuda_oom nonfinite signal preempted disk stall exit_status
                              critical ... */
    const char *evidence;  /* one line: what the cause rests on */
    char stated_cause[64]; /* the text behind `cause` when the program stated it */
} m31ri_run_end;

/* Opens a new run as its observer: makes the directory and its files, writes `run_start` to the
 * main lane, then gives the main lane up so that the program's library can claim it. The run's
 * stdout sink is off: the observer prints. Takes over `identity` (released by m31r_run_close or on
 * failure). */
m31r_err m31ri_run_open_observer(m31ri_identity *identity, m31r_run **out, m31r_error *e);

/* Continues the run in `path`, whose observer was killed, as its observer: nothing is written
 * again, lanes go on where they end. Takes over `identity`. M31R_E_BUSY when the owner lives,
 * M31R_E_CLOSED when the run has ended. */
m31r_err m31ri_run_adopt_observer(const char *path, m31ri_identity *identity, m31r_run **out,
                                  m31r_error *e);

/* Joins the run in `path`, which rank 0's observer has made, as the observer of this process's
 * rank; `is_heir` when a killed one did so before. Errors: those of m31ri_run_dir_join. */
m31r_err m31ri_run_join_observer(const char *path, bool is_heir, m31r_run **out, m31r_error *e);

/* The lane that diff sets aside: <stage>.observer.log. Observer only. */
m31r_lane *m31ri_run_observer_lane(m31r_run *run);

/* Writes one record with everything given, such as a captured line with its own time. Counts and
 * privacy as for any record. */
m31r_err m31ri_lane_write(m31r_lane *lane, m31r_level level, const char *module, m31r_value message,
                          const m31r_value *keys, const m31r_value *values, size_t n);

/* The bytes of the last record that m31ri_lane_write made on this lane, newline included, for
 * printing the same bytes to stdout. Valid until the next write on it. */
const m31ri_buf *m31ri_lane_last_line(const m31r_lane *lane);

/* Between hold and release the lane's records are gathered and written together: for a writer that
 * can make them again when it is killed in between, as the observer can. */
void m31ri_lane_hold(m31r_lane *lane);
m31r_err m31ri_lane_release(m31r_lane *lane);

/* Bytes of whole records in the lane's file. */
uint64_t m31ri_lane_bytes(const m31r_lane *lane);

/* Tells the owner what process `pid` has loaded, unless that was told already. */
void m31ri_run_tell_environment(m31r_run *run, int64_t pid);

/* Tells the owner what a program links, as m31ri_environment_linked() takes it. */
void m31ri_run_tell_linked(m31r_run *run, const char *program, const char *libraries);

/* Sets a value in metadata.json (owner only); takes over the reference. Saved at the next tick. */
void m31ri_run_set_metadata(m31r_run *run, const char *dotted, json_t *value);

/* Owner's housekeeping, about once a second: folds notices, logs pending warnings on the observer
 * lane, brings metrics.json up to date, saves metadata.json when it changed. Never blocks for long;
 * never fails visibly. */
void m31ri_run_tick(m31r_run *run);

/* An anomaly that began or was over, as the rules saw it in the points (stat/run_watch.h). */
typedef struct m31ri_run_anomaly {
    bool is_cleared;
    bool is_old; /* begun under an observer that was killed: its record is made, or never will be */
    m31ri_finding finding; /* without its metric's name */
    char metric[M31RI_POINT_NAME_LIMIT + 1];
    char evidence[256];
} m31ri_run_anomaly;

/* The next one that a tick has found and that was not asked for yet. False: there is none. Observer
 * only: in a program without one the tick itself writes the records. */
bool m31ri_run_next_anomaly(m31r_run *run, m31ri_run_anomaly *out);

#define M31RI_ANOMALY_FIELDS 9

/* The fields of its record, which is "anomaly" or "anomaly_cleared"; texts point into `a`. Returns
 * how many. */
size_t m31ri_run_anomaly_fields(const m31ri_run_anomaly *a,
                                m31ri_field fields[M31RI_ANOMALY_FIELDS]);

/* Owner: true once each time that the run's disk gets low, or was so at the start; `out` says how
 * much is left. */
bool m31ri_run_disk_got_low(m31r_run *run, m31ri_room *out);

/* Observer: from here on the rings of the run's living programs are drained in this process, by
 * threads of its own, until the drain is ended or the run. Not before the last fork. */
void m31ri_run_drain_rings(m31r_run *run);

/* What the rings hold is in the files; programs that still live write for themselves. */
void m31ri_run_end_drain(m31r_run *run);

/* The wall clock was set by so many seconds since the last call, as the drain saw it; 0: not. */
double m31ri_run_clock_step(m31r_run *run);

/* True when the owner has ended the run although this process is in it: nothing may be added. */
bool m31ri_run_was_ended(const m31r_run *run);

/* Leaves a run that was ended: writes nothing, closes and frees. */
m31r_err m31ri_run_leave(m31r_run *run);

/* Ends the run: reclaims the main lane (waits up to `wait_ms` for joiners, then marks their lanes
 * abandoned), writes `run_end`, final metrics.json, metadata.json (fsync), manifest.json, removes
 * .live and frees `run`. The observer of a rank above 0 tells the owner instead, and leaves. A
 * CRITICAL record of any process turns `finished` into `failed`. `out_end` (NULL allowed) tells
 * what was recorded in the end (static strings). */
m31r_err m31ri_run_end_observed(m31r_run *run, const m31ri_run_end *end, int wait_ms,
                                m31ri_run_end *out_end, m31r_error *e);

/* How far the background digests of dataset and tokenizer are; NULL when none is being computed.
 * The run starts them itself when it is opened, folds their results at a tick, and waits a little
 * for them at its end. */
const m31ri_fingerprint_progress *m31ri_run_fingerprint_progress(const m31r_run *run);

/* File name of this process's lane of that name. */
void m31ri_run_lane_file(const m31r_run *run, const char *lane, char *out, size_t size);

/* File name of this process's points. */
void m31ri_run_points_file(const m31r_run *run, char *out, size_t size);

/* Access for the observer. */
const m31ri_run_dir *m31ri_run_directory(const m31r_run *run);

/* Leaves the run without ending it (in a forked child that only starts the program): closes nothing
 * that the parent needs. */
void m31ri_run_abandon(m31r_run *run);

#endif
