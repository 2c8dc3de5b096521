/* rank_rules.h - one figure of all ranks of a job at one step, step after step: who is behind?
 *
 * What is judged is a rank's figure over the median of the ranks', so that what slows all of them
 * is nobody's fault. straggler  the median of a rank's last 64 ratios is high: 5 % above the others
 * and beyond 6 robust sigmas of the ranks' medians; or 2.5 % above what it was in the first steps
 *              (and beyond its noise) and slower than the others. value: that median; usual: the
 *              rank's own at first; limit: what it passed; n: 64. Warning.
 *   flaky      6 or more of its last 128 steps took half as long again as the others', and at most
 *              one rank in four is like that. value: how many; usual: 0; limit: 5; n: 128. Warning.
 * Memory: about 4 KiB a rank, whatever the number of steps. Not thread-safe.
 */
#ifndef M31RI_RANK_RULES_H
#define M31RI_RANK_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "stat/anomaly_kinds.h"

#define M31RI_RANK_RULES_LIMIT 4096 /* ranks */

typedef struct m31ri_rank_rules m31ri_rank_rules;

/* For `n` ranks, 2 to M31RI_RANK_RULES_LIMIT. NULL when memory is out or `n` is not in that range.
 */
m31ri_rank_rules *m31ri_rank_rules_new(uint32_t n);
/* NULL is fine. */
void m31ri_rank_rules_free(m31ri_rank_rules *r);

/* The figures of one step, `n` of them; one that is not finite or not above 0 is missing. */
void m31ri_rank_rules_add(m31ri_rank_rules *r, const double *figures);

/* What the last step changed, one change a call; M31RI_NOTHING when there is no more. `out` is
 * written for both other answers. */
m31ri_anomaly_event m31ri_rank_rules_next(m31ri_rank_rules *r, m31ri_anomaly *out);

#endif
