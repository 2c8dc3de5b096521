/* ring_stack.c - a stack's places, whose modules the dictionary names. */
#include "ring/ring_stack.h"

#include <string.h>

#define FRONT_BYTES 16
#define PATH_BYTES 4096
#define ID_BYTES (2 * M31RI_BUILD_ID_BYTES + 1)

bool m31ri_stack_view_read(const m31ri_put *p, m31ri_stack_view *out)
{
    const char *at = (const char *)p + sizeof *p;
    size_t left = p->bytes - sizeof *p;
    uint64_t n;
    if (left < FRONT_BYTES) {
        return false;
    }
    memcpy(&out->step, at, 8);
    memcpy(&n, at + 8, 8);
    if (n > M31RI_RING_STACK || n * sizeof(m31ri_frame) > left - FRONT_BYTES) {
        return false;
    }
    out->n = (uint32_t)n;
    out->bytes = FRONT_BYTES + n * sizeof(m31ri_frame);
    out->frames = (const m31ri_frame *)(at + FRONT_BYTES);
    return true;
}

static void copy_text(const m31ri_text *t, char *out, size_t size)
{
    size_t n = t->length < size ? t->length : 0; /* too long to be one */
    memcpy(out, t->s, n);
    out[n] = '\0';
}

static void add_frame(m31ri_names *names, const m31ri_dictionary *d, m31ri_frame f, m31ri_buf *out)
{
    char path[PATH_BYTES], id[ID_BYTES];
    uint32_t number = m31ri_frame_module(f);
    if (number == 0 || number > d->n_modules) {
        m31ri_names_add_bare(NULL, 0, out);
        return;
    }
    copy_text(&d->modules[number].path, path, sizeof path);
    copy_text(&d->modules[number].build_id, id, sizeof id);
    m31ri_names_add(names, path, id, m31ri_frame_offset(f), out);
}

void m31ri_stack_text(m31ri_names *names, const m31ri_dictionary *d, const m31ri_stack_view *stack,
                      m31ri_buf *out)
{
    for (uint32_t i = 0; i < stack->n; i++) {
        if (i != 0) {
            m31ri_buf_add_char(out, '\n');
        }
        add_frame(names, d, stack->frames[i], out);
    }
}
