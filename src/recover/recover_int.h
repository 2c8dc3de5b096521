/* recover_int.h - the parts of a recovery, in the order in which they are used. */
#ifndef M31RI_RECOVER_INT_H
#define M31RI_RECOVER_INT_H

#include <jansson.h>

#include "format/timestamp.h"
#include "m31r/log.h"
#include "m31r/recover.h"
#include "read/reader_int.h"
#include "rules/privacy.h"
#include "store/metadata.h"
#include "store/run_dir.h"

/* How the run ended, as far as it is known. */
typedef struct m31ri_found_end {
    bool is_recorded; /* a record run_end stands in a lane */
    char state[16];
    char cause[64]; /* "" when it has none */
    char evidence[320];
    char signal[16];
    bool has_exit_status;
    int64_t exit_status;
    bool is_crash_noted; /* the program's record `crash` stands in the main lane: `signal` is its */
    char ended[M31RI_TIMESTAMP_BYTES + 1]; /* when; set with is_recorded */
} m31ri_found_end;

/* recover_lanes.c: counts the lanes and files of points that end in a torn line, without writing.
 */
uint32_t m31ri_count_torn(int dir);

/* Takes torn ends off, and puts them, redacted, into a record `torn_tail` behind. M31R_E_BUSY when
 * a living process holds a lane. */
m31r_err m31ri_mend_lanes(const m31ri_run_dir *d, const m31ri_privacy *privacy,
                          const char *main_lane, m31r_error *e);

/* Appends a record of module m31r to a lane; its time is not before the lane's last. */
m31r_err m31ri_add_record(const m31ri_run_dir *d, const char *file, m31r_level level,
                          const char *message, const m31r_value *keys, const m31r_value *values,
                          size_t n, m31r_error *e);

/* recover_end.c: looks for a record run_end in the main lane and the observer's. */
void m31ri_find_end(int dir, const char *stage, m31ri_found_end *out);

/* What the end was, when no record says it: by what the run's processes said, else `crashed`. */
void m31ri_judge_end(const m31ri_metadata *m, const char *why, m31ri_found_end *out);

#endif
