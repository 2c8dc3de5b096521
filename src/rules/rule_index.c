/* rule_index.c - which rules may begin with these bytes.
 *
 * A rule is found by four bytes: those at the first word of its literal ("home" of "/home/"),
 * because a word's beginning is where the search looks (places.h), or at its first mark. A bit set
 * over a hash of four bytes says no for almost every word of a harmless line; then a chain of the
 * rules with the first three bytes is tried. Rules that are looked for inside of words too
 * ("xghp_...") are found by the three bytes that end with their first '_' or '-'.
 *
 * Where the literal is shorter than four bytes, all that the pattern allows behind it is entered; a
 * beginning that allows too much is refused, because it would be tried everywhere.
 */
#include "rules/rule_index.h"

#include <string.h>

#include "base/alloc.h"
#include "rules/places.h"

#define BREADTH 4096 /* beginnings of four bytes that one rule may have */

static const uint8_t any_byte[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

static void set_add(uint8_t set[32], char c)
{
    set[(unsigned char)c >> 3] |= (uint8_t)(1u << ((unsigned char)c & 7));
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* The bytes that may stand at place `k` of the rule, the literal's first is 0. */
static void bytes_at(const m31ri_rule *r, size_t k, uint8_t set[32])
{
    size_t length = strlen(r->literal);
    memset(set, 0, 32);
    if (k < length) {
        set_add(set, r->literal[k]);
        if (r->any_case && is_lower(r->literal[k])) {
            set_add(set, (char)(r->literal[k] & ~0x20));
        }
        return;
    }
    if (r->is_word && k == length) {
        for (const char *c = " \t.,#(:='\"-_"; *c != '\0'; c++) {
            set_add(set, *c);
        }
        return;
    }
    const m31ri_part *first = r->n_parts > 0 ? &r->parts[0] : NULL;
    bool is_run = first != NULL && first->set != NULL;
    memcpy(set, is_run ? first->set : any_byte, 32);
    for (unsigned c = 0; is_run && k - length >= first->min && c < 128; c++) {
        if (!m31ri_is_alnum((char)c)) { /* a run that may end here ends before a mark */
            set_add(set, (char)c);
        }
    }
}

static size_t count(const uint8_t set[32])
{
    size_t n = 0;
    for (size_t i = 0; i < 32; i++) {
        for (unsigned b = set[i]; b != 0; b &= b - 1) {
            n++;
        }
    }
    return n;
}

/* The first word of `s` that has so many characters behind its beginning; -1: none. "error" stands
 * in every log: nothing is looked for by it. */
static int word_at(const char *s, size_t least)
{
    size_t length = strlen(s);
    for (size_t k = strncmp(s, "error ", 6) == 0 ? 6 : 0; k + least <= length; k++) {
        if (m31ri_is_alnum(s[k]) && (k == 0 || !m31ri_is_alnum(s[k - 1]))) {
            return (int)k;
        }
    }
    return -1;
}

/* Where the rule is anchored: at a mark the search stops at anyway, at its first word of three
 * characters, of two when a run follows, at its dash. -1: nowhere. */
static int anchor_of(const m31ri_rule *r)
{
    bool has_run = r->n_parts > 0 && r->parts[0].set != NULL;
    if (strlen(r->literal) >= 3 && (r->literal[0] == ':' || r->literal[0] == '$')) {
        return 0;
    }
    int word = word_at(r->literal, 3);
    if (word < 0 && has_run) {
        word = word_at(r->literal, 2);
    }
    return word < 0 && strlen(r->literal) >= 3 && r->literal[0] == '-' ? 0 : word;
}

static void put_entry(m31ri_rule_index *x, uint32_t gram, const m31ri_rule *r, uint8_t back,
                      bool by_line)
{
    uint16_t *head = &x->bucket[m31ri_gram_bucket(gram)];
    if (x->n_entries + 1 >= M31RI_INDEX_ENTRIES) {
        return;
    }
    while (*head != 0) { /* to the end: rules are tried in the order of the table */
        const m31ri_index_entry *e = &x->entries[*head];
        if (e->gram == gram && e->rule == r && e->by_line == by_line) {
            return;
        }
        head = &x->entries[*head].next;
    }
    x->n_entries++;
    x->entries[x->n_entries] =
        (m31ri_index_entry){.gram = gram, .rule = r, .back = back, .by_line = by_line};
    *head = (uint16_t)x->n_entries;
}

typedef struct byte_list {
    uint8_t byte[256];
    size_t n;
} byte_list;

static void list_of(const uint8_t set[32], byte_list *out)
{
    out->n = 0;
    for (unsigned i = 0; i < 32; i++) {
        for (unsigned left = set[i]; left != 0; left &= left - 1) {
            out->byte[out->n++] = (uint8_t)(i * 8 + (unsigned)__builtin_ctz(left));
        }
    }
}

/* "pAss": words are written small, large, or with a large first letter; others are not entered. */
static bool is_odd_case(uint32_t four)
{
    bool up[4], any_up = false, any_low = false;
    for (unsigned i = 0; i < 4; i++) {
        char c = (char)(four >> 8 * i & 0xFF);
        up[i] = c >= 'A' && c <= 'Z';
        any_up = any_up || (i > 0 && up[i]);
        any_low = any_low || (i > 0 && is_lower(c));
    }
    return any_up && (any_low || !up[0]);
}

/* All beginnings of four bytes, by the sets of what may stand at each place. */
static void put_beginnings(m31ri_rule_index *x, const m31ri_rule *r, uint8_t sets[4][32],
                           int anchor)
{
    byte_list at[4];
    size_t total = 1;
    bool is_word = m31ri_is_alnum(r->literal[anchor]); /* marks are looked at without a filter */
    for (size_t i = 0; i < 4; i++) {
        list_of(sets[i], &at[i]);
        total *= at[i].n;
    }
    for (size_t k = 0; k < total; k++) {
        size_t left = k;
        uint32_t four = 0;
        for (size_t i = 4; i-- > 0;) {
            four |= (uint32_t)at[i].byte[left % at[i].n] << 8 * i;
            left /= at[i].n;
        }
        uint32_t h = m31ri_gram_hash(four);
        if (is_word && !(r->any_case && is_odd_case(four))) {
            x->filter[h >> 6] |= (uint64_t)1 << (h & 63);
        }
        if (k % at[3].n == 0) {
            put_entry(x, (four & 0xFFFFFFu) | 0x202020u, r, (uint8_t)anchor, false);
        }
    }
}

/* A glued rule is met at its first '_' or '-' too. */
static void put_line(m31ri_rule_index *x, const m31ri_rule *r)
{
    size_t k = strcspn(r->literal, "_-");
    if (r->literal[k] == '\0' || k < 2) {
        return;
    }
    const unsigned char *s = (const unsigned char *)r->literal + k - 2;
    uint32_t gram = (uint32_t)s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | 0x202020u;
    uint32_t h = m31ri_line_hash(gram);
    x->line_filter[h >> 6] |= (uint64_t)1 << (h & 63);
    put_entry(x, gram, r, (uint8_t)k, true);
}

/* The sets of the four bytes from the anchor on; false when it has none or they are too many. */
static bool find_beginnings(const m31ri_rule *r, uint8_t sets[4][32], int *anchor)
{
    size_t breadth = 1;
    *anchor = anchor_of(r);
    for (size_t i = 0; *anchor >= 0 && i < 4; i++) {
        bytes_at(r, (size_t)*anchor + i, sets[i]);
        breadth *= count(sets[i]);
    }
    return *anchor >= 0 && breadth <= BREADTH;
}

bool m31ri_rule_is_findable(const m31ri_rule *r)
{
    uint8_t sets[4][32];
    int anchor = -1;
    return find_beginnings(r, sets, &anchor);
}

bool m31ri_rule_index_add(m31ri_rule_index *x, const m31ri_rule *r)
{
    uint8_t sets[4][32];
    int anchor = -1;
    if (!find_beginnings(r, sets, &anchor)) {
        return false;
    }
    put_beginnings(x, r, sets, anchor);
    if (r->is_glued) {
        put_line(x, r);
    }
    return true;
}

/* True when the fourth byte may be the rule's: its literal ends before, or has it. */
static bool fourth_fits(const m31ri_index_entry *e, uint32_t four)
{
    const char *from = e->rule->literal + e->back;
    return strnlen(from, 4) < 4 || ((unsigned char)from[3] | 0x20u) == (four >> 24 | 0x20u);
}

bool m31ri_rule_index_has(const m31ri_rule_index *x, uint32_t four)
{
    uint32_t gram = (four & 0xFFFFFFu) | 0x202020u;
    for (uint16_t i = x->bucket[m31ri_gram_bucket(gram)]; i != 0; i = x->entries[i].next) {
        const m31ri_index_entry *e = &x->entries[i];
        if (e->gram == gram && !e->by_line && fourth_fits(e, four)) {
            return true;
        }
    }
    return false;
}

m31ri_rule_index *m31ri_rule_index_new(void)
{
    m31ri_rule_index *x = m31ri_calloc(1, sizeof *x);
    if (x != NULL) {
        x->places = m31ri_places_best();
    }
    for (size_t i = 0; x != NULL && i < m31ri_n_rules; i++) {
        if (m31ri_rules[i].literal[0] != '\0') {
            (void)m31ri_rule_index_add(x, &m31ri_rules[i]);
        }
    }
    return x;
}
