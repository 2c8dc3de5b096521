/* notices.c - what the processes of a run tell its owner; notices.h has the lines.
 *
 * The file is a SHARED append file: a line whose writer was told "done" is whole. A torn one is
 * taken off by the next writer and was never acknowledged. The owner reads whole lines only and
 * remembers how far it came, so that a notice is folded once.
 */
#include "store/notices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/os_file.h"
#include "store/append_file.h"

#define NOTICES "notices"

static m31r_err append_line(const m31ri_run_dir *d, const char *line, size_t length, m31r_error *e)
{
    m31ri_append_file *f = NULL;
    m31r_err err = m31ri_append_open(d->live_fd, NOTICES, M31RI_APPEND_SHARED, NULL, NULL, &f, e);
    if (err == M31R_E_NOTFOUND) {
        return m31ri_fail(e, M31R_E_CLOSED, "%s has ended: nothing can be added to it", d->path);
    }
    if (err != M31R_OK) {
        return err;
    }
    int sys_errno = m31ri_append_write(f, line, length);
    m31ri_append_close(f);
    return sys_errno == 0 ? M31R_OK
                          : m31ri_fail_sys(e, sys_errno, NOTICES, "writing .live/notices");
}

m31r_err m31ri_notice_add(const m31ri_run_dir *d, json_t *notice, m31r_error *e)
{
    char *text = json_dumps(notice, JSON_COMPACT);
    json_decref(notice);
    if (text == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_buf_add_str(&line, text);
    m31ri_buf_add_char(&line, '\n');
    free(text);
    m31r_err err;
    if (!m31ri_buf_ok(&line)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    } else if (line.length > M31RI_NOTICE_LIMIT) {
        err = m31ri_fail(e, M31R_E_LIMIT, "a notice of %zu bytes, %d allowed", line.length,
                         M31RI_NOTICE_LIMIT);
    } else {
        err = append_line(d, line.data, line.length, e);
    }
    m31ri_buf_release(&line);
    return err;
}

json_t *m31ri_redactions_notice(const m31ri_privacy *p)
{
    m31ri_privacy_count rows[M31RI_PRIVACY_COUNTS];
    size_t n = m31ri_privacy_take_counts(p, rows);
    json_t *found = n != 0 ? json_array() : NULL;
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(found, json_pack("{s:s, s:s, s:I}", "kind", rows[i].kind, "rule",
                                               rows[i].rule, "n", (json_int_t)rows[i].n));
    }
    return found != NULL ? json_pack("{s:s, s:o}", "kind", "redacted", "found", found) : NULL;
}

static void count_unknown(m31ri_metadata *metadata)
{
    json_int_t n = json_integer_value(json_object_get(metadata->root, "unknown_notices"));
    json_object_set_new(metadata->root, "unknown_notices", json_integer(n + 1));
    metadata->is_dirty = true;
}

static void fold_line(m31ri_metadata *metadata, const char *line, size_t length)
{
    json_t *notice = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    if (!m31ri_metadata_fold(metadata, notice)) {
        count_unknown(metadata);
    }
    json_decref(notice);
}

/* Folds the whole lines of a block; returns the bytes they take. */
static size_t fold_block(m31ri_metadata *metadata, const char *block, size_t length, int *n_folded)
{
    size_t used = 0;
    for (;;) {
        const char *newline = memchr(block + used, '\n', length - used);
        if (newline == NULL) {
            return used;
        }
        size_t line_length = (size_t)(newline - (block + used));
        fold_line(metadata, block + used, line_length);
        used += line_length + 1;
        ++*n_folded;
    }
}

m31r_err m31ri_notices_fold(const m31ri_run_dir *d, uint64_t *offset, m31ri_metadata *metadata,
                            int *n_folded, m31r_error *e)
{
    int n_lines = 0;
    m31r_err err = M31R_OK;
    m31ri_buf block = M31RI_BUF_INIT;
    int fd = m31ri_open(d->live_fd, NOTICES, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0 && errno != ENOENT) {
        err = m31ri_fail_sys(e, errno, NOTICES, "reading .live/notices");
    } else if (fd >= 0 && !m31ri_buf_reserve(&block, M31RI_NOTICE_LIMIT)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    while (fd >= 0 && err == M31R_OK) {
        ssize_t n = pread(fd, block.data, M31RI_NOTICE_LIMIT, (off_t)*offset);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            err = m31ri_fail_sys(e, errno, NOTICES, "reading .live/notices");
            break;
        }
        size_t used = fold_block(metadata, block.data, (size_t)n, &n_lines);
        if (used == 0 && n == M31RI_NOTICE_LIMIT) {
            used =
                (size_t)n; /* no notice of ours: its end is read as a line that is not understood */
        }
        if (used == 0) {
            break;
        }
        *offset += used;
    }
    if (fd >= 0) {
        close(fd);
    }
    m31ri_buf_release(&block);
    if (n_folded != NULL) {
        *n_folded = n_lines;
    }
    return err;
}
