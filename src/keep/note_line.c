/* note_line.c - one record at the end of a file of notes. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/fail.h"
#include "format/notes_file.h"
#include "format/record.h"
#include "keep/keep_int.h"
#include "store/append_file.h"

m31r_err m31ri_note_line(int dir, const char *file, const char *message, const m31r_value *keys,
                         const m31r_value *values, size_t n, m31r_error *e)
{
    const m31ri_record_parts parts = {.wall_ns = m31ri_wall_ns(),
                                      .level = M31R_INFO,
                                      .module = M31RI_NOTES_MODULE,
                                      .module_length = strlen(M31RI_NOTES_MODULE),
                                      .message = message,
                                      .message_length = strlen(message),
                                      .keys = keys,
                                      .values = values,
                                      .n = n};
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_append_file *f = NULL;
    m31ri_record_write(&line, &parts, NULL, NULL);
    m31r_err err = m31ri_append_open(dir, file, M31RI_APPEND_SHARED, NULL, NULL, &f, e);
    if (err == M31R_OK && m31ri_append_size(f) + line.length > M31RI_NOTES_BYTES) {
        err = m31ri_fail(e, M31R_E_LIMIT, "%s is full: %d MiB", file, M31RI_NOTES_BYTES >> 20);
    }
    if (err == M31R_OK) {
        int error = m31ri_buf_ok(&line) ? m31ri_append_write(f, line.data, line.length) : ENOMEM;
        error = error == 0 ? m31ri_append_sync(f) : error;
        err = error == 0 ? M31R_OK : m31ri_fail_sys(e, error, file, "writing to %s", file);
    }
    m31ri_append_close(f);
    m31ri_buf_release(&line);
    return err;
}
