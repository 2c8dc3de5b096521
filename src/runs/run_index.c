/* run_index.c - run_index.h by SQLite: one table of pieces.
 *
 * A list of all runs reads the whole root at opening with one query: thousands of small ones cost
 * more. Who asks for a few runs gets each by a query of its own.
 */
#include "runs/run_index.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runs/index_file.h"
#include "runs/run_stamp.h"
#include "base/alloc.h"
#include "base/clock.h"

#define CHECK_BYTES M31RI_INDEX_CHECK_BYTES
#define HEAD_BYTES (CHECK_BYTES + 4) /* and the length of the stamp */

typedef struct kept_run {
    char *run_id;
    char *pieces[M31RI_PIECES]; /* stamp and content, without the head */
    size_t stamp_lengths[M31RI_PIECES], lengths[M31RI_PIECES];
    int8_t is_fresh[M31RI_PIECES]; /* -1: not looked at yet */
} kept_run;

typedef struct new_piece {
    char *run_id;
    m31ri_piece piece;
    m31ri_buf bytes;
} new_piece;

struct m31ri_run_index {
    sqlite3 *db;
    char *root; /* its real path */
    int64_t opened_ns;
    bool is_few;  /* runs are read one by one, when they are asked for */
    bool has_all; /* also the pieces that a mere list does not need */
    int root_fd;
    kept_run *kept; /* by strcmp of run_id */
    size_t n_kept, kept_capacity;
    new_piece *added;
    size_t n_added, added_capacity;
};

/* The check of a piece: its key is the run and the kind. */
static void check_of(const char *root, const char *run_id, int piece, const m31ri_buf *rest,
                     uint8_t out[M31RI_INDEX_CHECK_BYTES])
{
    char key[NAME_MAX + 16];
    snprintf(key, sizeof key, "%s/%d", run_id, piece);
    m31ri_index_file_check(root, key, m31ri_buf_str(rest), rest->length, out);
}

static int by_id(const void *key, const void *element)
{
    return strcmp(key, ((const kept_run *)element)->run_id);
}

static kept_run *find(m31ri_run_index *x, const char *run_id)
{
    return x->n_kept > 0 ? bsearch(run_id, x->kept, x->n_kept, sizeof *x->kept, by_id) : NULL;
}

/* Makes a place for a run that is not there yet: at the end when runs come in order. */
static kept_run *enter(m31ri_run_index *x, const char *run_id)
{
    if (x->n_kept == x->kept_capacity) {
        size_t capacity = x->kept_capacity * 2 + 64;
        kept_run *grown = m31ri_realloc(x->kept, capacity * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        x->kept = grown;
        x->kept_capacity = capacity;
    }
    char *copy = m31ri_strdup(run_id);
    if (copy == NULL) {
        return NULL;
    }
    size_t at = x->n_kept;
    while (at > 0 && strcmp(x->kept[at - 1].run_id, run_id) > 0) {
        at--;
    }
    kept_run *run = &x->kept[at];
    memmove(run + 1, run, (x->n_kept - at) * sizeof *run);
    memset(run, 0, sizeof *run);
    memset(run->is_fresh, -1, sizeof run->is_fresh);
    run->run_id = copy;
    x->n_kept++;
    return run;
}

/* The run's place; makes one. Rows of one run come one after the other. */
static kept_run *place_of(m31ri_run_index *x, const char *run_id)
{
    if (x->n_kept > 0 && strcmp(x->kept[x->n_kept - 1].run_id, run_id) == 0) {
        return &x->kept[x->n_kept - 1];
    }
    kept_run *run = x->is_few ? find(x, run_id) : NULL;
    return run != NULL ? run : enter(x, run_id);
}

/* Takes a row over when its checksum holds. */
static void keep_row(m31ri_run_index *x, sqlite3_stmt *s)
{
    const char *run_id = (const char *)sqlite3_column_text(s, 0);
    int piece = sqlite3_column_int(s, 1);
    const char *content = sqlite3_column_blob(s, 2);
    size_t length = (size_t)sqlite3_column_bytes(s, 2);
    uint8_t check[CHECK_BYTES];
    uint32_t stamp_length;
    if (run_id == NULL || piece < 0 || piece >= M31RI_PIECES || length < HEAD_BYTES) {
        return;
    }
    memcpy(&stamp_length, content + CHECK_BYTES, sizeof stamp_length);
    m31ri_buf rest = {.data = (char *)(uintptr_t)content + CHECK_BYTES,
                      .length = length - CHECK_BYTES};
    check_of(x->root, run_id, piece, &rest, check);
    if (stamp_length > length - HEAD_BYTES || memcmp(check, content, CHECK_BYTES) != 0) {
        return;
    }
    kept_run *run = x->has_all ? find(x, run_id) : place_of(x, run_id);
    char *copy = run != NULL ? m31ri_alloc(length - HEAD_BYTES + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, content + HEAD_BYTES, length - HEAD_BYTES);
        m31ri_free(run->pieces[piece]);
        run->pieces[piece] = copy;
        run->stamp_lengths[piece] = stamp_length;
        run->lengths[piece] = length - HEAD_BYTES - stamp_length;
    }
}

/* Reads the pieces of two kinds; of the runs that are known only, once there are any. */
static int load(m31ri_run_index *x, m31ri_piece first, m31ri_piece last)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(
        x->db,
        "SELECT run, piece, content FROM pieces WHERE root=?1 AND piece BETWEEN ?2 AND "
        "?3 ORDER BY run, piece",
        -1, &s, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(s, 1, x->root, -1, SQLITE_STATIC);
        sqlite3_bind_int(s, 2, (int)first);
        sqlite3_bind_int(s, 3, (int)last);
        while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
            keep_row(x, s);
        }
    }
    sqlite3_finalize(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Reads all pieces of one run; enters it also when there is none, so that it is asked for once. */
static kept_run *load_run(m31ri_run_index *x, const char *run_id)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(x->db, "SELECT run, piece, content FROM pieces WHERE root=?1 AND run=?2",
                           -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_text(s, 1, x->root, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, run_id, -1, SQLITE_STATIC);
        while (sqlite3_step(s) == SQLITE_ROW) {
            keep_row(x, s);
        }
    }
    sqlite3_finalize(s);
    return place_of(x, run_id);
}

void m31ri_run_index_free(m31ri_run_index *x)
{
    if (x == NULL) {
        return;
    }
    for (size_t i = 0; i < x->n_kept; i++) {
        m31ri_free(x->kept[i].run_id);
        for (int k = 0; k < M31RI_PIECES; k++) {
            m31ri_free(x->kept[i].pieces[k]);
        }
    }
    for (size_t i = 0; i < x->n_added; i++) {
        m31ri_free(x->added[i].run_id);
        m31ri_buf_release(&x->added[i].bytes);
    }
    m31ri_free(x->kept);
    m31ri_free(x->added);
    sqlite3_close(x->db);
    m31ri_free(x->root);
    m31ri_free(x);
}

m31ri_run_index *m31ri_run_index_open(const char *root, int root_fd, bool is_few,
                                      const char **out_note)
{
    *out_note = "";
    char *real = realpath(root, NULL);
    m31ri_run_index *x = real != NULL ? m31ri_calloc(1, sizeof *x) : NULL;
    if (x == NULL) {
        free(real);
        return NULL;
    }
    x->root = m31ri_strdup(real);
    x->root_fd = root_fd;
    x->opened_ns = m31ri_wall_ns();
    x->is_few = is_few;
    free(real);
    x->db = x->root != NULL ? m31ri_index_file_open(out_note) : NULL;
    bool is_read_now = x->db != NULL && !is_few;
    if (is_read_now &&
        m31ri_index_file_is_ruined(load(x, M31RI_PIECE_FACTS, M31RI_PIECE_NUMBERS))) {
        x->db = m31ri_index_file_renew(x->db, out_note);
    }
    if (x->db == NULL) {
        m31ri_run_index_free(x);
        return NULL;
    }
    return x;
}

bool m31ri_run_index_get(m31ri_run_index *x, const char *run_id, m31ri_piece piece,
                         const char **out, size_t *out_length)
{
    if (x != NULL && piece > M31RI_PIECE_NUMBERS && !x->has_all && !x->is_few) {
        x->has_all = true;
        (void)load(x, M31RI_PIECE_METRICS, M31RI_PIECE_CONFIG);
    }
    kept_run *run = x != NULL ? find(x, run_id) : NULL;
    if (x != NULL && x->is_few && run == NULL) {
        run = load_run(x, run_id);
    }
    if (run == NULL || run->pieces[piece] == NULL) {
        return false;
    }
    /* Pieces made together have one stamp, which is held against the files once. */
    for (int k = 0; k < M31RI_PIECES && run->is_fresh[piece] < 0; k++) {
        if (run->is_fresh[k] >= 0 && run->stamp_lengths[k] == run->stamp_lengths[piece] &&
            memcmp(run->pieces[k], run->pieces[piece], run->stamp_lengths[k]) == 0) {
            run->is_fresh[piece] = run->is_fresh[k];
        }
    }
    if (run->is_fresh[piece] < 0) {
        run->is_fresh[piece] = m31ri_run_stamp_holds(x->root_fd, run_id, run->pieces[piece],
                                                     run->stamp_lengths[piece]);
    }
    *out = run->pieces[piece] + run->stamp_lengths[piece];
    *out_length = run->lengths[piece];
    return run->is_fresh[piece] > 0;
}

static new_piece *add_place(m31ri_run_index *x)
{
    if (x->n_added == x->added_capacity) {
        size_t capacity = x->added_capacity * 2 + 64;
        new_piece *grown = m31ri_realloc(x->added, capacity * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        x->added = grown;
        x->added_capacity = capacity;
    }
    return &x->added[x->n_added];
}

void m31ri_run_index_put(m31ri_run_index *x, const char *run_id, m31ri_piece piece,
                         const m31ri_buf *content)
{
    uint8_t check[CHECK_BYTES] = {0};
    m31ri_buf stamp = M31RI_BUF_INIT;
    m31ri_buf bytes = M31RI_BUF_INIT;
    int64_t newest_ns = 0;
    new_piece *place = x != NULL ? add_place(x) : NULL;
    if (place == NULL || !m31ri_buf_ok(content) ||
        !m31ri_run_stamp_write(x->root_fd, run_id, &stamp, &newest_ns) ||
        newest_ns > x->opened_ns - M31RI_STAMP_RACY_NS) {
        m31ri_buf_release(&stamp);
        return;
    }
    uint32_t stamp_length = (uint32_t)stamp.length;
    m31ri_buf_add(&bytes, check, CHECK_BYTES);
    m31ri_buf_add(&bytes, &stamp_length, sizeof stamp_length);
    m31ri_buf_add(&bytes, stamp.data, stamp.length);
    m31ri_buf_add(&bytes, m31ri_buf_str(content), content->length);
    m31ri_buf_release(&stamp);
    char *copy = m31ri_strdup(run_id);
    if (!m31ri_buf_ok(&bytes) || copy == NULL) {
        m31ri_free(copy);
        m31ri_buf_release(&bytes);
        return;
    }
    m31ri_buf rest = {.data = bytes.data + CHECK_BYTES, .length = bytes.length - CHECK_BYTES};
    check_of(x->root, run_id, (int)piece, &rest, check);
    memcpy(bytes.data, check, CHECK_BYTES);
    *place = (new_piece){copy, piece, bytes};
    x->n_added++;
}

static int write_added(m31ri_run_index *x)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(
        x->db, "INSERT OR REPLACE INTO pieces(root, run, piece, content) VALUES(?1,?2,?3,?4)", -1,
        &s, NULL);
    for (size_t i = 0; i < x->n_added && rc == SQLITE_OK; i++) {
        const new_piece *p = &x->added[i];
        sqlite3_bind_text(s, 1, x->root, -1, SQLITE_STATIC);
        sqlite3_bind_text(s, 2, p->run_id, -1, SQLITE_STATIC);
        sqlite3_bind_int(s, 3, (int)p->piece);
        sqlite3_bind_blob(s, 4, p->bytes.data, (int)p->bytes.length, SQLITE_STATIC);
        rc = sqlite3_step(s) == SQLITE_DONE ? sqlite3_reset(s) : SQLITE_ERROR;
    }
    sqlite3_finalize(s);
    return rc;
}

static int by_text(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

/* Runs that are gone; false when there is none. */
static bool forget_gone(m31ri_run_index *x, const char *const *run_ids, size_t n, bool is_asking)
{
    sqlite3_stmt *s = NULL;
    bool found = false;
    if (!is_asking && sqlite3_prepare_v2(x->db, "DELETE FROM pieces WHERE root=?1 AND run=?2", -1,
                                         &s, NULL) != SQLITE_OK) {
        return false;
    }
    for (size_t i = 0; i < x->n_kept; i++) {
        const char *run_id = x->kept[i].run_id;
        if (n > 0 && bsearch(run_id, run_ids, n, sizeof *run_ids, by_text) != NULL) {
            continue;
        }
        found = true;
        if (!is_asking) {
            sqlite3_bind_text(s, 1, x->root, -1, SQLITE_STATIC);
            sqlite3_bind_text(s, 2, run_id, -1, SQLITE_STATIC);
            sqlite3_step(s);
            sqlite3_reset(s);
        }
    }
    sqlite3_finalize(s);
    return found;
}

void m31ri_run_index_close(m31ri_run_index *x, const char *const *run_ids, size_t n)
{
    if (x == NULL) {
        return;
    }
    bool has_news = x->n_added > 0 || forget_gone(x, run_ids, n, true);
    if (has_news && sqlite3_exec(x->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
        int rc = write_added(x);
        (void)forget_gone(x, run_ids, n, false);
        m31ri_index_file_forget_roots(x->db, "pieces");
        (void)sqlite3_exec(x->db, rc == SQLITE_OK ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
    }
    m31ri_run_index_free(x);
}
