/* piece_lines.c - the lines of a block: each is judged, or the sieve says which need not be. */
#include <string.h>

#include "read/piece_int.h"

static void count(m31ri_piece *piece, m31r_line_class class)
{
    bool is_bad = class != M31R_LINE_OK && class != M31R_LINE_EMPTY;
    piece->lines[class]++;
    if (is_bad && piece->first_bad_line == 0) {
        piece->first_bad_line = piece->n_lines;
        piece->first_bad_class = class;
    }
}

bool m31ri_piece_take_line(m31ri_piece_reader *r, m31ri_piece *piece, const char *text,
                           size_t length, bool is_plain)
{
    m31r_record *line = &r->line;
    line->line = text;
    line->length = length;
    line->line_number = piece->first_line + ++piece->n_lines;
    if (r->is_skipping || length > M31R_SCAN_LINE_LIMIT) {
        r->is_skipping = false;
        count(piece, M31R_LINE_TOO_LONG);
        return true;
    }
    bool is_start = is_plain && r->work->wants_names_only;
    m31ri_verdict verdict =
        (is_start ? m31ri_judge_start : m31ri_judge_line)(&r->judge, text, length, line);
    count(piece, r->judge.class);
    if (verdict != M31RI_KEEP) {
        return true;
    }
    piece->n_kept++;
    piece->line_at = r->offset + (uint64_t)(text - r->buffer) - r->begin;
    return r->work->take(r->work->context, piece, &r->judge, r->slots, line);
}

static bool pass_lines(m31ri_piece_reader *r, m31ri_piece *piece, uint64_t n)
{
    piece->n_lines += n;
    piece->lines[M31R_LINE_OK] += n;
    if (!r->keeps_passed || n == 0) {
        return true;
    }
    piece->n_kept += n;
    return r->work->take_many(r->work->context, piece, n);
}

/* Whole lines: those that the sieve holds back are judged, the others counted. */
static bool take_sieved(m31ri_piece_reader *r, m31ri_piece *piece, const char *text, size_t length)
{
    if (r->n_sieved == 0) {
        m31ri_needle_choose(&r->sieve.needle, text, length);
    }
    size_t n_lines, done = 0, n_done = 0;
    size_t n = r->walk->sieve(text, length, &r->sieve, r->sieved, &n_lines);
    for (size_t i = 0; i < n; i++) {
        const m31ri_sieved *s = &r->sieved[i];
        if (s->at < done) {
            continue; /* of the line before, as the last one */
        }
        const char *before = memrchr(text + done, '\n', s->at - done);
        size_t start = before != NULL ? (size_t)(before - text) + 1 : done;
        const char *newline = memchr(text + s->at, '\n', length - s->at);
        if (!pass_lines(r, piece, s->n_before - n_done) ||
            !m31ri_piece_take_line(r, piece, text + start, (size_t)(newline - text) - start,
                                   false)) {
            return false;
        }
        done = (size_t)(newline - text) + 1;
        n_done = s->n_before + 1;
        r->n_judged++;
    }
    r->n_sieved += n_lines;
    return pass_lines(r, piece, n_lines - n_done);
}

/* Whole lines of which only some fields are wanted: of those that look like records all along
 * nothing is read behind the last of these. */
static bool take_starts(m31ri_piece_reader *r, m31ri_piece *piece, const char *text, size_t length)
{
    size_t n_lines, start = 0, odd = 0;
    size_t n_odd = r->walk->sieve(text, length, &r->sieve, r->sieved, &n_lines);
    size_t n = r->walk->newlines(text, length, r->newlines);
    for (size_t i = 0; i < n; i++) {
        size_t newline = r->newlines[i];
        while (odd < n_odd && r->sieved[odd].at < start) {
            odd++; /* of the line before, as the last one */
        }
        bool is_plain = odd == n_odd || r->sieved[odd].at > newline;
        if (!m31ri_piece_take_line(r, piece, text + start, newline - start, is_plain)) {
            return false;
        }
        r->n_judged += !is_plain;
        start = newline + 1;
    }
    r->n_sieved += n;
    return true;
}

bool m31ri_piece_take_sieved(m31ri_piece_reader *r, m31ri_piece *piece, const char *text,
                             size_t length)
{
    return (r->takes_starts ? take_starts : take_sieved)(r, piece, text, length);
}
