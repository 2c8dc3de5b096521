/* line_walk_each.h - line_walk.h written once and compiled for each instruction set.
 *
 * The file that includes it gives, for the bytes at `p`:
 *
 * - equals_of(p, c): of 64 bytes, bit i when byte i is `c`.
 *
 * - misfits_of(p): of 65 bytes, the same where a line does not look like a plain record:
 * backslashes, control characters, bytes of UTF-8 sequences; `{` and newline not one behind the
 * other, or newline and `}`.
 *
 * - strings_of(p, c, n): the same when a string of n bytes stands there that begins with the letter
 *   `c` (in lower case), in either case. Or, with HAS_PAIRS, pairs_of() and words_of() below.
 *
 * - LANES, STRIDE: how many bytes the next ones look at, and how many bits a byte has in their
 * masks, of which one at most is set; lanes_constants, make_constants(): what they keep in
 * registers.
 *
 * - string_stops(p, constants): where a string ends or must be looked at: quotes, backslashes,
 *   control characters, bytes of UTF-8 sequences.
 *
 * - other_than_digits(p, constants); is_same(p, node): the node's literal stands there.
 */
#ifndef M31RI_LINE_WALK_EACH_H
#define M31RI_LINE_WALK_EACH_H

#include "format/json_text_int.h"
#include "read/line_walk.h"

#include <string.h>

static inline size_t first_of(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / STRIDE;
}

/* One place is written whether it is there or not, so that the usual number of lines takes no
 * branch that depends on it. */
static size_t find_newlines(const char *text, size_t length, uint32_t *out)
{
    size_t n = 0;
    for (size_t base = 0; base < length; base += 64) {
        uint64_t mask = equals_of(text + base, '\n');
        if (__builtin_expect(length - base < 64, 0)) {
            mask &= ((uint64_t)1 << (length - base)) - 1;
        }
        out[n] = (uint32_t)base + (uint32_t)__builtin_ctzll(mask | (uint64_t)1 << 63);
        n += mask != 0;
        for (mask &= mask - 1; __builtin_expect(mask != 0, 0); mask &= mask - 1) {
            out[n++] = (uint32_t)base + (uint32_t)__builtin_ctzll(mask);
        }
    }
    return n;
}

#ifndef HAS_PAIRS
/* `c` at `p` and `d` at `q`. */
static inline uint64_t pairs_of(const char *p, char c, const char *q, char d)
{
    return equals_of(p, c) & equals_of(q, d);
}

/* Where a word of the sieve may begin. */
static inline uint64_t words_of(const char *p, const m31ri_sieve *s)
{
    uint64_t places = 0;
    for (size_t i = 0; i < s->n_words; i++) {
        places |= strings_of(p, s->words[i].first, s->words[i].length);
    }
    return places;
}
#endif

/* The two rarest bytes of the needle are looked for, and what stands around them is compared. */
static inline uint64_t needle_places(const char *p, const m31ri_needle *n)
{
    uint64_t hits = 0;
    uint64_t mask = pairs_of(p + n->rare, n->text[n->rare], p + n->second, n->text[n->second]);
    for (; __builtin_expect(mask != 0, 0); mask &= mask - 1) {
        uint64_t bit = mask & (0 - mask);
        hits |= memcmp(p + __builtin_ctzll(mask), n->text, n->length) == 0 ? bit : 0;
    }
    return hits;
}

/* One of the words stands in quotes at `p`, whatever its letters behind the fourth. */
static inline bool is_word(const char *p, const m31ri_sieve *s)
{
    bool is_one = false;
    uint32_t letters;
    memcpy(&letters, p + 1, sizeof letters);
    for (size_t i = 0; i < s->n_words; i++) {
        const m31ri_sieve_word *w = &s->words[i];
        is_one |= (letters | 0x20202020) == w->letters && p[w->length + 1] == '"';
    }
    return is_one;
}

static inline uint64_t word_places(const char *p, const m31ri_sieve *s)
{
    uint64_t hits = 0;
    uint64_t mask = words_of(p, s);
    for (; __builtin_expect(mask != 0, 0); mask &= mask - 1) {
        hits |= is_word(p + __builtin_ctzll(mask), s) ? mask & (0 - mask) : 0;
    }
    return hits;
}

/* One place of each line is enough. */
static inline size_t put_places(uint64_t places, uint64_t newlines, m31ri_sieved first,
                                m31ri_sieved *out)
{
    size_t n = 0;
    while (places != 0) {
        uint64_t below = (places & (0 - places)) - 1;
        uint64_t ends = newlines & ~below;
        out[n].at = first.at + (uint32_t)__builtin_ctzll(places);
        out[n++].n_before = first.n_before + (uint32_t)__builtin_popcountll(newlines & below);
        places = ends != 0 ? places & ~(ends ^ (ends - 1)) : 0;
    }
    return n;
}

/* What does not fit may belong to the byte behind it as well. What the last newline is followed by
 * is not of the text. */
static size_t find_sieved(const char *text, size_t length, const m31ri_sieve *s, m31ri_sieved *out,
                          size_t *out_lines)
{
    size_t n = 0, n_lines = 0;
    uint64_t carry = length > 0 && *text != '{';
    for (size_t base = 0; base < length; base += 64) {
        const char *p = text + base;
        size_t left = length - base;
        uint64_t newlines = equals_of(p, '\n'), odd = misfits_of(p);
        if (__builtin_expect(left <= 64, 0)) {
            newlines &= UINT64_MAX >> (64 - left);
            odd &= (UINT64_MAX >> (64 - left)) >> 1;
        }
        uint64_t places = odd | odd << 1 | carry;
        carry = odd >> 63;
        places |= s->needle.length > 0 ? needle_places(p, &s->needle) : 0;
        places |= s->n_words > 0 ? word_places(p, s) : 0;
        if (__builtin_expect(places != 0, 0)) {
            places &= left < 64 ? UINT64_MAX >> (64 - left) : UINT64_MAX;
            m31ri_sieved first = {(uint32_t)base, (uint32_t)n_lines};
            n += put_places(places, newlines, first, out + n);
        }
        n_lines += (size_t)__builtin_popcountll(newlines);
    }
    *out_lines = n_lines;
    return n;
}

/* Behind the escape at `p`; NULL when it is none, or a surrogate. */
static const char *walk_escape(const char *p)
{
    uint32_t code;
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return p + 2;
    case 'u':
        return m31ri_json_hex4(p + 2, p + 6, &code) && (code < 0xd800 || code > 0xdfff) ? p + 6
                                                                                        : NULL;
    default:
        return NULL;
    }
}

/* Behind the character other than ASCII at `p`; NULL when it is ill-formed. No sequence goes on
 * over a newline, so what stands behind the line does not count. */
static const char *walk_sequence(const char *p)
{
    uint32_t code;
    size_t n = m31ri_utf8_step(p, 4, &code);
    return code != M31RI_NO_CODE ? p + n : NULL;
}

/* The quote that ends the string body at `p`; NULL when the exact parser must judge it. */
static inline const char *walk_string(const char *p, bool *is_escaped, const lanes_constants *c)
{
    for (;;) {
        uint64_t stops = string_stops(p, c);
        if (stops == 0) {
            p += LANES;
            continue;
        }
        p += first_of(stops);
        if (__builtin_expect(*p == '"', 1)) {
            return p;
        }
        if (*p == '\\') {
            *is_escaped = true;
            p = walk_escape(p);
        } else {
            p = (unsigned char)*p >= 0x80 ? walk_sequence(p) : NULL;
        }
        if (p == NULL) {
            return NULL;
        }
    }
}

static const char *walk_digits(const char *p)
{
    const char *start = p;
    while (*p >= '0' && *p <= '9') {
        p++;
    }
    return p > start ? p : NULL;
}

static const char *walk_exponent(const char *p)
{
    p += *p == '+' || *p == '-';
    return walk_digits(p);
}

static const char *walk_long_number(const char *p)
{
    const char *end = walk_digits(p);
    if (end == NULL || (*p == '0' && end > p + 1)) {
        return NULL;
    }
    if (*end == '.') {
        end = walk_digits(end + 1);
    }
    return end != NULL && (*end | 0x20) == 'e' ? walk_exponent(end + 1) : end;
}

/* Behind the number at `p`; NULL when there is none. */
static inline const char *walk_number(const char *p, const lanes_constants *c)
{
    p += *p == '-';
    uint64_t stops = other_than_digits(p, c);
    uint64_t later = stops & (stops - 1);
    if (__builtin_expect(later == 0, 0)) {
        return walk_long_number(p);
    }
    size_t n = first_of(stops);
    if (n == 0 || (*p == '0' && n > 1)) {
        return NULL;
    }
    if (p[n] == '.') {
        size_t m = first_of(later);
        if (m == n + 1) {
            return NULL;
        }
        n = m;
    }
    return __builtin_expect((p[n] | 0x20) == 'e', 0) ? walk_exponent(p + n + 1) : p + n;
}

static inline void keep_fixed(const m31ri_shape_node *node, uint32_t start, m31ri_found *f)
{
    for (unsigned i = 0; i < node->n_fixed; i++) {
        const m31ri_shape_fixed *v = &node->fixed[i];
        f->present |= (uint64_t)1 << v->slot;
        f->values[v->slot] = (m31ri_shape_value){start + v->start, v->length, v->type, false};
    }
}

static m31ri_walk_state walk(const m31ri_shapes *s, const char *line, unsigned pauses,
                             m31ri_found *f)
{
    const lanes_constants constants = make_constants();
    m31ri_shape_node *nodes = s->nodes;
    const char *p = f->at;
    size_t at = f->last->child;
    while (at != 0) {
        m31ri_shape_node *node = &nodes[at];
        if (!is_same(p, node)) {
            at = node->sibling;
            continue;
        }
        const char *value = p + node->length;
        const char *end = value;
        bool is_escaped = false;
        if (node->type == 'n') {
            end = walk_number(value, &constants);
        } else if (node->type == 's') {
            end = walk_string(value, &is_escaped, &constants);
        }
        if (end == NULL) {
            at = node->sibling;
            continue;
        }
        if (node->slot != M31RI_NO_SLOT) {
            f->present |= (uint64_t)1 << node->slot;
            f->values[node->slot] = (m31ri_shape_value){
                (uint32_t)(value - line), (uint32_t)(end - value), node->type, is_escaped};
        }
        if (node->n_fixed > 0) {
            keep_fixed(node, (uint32_t)(p - line), f);
        }
        if (node->type == '}' || (node->pauses & pauses) != 0) {
            f->last = node;
            f->at = end;
            return node->type == '}' ? M31RI_WALK_END : M31RI_WALK_PAUSE;
        }
        p = end;
        at = node->child;
    }
    return M31RI_WALK_LOST;
}

#endif
