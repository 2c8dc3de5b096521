/* reproduce_find.c - what every look at a run's making shares: findings, kept strings, digests and
 * paths of now. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "reproduce/reproduce_int.h"

#define TEXT_BYTES 1024

const char *m31ri_keep_format(m31r_reproduction *p, const char *format, ...)
{
    char text[PATH_MAX + TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return m31ri_reader_keep(p->run, m31ri_strdup(text));
}

static void add(m31r_reproduction *p, m31r_finding_kind kind, const char *what, const char *todo,
                const char *text)
{
    if (p->n == p->capacity) {
        size_t capacity = p->capacity * 2 + 32;
        m31r_finding *grown = m31ri_realloc(p->findings, capacity * sizeof *grown);
        if (grown == NULL) {
            p->n_refused++; /* what cannot be told must not pass for fine */
            return;
        }
        p->findings = grown;
        p->capacity = capacity;
    }
    p->findings[p->n++] =
        (m31r_finding){kind, m31ri_keep_format(p, "%s", what), m31ri_keep_format(p, "%s", text),
                       m31ri_keep_format(p, "%s", todo != NULL ? todo : "")};
    p->n_refused += kind == M31R_FINDING_REFUSED;
}

void m31ri_find(m31r_reproduction *p, m31r_finding_kind kind, const char *what, const char *todo,
                const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add(p, kind, what, todo, text);
}

void m31ri_find_passable(m31r_reproduction *p, const char *what, const char *todo,
                         const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add(p, p->o.goes_on ? M31R_FINDING_DIFFERS : M31R_FINDING_REFUSED, what, todo, text);
}

bool m31ri_file_digest(const char *path, char out[65])
{
    uint8_t digest[M31RI_SHA256_BYTES];
    int fd = m31ri_open_input(path);
    bool is_read = fd >= 0 && m31ri_sha256_fd(fd, digest, NULL, NULL) == M31R_OK;
    if (fd >= 0) {
        close(fd);
    }
    if (is_read) {
        m31ri_sha256_hex(digest, out);
    }
    return is_read;
}

const char *m31ri_recorded_path(m31r_reproduction *p, const char *base, const char *path)
{
    const char *home = getenv("HOME");
    if (path[0] == '/') {
        return path;
    }
    if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && home != NULL) {
        return m31ri_keep_format(p, "%s%s", home, path + 1);
    }
    bool has_dir = p->dir[0] != '\0' && strcmp(p->dir, ".") != 0;
    return m31ri_keep_format(p, "%s/%s%s%s", base, has_dir ? p->dir : "", has_dir ? "/" : "", path);
}
