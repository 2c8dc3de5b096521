/* ring_modules.c - the modules of this process, told to whoever reads its ring. */
#include "emit/rings.h"

_Static_assert(M31RI_STACK_FRAMES == M31RI_RING_STACK, "a stack fits into a ring's record");

static bool tell(void *context, uint32_t number, const char *path, const char *build_id)
{
    m31ri_rings *rs = context;
    return m31ri_dictionary_add_module(&rs->file, number, path, build_id) == number;
}

void m31ri_rings_know_modules(m31ri_rings *rs)
{
    pthread_mutex_lock(&rs->lock);
    m31ri_modules_refresh(&rs->modules, tell, rs);
    pthread_mutex_unlock(&rs->lock);
}

void m31ri_rings_places(m31ri_rings *rs, const m31ri_stack *stack, m31ri_frame *out)
{
    m31ri_rings_know_modules(rs);
    m31ri_modules_find_all(&rs->modules, stack->addresses, stack->n, out);
}

uint32_t m31ri_rings_stack(m31ri_rings *rs, const void *from, m31ri_frame out[M31RI_RING_STACK])
{
    m31ri_stack stack;
    stack.n = m31ri_stack_walk(from, stack.addresses, M31RI_STACK_FRAMES);
    m31ri_rings_places(rs, &stack, out);
    return stack.n;
}
