/* seal_locate.h - where in a file of lines the first thing differs from what was listed of it. */
#ifndef M31RI_SEAL_LOCATE_H
#define M31RI_SEAL_LOCATE_H

#include "verify/hash_jobs.h"
#include "format/blocks.h"

/* The blocks of one file of lines, by index; a block that was listed twice counts as it was listed
 * last. */
typedef struct m31ri_block_row {
    const m31ri_listed_block **blocks;
    uint64_t n;
    uint64_t n_twice;                /* listed again with another leaf */
    const m31ri_listed_block *twice; /* the first of these */
} m31ri_block_row;

/* The name under which a file is listed, and its part: of a lane's file one behind its segments.
 * Errors: M31R_E_IO, M31R_E_NOMEM. */
m31r_err m31ri_block_part_of(int run, const char *path, char file[128], uint32_t *part,
                             m31r_error *e);

/* Errors: M31R_E_NOMEM. Owns: m31ri_free(out->blocks). */
m31r_err m31ri_block_row_of(const m31ri_block_list *l, const char *file, uint32_t part,
                            m31ri_block_row *out, m31r_error *e);

/* What differs. */
typedef struct m31ri_fault {
    uint64_t line, byte; /* line from 1, of the file; byte where that line begins */
    uint64_t n_blocks;   /* that differ */
    char what[120];      /* such as "1 line differs" */
} m31ri_fault;

/* Compares the file that `job` was done for (plain, in blocks) with its row. False when nothing
 * differs. `is_prefix`: what is behind the last block of the row is no difference. */
bool m31ri_seal_locate(int run, const m31ri_hash_job *job, const m31ri_block_row *row,
                       bool is_prefix, m31ri_fault *out);

#endif
