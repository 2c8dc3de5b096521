/* pieces.h - all records of a plain file, judged in pieces by several threads, used in order.
 *
 * A file is cut at every M31RI_PIECE_BYTES; a line belongs to the piece in which it begins, so no
 * piece needs to know of another. Each thread judges whole pieces and makes of each what the caller
 * wants; the calling thread takes the pieces in the order of the file. Memory is bounded by the
 * number of pieces under way. The result does not depend on the number of threads.
 */
#ifndef M31RI_PIECES_H
#define M31RI_PIECES_H

#include "base/buf.h"
#include "read/bytes.h"
#include "read/judge.h"
#include "read/sidecar.h"

#define M31RI_PIECE_BYTES (1024 * 1024)
#define M31RI_PIECE_THREADS 8 /* at most */

/* What came of one piece. */
typedef struct m31ri_piece {
    uint64_t first_line; /* number of the line before it; 0 while it is not known, see below */
    uint64_t n_lines, n_kept;
    uint64_t lines[M31R_LINE_CLASSES];
    uint64_t first_bad_line; /* in the piece, from 1; 0: none */
    m31r_line_class first_bad_class;
    bool is_torn;
    uint64_t line_at; /* of the line that is taken: from the piece's first byte */
    m31ri_buf out;    /* the caller's */
    void *own;        /* the caller's */
} m31ri_piece;

/* What is made of the records. */
typedef struct m31ri_piece_work {
    const char *const *names; /* fields whose values are wanted */
    size_t n_names;
    bool needs_head;       /* m31ri_judge_record() will be called */
    bool wants_names_only; /* `take` looks at these values and nothing else of the line */
    const char *demanded;  /* bytes without which a record is one for `take_many`; NULL: none */
    bool knows_lines;      /* `take` or the filter needs line numbers: one thread, in order */

    /* Any thread: adds a record to what becomes of its piece. `slots`: of the names. False when
     * memory is out. */
    bool (*take)(void *context, m31ri_piece *piece, m31ri_judge *judge, const uint8_t *slots,
                 const m31r_record *line);

    /* Instead of `take` for n records that pass and do not hold `demanded`; NULL: each must be
     * seen. Only asked for when the filter passes all records. */
    bool (*take_many)(void *context, m31ri_piece *piece, uint64_t n);

    /* The calling thread, in order: uses a piece, and leaves it empty for the next one. */
    m31r_err (*use)(void *context, m31ri_piece *piece, m31r_error *e);

    void (*drop)(void *context, m31ri_piece *piece); /* frees what `own` holds */
    void *context;
} m31ri_piece_work;

typedef struct m31ri_pieces_options {
    const m31ri_bytes *bytes; /* with `at` */
    const m31r_filter *filter;
    bool is_strict, takes_last_line;
    const m31ri_sidecar *sidecar; /* NULL: every piece is read */
    m31ri_bounds bounds;          /* of the filter, with a sidecar */
    uint64_t n_pieces;            /* only the first ones, which are whole; 0: all of the file */
    int64_t n_threads;            /* 0: as many as there are processors, and one for a small file */
} m31ri_pieces_options;

/* Goes through all of it. The counts of the filter's expression are those of all threads together.
 *
 * Errors: those of `use`, M31R_E_IO, M31R_E_NOMEM.
 */
m31r_err m31ri_pieces_run(const m31ri_pieces_options *options, const m31ri_piece_work *work,
                          m31r_error *e);

#endif
