/* run_state.c - what became of a run, told from what cannot lie.
 *
 * A stored `running` is worthless: the one who wrote it may be gone. An end that was recorded
 * stands. Without one the writer's identity (pid, start time, boot, host) says whether it lives, is
 * proved dead, or cannot be asked. A dead observer whose program lives has not ended the run. A
 * CRITICAL record makes the run failed also when nobody was left to write that down.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/os_file.h"
#include "base/os_process.h"
#include "format/live_place.h"
#include "read/reader_int.h"

#define OWNER_BYTES (64 * 1024)
#define NOTICES_BYTES (64 * 1024 * 1024)

static m31r_state state_of(const char *name)
{
    for (int s = M31R_STATE_FINISHED; s <= M31R_STATE_CRASHED; s++) {
        if (strcmp(name, m31r_state_name((m31r_state)s)) == 0) {
            return (m31r_state)s;
        }
    }
    return M31R_STATE_UNKNOWN;
}

static void copy_text(char *out, size_t size, const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    snprintf(out, size, "%s", text != NULL ? text : "");
}

static bool process_of(const json_t *object, m31ri_process *out)
{
    memset(out, 0, sizeof *out);
    if (!json_is_integer(json_object_get(object, "pid"))) {
        return false;
    }
    out->pid = json_integer_value(json_object_get(object, "pid"));
    out->start_ticks = (uint64_t)json_integer_value(json_object_get(object, "start_ticks"));
    copy_text(out->boot_id, sizeof out->boot_id, object, "boot_id");
    copy_text(out->host, sizeof out->host, object, "host");
    return true;
}

/* A file of `.live`, wherever that is. */
static bool read_live(const m31r_reader *r, const char *name, size_t limit, m31ri_buf *out)
{
    m31ri_live_place place;
    if (m31ri_live_open(r->fd, ".live", &place) != 0) {
        return false;
    }
    bool is_read = place.fd >= 0 && m31ri_read_file(place.fd, name, limit, out, NULL) == M31R_OK;
    m31ri_live_release(&place);
    return is_read;
}

/* Who writes the run: .live/owner, which is there before metadata.json is, else metadata's writer.
 */
bool m31ri_writer_of(const m31r_reader *r, m31ri_process *out)
{
    m31ri_buf text = M31RI_BUF_INIT;
    bool found = false;
    if (read_live(r, "owner", OWNER_BYTES, &text)) {
        json_t *owner = json_loadb(m31ri_buf_str(&text), text.length, JSON_DISABLE_EOF_CHECK, NULL);
        found = process_of(owner, out);
        json_decref(owner);
    }
    m31ri_buf_release(&text);
    return found || process_of(m31ri_reader_get(r, "writer"), out);
}

static bool program_lives(m31r_reader *r, const m31ri_process *writer)
{
    m31ri_process program;
    if (!process_of(m31ri_reader_get(r, "program"), &program) || program.start_ticks == 0) {
        return false;
    }
    /* The program runs where its observer ran. */
    memcpy(program.boot_id, writer->boot_id, sizeof program.boot_id);
    memcpy(program.host, writer->host, sizeof program.host);
    return m31ri_process_liveness(&program) == M31RI_ALIVE;
}

static bool has_critical_notice(m31r_reader *r)
{
    m31ri_buf text = M31RI_BUF_INIT;
    static const char mark[] = "\"kind\":\"critical\"";
    bool found = false;
    if (read_live(r, "notices", NOTICES_BYTES, &text)) {
        found = text.length > 0 && memmem(text.data, text.length, mark, sizeof mark - 1) != NULL;
    }
    m31ri_buf_release(&text);
    return found;
}

static const char *why(m31r_reader *r, const char *format, const char *text, long long number)
{
    char line[256];
    snprintf(line, sizeof line, format, number, text);
    return m31ri_reader_keep(r, m31ri_strdup(line));
}

m31r_state m31ri_state_derive(m31r_reader *r, const char **out_why)
{
    m31r_state stored = state_of(m31ri_reader_text(r, "state"));
    if (stored != M31R_STATE_UNKNOWN && r->facts.end[0] != '\0') {
        *out_why = "the end was recorded";
        return stored;
    }
    m31ri_process writer;
    if (!m31ri_writer_of(r, &writer)) {
        *out_why = "no end was recorded, and nothing says who wrote the run";
        return M31R_STATE_UNKNOWN;
    }
    m31ri_liveness liveness = m31ri_process_liveness(&writer);
    if (liveness == M31RI_ALIVE) {
        *out_why = why(r, "its writer, pid %lld, is alive%s", "", writer.pid);
        return M31R_STATE_RUNNING;
    }
    if (liveness == M31RI_UNKNOWN) {
        *out_why = why(
            r, "no end was recorded; its writer, pid %lld on host %s, cannot be asked from here",
            writer.host[0] != '\0' ? writer.host : "?", writer.pid);
        return M31R_STATE_UNKNOWN;
    }
    if (program_lives(r, &writer)) {
        *out_why =
            why(r, "its observer, pid %lld, is gone, but the program is alive%s", "", writer.pid);
        return M31R_STATE_RUNNING;
    }
    if (has_critical_notice(r)) {
        *out_why =
            why(r, "its writer, pid %lld, is dead after a CRITICAL record%s", "", writer.pid);
        return M31R_STATE_FAILED;
    }
    *out_why = why(r, "its writer, pid %lld, is dead and recorded no end%s", "", writer.pid);
    return M31R_STATE_CRASHED;
}

const char *m31r_state_name(m31r_state state)
{
    static const char *const names[] = {"unknown", "running",     "finished", "failed",
                                        "killed",  "interrupted", "crashed"};
    return state >= 0 && state <= M31R_STATE_CRASHED ? names[state] : names[0];
}
