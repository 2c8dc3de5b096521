/* notices.h - what the processes of a run tell its owner: lines of JSON in `.live/notices`.
 *
 * Only the owner writes metadata.json; everybody else says here what should stand in it. Each line
 * is an object with "kind":
 *     {"kind":"identity","key":"seed","value":"42","pid":4711}
 *     {"kind":"metric","name":"loss","unit":"nats","better":"lower"}
 *     {"kind":"artifact","role":"checkpoint|input|shard...","path":"checkpoints/a.bin",
 *      "step":1000,"bytes":1,"sha256":"...","mtime_ns":1,"run":"<run_id of an input's maker>"}
 *     {"kind":"parent","run":"<run_id>"}
 *     {"kind":"schema","stage":"train","version":1}
 *     {"kind":"lane","file":"train.log","name":"train","ordered":true,
 *      "records":10,"lost":0,"state":"open|closed","pid":4711,"adds":false}
 * ("adds": the counts are one of many writers' and are added to what the lane has.)
 *     {"kind":"lost","what":"records|points","reason":"ENOSPC","count":3}
 *     {"kind":"digest","what":"dataset|tokenizer","state":"known|failed",
 *      "sha256":"...","files":1,"bytes":1,"error":"..."}
 *     {"kind":"end","state":"failed|interrupted","cause":"nonfinite"}
 *     {"kind":"resumes","run":"<run_id>","step":1000,"checkpoint_sha256":"..."}
 *     {"kind":"rank","rank":3,"pid":4711,"host":"...","state":"joined|closed|finished|failed|...",
 *      "exit_status":0,"signal":"...","cause":"...","evidence":"..."}
 *     {"kind":"environment","programs":[{"name","build_id","compiler"}],
 *      "libraries":[{"name","build_id"}],"python":null|{"version","packages":[...]}}
 *     {"kind":"critical","msg":"..."}
 *     {"kind":"redacted","found":[{"kind":"email","rule":"email","n":3}]}  (added up)
 *     {"kind":"close","pid":4711}
 * The owner folds its own the same way, so that there is one path.
 */
#ifndef M31RI_NOTICES_H
#define M31RI_NOTICES_H

#include <jansson.h>

#include "m31r/error.h"
#include "rules/privacy.h"
#include "store/metadata.h"
#include "store/run_dir.h"

/* Appends one line (locked append). Takes over the reference `notice`, also on failure.
 * Errors: M31R_E_CLOSED (the run has ended), M31R_E_LIMIT (longer than M31RI_NOTICE_LIMIT),
 *         M31R_E_IO, M31R_E_NOMEM. */
m31r_err m31ri_notice_add(const m31ri_run_dir *d, json_t *notice, m31r_error *e);

/* A notice of what the rules took out since this was last asked; NULL: nothing, or no memory. */
json_t *m31ri_redactions_notice(const m31ri_privacy *p);

/* Longest line of a notice; a longer one in the file is not understood. */
#define M31RI_NOTICE_LIMIT (256 * 1024)

/* Reads the lines after `*offset` and folds each into `metadata`; moves `*offset` on. `*n_folded`
 * counts (NULL allowed). A line that is not understood is counted in metadata "unknown_notices". */
m31r_err m31ri_notices_fold(const m31ri_run_dir *d, uint64_t *offset, m31ri_metadata *metadata,
                            int *n_folded, m31r_error *e);

#endif
