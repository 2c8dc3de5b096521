/* stack_bare.c - a frame as module and offset: what every frame has. */
#include <inttypes.h>
#include <string.h>

#include "stack/stack_names.h"

void m31ri_names_add_bare(const char *path, uint64_t offset, m31ri_buf *out)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    const char *name = slash != NULL ? slash + 1 : path;
    if (path == NULL || name[0] == '\0') {
        m31ri_buf_add_char(out, '?');
        return;
    }
    m31ri_buf_add_format(out, "%.200s+0x%" PRIx64, name, offset);
}
