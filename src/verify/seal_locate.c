/* seal_locate.c - see seal_locate.h.
 *
 * Blocks that are as they were are left out from the front, and from the end when what is behind a
 * line that is gone or new has only moved. In what is left the checks of the lines are compared.
 */
#include "verify/seal_locate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "format/run_files.h"
#include "format/segments.h"

#define REGION_BYTES ((uint64_t)64 * 1024 * 1024) /* further than this lines are not compared */

m31r_err m31ri_block_part_of(int run, const char *path, char file[128], uint32_t *part,
                             m31r_error *e)
{
    m31ri_segment_list segments = {0};
    m31ri_run_file_part(path, file, 128, part);
    m31r_err err = *part == 0 ? m31ri_segment_list_read(run, file, &segments, e) : M31R_OK;
    if (*part == 0) {
        *part = segments.n > 0 ? segments.segments[segments.n - 1].ordinal + 1 : 1;
    }
    m31ri_segment_list_release(&segments);
    return err;
}

m31r_err m31ri_block_row_of(const m31ri_block_list *l, const char *file, uint32_t part,
                            m31ri_block_row *out, m31r_error *e)
{
    m31ri_block_row row = {.blocks = m31ri_calloc(l->n + 1, sizeof *row.blocks)};
    if (row.blocks == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for %s", M31RI_BLOCKS_FILE);
    }
    for (size_t i = 0; i < l->n; i++) {
        const m31ri_listed_block *b = &l->blocks[i];
        if (b->part != part || strcmp(b->file, file) != 0 || b->block.index > row.n) {
            continue;
        }
        bool is_new = b->block.index == row.n;
        const m31ri_listed_block *old = is_new ? NULL : row.blocks[b->block.index];
        if (old != NULL && memcmp(old->block.leaf, b->block.leaf, M31RI_SHA256_BYTES) != 0) {
            row.twice = row.n_twice == 0 ? old : row.twice;
            row.n_twice++;
        }
        row.blocks[b->block.index] = b;
        row.n += is_new;
    }
    *out = row;
    return M31R_OK;
}

/* The part of file and row that differs, in bytes of each. */
typedef struct region {
    uint64_t first, last; /* blocks of the row: from first to last - 1 */
    uint64_t start, end_was, end_is;
} region;

static uint64_t end_of(const m31ri_block_row *row, uint64_t n)
{
    return n > 0 ? row->blocks[n - 1]->block.offset + row->blocks[n - 1]->block.bytes : 0;
}

static uint64_t n_same(const m31ri_hash_job *job, const m31ri_block_row *row)
{
    uint64_t i = 0;
    while (i < job->n_blocks && i < row->n &&
           memcmp(job->leaves[i], row->blocks[i]->block.leaf, M31RI_SHA256_BYTES) == 0) {
        i++;
    }
    return i;
}

static void find_region(int fd, const m31ri_hash_job *job, const m31ri_block_row *row, region *r)
{
    uint64_t total = end_of(row, row->n);
    *r = (region){.first = n_same(job, row), .last = row->n};
    r->start = end_of(row, r->first);
    r->end_was = total;
    r->end_is = job->bytes > r->start ? job->bytes : r->start;
    while (r->last > r->first) {
        const m31ri_block *b = &row->blocks[r->last - 1]->block;
        uint8_t leaf[M31RI_SHA256_BYTES];
        if (r->end_is < r->start + b->bytes ||
            m31ri_hash_block(fd, r->end_is - b->bytes, b->bytes, leaf) != 0 ||
            memcmp(leaf, b->leaf, sizeof leaf) != 0) {
            break;
        }
        r->end_is -= b->bytes;
        r->end_was -= b->bytes;
        r->last--;
    }
}

static uint64_t count_lines(const m31ri_block_row *row, uint64_t from, uint64_t to)
{
    uint64_t n = 0;
    for (uint64_t i = from; i < to; i++) {
        n += row->blocks[i]->block.lines;
    }
    return n;
}

/* The lines of the region: checks of those that were, checks and beginnings of those that are. */
typedef struct lines {
    m31ri_buf was, is, starts;
    uint64_t n_was, n_is;
    bool is_torn; /* the last one that is has no end: none that was is like it but the last */
} lines;

static bool read_lines(int fd, const m31ri_block_row *row, const region *r, lines *l)
{
    m31ri_buf text = M31RI_BUF_INIT;
    uint64_t length = r->end_is - r->start;
    length = length < REGION_BYTES ? length : REGION_BYTES;
    bool is_fine = m31ri_buf_reserve(&text, (size_t)length + 1);
    ssize_t n = is_fine ? pread(fd, text.data, (size_t)length, (off_t)r->start) : -1;
    is_fine = n >= 0;
    for (uint64_t i = r->first; i < r->last && is_fine; i++) {
        m31ri_buf_add_str(&l->was, row->blocks[i]->checks);
    }
    for (size_t at = 0; is_fine && at < (size_t)n;) {
        char check[M31RI_CHECK_CHARS];
        const char *lf = memchr(text.data + at, '\n', (size_t)n - at);
        size_t line = lf != NULL ? (size_t)(lf + 1 - (text.data + at)) : (size_t)n - at;
        uint64_t start = at;
        m31ri_line_check(text.data + at, line, check);
        m31ri_buf_add(&l->is, check, sizeof check);
        m31ri_buf_add(&l->starts, &start, sizeof start);
        l->is_torn = lf == NULL;
        at += line;
    }
    l->n_was = l->was.length / M31RI_CHECK_CHARS;
    l->n_is = l->is.length / M31RI_CHECK_CHARS;
    m31ri_buf_release(&text);
    return is_fine && m31ri_buf_ok(&l->was) && m31ri_buf_ok(&l->is) && m31ri_buf_ok(&l->starts);
}

static bool is_same_line(const lines *l, uint64_t was, uint64_t is)
{
    bool is_cut = l->is_torn && is + 1 == l->n_is && was + 1 != l->n_was;
    return !is_cut && memcmp(l->was.data + was * M31RI_CHECK_CHARS,
                             l->is.data + is * M31RI_CHECK_CHARS, M31RI_CHECK_CHARS) == 0;
}

static void say(const lines *l, uint64_t front, uint64_t n_was, uint64_t n_is, m31ri_fault *out)
{
    uint64_t n = 0;
    if (n_is == 0 && n_was > 0) {
        snprintf(out->what, sizeof out->what, "%llu line%s missing", (unsigned long long)n_was,
                 n_was == 1 ? " is" : "s are");
    } else if (n_was == 0) {
        snprintf(out->what, sizeof out->what, "%llu line%s added", (unsigned long long)n_is,
                 n_is == 1 ? " was" : "s were");
    } else if (n_was == n_is) {
        for (uint64_t i = front; i < front + n_was; i++) {
            n += !is_same_line(l, i, i);
        }
        snprintf(out->what, sizeof out->what, "%llu line%s", (unsigned long long)n,
                 n == 1 ? " differs" : "s differ");
    } else {
        snprintf(out->what, sizeof out->what, "%llu line%s became %llu", (unsigned long long)n_was,
                 n_was == 1 ? "" : "s", (unsigned long long)n_is);
    }
}

static void compare(const m31ri_block_row *row, const region *r, const lines *l, m31ri_fault *out)
{
    uint64_t front = 0, back = 0;
    uint64_t before = count_lines(row, 0, r->first);
    uint64_t least = l->n_was < l->n_is ? l->n_was : l->n_is;
    while (front < least && is_same_line(l, front, front)) {
        front++;
    }
    while (back < least - front && is_same_line(l, l->n_was - 1 - back, l->n_is - 1 - back)) {
        back++;
    }
    if (front == l->n_was && front == l->n_is) { /* two lines with one check: the block is known */
        snprintf(out->what, sizeof out->what, "something in the lines up to %llu differs",
                 (unsigned long long)(before + l->n_was));
        front = 0;
    } else {
        say(l, front, l->n_was - front - back, l->n_is - front - back, out);
    }
    uint64_t start = r->end_is - r->start;
    if (front < l->n_is) {
        memcpy(&start, l->starts.data + front * sizeof start, sizeof start);
    }
    out->line = before + front + 1;
    out->byte = r->start + start;
}

bool m31ri_seal_locate(int run, const m31ri_hash_job *job, const m31ri_block_row *row,
                       bool is_prefix, m31ri_fault *out)
{
    region r;
    lines l = {.n_was = 0};
    uint64_t same = n_same(job, row);
    if (same == row->n && (is_prefix || job->bytes == end_of(row, row->n))) {
        return false;
    }
    *out = (m31ri_fault){.line = count_lines(row, 0, same) + 1, .byte = end_of(row, same)};
    int fd = m31ri_run_file_open(run, job->path);
    if (fd < 0) {
        return true;
    }
    find_region(fd, job, row, &r);
    uint64_t n_new = job->n_blocks > row->n ? job->n_blocks - row->n : 0;
    out->n_blocks = r.last > r.first ? r.last - r.first : n_new;
    if (read_lines(fd, row, &r, &l)) {
        compare(row, &r, &l, out);
    }
    m31ri_buf_release(&l.was);
    m31ri_buf_release(&l.is);
    m31ri_buf_release(&l.starts);
    close(fd);
    return true;
}
