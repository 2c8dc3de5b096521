/* ring_overlay.c - the records of dead rings, made in memory and read behind the file.
 *
 * The notes in `.live` say where rings are, the leases whether their programs live. What a writer
 * that died had begun to write is cut off in the reading, as recovery would cut it off in the file.
 */
#include "read/ring_overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/os_mapping.h"
#include "format/live_place.h"
#include "format/names.h"
#include "ring/ring_batch.h"
#include "ring/ring_commit.h"
#include "ring/ring_crash.h"
#include "rules/privacy_run.h"

#define NOTE_LIMIT 4096
#define TAIL_BYTES 65536
#define ALL_BYTES UINT64_MAX

/* What belongs behind a file's bytes. */
typedef struct tail {
    uint64_t valid; /* bytes of the file that stand; ALL_BYTES: all whole lines */
    m31ri_buf text;
} tail;

typedef struct overlay_bytes {
    m31ri_bytes base;
    m31ri_bytes *file;
    uint64_t given; /* of the file's bytes */
    tail tail;
    size_t tail_given;
} overlay_bytes;

static m31r_err next(m31ri_bytes *base, char *to, size_t capacity, size_t *out_n, m31r_error *e)
{
    overlay_bytes *b = (overlay_bytes *)base;
    uint64_t left = b->tail.valid - b->given;
    *out_n = 0;
    if (left > 0) {
        m31r_err err =
            b->file->kind->next(b->file, to, capacity < left ? capacity : (size_t)left, out_n, e);
        b->given += *out_n;
        if (err != M31R_OK || *out_n > 0) {
            return err;
        }
    }
    size_t rest = b->tail.text.length - b->tail_given;
    *out_n = rest < capacity ? rest : capacity;
    memcpy(to, m31ri_buf_str(&b->tail.text) + b->tail_given, *out_n);
    b->tail_given += *out_n;
    return M31R_OK;
}

static bool has_grown(m31ri_bytes *base, bool *out_is_anew)
{
    (void)base;
    *out_is_anew = false;
    return false;
}

static void release(m31ri_bytes *base)
{
    overlay_bytes *b = (overlay_bytes *)base;
    b->file->kind->free(b->file);
    m31ri_buf_release(&b->tail.text);
    m31ri_free(b);
}

static const m31ri_bytes_kind of_overlay = {next, NULL, has_grown, release};

/* Where the last whole line of the file ends. */
static uint64_t end_of_lines(int dir, const char *file)
{
    char block[TAIL_BYTES];
    struct stat st;
    uint64_t end = ALL_BYTES;
    int fd = m31ri_open(dir, file, O_RDONLY | O_NONBLOCK, 0);
    if (fd >= 0 && fstat(fd, &st) == 0) {
        uint64_t size = (uint64_t)st.st_size;
        uint64_t from = size > sizeof block ? size - sizeof block : 0;
        ssize_t n = pread(fd, block, (size_t)(size - from), (off_t)from);
        const char *newline = n > 0 ? memrchr(block, '\n', (size_t)n) : NULL;
        end = newline != NULL ? from + (uint64_t)(newline - block) + 1 : size;
    }
    if (fd >= 0) {
        close(fd);
    }
    return end;
}

/* The lane of the ring file that is written to `file`; 0: none. */
static uint32_t lane_of(const m31ri_dictionary *d, const char *file)
{
    for (uint32_t id = 1; id <= d->n_lanes; id++) {
        const m31ri_text *t = &d->lanes[id].file;
        if (t->length == strlen(file) && memcmp(t->s, file, t->length) == 0) {
            return id;
        }
    }
    return 0;
}

static void take_points(const m31ri_ring_file *f, const m31ri_commit *c, m31ri_batch *b, int dir,
                        bool is_again, tail *out)
{
    size_t skip =
        is_again ? m31ri_batch_points_there(b, dir, f->header->points_file, c->points_at) : 0;
    m31ri_buf_add(&out->text, b->points.data + skip, b->points.length - skip);
}

/* Everything after the last commit, as it would be written. */
static void take_tail(const m31ri_ring_file *f, m31ri_batch *b, int dir, const char *file,
                      tail *out)
{
    m31ri_commit c;
    m31ri_take t;
    bool is_points = strcmp(f->header->points_file, file) == 0;
    if (!m31ri_commit_read(f, &c)) {
        return;
    }
    m31ri_dictionary_read(&b->dictionary, f);
    uint32_t id = lane_of(&b->dictionary, file);
    bool is_again = m31ri_commit_is_intent(&c);
    if (id != 0 && id <= c.n_lanes && is_again) {
        out->valid = c.lanes[id - 1].offset;
    }
    while (c.n_lanes < b->dictionary.n_lanes) {
        memset(&c.lanes[c.n_lanes++], 0, sizeof c.lanes[0]);
    }
    for (bool more = true; more; is_again = false) {
        if (is_again) {
            m31ri_take_again(&t, f, &c);
        } else {
            c.n_calibrations = atomic_load_explicit(&f->live->n_calibrations, memory_order_acquire);
            more = m31ri_take_begin(&t, f, &c, UINT64_MAX);
        }
        m31ri_batch_make(b, &t, &c);
        m31ri_crash_add(b, f, &c);
        if (is_points && b->points.length != 0) {
            take_points(f, &c, b, dir, is_again, out);
        } else if (id != 0 && b->lanes[id].lines.length != 0) {
            m31ri_buf_add(&out->text, b->lanes[id].lines.data, b->lanes[id].lines.length);
        }
        m31ri_batch_clear(b);
        for (uint32_t i = 0; i < f->header->n_slots; i++) {
            c.rings[i].consumed = c.rings[i].target;
        }
    }
}

/* One ring, when its program is dead and nobody is finishing it. */
static void look_into(int dir, int live, const char *note, const char *file, tail *out)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_ring_file f = {.fd = -1};
    if (m31ri_read_file(live, note, NOTE_LIMIT, &path, NULL) == M31R_OK &&
        m31ri_ring_file_open(m31ri_buf_str(&path), false, &f, NULL) == M31R_OK &&
        m31ri_ring_file_is_dead(&f) && !m31ri_lease_is_held(f.fd, M31RI_LEASE_WRITER)) {
        m31ri_privacy *rules = m31ri_privacy_of_run(dir);
        m31ri_batch *b = m31ri_calloc(1, sizeof *b);
        if (rules != NULL && b != NULL && m31ri_batch_init(b, rules)) {
            take_tail(&f, b, dir, file, out);
        }
        if (b != NULL) {
            m31ri_batch_release(b);
        }
        m31ri_free(b);
        m31ri_privacy_free(rules);
    }
    m31ri_ring_file_close(&f);
    m31ri_buf_release(&path);
}

static void find_tail(int dir, const char *file, tail *out)
{
    static const char *const places[] = {".live", ".live.ending"};
    for (int i = 0; i < 2; i++) {
        m31ri_dir_list list;
        m31ri_live_place live;
        if (m31ri_live_open(dir, places[i], &live) != 0) {
            continue;
        }
        if (live.fd >= 0 && m31ri_dir_list_fd(live.fd, &list, NULL) == M31R_OK) {
            for (size_t k = 0; k < list.n; k++) {
                if (m31ri_ring_note_is_of_other(list.entries[k].name)) {
                    look_into(dir, live.fd, list.entries[k].name, file, out);
                }
            }
            m31ri_dir_list_release(&list);
        }
        m31ri_live_release(&live);
    }
}

m31r_err m31ri_bytes_overlay(m31ri_bytes **bytes, int dir, const char *file, m31r_error *e)
{
    tail t = {ALL_BYTES, M31RI_BUF_INIT};
    find_tail(dir, file, &t);
    if (t.text.length == 0 && t.valid == ALL_BYTES && !t.text.failed) {
        return M31R_OK;
    }
    overlay_bytes *b = m31ri_calloc(1, sizeof *b);
    if (b == NULL || t.text.failed) {
        m31ri_free(b);
        m31ri_buf_release(&t.text);
        (*bytes)->kind->free(*bytes);
        *bytes = NULL;
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for what a dead program left");
    }
    uint64_t end = end_of_lines(dir, file);
    b->base = **bytes;
    b->base.kind = &of_overlay;
    b->base.size = 0;
    b->base.filter = NULL;
    b->file = *bytes;
    b->tail = t;
    b->tail.valid = end < t.valid ? end : t.valid;
    *bytes = &b->base;
    return M31R_OK;
}
