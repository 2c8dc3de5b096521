/* scan.c - m31r/scan.h: which files a scan reads, and how it follows them.
 *
 * Following polls: each wait looks whether a file has grown, whether the run has a new lane, and
 * whether it has ended. The state is derived anew from the directory each time; the reader that the
 * caller holds stays as it was.
 */
#include "m31r/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/json_read.h"
#include "format/segments.h"
#include "read/merge.h"
#include "read/reader_int.h"

#define POLL_MS 50

void m31r_scan_close(m31r_scan *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->n_sources; i++) {
        m31ri_source_release(s->sources[i]);
        m31ri_free(s->sources[i]);
    }
    m31ri_free(s->sources);
    m31ri_tail_free(s->tail);
    m31ri_judge_release(&s->judge);
    m31ri_free(s->first_bad_file);
    m31ri_free(s->first_bad_why);
    m31ri_free(s->run_path);
    m31ri_free(s);
}

static m31r_err new_scan(m31r_scan **out, const m31r_scan_options *options, m31r_error *e)
{
    if (options == NULL || options->size != sizeof *options) {
        return m31ri_fail(e, M31R_E_ARG, "scan options are not of this library's version");
    }
    if (options->tail < 0 || options->tail > M31R_SCAN_TAIL_LIMIT) {
        return m31ri_fail(e, M31R_E_ARG, "tail %lld is not 0 to %d", (long long)options->tail,
                          M31R_SCAN_TAIL_LIMIT);
    }
    const m31r_around *around = &options->around;
    if (around->n < 0 || around->n > M31R_SCAN_TAIL_LIMIT ||
        (around->n > 0 && (options->tail > 0 || options->is_following))) {
        return m31ri_fail(
            e, M31R_E_ARG,
            "records around a place: 1 to %d on each side, without tail and following",
            M31R_SCAN_TAIL_LIMIT - 1);
    }
    m31r_scan *s = m31ri_calloc(1, sizeof *s);
    if (s == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a scan");
    }
    s->options = *options;
    s->counts.first_bad_file = s->counts.first_bad_why = "";
    m31ri_judge_wants wants = {
        .filter = &s->options.filter, .is_strict = options->is_strict, .needs_head = true};
    if (!m31ri_judge_init(&s->judge, &wants)) {
        m31ri_free(s);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a scan");
    }
    size_t n_kept = (size_t)(around->n > 0 ? around->n + 1 : options->tail);
    if (n_kept > 0 && (s->tail = m31ri_tail_new(n_kept)) == NULL) {
        m31r_scan_close(s);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a scan");
    }
    *out = s;
    return M31R_OK;
}

static bool is_wanted(const m31r_scan *s, const m31r_lane_facts *lane)
{
    const char *want = s->options.lane;
    if (want == NULL) {
        return true;
    }
    bool is_main = lane->name[0] == '\0' && strcmp(want, "main") == 0;
    return is_main || (lane->name[0] != '\0' && strcmp(want, lane->name) == 0) ||
           strcmp(want, lane->file) == 0;
}

static bool is_open(const m31r_scan *s, const char *file)
{
    for (size_t i = 0; i < s->n_sources; i++) {
        if (strcmp(s->sources[i]->file, file) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds the lanes that are wanted and not yet read. */
static m31r_err add_lanes(m31r_scan *s, int dir, const m31ri_lane_list *lanes, m31r_error *e)
{
    for (size_t i = 0; i < lanes->n; i++) {
        const m31r_lane_facts *lane = &lanes->lanes[i];
        if (!is_wanted(s, lane) || is_open(s, lane->file)) {
            continue;
        }
        m31ri_bytes *bytes = NULL;
        m31r_err err = m31ri_bytes_open_lane(&bytes, dir, lane->file, s->options.is_following, e);
        if (err == M31R_E_NOTFOUND) {
            continue; /* removed since it was listed */
        }
        if (err != M31R_OK) {
            return err;
        }
        const char *const names[2] = {lane->file, lane->name};
        err = m31ri_merge_add(s, bytes, names, e);
        if (err != M31R_OK) {
            return err;
        }
    }
    return M31R_OK;
}

m31r_err m31r_scan_open_run(m31r_scan **out, const m31r_reader *reader,
                            const m31r_scan_options *options, m31r_error *e)
{
    m31r_scan *s = NULL;
    m31r_err err = new_scan(&s, options, e);
    if (err != M31R_OK) {
        return err;
    }
    s->run_path = m31ri_strdup(reader->path);
    if (s->run_path == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a scan");
    } else {
        err = add_lanes(s, reader->fd, &reader->lanes, e);
    }
    if (err == M31R_OK && s->n_sources == 0 && options->lane != NULL && !options->is_following) {
        err = m31ri_fail(e, M31R_E_NOTFOUND, "run %s has no lane \"%s\"", reader->facts.run_id,
                         options->lane);
        m31ri_fail_hint(e, "its lanes: m31r show %s", reader->facts.run_id);
    }
    if (err != M31R_OK) {
        m31r_scan_close(s);
        return err;
    }
    *out = s;
    return M31R_OK;
}

/* True for a path to a lane's file that has rotated segments beside it, or that is followed and may
 * be rotated: it is read as the lane. `*out_dir` and `*out_name` are then of the file. */
static bool is_lane(const char *path, bool is_following, int *out_dir, const char **out_name)
{
    struct stat st;
    m31ri_segment_list segments = {0};
    m31ri_segment_name name;
    const char *slash = strrchr(path, '/');
    const char *file = slash != NULL ? slash + 1 : path;
    size_t length = strlen(file);
    if (length < 5 || strcmp(file + length - 4, ".log") != 0 ||
        m31ri_segment_name_read(file, &name) || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return false;
    }
    char *folder = slash != NULL ? m31ri_strndup(path, (size_t)(slash - path) + 1) : NULL;
    int dir = m31ri_open_dir(AT_FDCWD, folder != NULL ? folder : ".", true);
    m31ri_free(folder);
    bool is_one = dir >= 0 && fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                  S_ISREG(st.st_mode) &&
                  m31ri_segment_list_read(dir, file, &segments, NULL) == M31R_OK &&
                  (segments.n > 0 || is_following);
    m31ri_segment_list_release(&segments);
    if (!is_one && dir >= 0) {
        close(dir);
    }
    *out_dir = dir;
    *out_name = file;
    return is_one;
}

/* A file as a person names it: any kind, since it may be a pipe. */
static m31r_err open_path(m31ri_bytes **out, const char *path, bool is_following, m31r_error *e)
{
    int dir;
    const char *name;
    struct stat st;
    if (is_lane(path, is_following, &dir, &name)) {
        m31r_err err = m31ri_bytes_open_lane(out, dir, name, is_following, e);
        close(dir);
        return err;
    }
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, path, "cannot open %s", path);
    }
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        return m31ri_fail(e, M31R_E_ARG, "%s is a directory, and not of a run", path);
    }
    return m31ri_bytes_open(out, fd, !is_stdin, path, e);
}

m31r_err m31r_scan_open_file(m31r_scan **out, const char *path, const m31r_scan_options *options,
                             m31r_error *e)
{
    m31r_scan *s = NULL;
    m31ri_bytes *bytes = NULL;
    m31r_err err = new_scan(&s, options, e);
    if (err != M31R_OK) {
        return err;
    }
    err = open_path(&bytes, path, options->is_following, e);
    if (err == M31R_OK) {
        const char *const names[2] = {path, ""};
        err = m31ri_merge_add(s, bytes, names, e);
    }
    if (err != M31R_OK) {
        m31r_scan_close(s);
        return err;
    }
    *out = s;
    return M31R_OK;
}

m31r_err m31r_scan_next(m31r_scan *s, m31r_record *out, m31r_error *e)
{
    if (s->tail != NULL) {
        m31r_err err = s->options.around.n > 0 ? m31ri_around_next(s->tail, s, out, e)
                                               : m31ri_tail_next(s->tail, s, out, e);
        if (err != M31R_EOF || !s->options.is_following) {
            return err;
        }
        /* The past is told; from here on records come as they are written. */
        m31ri_tail_free(s->tail);
        s->tail = NULL;
    }
    return m31ri_merge_next(s, out, e);
}

/* Looks at the run anew: adds lanes, says whether it is over. */
static m31r_err look_again(m31r_scan *s, bool *is_over, m31r_error *e)
{
    m31r_reader *reader = NULL;
    *is_over = false;
    m31r_err err = m31ri_reader_open_path(&reader, s->run_path, e);
    if (err == M31R_E_NOTFOUND) {
        *is_over = true;
        return M31R_OK;
    }
    if (err == M31R_OK) {
        err = add_lanes(s, reader->fd, &reader->lanes, e);
        *is_over =
            reader->facts.state != M31R_STATE_RUNNING && reader->facts.state != M31R_STATE_UNKNOWN;
    }
    m31r_reader_close(reader);
    return err;
}

static bool any_has_grown(m31r_scan *s)
{
    bool has_grown = false;
    for (size_t i = 0; i < s->n_sources; i++) {
        has_grown |= m31ri_source_has_grown(s->sources[i]);
    }
    return has_grown;
}

m31r_err m31r_scan_wait(m31r_scan *s, int wait_ms, m31r_error *e)
{
    int64_t until_ns = m31ri_mono_ns() + (int64_t)wait_ms * 1000000;
    for (;;) {
        bool is_over = false;
        size_t n_before = s->n_sources;
        m31r_err err = s->run_path != NULL ? look_again(s, &is_over, e) : M31R_OK;
        if (err != M31R_OK || any_has_grown(s) || s->n_sources > n_before) {
            return err;
        }
        if (is_over) {
            return M31R_EOF;
        }
        if (m31ri_mono_ns() >= until_ns) {
            return M31R_OK;
        }
        struct timespec pause = {0, POLL_MS * 1000000L};
        (void)nanosleep(&pause, NULL);
    }
}

m31r_scan_counts m31r_scan_count(const m31r_scan *s)
{
    m31r_scan_counts counts = s->counts;
    counts.n_torn = 0;
    for (size_t i = 0; i < s->n_sources; i++) {
        counts.n_torn += m31ri_source_is_torn(s->sources[i]);
        counts.lines[M31R_LINE_OK] += s->sources[i]->n_left_out;
    }
    return counts;
}

/* Carries the caller's function through the reader of JSON. */
typedef struct each_call {
    bool (*each)(void *context, const m31r_field *field);
    void *context;
} each_call;

static bool hand_on(void *context, const m31ri_json_member *m)
{
    const each_call *call = context;
    m31r_field field = {m->key, m->value, m->key_length, m->value_length, m->type};
    return call->each(call->context, &field);
}

void m31r_record_each(const m31r_record *record,
                      bool (*each)(void *context, const m31r_field *field), void *context)
{
    each_call call = {each, context};
    (void)m31ri_json_read_object(record->line, record->length, hand_on, &call, NULL);
}

const char *m31r_line_class_name(m31r_line_class c)
{
    if (c == M31R_LINE_TOO_LONG || c == M31R_LINE_UNREADABLE) {
        return c == M31R_LINE_TOO_LONG ? "too_long" : "unreadable";
    }
    return c >= 0 && c < M31R_LINE_TOO_LONG ? m31ri_json_class_name((m31ri_json_class)c) : "?";
}
