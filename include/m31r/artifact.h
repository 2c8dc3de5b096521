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
 * again is recorded as replaced.
 *
 * Returns: M31R_OK when the file is registered.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CLOSED.
 * Owns:    nothing; the file stays the program's.
 * Thread:  any.
 */
M31R_API m31r_err m31r_checkpoint_add(m31r_run *run, const char *path, int64_t step);

/* Registers a file the program reads: a checkpoint it resumes from, a shard, a model. When its
 * digest is that of an earlier run's checkpoint, this run records that it resumes that run.
 *
 * Returns: M31R_OK when the file is registered.
 * Errors:  M31R_E_NOTFOUND, M31R_E_IO, M31R_E_CLOSED.
 * Owns:    nothing.
 * Thread:  any.
 */
M31R_API m31r_err m31r_input_add(m31r_run *run, const char *path);

#ifdef __cplusplus
}
#endif
#endif
