/* manifest.h - manifest.json: made at the end, it says of every file of the run what it was.
 *
 *     {"format_version":1,"run_id":...,"made":ts,"files":[
 *     {"path","class":"record"|"payload","bytes","sha256","merkle"?,"target"?},
 *     ...
 *     ],"root":hex}
 *
 * One line for each file, in byte order of path; manifest.json itself, notes.jsonl, `.live` and
 * temporary files of ours are left out. `record` is what this library writes (logs, metrics,
 * metadata, the config and the code as they were), `payload` the program's own. A symlink is not
 * followed: "target" is its text, and the digest is of that text. Sockets, FIFOs and devices are
 * left out.
 *
 * For logs and metrics.csv "merkle" is the root of a tree (RFC 6962: leaf SHA-256(0x00 || block),
 * node SHA-256(0x01 || left || right)) over blocks of the plain bytes, a block ending after the
 * first newline at or after 65,536 bytes from its start. "root" is the same kind of tree with one
 * leaf for each file: its line, from { to }. Files of class record become read-only (their mode and
 * 0444).
 */
#ifndef M31RI_MANIFEST_H
#define M31RI_MANIFEST_H

#include "m31r/error.h"
#include "store/run_dir.h"

/* Hashes the files and writes manifest.json, synced. Reads every byte of the run: as long as that
 * takes.
 * Errors: M31R_E_IO (path set), M31R_E_LIMIT (directories nested deeper than 64), M31R_E_NOMEM. */
m31r_err m31ri_manifest_write(const m31ri_run_dir *d, m31r_error *e);

#endif
