/* stack_names.h - places in modules as text: function, file and line.
 *
 *     train_step at src/trainer.c:42 (trainer+0x12a4)      what a debugger would say
 *     clip at src/trainer.c:17 (inlined)                    expanded in the frame that follows
 *     __libc_start_main (libc.so.6+0x27249)                 a name, but no lines
 *     plugin.so+0x1f0                                       neither
 *     ?                                                     in no module that is known
 *
 * One line a frame, and one more for each function that was expanded in it. What is asked once is
 * remembered; the files of modules are opened when they are first needed, and only those whose
 * build id is the one that ran. Nothing is fetched from anywhere: separate debug files are looked
 * for in /usr/lib/debug and beside the module, as its own headers say. Not thread-safe.
 */
#ifndef M31RI_STACK_NAMES_H
#define M31RI_STACK_NAMES_H

#include "base/buf.h"
#include "stack/stack_modules.h"

typedef struct m31ri_names m31ri_names;

/* NULL when memory is out. */
m31ri_names *m31ri_names_new(void);
void m31ri_names_free(m31ri_names *n);

/* Appends the lines of one frame, with "\n" between them and none behind the last. `path` NULL: in
 * no module. `n` NULL: without names. */
void m31ri_names_add(m31ri_names *n, const char *path, const char *build_id, uint64_t offset,
                     m31ri_buf *out);

/* What stands of a frame without any names. */
void m31ri_names_add_bare(const char *path, uint64_t offset, m31ri_buf *out);

#endif
