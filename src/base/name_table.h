/* name_table.h - names numbered from 0 in the order in which they first came.
 *
 * A table of open addressing, at most half full. Zeroed memory is an empty table. Not thread-safe.
 */
#ifndef M31RI_NAME_TABLE_H
#define M31RI_NAME_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define M31RI_NO_NAME SIZE_MAX

typedef struct m31ri_table_name {
    char *text; /* NUL-terminated */
    size_t length;
    uint64_t hash;
} m31ri_table_name;

typedef struct m31ri_name_table {
    m31ri_table_name *names;
    size_t n, capacity;
    uint32_t *slots; /* number + 1 of a name, 0 for free; their count is 2 * capacity */
} m31ri_name_table;

#define M31RI_NAME_TABLE_INIT                                                                      \
    {                                                                                              \
        0                                                                                          \
    }

/* Number of the name; M31RI_NO_NAME when it is not there. */
size_t m31ri_name_table_find(const m31ri_name_table *t, const char *name, size_t length);

/* The same; a name that is not there is copied and gets the next number. M31RI_NO_NAME when memory
 * is out. */
size_t m31ri_name_table_add(m31ri_name_table *t, const char *name, size_t length);

void m31ri_name_table_release(m31ri_name_table *t);

#endif
