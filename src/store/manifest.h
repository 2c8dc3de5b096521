/* manifest.h - manifest.json: made at the end, it says of every file of the run what it was.
 *
 * {"format_version":1,"run_id":...,"made":ts,"files":[{"path","class":"record"|"payload","bytes","sha256","merkle"?}...],"root":hex}
 * in byte order of path; manifest.json itself and notes.jsonl are left out. For record files (logs,
 * metrics.csv) "merkle" is the root of a tree (RFC 6962: leaf SHA-256(0x00 || block), node
 * SHA-256(0x01 || left || right)) over blocks of the plain bytes, a block ending at the first
 * newline at or after 65,536 bytes from its start. "root" is the same kind of tree over the
 * entries' own lines. Record files and metadata become read-only (0444).
 */
#ifndef M31RI_MANIFEST_H
#define M31RI_MANIFEST_H

#include "m31r/error.h"
#include "store/run_dir.h"

m31r_err m31ri_manifest_write(const m31ri_run_dir *d, m31r_error *e);

#endif
