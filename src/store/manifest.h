/* manifest.h - the seal of a run: made at the end, manifest.json says of every file what it was,
 * and its root is entered in the chain of runs. FORMAT.md section 9 has every byte.
 *
 * Files of class record (what this library writes) become read-only: their mode and 0444. `payload`
 * is the program's own. A symlink is not followed; sockets, FIFOs and devices are left out.
 */
#ifndef M31RI_MANIFEST_H
#define M31RI_MANIFEST_H

#include <jansson.h>
#include <stdint.h>

#include "m31r/error.h"
#include "store/run_dir.h"

/* Hashes the files and writes manifest.json, synced. Reads every byte of the run: as long as that
 * takes.
 * Errors: M31R_E_IO (path set), M31R_E_LIMIT (directories nested deeper than 64), M31R_E_NOMEM. */
m31r_err m31ri_manifest_write(const m31ri_run_dir *d, m31r_error *e);

/* Bytes of the program's own files that sealing would have to hash: those that were registered and
 * are what they were then (`metadata`: metadata.json, NULL: none) are not among them. 0 when the
 * files cannot be listed. */
uint64_t m31ri_manifest_cost(const m31ri_run_dir *d, const json_t *metadata);

#endif
