/* run_stamp.h - what the files of a run were when something was computed from them. */
#ifndef M31RI_RUN_STAMP_H
#define M31RI_RUN_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define M31RI_STAMP_RACY_NS 2000000000LL
#define M31RI_STAMP_NUMBERS 5

/* Inode, device, size, modification and change time of one file of a run; zeros when it is not
 * there. */
void m31ri_run_stamp_file(int root_fd, const char *run_id, const char *file,
                          int64_t out[M31RI_STAMP_NUMBERS]);

/* Appends the stamp of the run directory `run_id` below `root_fd`: the directory, metadata,
 * summary, config, and all files of points. `*out_newest_ns` is the newest change of any. False
 * when the directory cannot be read. */
bool m31ri_run_stamp_write(int root_fd, const char *run_id, m31ri_buf *out, int64_t *out_newest_ns);

/* True when the files still are what the stamp says. One call of fstatat(2) for each. */
bool m31ri_run_stamp_holds(int root_fd, const char *run_id, const char *stamp, size_t length);

#endif
