/* recover_lanes.c - the ends of a dead run's files.
 *
 * A writer that died inside a write left bytes after the last newline. The call had not returned,
 * so they are no record; they are taken off and kept, escaped and redacted, in a record of their
 * own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/record.h"
#include "format/timestamp.h"
#include "recover/recover_int.h"
#include "store/append_file.h"

#define TAIL_BYTES (128 * 1024) /* two of the longest records */

static bool is_lane(const m31ri_dir_entry *entry)
{
    size_t length = strlen(entry->name);
    return entry->type == 'f' && length > 4 && strcmp(entry->name + length - 4, ".log") == 0;
}

static bool is_points(const m31ri_dir_entry *entry)
{
    size_t length = strlen(entry->name);
    return entry->type == 'f' && length > 4 && strcmp(entry->name + length - 4, ".csv") == 0 &&
           strncmp(entry->name, "metrics.", 8) == 0;
}

static bool is_torn(int dir, const char *name)
{
    struct stat st;
    char last = '\n';
    int fd = m31ri_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 &&
        pread(fd, &last, 1, st.st_size - 1) != 1) {
        last = '\n'; /* cannot be read: the one who writes will say so */
    }
    if (fd >= 0) {
        close(fd);
    }
    return last != '\n';
}

uint32_t m31ri_count_torn(int dir)
{
    uint32_t n = 0;
    m31ri_dir_list list = {0};
    if (m31ri_dir_list_fd(dir, &list, NULL) == M31R_OK) {
        for (size_t i = 0; i < list.n; i++) {
            const m31ri_dir_entry *entry = &list.entries[i];
            n += (is_lane(entry) || is_points(entry)) && is_torn(dir, entry->name);
        }
        m31ri_dir_list_release(&list);
    }
    return n;
}

/* Time of the lane's last record; INT64_MIN when there is none. */
static int64_t last_time(int dir, const char *file)
{
    static const char start[] = "{\"ts\":\"";
    int64_t wall_ns = INT64_MIN;
    struct stat st;
    char *bytes = m31ri_alloc(TAIL_BYTES);
    int fd = m31ri_open(dir, file, O_RDONLY | O_NONBLOCK, 0);
    if (bytes != NULL && fd >= 0 && fstat(fd, &st) == 0) {
        off_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
        ssize_t n = pread(fd, bytes, TAIL_BYTES, from);
        const char *line = n > 1 ? memrchr(bytes, '\n', (size_t)n - 1) : NULL;
        line = line != NULL ? line + 1 : bytes;
        const size_t head = sizeof start - 1;
        if (n > 0 && (size_t)(bytes + n - line) > head + M31RI_TIMESTAMP_BYTES &&
            memcmp(line, start, head) == 0) {
            m31ri_timestamp_read(line + head, M31RI_TIMESTAMP_BYTES, &wall_ns);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    m31ri_free(bytes);
    return wall_ns;
}

/* Through the same append file as every record: whole, or not at all. */
static m31r_err append(m31ri_append_file *f, const char *file, int64_t not_before_ns,
                       m31ri_record_parts *parts, m31r_error *e)
{
    m31ri_buf line = M31RI_BUF_INIT;
    int64_t now_ns = m31ri_wall_ns();
    parts->wall_ns = now_ns > not_before_ns ? now_ns : not_before_ns;
    m31ri_record_write(&line, parts, NULL, NULL);
    int err = m31ri_buf_ok(&line) ? m31ri_append_write(f, line.data, line.length) : ENOMEM;
    err = err == 0 ? m31ri_append_sync(f) : err;
    m31ri_buf_release(&line);
    return err == 0 ? M31R_OK : m31ri_fail_sys(e, err, file, "writing to %s", file);
}

static m31ri_record_parts record(m31r_level level, const char *message, const m31r_value *keys,
                                 const m31r_value *values, size_t n)
{
    return (m31ri_record_parts){.level = level,
                                .module = "m31r",
                                .module_length = 4,
                                .message = message,
                                .message_length = strlen(message),
                                .keys = keys,
                                .values = values,
                                .n = n};
}

m31r_err m31ri_add_record(const m31ri_run_dir *d, const char *file, m31r_level level,
                          const char *message, const m31r_value *keys, const m31r_value *values,
                          size_t n, m31r_error *e)
{
    m31ri_append_file *f = NULL;
    int64_t last_ns = last_time(d->fd, file);
    m31r_err err = m31ri_append_open(d->fd, file, M31RI_APPEND_EXCLUSIVE, NULL, NULL, &f, e);
    if (err == M31R_OK) {
        m31ri_record_parts parts = record(level, message, keys, values, n);
        err = append(f, file, last_ns, &parts, e);
    }
    m31ri_append_close(f);
    return err;
}

/* The torn bytes of `file`, as a record of the lane `into`. */
static m31r_err keep_torn(const m31ri_run_dir *d, const m31ri_privacy *privacy, const char *into,
                          const char *file, const m31ri_buf *torn, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    uint32_t n = m31ri_privacy_scrub(privacy, NULL, 0, torn->data, torn->length, &text);
    const m31ri_buf *kept = n > 0 ? &text : torn;
    const m31r_value keys[] = {m31r_of_string("file"), m31r_of_string("bytes"),
                               m31r_of_string("tail")};
    const m31r_value values[] = {m31r_of_string(file), m31r_of_uint(torn->length),
                                 m31r_text(kept->data, kept->length)};
    m31r_err err = m31ri_buf_ok(kept)
                       ? m31ri_add_record(d, into, M31R_WARNING, "torn_tail", keys, values, 3, e)
                       : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    m31ri_buf_release(&text);
    return err;
}

static m31r_err mend(const m31ri_run_dir *d, const m31ri_privacy *privacy, const char *into,
                     const char *file, m31r_error *e)
{
    m31ri_append_file *f = NULL;
    m31ri_buf torn = M31RI_BUF_INIT;
    m31r_err err = m31ri_append_open(d->fd, file, M31RI_APPEND_EXCLUSIVE, NULL, &torn, &f, e);
    m31ri_append_close(f);
    if (err == M31R_E_BUSY) {
        m31ri_fail(e, M31R_E_BUSY, "a living process writes to %s/%s", d->path, file);
    }
    if (err == M31R_OK && torn.length > 0 && into != NULL) {
        err = keep_torn(d, privacy, into, file, &torn, e);
    }
    m31ri_buf_release(&torn);
    return err;
}

/* The lanes first: what was torn in files of points becomes a record of a lane that is whole. */
m31r_err m31ri_mend_lanes(const m31ri_run_dir *d, const m31ri_privacy *privacy,
                          const char *main_lane, m31r_error *e)
{
    m31ri_dir_list list = {0};
    m31r_err err = m31ri_dir_list_fd(d->fd, &list, e);
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        const m31ri_dir_entry *entry = &list.entries[i];
        err = is_lane(entry) ? mend(d, privacy, entry->name, entry->name, e) : M31R_OK;
    }
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        const m31ri_dir_entry *entry = &list.entries[i];
        err = is_points(entry) ? mend(d, privacy, main_lane, entry->name, e) : M31R_OK;
    }
    m31ri_dir_list_release(&list);
    return err;
}
