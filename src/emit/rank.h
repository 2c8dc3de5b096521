/* rank.h - the processes of one distributed job: which one this is, and where their run is. */
#ifndef M31RI_RANK_H
#define M31RI_RANK_H

#include <stdbool.h>
#include <stddef.h>

#include "m31r/error.h"

#define M31RI_RANK_KEY_BYTES 512

/* How long a rank waits for rank 0 to make the run. */
#define M31RI_RANK_WAIT_MS 10000

/* RANK, SLURM_PROCID or OMPI_COMM_WORLD_RANK; 0 when none is set or it is no number. */
int m31ri_rank_of_environment(void);

/* How many ranks the job has; 0 when it is not said. */
int m31ri_rank_count_of_environment(void);

/* What all ranks of the job have in common; false when no launcher started this process. */
bool m31ri_rank_job_key(char *out, size_t size);

/* Rank 0: tells the others where the run is. Errors: M31R_E_IO, M31R_E_NOMEM. */
m31r_err m31ri_rank_publish(const char *root, const char *key, const char *run_path, m31r_error *e);

/* Others: the path of the job's run, once there is one whose owner lives.
 * Errors: M31R_E_NOTFOUND (none within `wait_ms`). Owns: `*out_path`, for m31ri_free. */
m31r_err m31ri_rank_find(const char *root, const char *key, int wait_ms, char **out_path,
                         m31r_error *e);

#endif
