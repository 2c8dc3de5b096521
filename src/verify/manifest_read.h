/* manifest_read.h - manifest.json as it stands: its lines, its seal, and whether the two belong
 * together. Nothing is said of the files yet. */
#ifndef M31RI_MANIFEST_READ_H
#define M31RI_MANIFEST_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/seal.h"
#include "m31r/error.h"

/* A line of the list of files. Texts are "" where it says nothing. */
typedef struct m31ri_manifest_file {
    char *path;   /* its bytes, which need not be UTF-8 */
    char *shown;  /* the same as text */
    char *target; /* of a symlink; NULL for a file */
    bool is_record;
    uint64_t bytes, n_blocks, n_changed; /* n_changed: while the run was live */
    char sha256[M31RI_SHA256_HEX];
    char merkle[M31RI_SHA256_HEX];
    const char *line; /* its bytes, from { to } */
    size_t length;
} m31ri_manifest_file;

typedef struct m31ri_manifest {
    m31ri_buf text;
    m31ri_manifest_file *files;
    size_t n;
    uint8_t (*leaves)[M31RI_SHA256_BYTES]; /* one for each file */
    bool has_seal;                         /* false: made before there were any */
    m31ri_seal seal;
    char root[M31RI_SHA256_HEX]; /* as computed from the lines */
    bool is_readable;
    char fault[200]; /* the first thing that does not fit; "" when everything does */
    uint64_t fault_line;
} m31ri_manifest;

/* Reads it. What is wrong with it is said in `fault`, with is_readable false when its list of files
 * cannot be used.
 * Errors: M31R_E_NOTFOUND, M31R_E_IO, M31R_E_LIMIT, M31R_E_NOMEM. Owns: the release. */
m31r_err m31ri_manifest_read(int run, m31ri_manifest *out, m31r_error *e);
void m31ri_manifest_release(m31ri_manifest *m);

#endif
