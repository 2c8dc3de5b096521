/* stack_modules.h - the programs and libraries that are loaded in this process, numbered.
 *
 * An address as {number of the module, offset in its file's own addresses} is the same in every
 * run, wherever the loader puts things. The table is made at the start and made anew when the
 * loader says that something came or went; a module that comes again has its old number.
 *
 * One thread refreshes at a time (its owner locks); finding needs no lock and is signal-safe: a
 * table that was handed out once is kept until the end.
 */
#ifndef M31RI_STACK_MODULES_H
#define M31RI_STACK_MODULES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define M31RI_BUILD_ID_BYTES 32 /* as much of it as is kept; most have 20 */
#define M31RI_MODULES 4095      /* that get a number */

/* Module in the upper 16 bits (from 1; 0: in none that is known), offset in the lower 48. */
typedef uint64_t m31ri_frame;

static inline uint32_t m31ri_frame_module(m31ri_frame f)
{
    return (uint32_t)(f >> 48);
}

static inline uint64_t m31ri_frame_offset(m31ri_frame f)
{
    return f & 0xffffffffffffu;
}

typedef struct m31ri_module_table m31ri_module_table;
typedef struct m31ri_known_module m31ri_known_module;

typedef struct m31ri_modules {
    _Atomic(m31ri_module_table *) table; /* the newest; older ones hang on it */
    m31ri_known_module *known;           /* by number, from 1 */
    uint32_t n_known, room_known;
    uint64_t changes; /* what the loader counted when the table was made */
} m31ri_modules;

/* A module has its number from this: the next one, or 0 when it cannot be told to others. The
 * build id is hexadecimal, "" when the file has none. */
typedef bool m31ri_module_added(void *context, uint32_t number, const char *path,
                                const char *build_id);

/* Brings the table up to date when the loader has changed anything; cheap when it has not. */
void m31ri_modules_refresh(m31ri_modules *m, m31ri_module_added *added, void *context);

/* The place of an address. Signal-safe. */
m31ri_frame m31ri_modules_find(const m31ri_modules *m, uintptr_t address);

/* `n` addresses into places. Signal-safe. */
void m31ri_modules_find_all(const m31ri_modules *m, const uintptr_t *addresses, uint32_t n,
                            m31ri_frame *out);

/* Path and build id of number `i`; NULL when there is none. */
const char *m31ri_modules_path(const m31ri_modules *m, uint32_t i, const char **out_build_id);

void m31ri_modules_release(m31ri_modules *m);

#endif
