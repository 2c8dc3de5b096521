/* stack_names_none.c - in place of stack_names.c where libdw is missing: frames without names. */
#include "stack/stack_names.h"

#include "base/alloc.h"

struct m31ri_names {
    char nothing;
};

m31ri_names *m31ri_names_new(void)
{
    return m31ri_calloc(1, sizeof(m31ri_names));
}

void m31ri_names_free(m31ri_names *n)
{
    m31ri_free(n);
}

void m31ri_names_add(m31ri_names *n, const char *path, const char *build_id, uint64_t offset,
                     m31ri_buf *out)
{
    (void)n;
    (void)build_id;
    m31ri_names_add_bare(path, offset, out);
}
