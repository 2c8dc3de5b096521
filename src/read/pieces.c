/* pieces.c - threads that take pieces one after another, and a row of pieces that are used in
 * order.
 *
 * The row is a ring: piece i has the place i modulo its length. A thread takes the next piece when
 * its place is free, so a thread that is ahead waits for the caller, and the caller for the piece
 * that is next. With one thread there is none: the caller does all of it.
 */
#include "read/pieces.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "read/piece_int.h"

#define SMALL_BYTES (16 * M31RI_PIECE_BYTES) /* not worth a second thread */
#define RING (4 * M31RI_PIECE_THREADS)

typedef enum place_state { FREE, TAKEN, READY } place_state;

typedef struct piece_row {
    const m31ri_pieces_options *options;
    const m31ri_piece_work *work;
    uint64_t n_pieces;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    uint64_t next;  /* not taken yet */
    uint64_t using; /* the one that the caller waits for */
    bool is_stopped;
    m31r_err err; /* of the thread that failed first */
    m31r_error error;
    place_state states[RING];
    m31ri_piece pieces[RING];
    m31ri_piece_reader readers[M31RI_PIECE_THREADS];
    int n_readers;
} piece_row;

static void clear_piece(m31ri_piece *piece)
{
    m31ri_buf out = piece->out;
    void *own = piece->own;
    memset(piece, 0, sizeof *piece);
    m31ri_buf_clear(&out);
    piece->out = out;
    piece->own = own;
}

static int thread_count(const m31ri_pieces_options *o, const m31ri_piece_work *work)
{
    int64_t n = o->n_threads > 0 ? o->n_threads : sysconf(_SC_NPROCESSORS_ONLN);
    bool is_small = o->n_threads == 0 && o->bytes->size < SMALL_BYTES;
    n = n > M31RI_PIECE_THREADS ? M31RI_PIECE_THREADS : n;
    return is_small || work->knows_lines || n < 1 ? 1 : (int)n;
}

/* The last piece of a file goes on to its end. */
static bool is_open_piece(const piece_row *row, uint64_t index)
{
    return row->options->n_pieces == 0 && index + 1 == row->n_pieces;
}

static bool take_next(piece_row *row, uint64_t *out)
{
    pthread_mutex_lock(&row->lock);
    while (!row->is_stopped && row->next < row->n_pieces && row->next >= row->using + RING) {
        pthread_cond_wait(&row->changed, &row->lock);
    }
    bool has_one = !row->is_stopped && row->next < row->n_pieces;
    if (has_one) {
        *out = row->next++;
        row->states[*out % RING] = TAKEN;
    }
    pthread_mutex_unlock(&row->lock);
    return has_one;
}

static void put_ready(piece_row *row, uint64_t index, m31r_err err, const m31r_error *error)
{
    pthread_mutex_lock(&row->lock);
    row->states[index % RING] = READY;
    if (err != M31R_OK && row->err == M31R_OK) {
        row->err = err;
        row->error = *error;
        row->is_stopped = true;
    }
    pthread_cond_broadcast(&row->changed);
    pthread_mutex_unlock(&row->lock);
}

typedef struct one_thread {
    piece_row *row;
    m31ri_piece_reader *reader;
    pthread_t id;
} one_thread;

static void *read_pieces(void *argument)
{
    one_thread *t = argument;
    uint64_t index;
    while (take_next(t->row, &index)) {
        m31r_error error;
        bool is_last = is_open_piece(t->row, index);
        m31r_err err =
            m31ri_piece_read(t->reader, index, is_last, &t->row->pieces[index % RING], &error);
        put_ready(t->row, index, err, &error);
    }
    return NULL;
}

/* Waits for the next piece; NULL when a thread has failed. */
static m31ri_piece *wait_for(piece_row *row, uint64_t index)
{
    pthread_mutex_lock(&row->lock);
    while (row->err == M31R_OK && row->states[index % RING] != READY) {
        pthread_cond_wait(&row->changed, &row->lock);
    }
    m31ri_piece *piece = row->err == M31R_OK ? &row->pieces[index % RING] : NULL;
    pthread_mutex_unlock(&row->lock);
    return piece;
}

static void set_free(piece_row *row, uint64_t index)
{
    pthread_mutex_lock(&row->lock);
    row->states[index % RING] = FREE;
    row->using = index + 1;
    pthread_cond_broadcast(&row->changed);
    pthread_mutex_unlock(&row->lock);
}

static void stop(piece_row *row, one_thread *threads, int n)
{
    pthread_mutex_lock(&row->lock);
    row->is_stopped = true;
    pthread_cond_broadcast(&row->changed);
    pthread_mutex_unlock(&row->lock);
    for (int i = 0; i < n; i++) {
        pthread_join(threads[i].id, NULL);
    }
}

static m31r_err run_threads(piece_row *row, m31r_error *e)
{
    one_thread threads[M31RI_PIECE_THREADS];
    m31r_err err = M31R_OK;
    int n = 0;
    for (; n < row->n_readers; n++) {
        threads[n] = (one_thread){.row = row, .reader = &row->readers[n]};
        if (pthread_create(&threads[n].id, NULL, read_pieces, &threads[n]) != 0) {
            break; /* those that there are do it */
        }
    }
    if (n == 0) {
        return m31ri_fail(e, M31R_E_NOMEM, "no thread could be started");
    }
    for (uint64_t i = 0; i < row->n_pieces && err == M31R_OK; i++) {
        m31ri_piece *piece = wait_for(row, i);
        if (piece == NULL) {
            err = row->err;
            break;
        }
        err = row->work->use(row->work->context, piece, e);
        clear_piece(piece);
        set_free(row, i);
    }
    stop(row, threads, n);
    if (row->err != M31R_OK && err == row->err && e != NULL) {
        *e = row->error;
    }
    return err;
}

static m31r_err run_alone(piece_row *row, m31r_error *e)
{
    m31r_err err = M31R_OK;
    m31ri_piece *piece = &row->pieces[0];
    uint64_t n_lines = 0;
    for (uint64_t i = 0; i < row->n_pieces && err == M31R_OK; i++) {
        piece->first_line = n_lines;
        err = m31ri_piece_read(&row->readers[0], i, is_open_piece(row, i), piece, e);
        n_lines += piece->n_lines;
        if (err == M31R_OK) {
            err = row->work->use(row->work->context, piece, e);
        }
        clear_piece(piece);
    }
    return err;
}

static void close_row(piece_row *row)
{
    for (int i = 0; i < row->n_readers; i++) {
        if (row->options->filter->expr != NULL) {
            m31ri_expr_add_counts(row->options->filter->expr, row->readers[i].filter.expr);
        }
        m31ri_piece_reader_release(&row->readers[i]);
    }
    for (size_t i = 0; i < RING; i++) {
        m31ri_buf_release(&row->pieces[i].out);
        if (row->work->drop != NULL) {
            row->work->drop(row->work->context, &row->pieces[i]);
        }
    }
    pthread_mutex_destroy(&row->lock);
    pthread_cond_destroy(&row->changed);
    m31ri_free(row);
}

m31r_err m31ri_pieces_run(const m31ri_pieces_options *options, const m31ri_piece_work *work,
                          m31r_error *e)
{
    piece_row *row = m31ri_calloc(1, sizeof *row);
    if (row == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", options->bytes->name);
    }
    row->options = options;
    row->work = work;
    row->n_pieces =
        options->n_pieces > 0 ? options->n_pieces : options->bytes->size / M31RI_PIECE_BYTES + 1;
    pthread_mutex_init(&row->lock, NULL);
    pthread_cond_init(&row->changed, NULL);
    int n = thread_count(options, work);
    m31r_err err = M31R_OK;
    while (row->n_readers < n && err == M31R_OK) {
        err = m31ri_piece_reader_init(&row->readers[row->n_readers], options, work, e);
        row->n_readers += err == M31R_OK;
    }
    if (err == M31R_OK) {
        err = n == 1 ? run_alone(row, e) : run_threads(row, e);
    }
    close_row(row);
    return err;
}
