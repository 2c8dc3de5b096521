/* rule_pattern.h - the small language of a token's format: ghp_[A-Za-z0-9]{36,}
 *
 * Text stands for itself; a set [A-Za-z0-9_-] is followed by how many: {20}, {20,} or {20,40}. `\`
 * before a character takes its meaning away. A run is as long as it can be and is never given back,
 * so a pattern is matched in one pass. What would need more, or would be tried everywhere, is
 * refused: a pattern that does not begin with text of three characters or more in one word, a run
 * behind which text begins with a character of the run's own set, a set twice in a row.
 */
#ifndef M31RI_RULE_PATTERN_H
#define M31RI_RULE_PATTERN_H

#include "rules/rule_index.h"

#define M31RI_PATTERN_BYTES 256
#define M31RI_PATTERN_PARTS 16

/* A pattern read. `literal`, `texts` and `sets` are what the parts point to. */
typedef struct m31ri_pattern {
    char literal[M31RI_PATTERN_BYTES];
    char texts[M31RI_PATTERN_BYTES * 2];
    uint8_t sets[M31RI_PATTERN_PARTS][32];
    m31ri_part parts[M31RI_PATTERN_PARTS];
    size_t n_parts;
} m31ri_pattern;

/* Why a pattern is refused, and at which byte of it. */
typedef struct m31ri_pattern_fault {
    const char *what; /* constant text */
    size_t at;        /* bytes from the pattern's start */
} m31ri_pattern_fault;

/* Reads `text`. False: `*fault` says why. Owns: nothing; `out` must not be moved. Thread: any. */
bool m31ri_pattern_read(const char *text, m31ri_pattern *out, m31ri_pattern_fault *fault);

/* The user's rules, which live as long as the index that has them. */
typedef struct m31ri_pattern_rules {
    m31ri_pattern *patterns;
    m31ri_rule *rules;
    char **kinds;
    size_t n;
} m31ri_pattern_rules;

/* Adds rules to the index; those that do not parse are passed over (settings refuse them before).
 * False when memory is out. Owns: m31ri_pattern_rules_release(). */
bool m31ri_pattern_rules_add(m31ri_pattern_rules *own, const m31ri_own_rule *from, size_t n,
                             m31ri_rule_index *x);
void m31ri_pattern_rules_release(m31ri_pattern_rules *own);

#endif
