/* foreign.h - a line that is a JSON object, taken over as a record with its fields.
 *
 * Our own form (ts, level, module, msg) keeps module and msg; any other object gets the module of
 * its stream and msg "json". A key that a record keeps for itself becomes src_ts, src_level,
 * src_module, src_msg. A level of a known name is taken over, ERROR at most: what a program prints
 * never changes the state of its run. A nested value is kept as its JSON text.
 */
#ifndef M31RI_FOREIGN_H
#define M31RI_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "m31r/log.h"

#define M31RI_FOREIGN_FIELDS 512

typedef struct m31ri_foreign {
    m31r_level level;
    char module[65]; /* "" when the stream's own is to be used */
    m31r_value message;
    m31r_value keys[M31RI_FOREIGN_FIELDS];
    m31r_value values[M31RI_FOREIGN_FIELDS];
    size_t n;
    m31ri_buf text; /* what had to be unescaped; keys and values point here and into the line */
} m31ri_foreign;

/* True when `line` is one JSON object with at most M31RI_FOREIGN_FIELDS members; `f` then holds it
 * until the next call. `f` is zeroed before the first call and given back with
 * m31ri_foreign_release. */
bool m31ri_foreign_read(m31ri_foreign *f, const char *line, size_t length);
void m31ri_foreign_release(m31ri_foreign *f);

#endif
