/* rule_index.h - which rules may begin with these bytes: the tables behind the search.
 *
 * Constant once the rules are in it, so any thread may look.
 */
#ifndef M31RI_RULE_INDEX_H
#define M31RI_RULE_INDEX_H

#include "rules/rules_int.h"

#define M31RI_INDEX_BITS 17 /* of the filter: 16 KiB, which stays in the first cache */
#define M31RI_INDEX_BUCKETS 1024
#define M31RI_INDEX_ENTRIES 2048

typedef struct m31ri_index_entry {
    uint32_t gram; /* three bytes in lower case */
    uint16_t next; /* in its bucket; 0: none */
    uint8_t back;  /* the literal begins so many bytes before the place */
    bool by_line;  /* the three bytes end at the place, with '_' or '-'; else they begin there */
    const m31ri_rule *rule;
} m31ri_index_entry;

struct m31ri_rule_index {
    uint64_t filter[(1u << M31RI_INDEX_BITS) / 64];
    uint64_t line_filter[64]; /* of three bytes that end with '_' or '-' */
    uint16_t bucket[M31RI_INDEX_BUCKETS];
    m31ri_index_entry entries[M31RI_INDEX_ENTRIES];
    size_t n_entries;
    /* places.h */
    uint64_t (*places)(const m31ri_rule_index *x, m31ri_text_view text, size_t block);
};

static inline uint32_t m31ri_gram_hash(uint32_t four)
{
    return (four * 0x9E3779B1u) >> (32 - M31RI_INDEX_BITS);
}

static inline uint32_t m31ri_gram_bucket(uint32_t three)
{
    return (three * 0x9E3779B1u) >> 22;
}

/* True when a rule begins with these bytes, in any case: two words of a hundred have another's
 * place in the filter. */
bool m31ri_rule_index_has(const m31ri_rule_index *x, uint32_t four);

static inline bool m31ri_rule_index_may(const m31ri_rule_index *x, uint32_t four)
{
    uint32_t h = m31ri_gram_hash(four);
    return (x->filter[h >> 6] >> (h & 63) & 1) != 0 && m31ri_rule_index_has(x, four);
}

static inline uint32_t m31ri_line_hash(uint32_t three)
{
    return (three * 0x9E3779B1u) >> 20;
}

static inline bool m31ri_rule_index_may_line(const m31ri_rule_index *x, uint32_t three)
{
    uint32_t h = m31ri_line_hash(three);
    return (x->line_filter[h >> 6] >> (h & 63) & 1) != 0;
}

/* With the built-in rules; NULL when memory is out. Owns: m31ri_free(). */
m31ri_rule_index *m31ri_rule_index_new(void);

/* IBAN: two capitals, two digits. */
static inline bool m31ri_is_country_code(uint32_t four)
{
    return (four & 0xF0F0E0E0u) == 0x30304040u;
}

/* False when the beginning of the rule is too general to be looked for. */
bool m31ri_rule_is_findable(const m31ri_rule *r);

/* Adds a rule, which must live as long; false when its beginning is too general to be looked for.
 */
bool m31ri_rule_index_add(m31ri_rule_index *x, const m31ri_rule *r);

#endif
