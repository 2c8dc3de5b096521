/* ring_modules.c - the modules of this process, told to whoever reads its ring. */
#include <string.h>

#include "emit/rings.h"
#include "emit/state.h"

_Static_assert(M31RI_STACK_FRAMES == M31RI_RING_STACK, "a stack fits into a ring's record");

static void see_secret(void *context, const char *kind, const char *rule, size_t start)
{
    (void)rule;
    (void)start;
    *(bool *)context |= strcmp(kind, "home") != 0;
}

/* A path stays in the ring as it is, so that symbols are found below a home directory too; but for
 * one with a secret in it, whose symbols are not. */
static bool tell(void *context, uint32_t number, const char *path, const char *build_id)
{
    static const m31ri_key_verdict no_key = {M31RI_KEY_NONE, NULL};
    m31ri_rings *rs = context;
    bool has_secret = false;
    m31ri_buf clean = M31RI_BUF_INIT;
    m31ri_privacy_clean_telling(rs->run->privacy, no_key, (m31ri_text_view){path, strlen(path)},
                                &clean, (m31ri_teller){see_secret, &has_secret});
    if (has_secret) {
        path = m31ri_buf_str(&clean);
    }
    bool is_told = m31ri_dictionary_add_module(&rs->file, number, path, build_id) == number;
    m31ri_buf_release(&clean);
    return is_told;
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
