/* crash.h - fatal signals of the program that is observed.
 *
 * Two things are done with SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT, both in a handler that only
 * stores into memory that is there and asks the kernel:
 *
 *   - a SIGBUS at a place of a ring (its file was cut short, its memory is gone) gets ordinary
 *     memory under it: what is in the ring is lost and counted, and the program goes on;
 *   - where crashes are caught, what happened is noted in the ring.
 *
 * Then whatever handler was there before runs, or the default action goes on as if we were not
 * here: the core dump has the program at the faulting instruction.
 */
#ifndef M31RI_CRASH_H
#define M31RI_CRASH_H

#include "emit/rings.h"

/* The rings' mapping is guarded from now on, and crashes are noted in it when `catches`. */
void m31ri_crash_watch(m31ri_rings *rs, bool catches);

/* No longer: returns when no handler is looking at it any more. */
void m31ri_crash_unwatch(m31ri_rings *rs);

/* A stack for handlers of this thread, where crashes are caught and it has none: so that running
 * out of stack can be told too. Freed by m31ri_crash_leave_thread(). */
void m31ri_crash_enter_thread(void);
void m31ri_crash_leave_thread(void);

#endif
