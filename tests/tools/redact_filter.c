/* redact_filter.c - records in, one a line, redacted records out: what the scorer of the secret
 * corpus runs. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/privacy.h"

static json_t *scrub_string(const m31ri_privacy *p, const char *key, json_t *v)
{
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_privacy_scrub(p, key, key != NULL ? strlen(key) : 0, json_string_value(v),
                        json_string_length(v), &out);
    json_t *s = json_stringn_nocheck(m31ri_buf_str(&out), out.length);
    m31ri_buf_release(&out);
    return s;
}

static json_t *scrub_argv(const m31ri_privacy *p, json_t *list)
{
    size_t n = json_array_size(list);
    const char **argv = calloc(n + 1, sizeof *argv);
    for (size_t i = 0; i < n; i++) {
        argv[i] = json_string_value(json_array_get(list, i));
    }
    m31ri_buf out = M31RI_BUF_INIT;
    m31ri_privacy_scrub_argv(p, argv, n, &out);
    json_t *copy = json_array();
    const char *s = m31ri_buf_str(&out);
    for (size_t i = 0; i < n; i++, s += strlen(s) + 1) {
        json_array_append_new(copy, json_string(s));
    }
    m31ri_buf_release(&out);
    free(argv);
    return copy;
}

static json_t *scrub(const m31ri_privacy *p, const char *key, json_t *v)
{
    if (json_is_string(v)) {
        return scrub_string(p, key, v);
    }
    if (json_is_object(v)) {
        json_t *copy = json_object(), *child;
        const char *name;
        json_object_foreach(v, name, child)
        {
            m31ri_buf k = M31RI_BUF_INIT;
            m31ri_privacy_scrub(p, NULL, 0, name, strlen(name), &k);
            bool inherit = key != NULL && m31ri_privacy_key_kind(p, key, strlen(key)) != NULL;
            json_object_set_new(copy, m31ri_buf_str(&k), scrub(p, inherit ? key : name, child));
            m31ri_buf_release(&k);
        }
        return copy;
    }
    if (json_is_array(v)) {
        bool texts = json_array_size(v) > 1;
        json_t *copy = json_array(), *child;
        size_t i;
        json_array_foreach(v, i, child)
        {
            texts = texts && json_is_string(child);
        }
        if (texts && (key == NULL || m31ri_privacy_key_kind(p, key, strlen(key)) == NULL)) {
            json_decref(copy);
            return scrub_argv(p, v);
        }
        json_array_foreach(v, i, child)
        {
            json_array_append_new(copy, scrub(p, key, child));
        }
        return copy;
    }
    return json_incref(v);
}

int main(void)
{
    m31ri_privacy *p = m31ri_privacy_new(NULL);
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, stdin)) > 0) {
        json_t *o = json_loadb(line, (size_t)length, JSON_ALLOW_NUL, NULL);
        json_t *r = scrub(p, NULL, o);
        json_dumpf(r, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(r);
        json_decref(o);
    }
    free(line);
    m31ri_privacy_free(p);
    return 0;
}
