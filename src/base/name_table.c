/* name_table.c - see name_table.h. The hash is FNV-1a: short names, and the order of numbers does
 * not depend on it. */
#include "base/name_table.h"

#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_NAMES 16

static uint64_t hash_of(const char *name, size_t length)
{
    uint64_t h = 14695981039346656037ULL;
    for (size_t i = 0; i < length; i++) {
        h = (h ^ (unsigned char)name[i]) * 1099511628211ULL;
    }
    return h;
}

static size_t find(const m31ri_name_table *t, uint64_t hash, const char *name, size_t length)
{
    size_t mask = 2 * t->capacity - 1;
    for (size_t i = hash; t->capacity != 0; i++) {
        uint32_t number = t->slots[i & mask];
        if (number == 0) {
            break;
        }
        const m31ri_table_name *n = &t->names[number - 1];
        if (n->hash == hash && n->length == length && memcmp(n->text, name, length) == 0) {
            return number - 1;
        }
    }
    return M31RI_NO_NAME;
}

static void enter(m31ri_name_table *t, size_t number)
{
    size_t mask = 2 * t->capacity - 1;
    size_t i = t->names[number].hash;
    while (t->slots[i & mask] != 0) {
        i++;
    }
    t->slots[i & mask] = (uint32_t)number + 1;
}

static bool make_room(m31ri_name_table *t)
{
    if (t->n < t->capacity) {
        return true;
    }
    size_t capacity = t->capacity != 0 ? t->capacity * 2 : FIRST_NAMES;
    uint32_t *slots = m31ri_calloc(capacity * 2, sizeof *slots);
    m31ri_table_name *names =
        slots != NULL ? m31ri_realloc(t->names, capacity * sizeof *names) : NULL;
    if (names == NULL) {
        m31ri_free(slots);
        return false;
    }
    m31ri_free(t->slots);
    t->names = names;
    t->slots = slots;
    t->capacity = capacity;
    for (size_t i = 0; i < t->n; i++) {
        enter(t, i);
    }
    return true;
}

size_t m31ri_name_table_find(const m31ri_name_table *t, const char *name, size_t length)
{
    return find(t, hash_of(name, length), name, length);
}

size_t m31ri_name_table_add(m31ri_name_table *t, const char *name, size_t length)
{
    uint64_t hash = hash_of(name, length);
    size_t found = find(t, hash, name, length);
    if (found != M31RI_NO_NAME || !make_room(t)) {
        return found;
    }
    char *text = m31ri_strndup(name, length);
    if (text == NULL) {
        return M31RI_NO_NAME;
    }
    t->names[t->n] = (m31ri_table_name){text, length, hash};
    enter(t, t->n);
    return t->n++;
}

void m31ri_name_table_release(m31ri_name_table *t)
{
    for (size_t i = 0; i < t->n; i++) {
        m31ri_free(t->names[i].text);
    }
    m31ri_free(t->names);
    m31ri_free(t->slots);
    *t = (m31ri_name_table)M31RI_NAME_TABLE_INIT;
}
