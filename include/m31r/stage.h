/* stage.h - what a stage must log, as typed calls: data, tokenizer, train, eval, serve.
 *
 * One call writes the record and the metric points that the specification asks for; memory, rates,
 * counts and durations are filled in by the library. Fields are named, in any order, and checked by
 * the compiler: an unknown name, a text for a number and a fraction for a count do not compile. A
 * field that is not set is told apart from 0 and from NaN. A mandatory one that is not set is never
 * written as something else: the record goes without it, and one ERROR `field_missing` a run and
 * call names it. The fields of each call stand in stage_calls.h and docs/stages.md, both made from
 * schemas/; `m31r verify` holds runs against the same. This is not for free-form records: see
 * log.h.
 *
 *     m31r_train_step(run, .step = i, .loss = loss, .lr = lr, .grad_norm = norm, .tokens = n);
 *     m31r_train_checkpoint(run, .step = i, .path = path);
 *     m31r_data_rejected(run, .path = path, .reason = "too_large", .bytes = size);
 *     m31r_data_summary(run);
 *     m31r_progress(run, done, total);
 *
 * Every call here may be made from any thread at once, none is signal-safe, errno is kept. Counts
 * are those of this process; -1 for a count means that it is not set. In C++ the same macros work
 * as they stand (C++17). stage_macros.h says how it works.
 */
#ifndef M31R_STAGE_H
#define M31R_STAGE_H

#include "m31r/run.h"

#include "m31r/stage_calls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Writes the record and the points of a typed call: what the macros of stage_calls.h expand to.
 *
 * `fields` points to the call's struct, `size_bytes` is its size as the caller compiled it.
 * Registers the file first where the call is about one. A number that is no call does nothing.
 *
 * Owns:   nothing; everything is copied before it returns.
 * Thread: any. errno is kept.
 */
M31R_API void m31r_stage_emit(m31r_run *run, m31r_stage_call call, const void *fields,
                              size_t size_bytes);

/* Says how far the work is: `done` of `total` pieces; total 0: not known. Cheap enough for a loop:
 * a record `progress` is written at most once a second, and when `done` reaches `total`, on the
 * lane `progress` of its own, which `m31r diff` sets aside because its pace is the clock's. Under
 * `m31r run` on a terminal it is shown as a bar.
 *
 * Owns:   nothing.
 * Thread: any. errno is kept.
 */
M31R_API void m31r_progress(m31r_run *run, uint64_t done, uint64_t total);

#ifdef __cplusplus
}
#endif
#endif
