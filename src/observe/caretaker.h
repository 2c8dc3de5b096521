/* caretaker.h - whoever has the keeper as its child: continues it when it is stopped, makes an heir
 * when it is killed.
 *
 * That is the guard while it lives, then the front: the kernel hands on a dead process's children
 * to the nearest ancestor that asked for them. There is one caretaker at a time, for the front
 * becomes one only when it has collected the guard.
 *
 * A caretaker may be killed anywhere, also between the fork of an heir and any note of it. So an
 * heir claims its place itself, before all else: `keeper_pid` of the shared memory goes from 0 to
 * its id once; who does not get it goes away.
 */
#ifndef M31RI_CARETAKER_H
#define M31RI_CARETAKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "observe/observe_int.h"

typedef struct m31ri_caretaker {
    m31ri_plan *plan;
    int signals;     /* our signalfd, closed in heirs */
    int64_t made_ns; /* when the last keeper was made or taken over */
    int n_failed;    /* heirs in a row that died young */
    bool is_stopped; /* the keeper is */
} m31ri_caretaker;

/* Values of `keeper_pid` that are no process. */
enum { M31RI_KEEPER_NONE = 0, M31RI_KEEPER_NEVER = -1 /* no keeper may come any more */ };

/* Forks a keeper. Returns fork()'s errno, or 0. */
int m31ri_caretaker_fork(m31ri_caretaker *c, bool is_heir);

/* Looks after the keeper and, where it has had an heir, after the program. False when there is
 * nothing more to look after: the run is recorded, or it never began. */
bool m31ri_caretaker_look(m31ri_caretaker *c);

/* How long poll() may wait before m31ri_caretaker_look() is due again; -1: until something comes.
 */
int m31ri_caretaker_wait_ms(const m31ri_caretaker *c);

/* Continues a keeper that was stopped, when the wait brought nothing else. */
void m31ri_caretaker_continue(m31ri_caretaker *c);

/* guard.c: the guard's whole life. Never returns. */
_Noreturn void m31ri_guard_main(m31ri_plan *p, int front_signals);

#endif
