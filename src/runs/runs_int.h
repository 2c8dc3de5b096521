/* runs_int.h - a list of runs from the inside: one run is at hand at a time. */
#ifndef M31RI_RUNS_INT_H
#define M31RI_RUNS_INT_H

#include "runs/run_index.h"
#include "runs/run_pieces.h"
#include "format/run_find.h"
#include "m31r/runs.h"

struct m31r_runs {
    char *root;
    int fd;              /* of the root */
    m31ri_run_list list; /* oldest first */
    size_t *order;       /* which of the list are shown, in order; NULL: all, newest first */
    size_t n_order;
    m31ri_run_index *index; /* NULL: none */
    const char *note;
    size_t at; /* of the list, what the following is about; list.n: nothing */
    m31r_facts facts;
    m31r_reader *reader; /* NULL when the index had all that was asked for */
    m31ri_buf path, pieces[M31RI_PIECES];
};

/* Opens over a list that was read from `root` (its descriptor `fd`, which is taken over, as the
 * list is, also on failure). With `is_few` the index is asked for one run at a time. */
m31r_err m31ri_runs_open_list(m31r_runs **out, const char *root, int fd, m31ri_run_list *list,
                              bool is_few, m31r_error *e);

/* The place in the list of the i-th run shown. */
size_t m31ri_runs_place(const m31r_runs *runs, size_t i);

/* Makes the run at `at` of the list the one at hand, with its facts. */
m31r_err m31ri_runs_take(m31r_runs *runs, size_t at, m31r_error *e);

/* A piece of the run at hand, from the index or made and put there; valid until another is taken.
 */
m31r_err m31ri_runs_piece(m31r_runs *runs, m31ri_piece kind, m31ri_piece_bytes *out, m31r_error *e);

#endif
