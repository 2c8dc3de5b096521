/* artifact_fate.h - what became of the files that a run registered, looked at when it ends. */
#ifndef M31RI_ARTIFACT_FATE_H
#define M31RI_ARTIFACT_FATE_H

#include <sys/stat.h>

#include "store/metadata.h"

/* Two writes within this time may leave one mtime. */
#define M31RI_MTIME_GRAIN_NS (10 * 1000 * 1000LL)

/* Compares each artifact that the run made (inputs are left out) with the file that is there now,
 * by size and mtime, and sets its `state` where that is news: "removed", "replaced" (overwritten in
 * place, or registered again with another content). `each` (NULL allowed) is told of each, in the
 * order of metadata.json. Removing and replacing checkpoints is what programs do: events, no
 * faults. Thread: the owner of `m`. */
void m31ri_artifact_fates(m31ri_metadata *m, const m31ri_run_dir *d,
                          void (*each)(void *context, const json_t *artifact), void *context);

/* The digest of the file at `path`, below the run, among the artifacts of a metadata.json: when
 * `st` is what it was when it was hashed, and it cannot have been written since without being seen.
 * NULL: it has to be hashed. Owns: `metadata`. */
const char *m31ri_artifact_digest(const json_t *metadata, const char *path, const struct stat *st);

#endif
