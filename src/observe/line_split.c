/* line_split.c - cuts a stream of bytes into lines, states of progress bars and parts; line_split.h
 * says how.
 *
 * It keeps no bytes: what is not a whole line yet stays with the caller, who shows it again with
 * more after it. So its state is a few numbers, and a line that was half read when the observer was
 * killed is read again by its heir.
 */
#include "observe/line_split.h"

#include <string.h>

#include "format/json_text.h"

#define WORST_ESCAPE 6     /* \u00xx for one byte */
#define CUT_LOOK_BACK 4096 /* how far before the limit white space is looked for */
#define HIGH_BYTE_COST                                                                             \
    3 /* a stray high byte becomes U+FFFD; those of a whole character cost less */

/* How many bytes of JSON text a byte may become. */
static size_t cost_of(unsigned char c)
{
    if (c < 0x20 || c == 0x7f) {
        return WORST_ESCAPE;
    }
    if (c == '"' || c == '\\') {
        return 2;
    }
    return c < 0x80 ? 1 : HIGH_BYTE_COST;
}

/* Bytes of `text` that fit one record; `length` when all do. */
static size_t fitting(const char *text, size_t length)
{
    if (length <= M31RI_SPLIT_PART_BYTES / WORST_ESCAPE) {
        return length;
    }
    size_t cost = 0;
    for (size_t i = 0; i < length; i++) {
        cost += cost_of((unsigned char)text[i]);
        if (cost > M31RI_SPLIT_PART_BYTES) {
            return i;
        }
    }
    return length;
}

/* Where to cut a line of which `limit` bytes fit: after white space, so that a word (or a secret)
 * is not torn. */
static size_t cut_at(const char *text, size_t limit)
{
    size_t lowest = limit > CUT_LOOK_BACK ? limit - CUT_LOOK_BACK : 1;
    for (size_t i = limit; i > lowest; i--) {
        if (text[i - 1] == ' ' || text[i - 1] == '\t') {
            return i;
        }
    }
    size_t whole = m31ri_utf8_cut(text, limit + 1, limit);
    return whole > 0 ? whole : limit;
}

/* Fills `out` with text[0..length) as a line or the last part of one, and forgets what belonged to
 * that line. */
static void end_line(m31ri_split_state *s, const char *text, size_t length, m31ri_line *out)
{
    out->text = text;
    out->length = length;
    out->part = s->n_parts > 0 ? s->n_parts + 1 : 0;
    out->n_parts = out->part;
    out->is_bar = s->had_bar != 0;
    out->n_overwritten = s->n_overwritten;
    s->n_parts = 0;
    s->had_bar = 0;
    s->n_overwritten = 0;
}

static bool take_part(m31ri_split_state *s, const char *text, size_t limit, m31ri_line *out)
{
    size_t length = cut_at(text, limit);
    out->text = text;
    out->length = length;
    out->part = ++s->n_parts;
    out->used += length;
    return true;
}

/* A state of a bar: true when it is to be kept. */
static bool keeps_bar(m31ri_split_state *s, const char *text, size_t length, int64_t now_ns,
                      m31ri_line *out)
{
    if (length == 0) {
        return false; /* "\rtext" bars begin with the CR */
    }
    s->had_bar = 1;
    if (s->last_bar_ns != 0 && now_ns - s->last_bar_ns < M31RI_SPLIT_BAR_NS) {
        s->n_overwritten++;
        return false;
    }
    s->last_bar_ns = now_ns != 0 ? now_ns : 1;
    out->text = text;
    out->length = length;
    out->part = s->n_parts > 0 ? s->n_parts + 1 : 0;
    out->n_parts = out->part;
    out->is_bar = true;
    out->n_overwritten = s->n_overwritten;
    s->n_parts = 0;
    s->n_overwritten = 0;
    return true;
}

/* What is left when no more will come. */
static bool take_rest(m31ri_split_state *s, const char *text, size_t length, m31ri_line *out)
{
    size_t end = length;
    while (end > 0 && text[end - 1] == '\r') {
        end--;
    }
    out->used += length;
    if (end == 0) {
        return false;
    }
    s->had_bar |= end < length;
    end_line(s, text, end, out);
    out->is_unterminated = true;
    return true;
}

bool m31ri_split_next(m31ri_split_state *s, const char *bytes, size_t length, int64_t now_ns,
                      bool at_end, m31ri_line *out)
{
    *out = (m31ri_line){0};
    while (out->used < length) {
        const char *text = bytes + out->used;
        size_t left = length - out->used;
        const char *lf = memchr(text, '\n', left);
        size_t to_lf = lf != NULL ? (size_t)(lf - text) : left;
        const char *cr = memchr(text, '\r', to_lf);
        size_t to_end = cr != NULL ? (size_t)(cr - text) : to_lf;
        size_t fits = fitting(text, to_end);
        if (fits < to_end) {
            return take_part(s, text, fits, out);
        }
        size_t n_cr = 0;
        while (to_end + n_cr < left && text[to_end + n_cr] == '\r') {
            n_cr++;
        }
        if (to_end + n_cr == left) { /* all CRs, or nothing, to the end: what follows decides */
            return at_end && take_rest(s, text, left, out);
        }
        out->used += to_end + n_cr;
        if (text[to_end + n_cr] == '\n') {
            out->used++;
            end_line(s, text, to_end, out);
            return true;
        }
        if (keeps_bar(s, text, to_end, now_ns, out)) {
            return true;
        }
    }
    return false;
}
