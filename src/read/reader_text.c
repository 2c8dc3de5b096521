/* reader_text.c - values of metadata.json by their path, and strings kept with the reader. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "read/reader_int.h"

const char *m31ri_reader_keep(m31r_reader *r, char *owned)
{
    if (owned == NULL) {
        return "";
    }
    if (r->n_owned == r->owned_capacity) {
        size_t capacity = r->owned_capacity * 2 + 8;
        char **grown = m31ri_realloc(r->owned, capacity * sizeof *grown);
        if (grown == NULL) {
            m31ri_free(owned);
            return "";
        }
        r->owned = grown;
        r->owned_capacity = capacity;
    }
    r->owned[r->n_owned++] = owned;
    return owned;
}

const json_t *m31ri_reader_get(const m31r_reader *r, const char *dotted)
{
    const json_t *node = r->metadata;
    while (node != NULL && *dotted != '\0') {
        size_t length = strcspn(dotted, ".");
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)length, dotted);
        node = json_object_get(node, key);
        dotted += length + (dotted[length] == '.');
    }
    return node;
}

const char *m31ri_reader_text(const m31r_reader *r, const char *dotted)
{
    const char *text = json_string_value(m31ri_reader_get(r, dotted));
    return text != NULL ? text : "";
}
