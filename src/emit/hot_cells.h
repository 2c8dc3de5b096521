/* hot_cells.h - the memory of what threads reach in line (include/m31r/hot.h).
 *
 * A call reads the cell that its thread used last before it knows whether the rings it belongs to
 * are still there. So a cell is never unmapped, and another thread gets it only after its own has
 * ended. The kernel wipes the memory in a forked child: there every cell says that there is no way.
 */
#ifndef M31RI_HOT_CELLS_H
#define M31RI_HOT_CELLS_H

#include <stdint.h>

#include "m31r/hot.h"

/* A cell for a ring of thread number `thread`; 0: for a ring that is found in another way. All
 * zero. NULL when memory is out. */
m31r_hot *m31ri_hot_cell_take(uint64_t thread);

/* The ring has it no more: all zero again. NULL is fine. */
void m31ri_hot_cell_give(m31r_hot *cell);

/* The thread ends, and has given its cells back. */
void m31ri_hot_cells_leave(uint64_t thread);

/* Over a fork nobody is in the middle of it. */
void m31ri_hot_cells_lock(void);
void m31ri_hot_cells_unlock(void);

#endif
