/* outage.h - what happens while a file cannot be written: count, say it once, try again now and
 * then. Not thread-safe: whoever writes the file locks. */
#ifndef M31RI_OUTAGE_H
#define M31RI_OUTAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define M31RI_RETRY_NS (1000 * 1000 * 1000LL) /* pause between two tries on a failing disk */

/* What could not be kept, until it can be said in the record. */
typedef struct m31ri_outage {
    uint64_t n_lost_total;
    uint64_t n_lost;       /* since the last `records_lost` record */
    int error;             /* errno of the first loss of this outage; 0 while writing works */
    int64_t retry_mono_ns; /* before that nothing is tried */
    bool was_reported;     /* one line on stderr an outage */
} m31ri_outage;

/* Whether a try is not due yet: then the items are counted as lost. */
bool m31ri_outage_must_skip(m31ri_outage *o, uint64_t n_items);
/* A try failed: the items are lost, and it is said on stderr once an outage. */
void m31ri_outage_begin(m31ri_outage *o, int error, uint64_t n_items, const char *file);
/* The notice of what was lost and could not be said until now; NULL when nothing was. */
json_t *m31ri_outage_notice(const m31ri_outage *o, const char *what);
/* A try worked: true when an outage ends with it, and then what it cost. */
bool m31ri_outage_end(m31ri_outage *o, uint64_t *n_lost, int *error);

#endif
