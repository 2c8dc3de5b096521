/* live_place.h - where the `.live` of a run is: in the run, or, when the run is on a network file
 * system, in a local directory that the file `.live/at` names:
 *     {"path":"/tmp/m31r-1000/20261123T102651Z-9f3c00aa","host":"node1","because":"nfs"}
 */
#ifndef M31RI_LIVE_PLACE_H
#define M31RI_LIVE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct m31ri_live_place {
    int fd;        /* the directory with locks and notices; -1: on another host */
    int gate_fd;   /* `.live` in the run, when that is another directory; else -1 */
    char *path;    /* of `fd`, when it is not in the run; for m31ri_free */
    char host[65]; /* on which `path` is; "" when it is in the run */
} m31ri_live_place;

/* Opens the `.live` that is called `name` in a run. A place that is gone (its host was started
 * again) is the directory in the run. 0, or the errno of opening `name` or the place. */
int m31ri_live_open(int run_fd, const char *name, m31ri_live_place *out);

/* Closes and frees. */
void m31ri_live_release(m31ri_live_place *p);

/* The text of `at`; false when it does not fit. */
bool m31ri_live_at_write(const char *path, const char *host, const char *because, char *out,
                         size_t size);

#define M31RI_LIVE_AT "at"

#endif
