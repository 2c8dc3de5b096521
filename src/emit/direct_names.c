/* direct_names.c - stacks of records that are written without rings: named by the caller.
 *
 * Rare (no memory for rings, or none yet), so that it need not be fast: modules and names are kept
 * in the run, under a lock of their own.
 */
#include "base/alloc.h"
#include "emit/state.h"
#include "stack/stack_names.h"

struct m31ri_direct_names {
    pthread_mutex_t lock;
    m31ri_modules modules;
    m31ri_names *names;
};

static struct m31ri_direct_names *names_of(m31r_run *run)
{
    struct m31ri_direct_names *n = __atomic_load_n(&run->direct_names, __ATOMIC_ACQUIRE);
    struct m31ri_direct_names *fresh = n == NULL ? m31ri_calloc(1, sizeof *fresh) : NULL;
    if (fresh == NULL) {
        return n;
    }
    pthread_mutex_init(&fresh->lock, NULL);
    fresh->names = m31ri_names_new();
    if (__atomic_compare_exchange_n(&run->direct_names, &n, fresh, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE)) {
        return fresh;
    }
    m31ri_names_free(fresh->names); /* another thread was first */
    pthread_mutex_destroy(&fresh->lock);
    m31ri_free(fresh);
    return n;
}

void m31ri_run_name_stack(m31r_run *run, const m31ri_stack *stack, m31ri_buf *out)
{
    struct m31ri_direct_names *n = names_of(run);
    if (n == NULL) {
        return;
    }
    pthread_mutex_lock(&n->lock);
    m31ri_modules_refresh(&n->modules, NULL, NULL);
    for (uint32_t i = 0; i < stack->n; i++) {
        const char *build_id = "";
        m31ri_frame f = m31ri_modules_find(&n->modules, stack->addresses[i]);
        const char *path = m31ri_modules_path(&n->modules, m31ri_frame_module(f), &build_id);
        if (i != 0) {
            m31ri_buf_add_char(out, '\n');
        }
        m31ri_names_add(n->names, path, build_id, m31ri_frame_offset(f), out);
    }
    pthread_mutex_unlock(&n->lock);
}

void m31ri_run_free_names(m31r_run *run)
{
    struct m31ri_direct_names *n = run->direct_names;
    if (n != NULL) {
        m31ri_modules_release(&n->modules);
        m31ri_names_free(n->names);
        pthread_mutex_destroy(&n->lock);
        m31ri_free(n);
        run->direct_names = NULL;
    }
}
