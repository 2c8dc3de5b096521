/* run_pieces_int.h - walking through the packed config and metrics of a run. */
#ifndef M31RI_RUN_PIECES_INT_H
#define M31RI_RUN_PIECES_INT_H

#include "runs/run_pieces.h"
#include "read/expr_int.h"

#define M31RI_METRIC_NUMBERS 4 /* last min max mean */

typedef struct m31ri_config_entry {
    const char *key; /* dotted */
    size_t key_length;
    m31ri_expr_value value;
} m31ri_config_entry;

typedef struct m31ri_metric_entry {
    const char *name;
    size_t name_length;
    double numbers[M31RI_METRIC_NUMBERS];
    int64_t n;
} m31ri_metric_entry;

/* The next entry, which `piece` is moved behind; false at the end. A piece of metrics begins with
 * the run's last step. */
bool m31ri_config_next(m31ri_piece_bytes *piece, m31ri_config_entry *out);
bool m31ri_metrics_begin(m31ri_piece_bytes *piece, int64_t *out_last_step);
bool m31ri_metrics_next(m31ri_piece_bytes *piece, m31ri_metric_entry *out);

#endif
