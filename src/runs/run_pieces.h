/* run_pieces.h - what a list asks of a run, packed into bytes that an index can keep.
 *
 * Reading from the run and reading from the index go through the same bytes, so they cannot give
 * different answers. Unpacked texts point into the bytes.
 */
#ifndef M31RI_RUN_PIECES_H
#define M31RI_RUN_PIECES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "m31r/expr.h"
#include "m31r/reader.h"
#include "m31r/runs.h"

typedef struct m31ri_piece_bytes {
    const char *bytes; /* NULL: not asked for */
    size_t length;
} m31ri_piece_bytes;

/* All facts but `path` and `metadata`, which are "" when unpacked. */
void m31ri_facts_pack(const m31r_facts *facts, m31ri_buf *out);
bool m31ri_facts_unpack(m31ri_piece_bytes piece, m31r_facts *out);

/* Everything of a row but the facts. */
void m31ri_numbers_pack(const m31r_run_row *row, m31ri_buf *out);
bool m31ri_numbers_unpack(m31ri_piece_bytes piece, m31r_run_row *out);

/* The scalars of the config, and the metrics' numbers; what cannot be read is not there. */
void m31ri_config_pack(const m31r_reader *run, m31ri_buf *out);
void m31ri_metrics_pack(const m31r_reader *run, m31ri_buf *out);

/* What an expression needs of a run beyond its facts. */
bool m31ri_expr_asks_config(const m31r_expr *x);
bool m31ri_expr_asks_metrics(const m31r_expr *x);

/* Judges a run by its pieces; those that the expression does not ask for may be empty. */
bool m31ri_expr_holds_pieces(m31r_expr *x, const m31r_facts *facts, m31ri_piece_bytes config,
                             m31ri_piece_bytes metrics);

/* One field of a run by its name in expressions. `*out` stays "missing" when there is none. */
void m31ri_pieces_value(const m31r_facts *facts, m31ri_piece_bytes config,
                        m31ri_piece_bytes metrics, const char *field, m31r_run_value *out);

#endif
