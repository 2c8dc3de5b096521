/* rule_pattern.c - reads the language of rule_pattern.h, from left to right, one part at a time. */
#include "rules/rule_pattern.h"

#include <string.h>

#include "base/alloc.h"

#define MOST_RUN 4096 /* characters a repeat may name */

typedef struct reader {
    const char *s;
    size_t at;
    m31ri_pattern *out;
    size_t n_text, n_sets;
    m31ri_pattern_fault *fault;
} reader;

static bool fail(reader *r, size_t at, const char *what)
{
    *r->fault = (m31ri_pattern_fault){.what = what, .at = at};
    return false;
}

static bool is_printable(char c)
{
    return c >= 0x20 && c < 0x7F;
}

/* One character of a set, an escape resolved. */
static bool read_char(reader *r, char *c)
{
    if (r->s[r->at] == '\\') {
        r->at++;
    }
    if (!is_printable(r->s[r->at])) {
        return fail(r, r->at, "printable ASCII is expected here");
    }
    *c = r->s[r->at++];
    return true;
}

static bool read_set(reader *r, uint8_t set[32])
{
    size_t start = r->at++;
    memset(set, 0, 32);
    while (r->s[r->at] != ']') {
        char low, high;
        if (r->s[r->at] == '\0') {
            return fail(r, start, "the set is not closed by ]");
        }
        if (!read_char(r, &low)) {
            return false;
        }
        high = low;
        if (r->s[r->at] == '-' && r->s[r->at + 1] != ']' && r->s[r->at + 1] != '\0') {
            r->at++;
            if (!read_char(r, &high)) {
                return false;
            }
            if (high < low) {
                return fail(r, r->at - 3, "the range goes backwards");
            }
        }
        for (int c = low; c <= high; c++) {
            set[c >> 3] |= (uint8_t)(1u << (c & 7));
        }
    }
    return ++r->at - start > 2 || fail(r, start, "the set is empty");
}

static bool read_number(reader *r, uint16_t *out)
{
    unsigned n = 0;
    size_t start = r->at;
    while (r->s[r->at] >= '0' && r->s[r->at] <= '9' && n <= MOST_RUN) {
        n = n * 10 + (unsigned)(r->s[r->at++] - '0');
    }
    if (r->at == start || n > MOST_RUN) {
        return fail(r, start, "a number from 0 to 4096 is expected here");
    }
    *out = (uint16_t)n;
    return true;
}

/* {20}, {20,}, {20,40} */
static bool read_repeat(reader *r, m31ri_part *part)
{
    size_t start = r->at;
    if (r->s[r->at] != '{') {
        return fail(r, start, "a set says how many: {20}, {20,} or {20,40}");
    }
    r->at++;
    if (!read_number(r, &part->min)) {
        return false;
    }
    part->max = part->min;
    if (r->s[r->at] == ',') {
        r->at++;
        part->max = 0;
        if (r->s[r->at] != '}' && !read_number(r, &part->max)) {
            return false;
        }
        if (r->s[r->at - 1] != ',' && part->max < part->min) {
            return fail(r, start, "the most is less than the least");
        }
    }
    if (part->min == 0) {
        return fail(r, start, "a run has one character at least");
    }
    if (r->s[r->at] != '}') {
        return fail(r, r->at, "} is expected here");
    }
    r->at++;
    return true;
}

static bool read_run(reader *r)
{
    m31ri_pattern *p = r->out;
    size_t start = r->at;
    if (p->n_parts > 0 && p->parts[p->n_parts - 1].set != NULL) {
        return fail(r, start, "two sets in a row: put them into one, or text between them");
    }
    if (p->n_parts == M31RI_PATTERN_PARTS) {
        return fail(r, start, "too many parts");
    }
    m31ri_part *part = &p->parts[p->n_parts];
    *part = (m31ri_part){.set = p->sets[r->n_sets]};
    if (!read_set(r, p->sets[r->n_sets]) || !read_repeat(r, part)) {
        return false;
    }
    r->n_sets++;
    p->n_parts++;
    return true;
}

/* Text up to the next set; the first goes to `literal`, later ones are parts. */
static bool read_text(reader *r)
{
    m31ri_pattern *p = r->out;
    size_t start = r->at, n = 0;
    bool is_first = start == 0;
    char *to = is_first ? p->literal : p->texts + r->n_text;
    while (r->s[r->at] != '\0' && r->s[r->at] != '[') {
        if (strchr("{}]", r->s[r->at]) != NULL) {
            return fail(r, r->at, "put \\ before it where it stands for itself");
        }
        if (!read_char(r, &to[n])) {
            return false;
        }
        n++;
    }
    to[n] = '\0';
    if (is_first) {
        return true;
    }
    m31ri_part *before = &p->parts[p->n_parts - 1];
    if (p->n_parts == M31RI_PATTERN_PARTS) {
        return fail(r, start, "too many parts");
    }
    if (before->max != before->min && m31ri_in_set(before->set, to[0])) {
        return fail(r, start,
                    "the run before this takes it: name a length, or take the character "
                    "out of the set");
    }
    r->n_text += n + 1;
    p->parts[p->n_parts++] = (m31ri_part){.literal = to};
    return true;
}

bool m31ri_pattern_read(const char *text, m31ri_pattern *out, m31ri_pattern_fault *fault)
{
    reader r = {.s = text, .out = out, .fault = fault};
    memset(out, 0, sizeof *out);
    if (strlen(text) >= M31RI_PATTERN_BYTES) {
        return fail(&r, M31RI_PATTERN_BYTES, "a pattern has fewer than 256 characters");
    }
    if (text[0] == '[' || text[0] == '\0') {
        return fail(&r, 0, "it must begin with text, or it would be tried everywhere");
    }
    while (text[r.at] != '\0') {
        if (!(text[r.at] == '[' ? read_run(&r) : read_text(&r))) {
            return false;
        }
    }
    const m31ri_rule rule = {
        .literal = out->literal, .parts = out->parts, .n_parts = (uint8_t)out->n_parts};
    return m31ri_rule_is_findable(&rule) ||
           fail(&r, 0,
                "its first text needs a word of three characters, or it would be tried "
                "everywhere");
}

static bool add_one(m31ri_pattern_rules *own, const m31ri_own_rule *from, m31ri_rule_index *x)
{
    m31ri_pattern_fault fault;
    m31ri_pattern *p = &own->patterns[own->n];
    if (!m31ri_pattern_read(from->pattern, p, &fault)) {
        return true;
    }
    char *kind = m31ri_strdup(from->kind);
    if (kind == NULL) {
        return false;
    }
    own->kinds[own->n] = kind;
    own->rules[own->n] = (m31ri_rule){.literal = p->literal,
                                      .kind = kind,
                                      .handler = m31ri_match_token,
                                      .parts = p->parts,
                                      .n_parts = (uint8_t)p->n_parts,
                                      .boundary = M31RI_ALNUM};
    (void)m31ri_rule_index_add(x, &own->rules[own->n]);
    own->n++;
    return true;
}

bool m31ri_pattern_rules_add(m31ri_pattern_rules *own, const m31ri_own_rule *from, size_t n,
                             m31ri_rule_index *x)
{
    if (n == 0) {
        return true;
    }
    own->patterns = m31ri_calloc(n, sizeof *own->patterns);
    own->rules = m31ri_calloc(n, sizeof *own->rules);
    own->kinds = m31ri_calloc(n, sizeof *own->kinds);
    bool fine = own->patterns != NULL && own->rules != NULL && own->kinds != NULL;
    for (size_t i = 0; fine && i < n; i++) {
        fine = add_one(own, &from[i], x);
    }
    return fine;
}

void m31ri_pattern_rules_release(m31ri_pattern_rules *own)
{
    for (size_t i = 0; i < own->n; i++) {
        m31ri_free(own->kinds[i]);
    }
    m31ri_free(own->kinds);
    m31ri_free(own->rules);
    m31ri_free(own->patterns);
}
