/* ring_settle.h - finishing what processes of the run that are dead left in their rings. */
#ifndef M31RI_RING_SETTLE_H
#define M31RI_RING_SETTLE_H

#include "rules/privacy.h"
#include "store/run_dir.h"

/* What becomes of records that cannot be written: they stay where they are for the next who comes,
 * or they are counted as lost, because nobody comes any more. */
typedef enum m31ri_settle { M31RI_SETTLE_OR_LEAVE, M31RI_SETTLE_OR_COUNT } m31ri_settle;

/* Writes what the rings of dead processes still hold, each record once, and removes them; rings of
 * the living are left alone. Waits up to `wait_ms` for one that another process is settling at this
 * moment. `dir->live_fd` is open; `privacy` are the run's rules. Returns 0, or the errno with which
 * something was left. */
int m31ri_rings_settle(const m31ri_run_dir *dir, const m31ri_privacy *privacy, m31ri_settle how,
                       int wait_ms);

/* The same (OR_LEAVE, without waiting) for the one that `note` names. */
void m31ri_ring_settle(const m31ri_run_dir *dir, const m31ri_privacy *privacy, const char *note);

#endif
