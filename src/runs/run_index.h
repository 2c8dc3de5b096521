/* run_index.h - what is known of runs, kept in the user's cache so that a list of thousands reads
 * none of them again.
 *
 * It holds, for a run of a root, up to four pieces, each with the stamp of the files it was made
 * from: inode, size, modification and change time. A piece whose stamp does not fit the files of
 * now is not used. It is a cache: nothing depends on it, every failure of it is a piece that is not
 * there, and it is never waited for longer than a moment. The file (index_file.h) is shared by all
 * processes of a user through SQLite's own locks.
 */
#ifndef M31RI_RUN_INDEX_H
#define M31RI_RUN_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef struct m31ri_run_index m31ri_run_index;

typedef enum m31ri_piece {
    M31RI_PIECE_FACTS = 0,   /* as of the last look; of use when the end was recorded */
    M31RI_PIECE_NUMBERS = 1, /* what a row of the table shows of the metrics */
    M31RI_PIECE_METRICS = 2, /* what an expression may ask of them */
    M31RI_PIECE_CONFIG = 3,  /* scalars of the config */
    M31RI_PIECES = 4
} m31ri_piece;

/* Opens the index for the runs below `root` (a descriptor `root_fd` of it); makes it when there is
 * none. With `is_few` only runs that are asked for are read, each by itself. NULL when there is no
 * place for it or it cannot be used: `*out_note` then says why in a sentence when that is worth
 * telling, else it is "". */
m31ri_run_index *m31ri_run_index_open(const char *root, int root_fd, bool is_few,
                                      const char **out_note);

/* Forgets what was put. NULL is fine. */
void m31ri_run_index_free(m31ri_run_index *x);

/* Writes what was put, forgets the runs of the root that are not among the `n` of `run_ids` (sorted
 * by strcmp), and frees. NULL is fine. */
void m31ri_run_index_close(m31ri_run_index *x, const char *const *run_ids, size_t n);

/* The piece of a run as it was put, when the run's files still are what they were: valid until the
 * index is closed. False when there is none. */
bool m31ri_run_index_get(m31ri_run_index *x, const char *run_id, m31ri_piece piece,
                         const char **out, size_t *out_length);

/* Remembers a piece, to be written at the end. Not kept when the run's files changed after two
 * seconds before the opening of the index: it may have been made from what was there before. `x`
 * NULL does nothing. */
void m31ri_run_index_put(m31ri_run_index *x, const char *run_id, m31ri_piece piece,
                         const m31ri_buf *content);

#endif
