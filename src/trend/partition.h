/* partition.h - the exact best cut of a series into pieces.
 *
 * Every piece is modelled by its mean (constants) or by a straight line (lines), all pieces of one
 * partition alike. The criterion is
 *
 *     n log(RSS / n + floor^2) + 7 k (p + 1) / 2 log n + 4 [lines] log n
 *
 * of k changes, p = 1 for constants and 2 for lines: the lowest wins, found by dynamic programming
 * over all partitions whose pieces have at least M31RI_PIECE_LEAST values. Nothing is random; of
 * equals the one with fewer changes, then with the earlier ones, then of constants is taken.
 */
#ifndef M31RI_PARTITION_H
#define M31RI_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "m31r/error.h"

#define M31RI_PIECE_LEAST 5         /* values of a piece */
#define M31RI_PARTITION_PENALTY 7.0 /* of a change, in halves of log n for each parameter */
#define M31RI_CHANGES_LIMIT 40      /* changes of a partition */
#define M31RI_PARTITION_LIMIT 2000  /* values; their squares are what the work grows with */

typedef struct m31ri_partition {
    bool is_line;
    size_t n_cuts;
    uint16_t cuts[M31RI_CHANGES_LIMIT]; /* first value of each new piece, ascending */
    double criterion;
} m31ri_partition;

/* Cuts the `n` (1 to M31RI_PARTITION_LIMIT) values of `y`, finite, of mean 0 and deviation 1, at no
 * more than `most` places. `floor` above 0 is the deviation below which a better fit is worth
 * nothing.
 *
 * Returns: M31R_OK and the partition in `*out`, or M31R_E_NOMEM.
 */
m31r_err m31ri_partition_find(const double *y, size_t n, size_t most, double floor,
                              m31ri_partition *out);

#endif
