/* piece_int.h - the reader of one piece: piece.c reads, piece_lines.c takes the lines, pieces.c has
 * several of them. */
#ifndef M31RI_PIECE_INT_H
#define M31RI_PIECE_INT_H

#include "read/expr_int.h"
#include "read/pieces.h"
#include "read/sieve.h"

/* One thread's. Invariant: buffer[0, length) are the file's bytes from `offset` on. */
typedef struct m31ri_piece_reader {
    const m31ri_pieces_options *options;
    const m31ri_piece_work *work;
    const m31ri_walk *walk;
    m31r_filter filter; /* with an expression of its own */
    m31ri_judge judge;
    uint8_t slots[M31RI_SHAPE_SLOTS]; /* of the work's names */
    char *memory;                     /* room for `capacity` bytes, and more before and behind */
    char *buffer;                     /* in it, so that its end is well placed for the next bytes */
    size_t length, capacity;
    uint64_t offset, begin; /* `begin`: of the piece */
    uint32_t *newlines;
    m31ri_sieve sieve;
    m31ri_sieved *sieved; /* NULL: every line is judged */
    bool takes_starts; /* every line is taken, and those that look like records not to their end */
    bool keeps_passed; /* what passes through the sieve passes the filter, else it does not */
    size_t n_sieved, n_judged; /* lines that went into the sieve, and those that it held back */
    m31r_record line;          /* its place, for whoever takes it */
    bool is_before;            /* inside of a line of the piece before */
    bool is_skipping;          /* inside of a line that is longer than the limit */
} m31ri_piece_reader;

m31r_err m31ri_piece_reader_init(m31ri_piece_reader *r, const m31ri_pieces_options *options,
                                 const m31ri_piece_work *work, m31r_error *e);
void m31ri_piece_reader_release(m31ri_piece_reader *r);

/* Reads and judges the piece of that index; the last one goes on to the end of the file. */
m31r_err m31ri_piece_read(m31ri_piece_reader *r, uint64_t index, bool is_last, m31ri_piece *piece,
                          m31r_error *e);

/* One line. `is_plain`: it looks like a record all along, as the sieve says. False when memory is
 * out. */
bool m31ri_piece_take_line(m31ri_piece_reader *r, m31ri_piece *piece, const char *text,
                           size_t length, bool is_plain);

/* Whole lines, by the sieve. */
bool m31ri_piece_take_sieved(m31ri_piece_reader *r, m31ri_piece *piece, const char *text,
                             size_t length);

#endif
