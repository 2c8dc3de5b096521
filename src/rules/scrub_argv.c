/* scrub_argv.c - a command line: each argument by itself, and the argument behind an option that
 * names a secret. */
#include <string.h>

#include "rules/rules_int.h"

static bool is_option(const char *s)
{
    return s[0] == '-' && s[1] != '\0' && !m31ri_is_digit(s[1]);
}

/* The verdict on `--name` (not `--name=value`); short options say nothing. */
static m31ri_key_verdict option_verdict(const m31ri_privacy *p, const char *s)
{
    if (!is_option(s) || strchr(s, '=') != NULL) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    m31ri_key_verdict v = m31ri_key_judge(p, s, strlen(s), false);
    if (v.class == M31RI_KEY_PROMPT && strcmp(s + strspn(s, "-"), "prompt") != 0) {
        v.class =
            M31RI_KEY_NONE; /* --input, --text, --query name files more often than they hold text */
    }
    return v;
}

static bool is_hidden(const m31ri_key_verdict *v, const char *value)
{
    size_t length = strlen(value);
    if (v->class == M31RI_KEY_NONE || m31ri_is_placeholder(value, length) || is_option(value)) {
        return false;
    }
    return v->class != M31RI_KEY_SHAPED || m31ri_shape_fits(v->kind, value, length);
}

uint32_t m31ri_privacy_scrub_argv(const m31ri_privacy *p, const char *const *argv, size_t n,
                                  m31ri_buf *out)
{
    uint32_t changed = 0;
    m31ri_key_verdict before = {M31RI_KEY_NONE, NULL};
    for (size_t i = 0; i < n; i++) {
        const char *s = argv[i];
        const char *equals = is_option(s) ? strchr(s, '=') : NULL;
        if (is_hidden(&before, s)) {
            m31ri_privacy_add_marker(p, before.kind, (m31ri_text_view){s, strlen(s)}, out);
            m31ri_privacy_count_key(p, before.kind);
            changed++;
        } else if (equals != NULL) {
            m31ri_key_verdict v = m31ri_key_judge(p, s, (size_t)(equals - s), false);
            m31ri_buf_add(out, s, (size_t)(equals - s) + 1);
            if (v.class != M31RI_KEY_PROMPT && is_hidden(&v, equals + 1)) {
                m31ri_text_view value = {equals + 1, strlen(equals + 1)};
                m31ri_privacy_add_marker(p, v.kind, value, out);
                m31ri_privacy_count_key(p, v.kind);
                changed++;
            } else {
                changed +=
                    m31ri_privacy_scrub(p, NULL, 0, equals + 1, strlen(equals + 1), out) != 0;
            }
        } else {
            changed += m31ri_privacy_scrub(p, NULL, 0, s, strlen(s), out) != 0;
        }
        m31ri_buf_add_char(out, '\0');
        before = option_verdict(p, s);
    }
    return changed;
}

m31ri_key_verdict m31ri_privacy_judge_option(const m31ri_privacy *p, const char *s, size_t length)
{
    char option[128];
    if (length == 0 || s[0] != '-' || length >= sizeof option) {
        return (m31ri_key_verdict){M31RI_KEY_NONE, NULL};
    }
    memcpy(option, s, length);
    option[length] = '\0';
    return option_verdict(p, option);
}
