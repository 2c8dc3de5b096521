/* leaks.c - the writer's own rules, applied again to what it wrote.
 *
 * Scrubbing text that was scrubbed changes nothing, so every hit is a leak: something that reached
 * a file without passing the rules. Rules that became stricter since the run was made may report an
 * old run; that is meant.
 */
#include "read/leaks.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "format/json_text.h"
#include "rules/privacy.h"

#define JSON_DEPTH 32

struct m31ri_leaks {
    m31ri_privacy *privacy;
    m31ri_buf value, scrubbed;
    uint32_t n;
};

m31ri_leaks *m31ri_leaks_new(bool prompts_allowed)
{
    m31ri_leaks *l = m31ri_calloc(1, sizeof *l);
    m31ri_privacy_options options = {.allow_prompts = prompts_allowed};
    if (l == NULL || (l->privacy = m31ri_privacy_new(&options)) == NULL) {
        m31ri_free(l);
        return NULL;
    }
    return l;
}

void m31ri_leaks_free(m31ri_leaks *l)
{
    if (l != NULL) {
        m31ri_privacy_free(l->privacy);
        m31ri_buf_release(&l->value);
        m31ri_buf_release(&l->scrubbed);
        m31ri_free(l);
    }
}

static uint32_t count(m31ri_leaks *l, const char *key, size_t key_length, const char *text,
                      size_t length)
{
    m31ri_buf_clear(&l->scrubbed);
    return m31ri_privacy_clean(l->privacy, m31ri_privacy_judge(l->privacy, key, key_length), text,
                               length, &l->scrubbed);
}

static bool look_at(void *context, const m31r_field *field)
{
    m31ri_leaks *l = context;
    if (field->type == 's' && memchr(field->value, '\\', field->value_length) == NULL) {
        l->n += count(l, field->key, field->key_length, field->value, field->value_length);
    } else if (field->type == 's') {
        m31ri_buf_clear(&l->value);
        m31ri_json_unescape(&l->value, field->value, field->value_length);
        l->n += count(l, field->key, field->key_length, m31ri_buf_str(&l->value), l->value.length);
    } else if (field->type == 'o' || field->type == 'a') {
        json_t *value = json_loadb(field->value, field->value_length, 0, NULL);
        l->n += m31ri_leaks_in_json(l, value);
        json_decref(value);
    }
    return true;
}

uint32_t m31ri_leaks_in_record(m31ri_leaks *l, const m31r_record *record)
{
    l->n = 0;
    m31r_record_each(record, look_at, l);
    return l->n;
}

static uint32_t walk(m31ri_leaks *l, const char *key, const json_t *value, int depth)
{
    uint32_t n = 0;
    if (json_is_string(value)) {
        return count(l, key, strlen(key), json_string_value(value), json_string_length(value));
    }
    if (depth == JSON_DEPTH) {
        return 0;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        n += walk(l, key, json_array_get(value, i), depth + 1);
    }
    void *at = json_object_iter((json_t *)value);
    for (; at != NULL; at = json_object_iter_next((json_t *)value, at)) {
        n += walk(l, json_object_iter_key(at), json_object_iter_value(at), depth + 1);
    }
    return n;
}

uint32_t m31ri_leaks_in_json(m31ri_leaks *l, const json_t *value)
{
    return walk(l, "", value, 0);
}
