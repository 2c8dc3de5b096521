/* pattern.c - compiling and matching metric patterns; printed numbers.
 *
 * Bytes are matched, not characters, so that a line of noise is a line like any other. Patterns are
 * compiled just in time, with limits on matching and depth: a pattern that backtracks for ever
 * costs a bounded time a line.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "observe/pattern_int.h"

#include <math.h>
#include <pcre2.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/number.h"
#include "m31r/metric.h"

#define MATCH_LIMIT 100000
#define DEPTH_LIMIT 1000
#define NUMBER_BYTES 64

typedef struct pattern {
    char *name;
    char *text;
    pcre2_code *code;
    int value_group; /* 0: it only gives the step */
    int step_group;  /* 0: none */
} pattern;

struct m31r_patterns {
    pattern items[M31R_PATTERN_LIMIT];
    size_t n;
    pcre2_match_data *match;
    pcre2_match_context *limits;
};

bool m31ri_printed_number_read(const char *text, size_t length, double *out)
{
    char clean[NUMBER_BYTES];
    size_t n = 0;
    size_t i = 0;
    bool is_negative = length > 0 && text[0] == '-';
    i += length > 0 && (text[0] == '-' || text[0] == '+');
    length -= length > i && text[length - 1] == '%';
    for (bool is_first = true; i < length && n + 3 < sizeof clean; i++) {
        if (is_first && text[i] == '.') {
            clean[n++] = '0';
        }
        is_first = false;
        if (text[i] != ',' && text[i] != '_') {
            clean[n++] = text[i];
        }
    }
    clean[n] = '\0';
    if (i < length || n == 0 || (length == 1 && text[0] == '.')) {
        return false;
    }
    if (strcasecmp(clean, "nan") == 0) {
        *out = NAN;
        return true;
    }
    if (strcasecmp(clean, "inf") == 0 || strcasecmp(clean, "infinity") == 0) {
        *out = is_negative ? -INFINITY : INFINITY;
        return true;
    }
    char *dot = strchr(clean, '.');
    if (dot != NULL && (dot[1] == '\0' || dot[1] == 'e' || dot[1] == 'E')) { /* "1." and "1.e5" */
        memmove(dot + 2, dot + 1, strlen(dot + 1) + 1);
        dot[1] = '0';
        n++;
    }
    size_t zeros = strspn(clean, "0"); /* "007" is no JSON number */
    size_t skip = zeros > 0 && clean[zeros] >= '0' && clean[zeros] <= '9' ? zeros
                  : zeros > 1                                             ? zeros - 1
                                                                          : 0;
    double x;
    if (!m31ri_number_read_double(clean + skip, n - skip, &x)) {
        return false;
    }
    *out = is_negative ? -x : x;
    return true;
}

static m31r_err pattern_error(const pattern *p, int code, size_t at, m31r_error *e)
{
    PCRE2_UCHAR why[128];
    pcre2_get_error_message(code, why, sizeof why);
    m31r_err err = m31ri_fail(e, M31R_E_CONFIG, "metric pattern \"%s=%s\": %s at character %zu",
                              p->name, p->text, (const char *)why, at + 1);
    m31ri_fail_hint(e, "%s\n%*s^ here", p->text, (int)(at < 200 ? at : 200), "");
    if (e != NULL) {
        e->column = (uint32_t)(strlen(p->name) + 2 + at);
    }
    return err;
}

static m31r_err find_groups(pattern *p, m31r_error *e)
{
    uint32_t n_groups = 0;
    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &n_groups);
    int step = pcre2_substring_number_from_name(p->code, (PCRE2_SPTR) "step");
    int value = pcre2_substring_number_from_name(p->code, (PCRE2_SPTR) "value");
    p->step_group = step > 0 ? step : 0;
    p->value_group = value > 0 ? value : n_groups == 0 ? 0 : 1;
    if (value <= 0 && p->value_group == p->step_group && p->step_group != 0) {
        p->value_group = n_groups >= 2 ? p->step_group + 1 : 0;
    }
    if (n_groups == 0) {
        m31ri_fail(e, M31R_E_CONFIG, "metric pattern \"%s=%s\" has no group for the value", p->name,
                   p->text);
        m31ri_fail_hint(e, "put the number in parentheses: --metric '%s=%s ([0-9.eE+-]+)'", p->name,
                        p->text);
        return M31R_E_CONFIG;
    }
    return M31R_OK;
}

static m31r_err compile(const char *spec, pattern *p, m31r_error *e)
{
    const char *equals = strchr(spec, '=');
    if (equals == NULL || equals == spec || equals[1] == '\0') {
        m31ri_fail(e, M31R_E_CONFIG, "metric \"%s\" is not NAME=PATTERN", spec);
        m31ri_fail_hint(e, "such as --metric 'loss=loss:? ([0-9.eE+-]+)'");
        return M31R_E_CONFIG;
    }
    p->name = m31ri_strndup(spec, (size_t)(equals - spec));
    p->text = m31ri_strdup(equals + 1);
    if (p->name == NULL || p->text == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    int code;
    PCRE2_SIZE at;
    p->code = pcre2_compile((PCRE2_SPTR)p->text, PCRE2_ZERO_TERMINATED, 0, &code, &at, NULL);
    if (p->code == NULL) {
        return pattern_error(p, code, at, e);
    }
    pcre2_jit_compile(
        p->code, PCRE2_JIT_COMPLETE); /* where there is no JIT, matching is slower and the same */
    return find_groups(p, e);
}

m31r_err m31r_patterns_new(const char *const *specs, size_t n, m31r_patterns **out, m31r_error *e)
{
    if (n > M31R_PATTERN_LIMIT) {
        return m31ri_fail(e, M31R_E_LIMIT, "%zu metric patterns, at most %d", n,
                          M31R_PATTERN_LIMIT);
    }
    m31r_patterns *p = m31ri_calloc(1, sizeof *p);
    if (p == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    m31r_err err = M31R_OK;
    p->match = pcre2_match_data_create(M31R_PATTERN_LIMIT, NULL);
    p->limits = pcre2_match_context_create(NULL);
    if (p->match == NULL || p->limits == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    } else {
        pcre2_set_match_limit(p->limits, MATCH_LIMIT);
        pcre2_set_depth_limit(p->limits, DEPTH_LIMIT);
    }
    for (size_t i = 0; err == M31R_OK && i < n; i++) {
        p->n = i + 1;
        err = compile(specs[i], &p->items[i], e);
    }
    if (err != M31R_OK) {
        m31r_patterns_free(p);
        return err;
    }
    *out = p;
    return M31R_OK;
}

void m31r_patterns_free(m31r_patterns *p)
{
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < p->n; i++) {
        m31ri_free(p->items[i].name);
        m31ri_free(p->items[i].text);
        pcre2_code_free(p->items[i].code);
    }
    pcre2_match_data_free(p->match);
    pcre2_match_context_free(p->limits);
    m31ri_free(p);
}

size_t m31r_patterns_count(const m31r_patterns *p)
{
    return p != NULL ? p->n : 0;
}

const char *m31r_patterns_name(const m31r_patterns *p, size_t i)
{
    return p->items[i].name;
}

const char *m31r_patterns_text(const m31r_patterns *p, size_t i)
{
    return p->items[i].text;
}

/* Text of a group of the last match; false when it took no part in it. */
static bool group_text(m31r_patterns *p, int rc, int group, const char *line, m31r_value *out)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
    if (group <= 0 || group >= rc || at[2 * group] == PCRE2_UNSET) {
        return false;
    }
    *out = m31r_text(line + at[2 * group], at[2 * group + 1] - at[2 * group]);
    return true;
}

static void take_step(m31r_value text, int64_t *step)
{
    double x;
    if (*step == M31R_NO_STEP && m31ri_printed_number_read(text.as.s, text.length, &x) && x >= 0 &&
        x < 9e15 && x == floor(x)) {
        *step = (int64_t)x;
    }
}

size_t m31r_patterns_match(m31r_patterns *p, const char *line, size_t length,
                           m31r_pattern_count *counts, m31r_pattern_point *out)
{
    size_t n = 0;
    int64_t step = M31R_NO_STEP;
    for (size_t i = 0; p != NULL && i < p->n; i++) {
        const pattern *item = &p->items[i];
        int rc = pcre2_match(item->code, (PCRE2_SPTR)line, length, 0, 0, p->match, p->limits);
        if (rc < 0) {
            counts[i].n_limit += rc != PCRE2_ERROR_NOMATCH;
            continue;
        }
        m31r_value text;
        if (group_text(p, rc, item->step_group, line, &text)) {
            take_step(text, &step);
        }
        bool gives_step_only = item->value_group == 0;
        bool has_value = group_text(p, rc, item->value_group, line, &text);
        double value;
        if (has_value && m31ri_printed_number_read(text.as.s, text.length, &value)) {
            out[n++] = (m31r_pattern_point){i, item->name, value, M31R_NO_STEP};
            counts[i].n_matched++;
        } else if (gives_step_only) {
            counts[i].n_matched++;
        } else {
            counts[i].n_not_number++;
        }
    }
    for (size_t i = 0; i < n; i++) {
        out[i].step = step;
    }
    return n;
}
