/* run_files.c - see run_files.h. */
#include "format/run_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/blocks.h"
#include "format/redactions.h"
#include "format/segments.h"

#define DEPTH_LIMIT 64

static m31r_err fail_nomem(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

static bool ends_in(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* What is left out at the top of a run. */
static bool is_left_out(const char *path)
{
    static const char *const names[] = {
        "manifest.json",    "notes.jsonl",         ".live",
        ".live.ending",     "manifest.json.tmp",   "metadata.json.tmp",
        "metrics.json.tmp", M31RI_REDACTIONS_FILE, M31RI_REDACTIONS_FILE ".tmp"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(path, names[i]) == 0) {
            return true;
        }
    }
    return (ends_in(path, ".log.zst.tmp") || ends_in(path, ".log.tmp")) &&
           strchr(path, '/') == NULL;
}

bool m31ri_run_file_has_lines(const char *path)
{
    if (strchr(path, '/') != NULL) {
        return false;
    }
    return ends_in(path, ".log") || ends_in(path, ".log.zst") ||
           (strncmp(path, "metrics.", 8) == 0 && ends_in(path, ".csv"));
}

bool m31ri_run_file_is_record(const char *path)
{
    static const char *const names[] = {"metadata.json", "metrics.json", "config_snapshot.yaml",
                                        "code.diff", M31RI_BLOCKS_FILE};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(path, names[i]) == 0) {
            return true;
        }
    }
    return m31ri_run_file_has_lines(path) || strncmp(path, "untracked/", 10) == 0 ||
           (strchr(path, '/') == NULL && strncmp(path, "config_original.", 16) == 0);
}

void m31ri_run_files_release(m31ri_run_files *l)
{
    for (size_t i = 0; i < l->n; i++) {
        m31ri_free(l->files[i].path);
    }
    m31ri_free(l->files);
    *l = (m31ri_run_files){0};
}

/* Takes over `path`. */
static m31r_err add_file(m31ri_run_files *l, char *path, bool is_link, m31r_error *e)
{
    if (l->n == l->capacity) {
        size_t capacity = l->capacity != 0 ? l->capacity * 2 : 32;
        m31ri_run_file *files = m31ri_realloc(l->files, capacity * sizeof *files);
        if (files == NULL) {
            m31ri_free(path);
            return fail_nomem(e);
        }
        l->files = files;
        l->capacity = capacity;
    }
    l->files[l->n++] = (m31ri_run_file){.path = path, .is_link = is_link};
    return M31R_OK;
}

static m31r_err list_files(int dir, const char *prefix, int depth, m31ri_run_files *l,
                           m31r_error *e);

static m31r_err list_entry(int dir, const char *prefix, int depth, const m31ri_dir_entry *entry,
                           m31ri_run_files *l, m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_buf_add_format(&path, "%s%s%s", prefix, prefix[0] != '\0' ? "/" : "", entry->name);
    if (!m31ri_buf_ok(&path)) {
        m31ri_buf_release(&path);
        return fail_nomem(e);
    }
    if (entry->type == 'o' || is_left_out(path.data)) {
        m31ri_buf_release(&path);
        return M31R_OK;
    }
    if (entry->type != 'd') {
        return add_file(l, path.data, entry->type == 'l', e);
    }
    m31r_err err;
    int fd = m31ri_open_dir(dir, entry->name, false);
    if (fd >= 0) {
        err = list_files(fd, path.data, depth + 1, l, e);
        close(fd);
    } else {
        err = m31ri_fail_sys(e, errno, path.data, "opening directory %s", path.data);
    }
    m31ri_buf_release(&path);
    return err;
}

static m31r_err list_files(int dir, const char *prefix, int depth, m31ri_run_files *l,
                           m31r_error *e)
{
    if (depth > DEPTH_LIMIT) {
        return m31ri_fail(e, M31R_E_LIMIT, "%s is nested deeper than %d directories", prefix,
                          DEPTH_LIMIT);
    }
    m31ri_dir_list list;
    m31r_err err = m31ri_dir_list_fd(dir, &list, e);
    if (err != M31R_OK) {
        return err;
    }
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        err = list_entry(dir, prefix, depth, &list.entries[i], l, e);
    }
    m31ri_dir_list_release(&list);
    return err;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const m31ri_run_file *)a)->path, ((const m31ri_run_file *)b)->path);
}

m31r_err m31ri_run_files_read(int run, m31ri_run_files *out, m31r_error *e)
{
    m31ri_run_files l = {0};
    m31r_err err = list_files(run, "", 0, &l, e);
    if (err != M31R_OK) {
        m31ri_run_files_release(&l);
        return err;
    }
    if (l.n > 1) {
        qsort(l.files, l.n, sizeof *l.files, by_path);
    }
    *out = l;
    return M31R_OK;
}

int m31ri_run_file_open(int run, const char *path)
{
    int at = run;
    for (;;) {
        size_t length = strcspn(path, "/");
        char part[NAME_MAX + 1];
        if (length >= sizeof part) {
            errno = ENAMETOOLONG;
            length = 0;
        }
        memcpy(part, path, length);
        part[length] = '\0';
        bool is_last = path[length] == '\0';
        int fd = -1;
        if (length != 0) {
            fd = is_last ? m31ri_open(at, part, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
                         : m31ri_open_dir(at, part, false);
        }
        if (at != run) {
            int saved = errno;
            close(at);
            errno = saved;
        }
        if (fd < 0 || is_last) {
            return fd;
        }
        at = fd;
        path += length + 1;
    }
}

void m31ri_run_file_part(const char *name, char *out_file, size_t size, uint32_t *out_part)
{
    m31ri_segment_name segment;
    bool is_segment = m31ri_segment_name_read(name, &segment);
    *out_part = is_segment ? segment.ordinal : 0;
    snprintf(out_file, size, "%.*s%s", is_segment ? (int)segment.lane_length : (int)strlen(name),
             name, is_segment ? ".log" : "");
}
