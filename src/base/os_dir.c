/* os_dir.c - listing a directory.
 *
 * readdir gives names in an order of its own; everything that is hashed or shown needs one that is
 * the same on every machine, so the list is read whole and sorted by bytes (strcmp of unsigned
 * bytes, never strcoll).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"

static char type_of_mode(mode_t mode)
{
    if (S_ISREG(mode)) {
        return 'f';
    }
    if (S_ISDIR(mode)) {
        return 'd';
    }
    return S_ISLNK(mode) ? 'l' : 'o';
}

/* Some file systems do not fill d_type; then the entry is asked. One that vanished meanwhile counts
 * as other. */
static char type_of_entry(int dir, const struct dirent *d)
{
    struct stat st;
    switch (d->d_type) {
    case DT_REG:
        return 'f';
    case DT_DIR:
        return 'd';
    case DT_LNK:
        return 'l';
    case DT_UNKNOWN:
        return fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? type_of_mode(st.st_mode)
                                                                      : 'o';
    default:
        return 'o';
    }
}

static m31r_err add_entry(m31ri_dir_list *l, size_t *capacity, const char *name, char type,
                          m31r_error *e)
{
    if (l->n >= M31RI_DIR_ENTRIES) {
        return m31ri_fail(e, M31R_E_LIMIT, "more than %d entries in one directory",
                          M31RI_DIR_ENTRIES);
    }
    if (l->n == *capacity) {
        size_t more = *capacity == 0 ? 32 : *capacity * 2;
        m31ri_dir_entry *entries = m31ri_realloc(l->entries, more * sizeof *entries);
        if (entries == NULL) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory after %zu directory entries", l->n);
        }
        l->entries = entries;
        *capacity = more;
    }
    char *copy = m31ri_strdup(name);
    if (copy == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory after %zu directory entries", l->n);
    }
    l->entries[l->n++] = (m31ri_dir_entry){copy, type};
    return M31R_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const m31ri_dir_entry *)a)->name, ((const m31ri_dir_entry *)b)->name);
}

static m31r_err read_entries(DIR *stream, m31ri_dir_list *l, m31r_error *e)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        struct dirent *d = readdir(stream);
        if (d == NULL) {
            return errno == 0 ? M31R_OK : m31ri_fail_sys(e, errno, NULL, "listing a directory");
        }
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) {
            continue;
        }
        m31r_err err = add_entry(l, &capacity, d->d_name, type_of_entry(dirfd(stream), d), e);
        if (err != M31R_OK) {
            return err;
        }
    }
}

m31r_err m31ri_dir_list_fd(int dir, m31ri_dir_list *out, m31r_error *e)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (stream == NULL) {
        int saved = errno;
        if (fd >= 0) {
            close(fd);
        }
        return m31ri_fail_sys(e, saved, NULL, "opening a directory");
    }
    m31ri_dir_list l = {0};
    m31r_err err = read_entries(stream, &l, e);
    closedir(stream);
    if (err != M31R_OK) {
        m31ri_dir_list_release(&l);
        return err;
    }
    if (l.n > 1) {
        qsort(l.entries, l.n, sizeof *l.entries, by_name);
    }
    *out = l;
    return M31R_OK;
}

void m31ri_dir_list_release(m31ri_dir_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->entries[i].name);
    }
    m31ri_free(l->entries);
    *l = (m31ri_dir_list){0};
}
