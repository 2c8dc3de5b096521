/* os_futex.h - sleeping on a word of shared memory until another thread or process changes it. */
#ifndef M31RI_OS_FUTEX_H
#define M31RI_OS_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/* Sleeps until the word is woken, no longer holds `seen`, or `timeout_us` have passed. May return
 * early: the caller looks again. errno is kept. */
void m31ri_futex_wait(const atomic_uint *word, uint32_t seen, int64_t timeout_us);

/* Wakes everybody who sleeps on the word. errno is kept. */
void m31ri_futex_wake(atomic_uint *word);

#endif
