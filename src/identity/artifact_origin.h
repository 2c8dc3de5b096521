/* artifact_origin.h - which earlier run made a file, told by its digest.
 *
 * The runs beside this one are looked at, newest first, by what their metadata.json says of their
 * artifacts.
 */
#ifndef M31RI_ARTIFACT_ORIGIN_H
#define M31RI_ARTIFACT_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "store/run_dir.h"

typedef struct m31ri_artifact_origin {
    char run_id[M31RI_RUN_ID_BYTES];
    char stage[33], role[33];
    bool has_step;
    int64_t step;
} m31ri_artifact_origin;

/* False when no other run below the same root has registered a file of this digest as made by it.
 * Thread: any. */
bool m31ri_artifact_origin_find(const m31ri_run_dir *d, const char *sha256,
                                m31ri_artifact_origin *out);

#endif
