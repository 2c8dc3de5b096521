/* recover_end.c - how a run ended whose owner could not say so to the last.
 *
 * An owner that was killed while it ended the run may have written the record run_end: that stands.
 * Else the processes of the run may have said something (a CRITICAL record, a stated failure, a
 * rank that failed). Else nothing is known but that it crashed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/os_file.h"
#include "format/names.h"
#include "recover/recover_int.h"

#define TAIL_BYTES (256 * 1024)

static void copy_text(char *out, size_t size, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(out, size, "%s", text != NULL ? text : "");
}

static bool is_text(const json_t *object, const char *key, const char *text)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL && strcmp(value, text) == 0;
}

/* What the handler of a program without an observer noted before it died. */
static void take_crash(const char *line, size_t length, m31ri_found_end *out)
{
    static const char mark[] = "\"msg\":\"crash\"";
    if (memmem(line, length, mark, sizeof mark - 1) == NULL) {
        return;
    }
    json_t *record = json_loadb(line, length, 0, NULL);
    if (is_text(record, "module", "m31r") && is_text(record, "msg", "crash") &&
        json_is_string(json_object_get(record, "signal"))) {
        copy_text(out->signal, sizeof out->signal, record, "signal");
        out->is_crash_noted = true;
    }
    json_decref(record);
}

static void take_line(const char *line, size_t length, m31ri_found_end *out)
{
    static const char mark[] = "\"run_end\"";
    if (memmem(line, length, mark, sizeof mark - 1) == NULL) {
        return;
    }
    json_t *record = json_loadb(line, length, 0, NULL);
    if (is_text(record, "module", "m31r") && is_text(record, "msg", "run_end") &&
        json_is_string(json_object_get(record, "state"))) {
        const json_t *status = json_object_get(record, "exit_status");
        bool has_ended = json_is_string(json_object_get(record, "ended"));
        copy_text(out->ended, sizeof out->ended, record, has_ended ? "ended" : "ts");
        out->is_recorded = true;
        copy_text(out->state, sizeof out->state, record, "state");
        copy_text(out->cause, sizeof out->cause, record, "cause");
        copy_text(out->evidence, sizeof out->evidence, record, "evidence");
        copy_text(out->signal, sizeof out->signal, record, "signal");
        out->has_exit_status = json_is_integer(status);
        out->exit_status = json_integer_value(status);
    }
    json_decref(record);
}

static void search(int dir, const char *file, m31ri_found_end *out)
{
    struct stat st;
    char *bytes = m31ri_alloc(TAIL_BYTES);
    int fd = m31ri_open(dir, file, O_RDONLY | O_NONBLOCK, 0);
    if (bytes != NULL && fd >= 0 && fstat(fd, &st) == 0) {
        off_t from = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
        ssize_t n = pread(fd, bytes, TAIL_BYTES, from);
        const char *at = bytes, *end = bytes + (n > 0 ? n : 0);
        for (const char *lf; (lf = memchr(at, '\n', (size_t)(end - at))) != NULL; at = lf + 1) {
            take_crash(at, (size_t)(lf - at), out);
            take_line(at, (size_t)(lf - at), out);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    m31ri_free(bytes);
}

void m31ri_find_end(int dir, const char *stage, m31ri_found_end *out)
{
    static const char *const lanes[] = {"", "observer"};
    memset(out, 0, sizeof *out);
    for (int i = 0; i < 2 && !out->is_recorded; i++) {
        char file[128];
        m31ri_lane_file_write(stage, lanes[i], 0, file, sizeof file);
        search(dir, file, out);
    }
}

void m31ri_judge_end(const m31ri_metadata *m, const char *why, m31ri_found_end *out)
{
    snprintf(out->evidence, sizeof out->evidence, "%s", why);
    if (m->stated_state[0] != '\0') {
        snprintf(out->state, sizeof out->state, "%s", m->stated_state);
        snprintf(out->cause, sizeof out->cause, "%s", m->stated_cause);
    } else if (m->is_critical) {
        snprintf(out->state, sizeof out->state, "failed");
        snprintf(out->cause, sizeof out->cause, "critical");
    } else {
        snprintf(out->state, sizeof out->state, "crashed");
        snprintf(out->cause, sizeof out->cause, out->is_crash_noted ? "signal" : "unknown");
    }
}
