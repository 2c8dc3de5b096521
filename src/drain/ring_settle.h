/* ring_settle.h - finishing what processes of the run that are dead left in their rings. */
#ifndef M31RI_RING_SETTLE_H
#define M31RI_RING_SETTLE_H

#include "rules/privacy.h"
#include "store/run_dir.h"

/* Writes what the rings of dead processes still hold, each record once, and removes them; rings of
 * the living are left alone. Waits up to `wait_ms` for one that another process is settling at this
 * moment. `dir->live_fd` is open; `privacy` are the run's rules. */
void m31ri_rings_settle(const m31ri_run_dir *dir, const m31ri_privacy *privacy, int wait_ms);

#endif
