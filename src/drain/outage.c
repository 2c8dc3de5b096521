/* outage.c - what happens while a file cannot be written: count, say it once, try again now and
 * then.
 *
 * A disk that is full or failing must cost the program one failed system call a second and nothing
 * else. What is lost meanwhile is counted and becomes a record as soon as one can be written. It is
 * said on stderr once an outage, because a record that cannot be kept must still not vanish
 * silently.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/os_file.h"
#include "drain/outage.h"

bool m31ri_outage_must_skip(m31ri_outage *o, uint64_t n_items)
{
    if (o->error == 0 || m31ri_mono_ns() >= o->retry_mono_ns) {
        return false;
    }
    o->n_lost += n_items;
    o->n_lost_total += n_items;
    return true;
}

void m31ri_outage_begin(m31ri_outage *o, int error, uint64_t n_items, const char *file)
{
    o->n_lost += n_items;
    o->n_lost_total += n_items;
    o->retry_mono_ns = m31ri_mono_ns() + M31RI_RETRY_NS;
    if (o->error == 0) {
        o->error = error;
    }
    if (!o->was_reported) {
        char text[256];
        o->was_reported = true;
        int n =
            snprintf(text, sizeof text,
                     "m31r: degraded: cannot write %s: %s; what is lost is counted, and recorded "
                     "when writing works again\n",
                     file, strerror(error));
        if (n > 0) {
            m31ri_write_all(2, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1, NULL);
        }
    }
}

bool m31ri_outage_end(m31ri_outage *o, uint64_t *n_lost, int *error)
{
    if (o->error == 0) {
        return false;
    }
    *n_lost = o->n_lost;
    *error = o->error;
    o->n_lost = 0;
    o->error = 0;
    o->was_reported = false;
    return true;
}

json_t *m31ri_outage_notice(const m31ri_outage *o, const char *what)
{
    if (o->n_lost == 0) {
        return NULL;
    }
    return json_pack("{s:s, s:s, s:s, s:I}", "kind", "lost", "what", what, "reason",
                     strerror(o->error), "count", (json_int_t)o->n_lost);
}
