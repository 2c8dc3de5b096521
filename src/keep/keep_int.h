/* keep_int.h - what removing, archiving and noting share. */
#ifndef M31RI_KEEP_INT_H
#define M31RI_KEEP_INT_H

#include "m31r/keep.h"
#include "m31r/value.h"
#include "read/reader_int.h"

#define M31RI_TOMBSTONES ".removed" /* beside the runs */

/* note_line.c: appends a record of module "notes" to a file of `dir`, synced. */
m31r_err m31ri_note_line(int dir, const char *file, const char *message, const m31r_value *keys,
                         const m31r_value *values, size_t n, m31r_error *e);

/* removal_check.c: may this run be changed by us? "" in `why` when it may. A release may not;
 * `allows_release` is for what only reads it. */
void m31ri_removal_check(const m31r_reader *r, bool allows_release, char *why, size_t size);

/* removal_check.c: a reason is kept for ever, so nothing that the rules forbid may be in it.
 * Errors: M31R_E_ARG. */
m31r_err m31ri_reason_check(const char *reason, m31r_error *e);

/* tombstone.c: makes `.removed/<run_id>/tombstone.json` of the root, synced. `moved_to` NULL:
 * removed.
 * Errors: M31R_E_IO, M31R_E_NOMEM. */
m31r_err m31ri_tombstone_write(int root, const m31r_reader *r, const char *reason,
                               const char *moved_to, m31r_error *e);

/* tombstone.c: moves the lanes of a run that did not finish to its tombstone. */
m31r_err m31ri_tombstone_take_logs(int root, int run, const char *run_id, m31r_error *e);

/* remove_run.c: the run's directory away from its name in one step, then gone. `run` is the
 * descriptor that was looked at: when the name leads to another directory by then, nothing is done.
 */
m31r_err m31ri_remove_run(int root, const char *run_id, int run, m31r_error *e);

/* remove_payload.c: plans and, unless it is dry, removes the payload. */
m31r_err m31ri_remove_payload(const m31r_reader *r, const m31r_removal_options *o,
                              m31r_removal *out, m31r_error *e);

#endif
