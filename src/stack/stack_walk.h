/* stack_walk.h - the calls that led to a place, as addresses of this process.
 *
 * An address lies inside the call instruction (the return address less one), so that it belongs to
 * the line of the call; where a signal interrupted a function it is the interrupted instruction's.
 */
#ifndef M31RI_STACK_WALK_H
#define M31RI_STACK_WALK_H

#include <stddef.h>
#include <stdint.h>

#define M31RI_STACK_FRAMES 64 /* the innermost that are kept */

/* The calling thread's stack, innermost first, from the frame on to which `from` returns (what is
 * further in belongs to the library); NULL, or an address that is not met: the whole. Takes no
 * lock of ours and no memory. Returns how many were stored, at most `room`. */
uint32_t m31ri_stack_walk(const void *from, uintptr_t *out, uint32_t room);

/* Does what only the first walk of a process does, so that none in a signal handler is the first.
 */
void m31ri_stack_warm_up(void);

#endif
