/* line_walk.h - finding lines and walking through them, for one instruction set.
 *
 * Both are sound, not complete: a line that a walk goes through is a valid record with these
 * values, and what it does not know it leaves to the exact parser.
 */
#ifndef M31RI_LINE_WALK_H
#define M31RI_LINE_WALK_H

#include "read/shape.h"
#include "read/sieve.h"

#define M31RI_READ_BEYOND 96 /* bytes behind a text that are loaded, whatever they hold */

/* Where a walk stands. */
typedef enum m31ri_walk_state {
    M31RI_WALK_LOST,  /* the line is in no known shape */
    M31RI_WALK_PAUSE, /* where it was to pause: it can go on */
    M31RI_WALK_END    /* the line is a valid record, and `at` is behind its newline */
} m31ri_walk_state;

typedef struct m31ri_walk {
    const char *name; /* "avx512", "avx2", "sse2", "neon", "plain"; NULL: not in this build */

    /* Writes the offsets of the newlines of text[0, length) to `out`, which has room for `length`
     * and 16 more; returns how many. M31RI_READ_BEYOND bytes behind the text can be loaded. */
    size_t (*newlines)(const char *text, size_t length, uint32_t *out);

    /* Of text[0, length), which is whole lines: the places that the sieve holds back, into `out`,
     * which has room for `length` and 16 more; returns how many, and the number of lines into
     * `*out_lines`. At least one in each line that must be judged. */
    size_t (*sieve)(const char *text, size_t length, const m31ri_sieve *sieve, m31ri_sieved *out,
                    size_t *out_lines);

    /* Goes on through the line from where `f` stands, up to what `pauses` names. The line
     * ends with a newline, and M31RI_READ_BEYOND bytes behind that can be loaded. */
    m31ri_walk_state (*go)(const m31ri_shapes *s, const char *line, unsigned pauses,
                           m31ri_found *f);
} m31ri_walk;

/* The fastest for this machine. */
const m31ri_walk *m31ri_walk_best(void);

/* For tests: the one of a name, NULL when this machine cannot run it. */
const m31ri_walk *m31ri_walk_named(const char *name);

/* At the start of a line. */
static inline void m31ri_walk_start(const m31ri_shapes *s, const char *line, m31ri_found *f)
{
    f->present = 0;
    f->last = &s->nodes[0];
    f->at = line;
}

#endif
