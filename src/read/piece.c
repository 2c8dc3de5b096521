/* piece.c - one piece of a file, read and judged.
 *
 * The piece is read in blocks that stay in the processor's cache. The newlines of a block are found
 * at once, so that the processor can begin with the next line while it is still busy with this one.
 */
#include "read/piece_int.h"

#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"

#define BLOCK_BYTES ((size_t)128 * 1024)

static size_t memory_for(size_t capacity)
{
    return M31RI_READ_ALIGNMENT + capacity + M31RI_READ_BEYOND;
}

/* False when each line must be judged. */
static bool choose_sieve(m31ri_piece_reader *r, bool is_strict)
{
    const m31ri_piece_work *w = r->work;
    bool is_demanding = m31ri_sieve_of(&r->filter, &r->sieve);
    bool passes_all = m31ri_sieve_passes_all(&r->filter);
    r->keeps_passed = passes_all && w->take_many != NULL;
    if (r->keeps_passed && w->demanded != NULL) {
        r->sieve.needle = (m31ri_needle){.text = w->demanded, .length = strlen(w->demanded)};
    }
    r->takes_starts = passes_all && !r->keeps_passed && w->wants_names_only;
    return !is_strict && (is_demanding || r->keeps_passed || r->takes_starts);
}

m31r_err m31ri_piece_reader_init(m31ri_piece_reader *r, const m31ri_pieces_options *options,
                                 const m31ri_piece_work *work, m31r_error *e)
{
    memset(r, 0, sizeof *r);
    r->options = options;
    r->work = work;
    r->walk = m31ri_walk_best();
    r->line = (m31r_record){.file = options->bytes->name, .lane = ""};
    r->filter = *options->filter;
    if (r->filter.expr != NULL) {
        r->filter.expr = m31ri_expr_copy(options->filter->expr);
    }
    m31ri_judge_wants wants = {.filter = &r->filter,
                               .is_strict = options->is_strict,
                               .needs_head = work->needs_head,
                               .names = work->names,
                               .n_names = work->n_names,
                               .out_slots = r->slots};
    r->capacity = BLOCK_BYTES;
    r->memory = m31ri_alloc(memory_for(r->capacity));
    r->buffer = r->memory;
    r->newlines = m31ri_alloc((r->capacity + M31RI_READ_BEYOND) * sizeof *r->newlines);
    bool has_sieve = choose_sieve(r, options->is_strict);
    if (has_sieve) {
        r->sieved = m31ri_alloc((r->capacity + M31RI_READ_BEYOND) * sizeof *r->sieved);
    }
    bool has_expr = options->filter->expr == NULL || r->filter.expr != NULL;
    if (!has_expr || r->memory == NULL || r->newlines == NULL || (has_sieve && r->sieved == NULL) ||
        !m31ri_judge_init(&r->judge, &wants)) {
        m31ri_piece_reader_release(r);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for reading %s", options->bytes->name);
    }
    return M31R_OK;
}

void m31ri_piece_reader_release(m31ri_piece_reader *r)
{
    m31ri_judge_release(&r->judge);
    m31r_expr_free(r->filter.expr);
    m31ri_free(r->memory);
    m31ri_free(r->newlines);
    m31ri_free(r->sieved);
    memset(r, 0, sizeof *r);
}

/* The buffer holds these bytes from now on, which are of its memory. */
static void keep(m31ri_piece_reader *r, const char *bytes, size_t length)
{
    r->buffer = r->memory + m31ri_bytes_shift(r->memory, length);
    r->length = length;
    memmove(r->buffer, bytes, length);
}

/* Room for a longer line. */
static bool grow(m31ri_piece_reader *r)
{
    size_t shift = (size_t)(r->buffer - r->memory);
    char *memory = m31ri_realloc(r->memory, memory_for(2 * r->capacity));
    if (memory == NULL) {
        return false;
    }
    r->memory = memory;
    keep(r, memory + shift, r->length);
    uint32_t *newlines =
        m31ri_realloc(r->newlines, (2 * r->capacity + M31RI_READ_BEYOND) * sizeof *newlines);
    if (newlines == NULL) {
        return false;
    }
    r->newlines = newlines;
    if (r->sieved != NULL) {
        m31ri_sieved *sieved =
            m31ri_realloc(r->sieved, (2 * r->capacity + M31RI_READ_BEYOND) * sizeof *sieved);
        if (sieved == NULL) {
            return false;
        }
        r->sieved = sieved;
    }
    r->capacity *= 2;
    return true;
}

/* Behind the last newline of the lines in the buffer that begin before `limit`; `start` when there
 * is none. */
static size_t end_of_lines(const m31ri_piece_reader *r, size_t start, uint64_t limit)
{
    const char *newline = NULL;
    if (r->offset + r->length >= limit) {
        size_t from = (size_t)(limit - r->offset) - 1;
        newline = memchr(r->buffer + from, '\n', r->length - from);
    }
    if (newline == NULL) {
        newline = memrchr(r->buffer + start, '\n', r->length - start);
    }
    return newline != NULL ? (size_t)(newline - r->buffer) + 1 : start;
}

/* Takes the lines of the buffer that begin before `limit` (an offset of the file) through the
 * sieve; what is left moves to its start. */
static bool sieve_block(m31ri_piece_reader *r, m31ri_piece *piece, uint64_t limit, bool *is_over)
{
    size_t start = 0;
    const char *newline = r->is_before ? memchr(r->buffer, '\n', r->length) : NULL;
    if (newline != NULL) {
        start = (size_t)(newline - r->buffer) + 1; /* the rest of a line of the piece before */
        r->is_before = false;
    }
    *is_over = !r->is_before && r->offset + start >= limit;
    if (!r->is_before && !*is_over) {
        size_t end = end_of_lines(r, start, limit);
        if (end > start && !m31ri_piece_take_sieved(r, piece, r->buffer + start, end - start)) {
            return false;
        }
        start = end;
        *is_over = r->offset + start >= limit;
    }
    r->offset += start;
    keep(r, r->buffer + start, r->length - start);
    return true;
}

/* Judges the lines of the buffer that begin before `limit` (an offset of the file); what is left
 * moves to its start. */
static bool judge_block(m31ri_piece_reader *r, m31ri_piece *piece, uint64_t limit, bool *is_over)
{
    size_t start = 0;
    size_t n = r->walk->newlines(r->buffer, r->length, r->newlines);
    for (size_t i = 0; i < n; i++) {
        if (!r->is_skipping && r->offset + start >= limit) {
            *is_over = true;
            return true;
        }
        size_t newline = r->newlines[i];
        if (r->is_before) {
            r->is_before = false; /* the rest of a line that began in the piece before */
        } else if (!m31ri_piece_take_line(r, piece, r->buffer + start, newline - start, false)) {
            return false;
        }
        start = newline + 1;
    }
    *is_over = !r->is_skipping && r->offset + start >= limit;
    r->offset += start;
    keep(r, r->buffer + start, r->length - start);
    return true;
}

/* Once every field of the expression has been met, since what is said of fields that no record has
 * must not depend on it. Not any more when most lines are held back. */
static bool can_sieve(const m31ri_piece_reader *r)
{
    bool is_useless = r->n_sieved > 1024 && r->n_judged > r->n_sieved / 2;
    return r->sieved != NULL && !is_useless && !r->is_skipping &&
           r->length <= M31R_SCAN_LINE_LIMIT &&
           (r->filter.expr == NULL || m31ri_expr_all_met(r->filter.expr));
}

static bool take_block(m31ri_piece_reader *r, m31ri_piece *piece, uint64_t limit, bool *is_over)
{
    return (can_sieve(r) ? sieve_block : judge_block)(r, piece, limit, is_over);
}

/* A line that is longer than the limit is passed over, and only its end is looked for. */
static bool make_room(m31ri_piece_reader *r)
{
    bool is_too_long = r->length > M31R_SCAN_LINE_LIMIT;
    if (is_too_long || (r->is_before && r->length == r->capacity)) {
        r->is_skipping = r->is_skipping || is_too_long;
        r->offset += r->length;
        keep(r, r->buffer, 0);
    }
    return r->length < r->capacity || grow(r);
}

/* The file has ended inside of a line. */
static bool take_end(m31ri_piece_reader *r, m31ri_piece *piece)
{
    bool is_line = !r->is_before && (r->length > 0 || r->is_skipping);
    if (is_line && r->options->takes_last_line) {
        return m31ri_piece_take_line(r, piece, r->buffer, r->length, false);
    }
    piece->is_torn = is_line;
    return true;
}

/* The line that begins at `at` of the piece into the buffer. False when there is none, or it is
 * very long. */
static bool read_posted(m31ri_piece_reader *r, uint32_t at, size_t *length)
{
    const m31ri_bytes *b = r->options->bytes;
    uint64_t offset = r->begin + at;
    size_t before = offset > 0; /* a newline must stand there */
    const char *newline = NULL;
    for (size_t wanted = 4096; newline == NULL && wanted <= BLOCK_BYTES; wanted *= 32) {
        size_t n = 0;
        if (b->kind->at(b, offset - before, r->buffer, wanted, &n, NULL) != M31R_OK ||
            n <= before || (before == 1 && r->buffer[0] != '\n')) {
            return false;
        }
        memset(r->buffer + n, '\n', M31RI_READ_BEYOND);
        newline = memchr(r->buffer + before, '\n', n - before);
    }
    r->offset = offset - before;
    *length = newline != NULL ? (size_t)(newline - r->buffer) - before : 0;
    return newline != NULL;
}

/* Judges the posted lines of a piece only. False when the file is not as the sidecar says. */
static bool take_posted(m31ri_piece_reader *r, const m31ri_zone *zone, m31ri_piece *piece,
                        bool *has_memory)
{
    const m31ri_posting *postings = r->options->sidecar->postings + zone->first_posting;
    size_t length = 0;
    uint32_t min_level = (uint32_t)r->options->bounds.min_level;
    for (uint32_t i = 0; i < zone->n_postings; i++) {
        if (postings[i].level >= min_level && !read_posted(r, postings[i].at, &length)) {
            return false; /* before anything is made of the piece */
        }
    }
    for (uint32_t i = 0; i < zone->n_postings && *has_memory; i++) {
        if (postings[i].level < min_level) {
            continue;
        }
        if (!read_posted(r, postings[i].at, &length)) {
            break; /* the file was cut just now */
        }
        piece->n_lines = postings[i].line - 1;
        const char *line = r->buffer + (r->begin + postings[i].at > 0);
        *has_memory = m31ri_piece_take_line(r, piece, line, length, false);
    }
    return true;
}

/* What is known of the piece without reading it. */
static void set_known(const m31ri_zone *zone, m31ri_piece *piece)
{
    for (int i = 0; i < M31R_LINE_CLASSES; i++) {
        piece->lines[i] = zone->lines[i];
    }
    piece->n_lines = zone->n_lines;
    piece->first_bad_line = zone->first_bad_line;
    piece->first_bad_class = (m31r_line_class)zone->first_bad_class;
}

/* By the sidecar; false when the piece must be read after all. */
static bool read_known(m31ri_piece_reader *r, uint64_t index, m31ri_piece *piece, bool *has_memory)
{
    const m31ri_sidecar *s = r->options->sidecar;
    m31ri_where where =
        s != NULL ? m31ri_sidecar_where(s, index, &r->options->bounds) : M31RI_ANYWHERE;
    if (where == M31RI_ANYWHERE) {
        return false;
    }
    if (where == M31RI_IN_POSTINGS && !take_posted(r, &s->zones[index], piece, has_memory)) {
        return false;
    }
    set_known(&s->zones[index], piece);
    return true;
}

m31r_err m31ri_piece_read(m31ri_piece_reader *r, uint64_t index, bool is_last, m31ri_piece *piece,
                          m31r_error *e)
{
    const m31ri_bytes *b = r->options->bytes;
    uint64_t begin = index * M31RI_PIECE_BYTES;
    uint64_t limit = is_last ? UINT64_MAX : begin + M31RI_PIECE_BYTES;
    bool is_over = false;
    bool has_memory = true;
    r->begin = begin;
    if (read_known(r, index, piece, &has_memory)) {
        return has_memory ? M31R_OK
                          : m31ri_fail(e, M31R_E_NOMEM, "out of memory for records of %s", b->name);
    }
    r->is_before = begin > 0;
    r->offset = begin - (begin > 0); /* a line begins at `begin` when a newline stands before it */
    r->is_skipping = false;
    keep(r, r->buffer, 0);
    while (!is_over) {
        size_t n = 0;
        if (!make_room(r)) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a line of %s", b->name);
        }
        m31r_err err = b->kind->at(b, r->offset + r->length, r->buffer + r->length,
                                   r->capacity - r->length, &n, e);
        if (err != M31R_OK) {
            return err;
        }
        r->length += n;
        memset(r->buffer + r->length, '\n', M31RI_READ_BEYOND);
        if (!(n > 0 ? take_block(r, piece, limit, &is_over) : take_end(r, piece))) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory for records of %s", b->name);
        }
        is_over = is_over || n == 0;
    }
    return M31R_OK;
}
