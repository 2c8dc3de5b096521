/* checkpoints.c - see checkpoints.h.
 *
 * A lane may be rotated while its file is read: which part a file is, is looked up before it is
 * opened and again before what was read of it is written down; when a segment has come in between,
 * the pass forgets it and the next one finds it under its new name.
 */
#include "store/checkpoints.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/run_files.h"
#include "format/segments.h"

#define READ_BYTES (64 * 1024)
#define FLUSH_BYTES (256 * 1024)
#define LIST_BYTES ((size_t)1024 * 1024 * 1024)

struct m31ri_checkpoints {
    int run;
    int fd; /* -1: not yet made, or given up */
    bool is_given_up;
    uint64_t size; /* of whole lines in the file */
    m31ri_part **parts;
    size_t n_parts;
    m31ri_buf lines; /* not yet written */
};

m31ri_part *m31ri_checkpoints_part(m31ri_checkpoints *c, const char *file, uint32_t part)
{
    for (size_t i = 0; i < c->n_parts; i++) {
        if (c->parts[i]->part == part && strcmp(c->parts[i]->file, file) == 0) {
            return c->parts[i];
        }
    }
    m31ri_part **parts = m31ri_realloc(c->parts, (c->n_parts + 1) * sizeof *parts);
    c->parts = parts != NULL ? parts : c->parts;
    m31ri_part *p = parts != NULL ? m31ri_calloc(1, sizeof *p) : NULL;
    if (p != NULL) {
        snprintf(p->file, sizeof p->file, "%s", file);
        p->part = part;
        c->parts[c->n_parts++] = p;
    }
    return p;
}

static bool keep_leaf(m31ri_part *p, const m31ri_block *b)
{
    if (p->n_blocks == p->capacity) {
        uint64_t capacity = p->capacity * 2 + 16;
        void *grown = m31ri_realloc(p->leaves, capacity * sizeof *p->leaves);
        if (grown == NULL) {
            return false;
        }
        p->leaves = grown;
        p->capacity = capacity;
    }
    memcpy(p->leaves[p->n_blocks++], b->leaf, M31RI_SHA256_BYTES);
    p->end = b->offset + b->bytes;
    return true;
}

static m31r_err load(m31ri_checkpoints *c, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_block_list l = {0};
    m31r_err err = m31ri_read_file(c->run, M31RI_BLOCKS_FILE, LIST_BYTES, &text, e);
    if (err == M31R_E_NOTFOUND || err == M31R_E_IO) { /* IO: a link, or what cannot be read */
        c->is_given_up = err == M31R_E_IO;
        m31ri_buf_release(&text);
        return M31R_OK;
    }
    err = err == M31R_OK ? m31ri_block_list_read(&l, m31ri_buf_str(&text), text.length, e) : err;
    for (size_t i = 0; err == M31R_OK && i < l.n; i++) {
        const m31ri_listed_block *b = &l.blocks[i];
        m31ri_part *p = m31ri_checkpoints_part(c, b->file, b->part);
        bool is_next = p != NULL && b->block.index == p->n_blocks && b->block.offset == p->end;
        if (p == NULL || (is_next && !keep_leaf(p, &b->block))) {
            err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for %s", M31RI_BLOCKS_FILE);
        }
    }
    c->size = l.n_whole;
    m31ri_block_list_release(&l);
    m31ri_buf_release(&text);
    return err;
}

m31r_err m31ri_checkpoints_open(int run, m31ri_checkpoints **out, m31r_error *e)
{
    m31ri_checkpoints *c = m31ri_calloc(1, sizeof *c);
    if (c == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for checkpoints");
    }
    c->run = run;
    c->fd = -1;
    m31r_err err = load(c, e);
    if (err != M31R_OK) {
        m31ri_checkpoints_close(c);
        return err;
    }
    *out = c;
    return M31R_OK;
}

void m31ri_checkpoints_close(m31ri_checkpoints *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->n_parts; i++) {
        m31ri_free(c->parts[i]->leaves);
        m31ri_free(c->parts[i]);
    }
    if (c->fd >= 0) {
        close(c->fd);
    }
    m31ri_free(c->parts);
    m31ri_buf_release(&c->lines);
    m31ri_free(c);
}

/* The file, cut to its whole lines. */
static bool open_file(m31ri_checkpoints *c)
{
    struct stat st;
    if (c->fd < 0 && !c->is_given_up) {
        c->fd =
            m31ri_open(c->run, M31RI_BLOCKS_FILE, O_RDWR | O_CREAT | O_NONBLOCK, M31RI_FILE_MODE);
        bool is_ours = c->fd >= 0 && fstat(c->fd, &st) == 0 && S_ISREG(st.st_mode) &&
                       st.st_nlink == 1 && ftruncate(c->fd, (off_t)c->size) == 0;
        c->is_given_up = !is_ours;
    }
    return !c->is_given_up;
}

void m31ri_checkpoints_begin(m31ri_checkpoints *c)
{
    struct stat st;
    if (open_file(c) && fstat(c->fd, &st) == 0) { /* what was sealed before may be sealed again */
        fchmod(c->fd, st.st_mode | S_IWUSR);
    }
}

void m31ri_checkpoints_flush(m31ri_checkpoints *c)
{
    size_t written = 0;
    if (c->lines.length > 0 && open_file(c)) {
        bool is_whole = m31ri_buf_ok(&c->lines) && lseek(c->fd, (off_t)c->size, SEEK_SET) >= 0 &&
                        m31ri_write_all(c->fd, c->lines.data, c->lines.length, &written) == 0;
        if (is_whole) {
            c->size += c->lines.length;
        } else { /* a torn line goes at the next opening, where it cannot now */
            c->is_given_up = true;
            if (ftruncate(c->fd, (off_t)c->size) != 0) {
                m31ri_buf_clear(&c->lines);
            }
        }
    }
    m31ri_buf_clear(&c->lines);
}

bool m31ri_checkpoints_add(m31ri_checkpoints *c, m31ri_part *p, const m31ri_block *b,
                           const char *checks)
{
    bool is_same = true;
    if (b->index < p->n_blocks) {
        is_same = memcmp(p->leaves[b->index], b->leaf, M31RI_SHA256_BYTES) == 0;
        if (is_same) {
            return true;
        }
    } else if (!keep_leaf(p, b)) {
        return true; /* not listed */
    }
    m31ri_block_line_write(&c->lines, p->file, p->part, b, checks);
    return is_same;
}

/* ---- while the run is live ------------------------------------------------------------------- */

/* The part that the file `name` is now, and the name that it is listed under. */
static bool identify(const m31ri_dir_list *names, const char *name, char file[128], uint32_t *part)
{
    m31ri_segment_list segments;
    m31ri_run_file_part(name, file, 128, part);
    if (*part != 0) {
        return true;
    }
    if (m31ri_segment_list_of(names, file, &segments, NULL) != M31R_OK) {
        return false;
    }
    *part = segments.n > 0 ? segments.segments[segments.n - 1].ordinal + 1 : 1;
    m31ri_segment_list_release(&segments);
    return true;
}

typedef struct gather {
    m31ri_part *part;
    m31ri_checkpoints *to;
    const atomic_bool *must_stop;
} gather;

static bool take_block(void *context, const m31ri_block *b, const char *checks)
{
    gather *g = context;
    m31ri_checkpoints_add(g->to, g->part, b, checks);
    return g->to->lines.length < FLUSH_BYTES &&
           !atomic_load_explicit(g->must_stop, memory_order_relaxed);
}

static void read_blocks(int fd, gather *g)
{
    char *bytes = m31ri_alloc(READ_BYTES);
    m31ri_cutter cutter;
    uint64_t at = g->part->end;
    bool goes_on = m31ri_cutter_init(&cutter, g->part->n_blocks, at) && bytes != NULL;
    cutter.with_checks = true;
    cutter.each = take_block;
    cutter.context = g;
    while (goes_on) {
        ssize_t n = pread(fd, bytes, READ_BYTES, (off_t)at);
        goes_on = n > 0 && m31ri_cutter_add(&cutter, bytes, (size_t)n);
        at += n > 0 ? (uint64_t)n : 0;
    }
    m31ri_cutter_release(&cutter);
    m31ri_free(bytes);
}

/* True when the name still leads to the part that it led to. */
static bool is_still(int run, const char *name, uint32_t part)
{
    m31ri_dir_list names = {0};
    char file[128];
    uint32_t now = 0;
    bool is_known =
        m31ri_dir_list_fd(run, &names, NULL) == M31R_OK && identify(&names, name, file, &now);
    m31ri_dir_list_release(&names);
    return is_known && now == part;
}

/* Lists the next whole blocks of a file. What was read under a name that changed meanwhile goes.
 * True when there may be more. */
static bool pass_some(m31ri_checkpoints *c, const char *name, m31ri_part *p,
                      const atomic_bool *must_stop)
{
    uint64_t n_before = p->n_blocks, end_before = p->end;
    gather g = {.part = p, .to = c, .must_stop = must_stop};
    int fd = m31ri_open(c->run, name, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    if (is_still(c->run, name, p->part)) {
        read_blocks(fd, &g);
    }
    close(fd);
    if (p->n_blocks > n_before && !is_still(c->run, name, p->part)) {
        p->n_blocks = n_before;
        p->end = end_before;
        m31ri_buf_clear(&c->lines);
    }
    m31ri_checkpoints_flush(c);
    return p->n_blocks > n_before;
}

static void pass_file(m31ri_checkpoints *c, const m31ri_dir_list *names, const char *name,
                      const atomic_bool *must_stop)
{
    char file[128];
    uint32_t part;
    m31ri_part *p =
        identify(names, name, file, &part) ? m31ri_checkpoints_part(c, file, part) : NULL;
    while (p != NULL && !atomic_load(must_stop) && pass_some(c, name, p, must_stop)) {
    }
}

static bool is_listed_file(const m31ri_dir_entry *entry)
{
    size_t n = strlen(entry->name);
    bool is_packed = n > 4 && strcmp(entry->name + n - 4, ".zst") == 0;
    return entry->type == 'f' && !is_packed && n < 128 && m31ri_run_file_has_lines(entry->name);
}

bool m31ri_checkpoints_are_due(m31ri_checkpoints *c)
{
    m31ri_dir_list names = {0};
    bool are_due = false;
    if (c->is_given_up || m31ri_dir_list_fd(c->run, &names, NULL) != M31R_OK) {
        return false;
    }
    for (size_t i = 0; i < names.n && !are_due; i++) {
        char file[128];
        uint32_t part;
        struct stat st;
        const char *name = names.entries[i].name;
        if (!is_listed_file(&names.entries[i]) || !identify(&names, name, file, &part) ||
            fstatat(c->run, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            continue;
        }
        const m31ri_part *p = m31ri_checkpoints_part(c, file, part);
        are_due = p != NULL && (uint64_t)st.st_size > p->end + M31RI_BLOCK_LEAST_BYTES;
    }
    m31ri_dir_list_release(&names);
    return are_due;
}

void m31ri_checkpoints_pass(m31ri_checkpoints *c, const atomic_bool *must_stop)
{
    m31ri_dir_list names = {0};
    if (m31ri_dir_list_fd(c->run, &names, NULL) != M31R_OK) {
        return;
    }
    for (size_t i = 0; i < names.n && !c->is_given_up && !atomic_load(must_stop); i++) {
        if (is_listed_file(&names.entries[i])) {
            pass_file(c, &names, names.entries[i].name, must_stop);
        }
    }
    m31ri_dir_list_release(&names);
}
