/* link_set.c - link_set.h by the cache's table `links`: one row for all runs of a day.
 *
 * Ten thousand rows cost more than what is in them, so a row is a part: the runs whose ids begin
 * with the same 8 bytes, in order of id, each as its length, the five numbers of the stamp, its id
 * with a NUL, and the packed links. A part is written whole when a run of it came, went or changed;
 * those of other days stay as they are.
 */
#include "runs/link_set.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runs/index_file.h"
#include "runs/run_stamp.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/name_table.h"
#include "read/reader_int.h"

#define PART_BYTES 8 /* of the id: its day */
#define LOOKERS 4
#define MANY_RUNS 1000
#define HEAD_BYTES (sizeof(uint32_t) + M31RI_STAMP_NUMBERS * sizeof(int64_t))

typedef struct entry {
    const char *run_id;
    const char *whole; /* the head, the id and the links; NULL: not to be kept */
    const char *links;
    size_t whole_length, length;
    bool is_asked, is_good; /* is_good: it holds, and may be kept */
} entry;

struct m31ri_link_set {
    sqlite3 *db; /* NULL: no cache */
    char *root, *real_root;
    int root_fd;
    int64_t opened_ns;
    char **blobs; /* what the entries point into */
    size_t n_blobs, blobs_capacity;
    entry *kept; /* from the cache, by strcmp of run_id */
    size_t n_kept, kept_capacity;
    size_t next; /* of the kept: behind the one that was asked for last */
    entry *made; /* read from runs, in the order in which they were asked for */
    size_t n_made, made_capacity;
    m31ri_name_table made_ids;
};

/* ---- reading the cache -------------------------------------------------------------------------
 */

static bool hold(m31ri_link_set *set, char *blob)
{
    if (blob == NULL) {
        return false;
    }
    if (set->n_blobs == set->blobs_capacity) {
        size_t capacity = set->blobs_capacity * 2 + 64;
        char **grown = m31ri_realloc(set->blobs, capacity * sizeof *grown);
        if (grown == NULL) {
            m31ri_free(blob);
            return false;
        }
        set->blobs = grown;
        set->blobs_capacity = capacity;
    }
    set->blobs[set->n_blobs++] = blob;
    return true;
}

static bool append(entry **list, size_t *n, size_t *capacity, const entry *e)
{
    if (*n == *capacity) {
        size_t more = *capacity * 2 + 256;
        entry *grown = m31ri_realloc(*list, more * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        *list = grown;
        *capacity = more;
    }
    (*list)[(*n)++] = *e;
    return true;
}

/* Makes an entry of the bytes at `at`; false when they are not whole. */
static bool read_entry(const char *at, size_t left, entry *out)
{
    uint32_t length;
    if (left <= HEAD_BYTES) {
        return false;
    }
    memcpy(&length, at, sizeof length);
    if (length <= HEAD_BYTES || length > left) {
        return false;
    }
    const char *id = at + HEAD_BYTES;
    const char *end = memchr(id, '\0', length - HEAD_BYTES);
    if (end == NULL) {
        return false;
    }
    *out = (entry){.run_id = id,
                   .whole = at,
                   .links = end + 1,
                   .whole_length = length,
                   .length = length - (size_t)(end + 1 - at)};
    return true;
}

/* Takes a part over when its check holds; its runs come in order. */
static void keep_part(m31ri_link_set *set, sqlite3_stmt *s)
{
    const char *part = (const char *)sqlite3_column_text(s, 0);
    const char *content = sqlite3_column_blob(s, 1);
    size_t length = (size_t)sqlite3_column_bytes(s, 1);
    uint8_t check[M31RI_INDEX_CHECK_BYTES];
    if (part == NULL || content == NULL || length < sizeof check) {
        return;
    }
    length -= sizeof check;
    m31ri_index_file_check(set->real_root, part, content + sizeof check, length, check);
    char *copy = memcmp(check, content, sizeof check) == 0 ? m31ri_alloc(length + 1) : NULL;
    if (!hold(set, copy)) {
        return;
    }
    memcpy(copy, content + sizeof check, length);
    for (size_t at = 0; at < length;) {
        entry e;
        bool is_in_order =
            read_entry(copy + at, length - at, &e) &&
            (set->n_kept == 0 || strcmp(set->kept[set->n_kept - 1].run_id, e.run_id) < 0);
        if (!is_in_order || !append(&set->kept, &set->n_kept, &set->kept_capacity, &e)) {
            return;
        }
        at += e.whole_length;
    }
}

static int load(m31ri_link_set *set)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(
        set->db, "SELECT part, content FROM links WHERE root=?1 ORDER BY part", -1, &s, NULL);
    if (rc == SQLITE_OK) {
        sqlite3_bind_text(s, 1, set->real_root, -1, SQLITE_STATIC);
        while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
            keep_part(set, s);
        }
    }
    sqlite3_finalize(s);
    return rc;
}

/* ---- are they what they were? ------------------------------------------------------------------
 */

/* The metadata's stamp; false when there is none. */
static bool look_at(const m31ri_link_set *set, const char *run_id, int64_t out[M31RI_STAMP_NUMBERS])
{
    m31ri_run_stamp_file(set->root_fd, run_id, "metadata.json", out);
    return out[0] != 0;
}

static bool still_holds(const m31ri_link_set *set, const entry *e)
{
    int64_t now[M31RI_STAMP_NUMBERS];
    return look_at(set, e->run_id, now) &&
           memcmp(now, e->whole + sizeof(uint32_t), sizeof now) == 0;
}

typedef struct slice {
    m31ri_link_set *set;
    size_t first, end;
    pthread_t thread;
    bool is_started;
} slice;

static void *look_at_slice(void *context)
{
    const slice *s = context;
    for (size_t i = s->first; i < s->end; i++) {
        s->set->kept[i].is_good = still_holds(s->set, &s->set->kept[i]);
    }
    return NULL;
}

/* Looks at all runs of the cache; at many by several threads, since each is a call of the system
 * that waits for none of the others. */
static void look_at_all(m31ri_link_set *set)
{
    slice slices[LOOKERS];
    long n_processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = set->n_kept < MANY_RUNS || n_processors < 2 ? 1
               : n_processors < LOOKERS                    ? (size_t)n_processors
                                                           : LOOKERS;
    for (size_t i = 0; i < n; i++) {
        slices[i] = (slice){set, set->n_kept * i / n, set->n_kept * (i + 1) / n, 0, false};
        slices[i].is_started =
            i > 0 && pthread_create(&slices[i].thread, NULL, look_at_slice, &slices[i]) == 0;
    }
    for (size_t i = 0; i < n; i++) {
        if (slices[i].is_started) {
            pthread_join(slices[i].thread, NULL);
        } else {
            look_at_slice(&slices[i]);
        }
    }
}

m31ri_link_set *m31ri_link_set_open(const char *root, int root_fd)
{
    const char *note;
    m31ri_link_set *set = m31ri_calloc(1, sizeof *set);
    if (set == NULL) {
        return NULL;
    }
    set->root_fd = root_fd;
    set->opened_ns = m31ri_wall_ns();
    set->root = m31ri_strdup(root);
    set->real_root = realpath(root, NULL);
    if (set->root == NULL) {
        m31ri_link_set_close(set);
        return NULL;
    }
    set->db = set->real_root != NULL ? m31ri_index_file_open(&note) : NULL;
    if (set->db != NULL && m31ri_index_file_is_ruined(load(set))) {
        set->db = m31ri_index_file_renew(set->db, &note);
    }
    look_at_all(set);
    return set;
}

/* ---- a run -------------------------------------------------------------------------------------
 */

static int by_id(const void *key, const void *element)
{
    return strcmp(key, ((const entry *)element)->run_id);
}

/* Reads a run's links from its metadata. `stamp` is of before: a change meanwhile is seen. */
static bool make(m31ri_link_set *set, const char *run_id, const int64_t *stamp, entry *out)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31r_reader *run = NULL;
    uint32_t length = 0;
    m31ri_buf_add_format(&path, "%s/%s", set->root, run_id);
    bool is_read = m31ri_buf_ok(&path) && m31ri_reader_open_path(&run, path.data, NULL) == M31R_OK;
    m31ri_buf_release(&path);
    if (!is_read) {
        return false;
    }
    m31ri_buf_add(&bytes, &length, sizeof length);
    m31ri_buf_add(&bytes, stamp, M31RI_STAMP_NUMBERS * sizeof *stamp);
    m31ri_buf_add(&bytes, run_id, strlen(run_id) + 1);
    m31ri_links_pack(run, &bytes);
    m31r_reader_close(run);
    if (!m31ri_buf_ok(&bytes) || bytes.length > UINT32_MAX) {
        m31ri_buf_release(&bytes);
        return false;
    }
    length = (uint32_t)bytes.length;
    memcpy(bytes.data, &length, sizeof length);
    return hold(set, bytes.data) && read_entry(bytes.data, length, out);
}

/* Reads a run and remembers what was read. */
static bool add_made(m31ri_link_set *set, const char *run_id, const int64_t *stamp,
                     m31ri_links *out)
{
    entry e;
    if (!make(set, run_id, stamp, &e) || !m31ri_links_open(e.links, e.length, out)) {
        return false;
    }
    int64_t newest = stamp[3] > stamp[4] ? stamp[3] : stamp[4];
    e.is_good = newest <= set->opened_ns - M31RI_STAMP_RACY_NS;
    return append(&set->made, &set->n_made, &set->made_capacity, &e) &&
           m31ri_name_table_add(&set->made_ids, run_id, strlen(run_id)) == set->n_made - 1;
}

/* What the cache has of a run; mostly they are asked for in its order. */
static entry *find_kept(m31ri_link_set *set, const char *run_id)
{
    entry *found = set->next < set->n_kept ? &set->kept[set->next] : NULL;
    if (found == NULL || strcmp(found->run_id, run_id) != 0) {
        found = set->n_kept > 0 ? bsearch(run_id, set->kept, set->n_kept, sizeof *set->kept, by_id)
                                : NULL;
    }
    if (found != NULL) {
        set->next = (size_t)(found - set->kept) + 1;
    }
    return found;
}

bool m31ri_link_set_get(m31ri_link_set *set, const char *run_id, m31ri_links *out)
{
    int64_t now[M31RI_STAMP_NUMBERS];
    entry *kept = find_kept(set, run_id);
    if (kept != NULL) {
        kept->is_asked = true;
    }
    if (kept != NULL && kept->is_good) {
        return m31ri_links_open(kept->links, kept->length, out);
    }
    size_t number = m31ri_name_table_find(&set->made_ids, run_id, strlen(run_id));
    if (number != M31RI_NO_NAME) {
        const entry *made = &set->made[number];
        return m31ri_links_open(made->links, made->length, out);
    }
    return look_at(set, run_id, now) && add_made(set, run_id, now, out);
}

/* ---- writing the cache -------------------------------------------------------------------------
 */

static bool is_same_part(const entry *a, const entry *b)
{
    return strncmp(a->run_id, b->run_id, PART_BYTES) == 0;
}

static int by_id_of(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->run_id, ((const entry *)b)->run_id);
}

/* New; or to be forgotten: gone, or not what it was. */
static bool is_change(const entry *e, bool is_made)
{
    return is_made ? e->is_good : !(e->is_good && e->is_asked);
}

/* All entries, by id; `is_asked` of each then says that it is a change: new, or to be forgotten. */
static entry *list_all(const m31ri_link_set *set, size_t *out_n, bool *out_has_change)
{
    entry *all = m31ri_calloc(set->n_kept + set->n_made + 1, sizeof *all);
    size_t n = 0;
    for (size_t i = 0; i < set->n_kept + set->n_made && all != NULL; i++) {
        bool is_made = i >= set->n_kept;
        all[n] = is_made ? set->made[i - set->n_kept] : set->kept[i];
        bool is_gone = !is_made && !all[n].is_asked;
        all[n].is_asked = is_change(&all[n], is_made);
        all[n].is_good &= !is_gone;
        *out_has_change |= all[n].is_asked;
        n += !is_made || all[n].is_good;
    }
    if (all != NULL && *out_has_change) {
        qsort(all, n, sizeof *all, by_id_of);
    }
    *out_n = n;
    return all;
}

/* Writes the part of the entries `first` to `end`; a part without a good one is taken out. */
static bool write_part(m31ri_link_set *set, sqlite3_stmt *s, sqlite3_stmt *forget,
                       const entry *first, const entry *end)
{
    char part[PART_BYTES + 1];
    uint8_t check[M31RI_INDEX_CHECK_BYTES] = {0};
    m31ri_buf bytes = M31RI_BUF_INIT;
    snprintf(part, sizeof part, "%s", first->run_id);
    m31ri_buf_add(&bytes, check, sizeof check);
    for (const entry *e = first; e < end; e++) {
        if (e->is_good) {
            m31ri_buf_add(&bytes, e->whole, e->whole_length);
        }
    }
    if (!m31ri_buf_ok(&bytes)) {
        m31ri_buf_release(&bytes);
        return false;
    }
    bool is_empty = bytes.length == sizeof check;
    sqlite3_stmt *doing = is_empty ? forget : s;
    m31ri_index_file_check(set->real_root, part, bytes.data + sizeof check,
                           bytes.length - sizeof check, check);
    memcpy(bytes.data, check, sizeof check);
    sqlite3_bind_text(doing, 1, set->real_root, -1, SQLITE_STATIC);
    sqlite3_bind_text(doing, 2, part, -1, SQLITE_STATIC);
    if (!is_empty) {
        sqlite3_bind_blob(doing, 3, bytes.data, (int)bytes.length, SQLITE_STATIC);
    }
    bool is_written = sqlite3_step(doing) == SQLITE_DONE && sqlite3_reset(doing) == SQLITE_OK;
    m31ri_buf_release(&bytes);
    return is_written;
}

static bool write_parts(m31ri_link_set *set, const entry *all, size_t n)
{
    sqlite3_stmt *s = NULL;
    sqlite3_stmt *forget = NULL;
    bool is_fine =
        sqlite3_prepare_v2(set->db,
                           "INSERT OR REPLACE INTO links(root, part, content) VALUES(?1,?2,?3)", -1,
                           &s, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(set->db, "DELETE FROM links WHERE root=?1 AND part=?2", -1, &forget,
                           NULL) == SQLITE_OK;
    for (size_t first = 0, end; first < n && is_fine; first = end) {
        bool has_change = false;
        for (end = first; end < n && is_same_part(&all[first], &all[end]); end++) {
            has_change |= all[end].is_asked;
        }
        is_fine = !has_change || write_part(set, s, forget, &all[first], &all[end]);
    }
    sqlite3_finalize(s);
    sqlite3_finalize(forget);
    return is_fine;
}

static void save(m31ri_link_set *set)
{
    size_t n;
    bool has_change = false;
    entry *all = list_all(set, &n, &has_change);
    if (all != NULL && has_change &&
        sqlite3_exec(set->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
        bool is_written = write_parts(set, all, n);
        m31ri_index_file_forget_roots(set->db, "links");
        (void)sqlite3_exec(set->db, is_written ? "COMMIT" : "ROLLBACK", NULL, NULL, NULL);
    }
    m31ri_free(all);
}

void m31ri_link_set_close(m31ri_link_set *set)
{
    if (set == NULL) {
        return;
    }
    if (set->db != NULL) {
        save(set);
        sqlite3_close(set->db);
    }
    for (size_t i = 0; i < set->n_blobs; i++) {
        m31ri_free(set->blobs[i]);
    }
    m31ri_name_table_release(&set->made_ids);
    m31ri_free(set->blobs);
    m31ri_free(set->kept);
    m31ri_free(set->made);
    m31ri_free(set->root);
    free(set->real_root);
    m31ri_free(set);
}
