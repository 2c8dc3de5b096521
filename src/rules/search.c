/* search.c - the places of a text where a rule may begin, and the first rule that fits at one.
 *
 * places.h says where: at the first letter of a word by which a rule begins, at a few marks ('='
 * and ':' behind a key, '@', '+', '$'...), at '_' and '-' inside of a word for rules that are
 * glued, at digits behind digits. A harmless line has few such places, so here every rule may take
 * its time.
 *
 * Invariant: matches come in order and never reach back before what was written already (`floor`).
 */
#include <string.h>

#include "rules/places.h"

/* Four bytes at `at`, zeros behind the end of the text. */
static inline uint32_t four_at(const m31ri_subject *t, size_t at)
{
    unsigned char b[4] = {0};
    if (at + 4 <= t->n) {
        memcpy(b, t->s + at, 4);
    } else {
        memcpy(b, t->s + at, t->n - at);
    }
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool try_chain(const m31ri_subject *t, size_t at, uint32_t gram, bool by_line,
                      m31ri_match *out)
{
    const m31ri_rule_index *x = t->index;
    gram = (gram & 0xFFFFFFu) | 0x202020u;
    for (uint16_t i = x->bucket[m31ri_gram_bucket(gram)]; i != 0; i = x->entries[i].next) {
        const m31ri_index_entry *e = &x->entries[i];
        if (e->gram != gram || e->by_line != by_line || e->back > at) {
            continue;
        }
        size_t start = at - e->back;
        const m31ri_rule *r = e->rule;
        if (start >= t->floor && m31ri_has(t, start, r->literal, r->any_case) &&
            r->handler(t, start, r, out) && out->end > out->start && out->start >= t->floor) {
            if (out->rule == NULL && r->handler != m31ri_match_keyed) {
                out->rule = r->literal;
            }
            return true;
        }
    }
    return false;
}

static bool try_word(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    if (at + M31RI_SHORTEST > t->n) {
        return false;
    }
    uint32_t four = four_at(t, at);
    return (m31ri_rule_index_may(t->index, four) && try_chain(t, at, four, false, out)) ||
           (m31ri_is_country_code(four) && m31ri_match_iban(t, at, NULL, out));
}

/* What an escape hides: %3Dghp_..., \nghp_..., ESC[31mghp_... */
static bool try_behind_escape(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    char c = t->s[at];
    if (c == 0x1B) {
        size_t i = at + 1;
        while (i < t->n && i < at + 12 && t->s[i] != 'm') {
            i++;
        }
        return i < at + 12 && try_word(t, i + 1, out);
    }
    if (c == '%') {
        bool equals = m31ri_has(t, at, "%3d", true);
        return (equals && m31ri_match_key_before(t, at, out)) || try_word(t, at + 3, out);
    }
    return at + 1 < t->n &&
           ((m31ri_has(t, at, "\\u003d", true) && m31ri_match_key_before(t, at, out)) ||
            try_word(t, at + 2, out) || (t->s[at + 1] == 'u' && try_word(t, at + 6, out)));
}

static bool try_mark(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    switch (t->s[at]) {
    case ':':
        return (at + 1 < t->n && t->s[at + 1] != ' ' && /* most end a word */
                (try_chain(t, at, four_at(t, at), false, out) ||
                 (at > 0 && m31ri_match_mac(t, at - 1, NULL, out)))) ||
               m31ri_match_key_before(t, at, out);
    case '=':
        return m31ri_match_key_before(t, at, out);
    case '>':
        return m31ri_match_key_element(t, at, out);
    case '@':
        return m31ri_match_at(t, at, out);
    case '+':
        return m31ri_match_plus(t, at, NULL, out);
    case '~':
        return m31ri_match_azure(t, at, out);
    case '$':
        return try_chain(t, at, four_at(t, at), false, out);
    case '-':
        return try_chain(t, at, four_at(t, at), false, out) ||
               (at >= 2 && try_chain(t, at, four_at(t, at - 2), true, out)) ||
               m31ri_match_key_option(t, at, out);
    case '_':
        return at >= 2 && try_chain(t, at, four_at(t, at - 2), true, out);
    case '%':
    case '\\':
    case 0x1B:
        return try_behind_escape(t, at, out);
    default:
        return false;
    }
}

static bool try_at(const m31ri_subject *t, size_t at, m31ri_match *out)
{
    *out = (m31ri_match){0};
    if (!m31ri_is_alnum(t->s[at])) {
        return try_mark(t, at, out);
    }
    if (m31ri_is_digit(t->s[at])) {
        return try_word(t, at, out) || (at >= 2 && m31ri_match_numbers(t, at - 2, NULL, out)) ||
               (at >= 5 && t->s[at - 5] == ',' && m31ri_match_zip(t, at - 5, NULL, out));
    }
    return try_word(t, at, out) || m31ri_match_discord(t, at, out);
}

bool m31ri_search_next(const m31ri_subject *t, size_t *at, m31ri_match *out)
{
    for (size_t block = *at; block < t->n; block += M31RI_BLOCK) {
        uint64_t left = block == 0
                            ? t->first
                            : t->index->places(t->index, (m31ri_text_view){t->s, t->n}, block);
        for (; left != 0; left &= left - 1) {
            size_t i = block + (size_t)__builtin_ctzll(left);
            if (try_at(t, i, out) && out->end > out->start && out->start >= t->floor) {
                *at = out->end > i ? out->end : i + 1;
                return true;
            }
        }
    }
    return false;
}
