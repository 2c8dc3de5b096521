/* os_fault.h - the machine's state where a signal interrupted it. Signal-safe. */
#ifndef M31RI_OS_FAULT_H
#define M31RI_OS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* The two registers that m31ri_fault_return changes. */
typedef struct m31ri_fault_state {
    uint64_t pc, sp;
} m31ri_fault_state;

/* The interrupted instruction; 0 when this processor is not known. `context` is the third argument
 * of a signal handler. */
uintptr_t m31ri_fault_pc(const void *context);

/* After a call to an address that holds no code: makes the state that of the caller, as if the call
 * had returned, so that the stack can be walked; false when this processor is not known. May fault
 * when the stack pointer is wrong too. */
bool m31ri_fault_return(void *context);
void m31ri_fault_save(const void *context, m31ri_fault_state *out);
void m31ri_fault_restore(void *context, const m31ri_fault_state *before);

/* Number and name of the calling thread in the system; its signal once more, with the same
 * information, when it is let through. */
uint32_t m31ri_fault_thread(char name[16]);
void m31ri_fault_raise(int number, void *info);

/* A signal's own code in words, such as "SEGV_MAPERR"; "" for others. */
const char *m31ri_fault_code(int number, int code);

#endif
