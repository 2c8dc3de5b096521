/* stack_walk.c - the compiler's own unwinder: what C++ exceptions go by, so it is there, and it is
 * right for optimised code without frame pointers. docs/design/010 says why not another.
 */
#include "stack/stack_walk.h"

#include <stdbool.h>
#include <unwind.h>

#define OWN_FRAMES 16 /* of the library's, at most, before `from` is met */

typedef struct walk {
    uintptr_t from;
    uintptr_t *out;
    uint32_t n, room;
    bool is_met;
} walk;

static _Unwind_Reason_Code take_frame(struct _Unwind_Context *context, void *argument)
{
    walk *w = argument;
    int is_exact = 0;
    uintptr_t address = (uintptr_t)_Unwind_GetIPInfo(context, &is_exact);
    if (!w->is_met && address == w->from) {
        w->is_met = true;
        w->n = 0;
    }
    if (address == 0 || w->n == w->room) {
        return _URC_END_OF_STACK;
    }
    if (!w->is_met && w->n == OWN_FRAMES) {
        w->is_met = true; /* it is not among them: what was stored stands */
    }
    w->out[w->n++] = is_exact ? address : address - 1;
    return _URC_NO_REASON;
}

uint32_t m31ri_stack_walk(const void *from, uintptr_t *out, uint32_t room)
{
    walk w = {.from = (uintptr_t)from, .out = out, .room = room, .is_met = from == NULL};
    _Unwind_Backtrace(take_frame, &w);
    return w.n;
}

void m31ri_stack_warm_up(void)
{
    uintptr_t frames[4];
    (void)m31ri_stack_walk(NULL, frames, 4);
}
