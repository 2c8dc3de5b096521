/* artifact.h - the files a run makes and the files it reads.
 *
 * A checkpoint is a file of the program's own, written below the run's checkpoints/ or anywhere
 * else, and registered here with its size, SHA-256 and step, so that it can be traced back to the
 * run. The library never writes, moves or deletes it.
 *
 *     write_model(path);
 *     m31r_checkpoint_add(run, path, step);
 *
 * Every function here may be called from any thread at once. None is signal-safe.
 */
#ifndef M31R_ARTIFACT_H
#define M31R_ARTIFACT_H

#include "m31r/run.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Registers a checkpoint the program has written and closed. `path` is absolute, or relative to the
 * run's directory when it exists there, else to the working directory. A path that is registered
 * again is recorded as replaced. A file of 8 MiB and more is hashed in the background: the run
 * knows it when the call returns, its digest and the record follow; it may be renamed or removed
 * meanwhile. Closing the run waits for less than 1 GiB of it, about a second.
 *
 * Returns: M31R_OK when the file is registered.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CLOSED.
 * Owns:    nothing; the file stays the program's.
 * Thread:  any.
 */
M31R_API m31r_err m31r_checkpoint_add(m31r_run *run, const char *path, int64_t step);

/* Registers a file the program reads: a checkpoint it resumes from, a shard, a tokenizer, a model.
 * When its digest is that of a file which an earlier run below the same directory of runs has made,
 * that run becomes a parent of this one in metadata.json; when it is a checkpoint of a run of the
 * same stage, this run records also that it resumes that one.
 *
 * Returns: M31R_OK when the file is registered.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CLOSED.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_input_add(m31r_run *run, const char *path);

/* Registers any other file the program has made and closed, so that a later run that reads it can
 * name this one. `role` is a word for what it is, [a-z0-9_-]{1,32} and not "input", such as
 * "tokenizer" or "manifest".
 *
 *     m31r_output_add(run, "tokenizer", "tokenizer.json");
 *
 * Returns: M31R_OK when the file is registered.
 * Errors:  M31R_E_ARG (role), M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CLOSED.
 * Owns:    nothing; the file stays the program's.
 * Thread:  any.
 */
M31R_API m31r_err m31r_output_add(m31r_run *run, const char *role, const char *path);

#ifdef __cplusplus
}
#endif
#endif
