/* diff_part.c - a part of a difference (a lane, or the points), and which steps are compared. */
#include <string.h>

#include "diff/diff_int.h"
#include "base/alloc.h"

bool m31ri_diff_takes(const m31r_diff *d, bool has_step, int64_t step)
{
    return !d->is_overlap || (has_step && step >= d->first_step && step <= d->last_step);
}

m31r_diff_part *m31ri_diff_add_part(m31r_diff *d, const char *name)
{
    m31r_diff_part *parts = m31ri_realloc(d->parts, (d->n_parts + 1) * sizeof *parts);
    if (parts == NULL) {
        return NULL;
    }
    d->parts = parts;
    int64_t *elapsed = m31ri_realloc(d->elapsed_ns, (d->n_parts + 1) * sizeof *elapsed);
    if (elapsed == NULL) {
        return NULL;
    }
    d->elapsed_ns = elapsed;
    elapsed[d->n_parts] = INT64_MAX;
    parts[d->n_parts] =
        (m31r_diff_part){.name = m31ri_kept_text(&d->kept, name, strlen(name)),
                         .set_aside = "",
                         .is_aligned = true,
                         .first = {.file_a = "", .file_b = "", .field = "", .step = M31R_UNKNOWN}};
    return &parts[d->n_parts++];
}
