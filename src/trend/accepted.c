/* accepted.c - accepted.jsonl: from which run on a level is the intended one.
 *
 * It lies beside the directory of runs, where a project keeps what it versions: one line
 *     {"v":1,"kind":"accepted","ts":...,"metric":...,"run_id":...,"reason":...}
 * for each decision, appended under a lock. Lines of other kinds are left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trend/trend_int.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/timestamp.h"
#include "m31r/json.h"
#include "read/scrub_text.h"

#define FILE_NAME "accepted.jsonl"
#define DEFAULT_ROOT "experiments"
#define REASON_BYTES 1000
#define FILE_LIMIT ((size_t)64 << 20)
#define LOCK_WAIT_MS 5000

/* The file beside `root`, without following it. False: no memory. */
static bool path_beside(const char *root, m31ri_buf *out)
{
    root = root != NULL ? root : DEFAULT_ROOT;
    size_t length = strlen(root);
    while (length > 1 && root[length - 1] == '/') {
        length--;
    }
    while (length > 0 && root[length - 1] != '/') {
        length--;
    }
    m31ri_buf_add(out, root, length);
    m31ri_buf_add_str(out, FILE_NAME);
    return m31ri_buf_ok(out);
}

static void mark(m31r_trend *t, const char *run_id)
{
    for (size_t i = 0; i < t->facts.n_groups; i++) {
        m31ri_trend_group *g = &t->groups[i];
        for (size_t k = 0; k < g->n; k++) {
            bool is_it = strcmp(m31ri_row_text(g->rows[k], "run_id"), run_id) == 0;
            if (is_it && (g->accepted_at == SIZE_MAX || g->accepted_at < k)) {
                g->accepted_at = k;
            }
        }
    }
}

static void mark_line(m31r_trend *t, const char *line, size_t length)
{
    json_t *row = json_loadb(line, length, 0, NULL);
    if (strcmp(m31ri_row_text(row, "kind"), "accepted") == 0 &&
        strcmp(m31ri_row_text(row, "metric"), t->metric) == 0) {
        mark(t, m31ri_row_text(row, "run_id"));
    }
    json_decref(row);
}

m31r_err m31ri_accepted_read(const char *root, m31r_trend *t, m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT, text = M31RI_BUF_INIT;
    m31r_err err =
        path_beside(root, &path) ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    if (err == M31R_OK) {
        err = m31ri_read_file(AT_FDCWD, m31ri_buf_str(&path), FILE_LIMIT, &text, e);
    }
    const char *at = text.data, *end = at + text.length;
    while (err == M31R_OK && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        mark_line(t, at, (size_t)(stop - at));
        at = stop + 1;
    }
    m31ri_buf_release(&path);
    m31ri_buf_release(&text);
    return err == M31R_E_NOTFOUND ? M31R_OK : err;
}

static m31r_err append(const char *path, const char *line, size_t length, m31r_error *e)
{
    size_t written;
    int fd = m31ri_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, M31RI_FILE_MODE);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    bool is_held = m31ri_lock(fd, LOCK_WAIT_MS);
    int failed = is_held ? m31ri_write_all(fd, line, length, &written) : EBUSY;
    failed = failed == 0 && fsync(fd) != 0 ? errno : failed;
    close(fd);
    return failed == 0 ? M31R_OK : m31ri_fail_sys(e, failed, path, "writing %s", path);
}

static m31r_err write_line(const char *path, const char *metric, const char *run_id,
                           const char *reason, m31r_error *e)
{
    char ts[M31RI_TIMESTAMP_BYTES + 1], *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    if (stream == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    m31ri_timestamp_write(m31ri_wall_ns(), ts);
    m31r_json *j = m31r_json_new("accepted");
    m31r_json_add_text(j, "ts", ts);
    m31r_json_add_text(j, "metric", metric);
    m31r_json_add_text(j, "run_id", run_id);
    m31r_json_add_text(j, "reason", reason);
    m31r_err err = m31r_json_write(j, stream, e);
    if (fclose(stream) != 0 && err == M31R_OK) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    if (err == M31R_OK) {
        err = append(path, text, length, e);
    }
    free(text);
    return err;
}

m31r_err m31r_trend_accept(const m31r_trend_acceptance *acceptance, char out_run_id[160],
                           m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT, clean = M31RI_BUF_INIT;
    m31r_reader *reader = NULL;
    const char *reason = acceptance->reason;
    if (reason == NULL || reason[0] == '\0' || strlen(reason) > REASON_BYTES) {
        return m31ri_fail(e, M31R_E_ARG, "a level is accepted for a reason of 1 to %d bytes",
                          REASON_BYTES);
    }
    char *metric = m31ri_strdup(acceptance->metric);
    m31r_err err = m31r_reader_open(&reader, acceptance->root, acceptance->run, e);
    if (err == M31R_OK && (metric == NULL || !path_beside(acceptance->root, &path))) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    if (err == M31R_OK) {
        err = m31ri_text_scrub(reader, reason, &clean, e);
    }
    if (err == M31R_OK) {
        const char *run_id = m31r_reader_facts(reader)->run_id;
        (void)m31ri_split_statistic(metric);
        err = write_line(m31ri_buf_str(&path), metric, run_id, m31ri_buf_str(&clean), e);
        if (err == M31R_OK) {
            snprintf(out_run_id, 160, "%s", run_id);
        }
    }
    m31r_reader_close(reader);
    m31ri_buf_release(&path);
    m31ri_buf_release(&clean);
    m31ri_free(metric);
    return err;
}
