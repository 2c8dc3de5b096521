/* os_args.c - a library sees no argv; Linux keeps it in /proc/self/cmdline. */
#include "base/os_args.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/os_file.h"

#define LIMIT_BYTES (4 * 1024 * 1024)

static bool split(const m31ri_buf *text, m31ri_args *out)
{
    int n = 0;
    for (size_t i = 0; i < text->length; i++) {
        n += text->data[i] == '\0';
    }
    char **items = m31ri_alloc(((size_t)n + 1) * sizeof *items + text->length);
    if (items == NULL) {
        return false;
    }
    char *copy = (char *)(items + n + 1);
    memcpy(copy, text->data, text->length);
    for (int i = 0; i < n; i++) {
        items[i] = copy;
        copy += strlen(copy) + 1;
    }
    items[n] = NULL;
    out->n = n;
    out->items = items;
    return true;
}

bool m31ri_args_of_process(m31ri_args *out)
{
    m31ri_buf text = M31RI_BUF_INIT;
    int fd = m31ri_open(AT_FDCWD, "/proc/self/cmdline", O_RDONLY, 0);
    bool is_read =
        fd >= 0 && m31ri_read_fd(fd, LIMIT_BYTES, &text, NULL) == M31R_OK && text.length != 0;
    if (fd >= 0) {
        close(fd);
    }
    *out = (m31ri_args){0};
    is_read = is_read && split(&text, out);
    m31ri_buf_release(&text);
    return is_read;
}

void m31ri_args_release(m31ri_args *args)
{
    m31ri_free(args->items);
    *args = (m31ri_args){0};
}
