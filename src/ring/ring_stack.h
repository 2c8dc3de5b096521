/* ring_stack.h - the stack in a ring's record, and its text. */
#ifndef M31RI_RING_STACK_H
#define M31RI_RING_STACK_H

#include "ring/ring_dictionary.h"
#include "stack/stack_names.h"

typedef struct m31ri_stack_view {
    int64_t step;
    uint32_t n;
    size_t bytes; /* of the part that it is, behind the record's header */
    const m31ri_frame *frames;
} m31ri_stack_view;

/* The front of a SITE_STACK or LINE_STACK record; false when it does not lie in it. */
bool m31ri_stack_view_read(const m31ri_put *p, m31ri_stack_view *out);

/* Appends one line a frame, "\n" between them. `names` NULL: modules and offsets only. */
void m31ri_stack_text(m31ri_names *names, const m31ri_dictionary *d, const m31ri_stack_view *stack,
                      m31ri_buf *out);

#endif
