/* capture.h - one of the program's two outputs: from bytes to records, points and hints. */
#ifndef M31RI_CAPTURE_H
#define M31RI_CAPTURE_H

#include "observe/foreign.h"
#include "observe/observe_int.h"

#define M31RI_PROPOSE_LINES 20000 /* lines looked at for patterns that match nothing */

typedef struct m31ri_capture_stream {
    const char *name; /* "stdout", "stderr": module and lane */
    m31ri_stream stream;
    m31r_lane *lane; /* NULL: lines are not recorded */
    m31r_run *run;   /* NULL: nothing is recorded, not even points */
    m31r_patterns *patterns;
    m31ri_shared *shared;
    m31ri_printer *raw_to;              /* gets the bytes as they are; NULL: nobody */
    m31ri_printer *json_to;             /* gets the records; NULL: nobody */
    uint32_t skip_records, skip_points; /* an heir's: made before by the one that was killed */
    m31ri_foreign foreign;
    m31ri_buf *proposals; /* one for each pattern */
    uint64_t n_proposal_lines;
} m31ri_capture_stream;

/* Handles what was read since the last call, and commits it. `at_end`: no more will come. */
void m31ri_capture_bytes(m31ri_capture_stream *c, bool at_end);

/* An heir's first call: settles what the dead keeper had half done. `skip_records` is set before.
 */
void m31ri_capture_recover(m31ri_capture_stream *c);

/* No more will come of it. */
void m31ri_capture_release(m31ri_capture_stream *c);

#endif
