/* identity_resume.c - the run that this one continues: found, and not running any more. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_process.h"
#include "format/run_find.h"
#include "identity/identity_int.h"

#define METADATA_BYTES (64 * 1024 * 1024)

static json_t *read_metadata(const char *path)
{
    m31ri_buf text = M31RI_BUF_INIT;
    json_t *root = NULL;
    int dir = m31ri_open_dir(AT_FDCWD, path, true);
    if (dir >= 0 && m31ri_read_file(dir, "metadata.json", METADATA_BYTES, &text, NULL) == M31R_OK) {
        root = json_loadb(m31ri_buf_str(&text), text.length, 0, NULL);
    }
    if (dir >= 0) {
        close(dir);
    }
    m31ri_buf_release(&text);
    return root;
}

static m31ri_process writer_of(const json_t *metadata)
{
    const json_t *w = json_object_get(metadata, "writer");
    const char *boot_id = json_string_value(json_object_get(w, "boot_id"));
    const char *host = json_string_value(json_object_get(w, "host"));
    m31ri_process p = {.pid = json_integer_value(json_object_get(w, "pid"))};
    p.start_ticks = (uint64_t)json_integer_value(json_object_get(w, "start_ticks"));
    snprintf(p.boot_id, sizeof p.boot_id, "%s", boot_id != NULL ? boot_id : "");
    snprintf(p.host, sizeof p.host, "%s", host != NULL ? host : "");
    return p;
}

/* Refuses a run without an end whose writer is alive. A writer on another host cannot be asked:
 * then a warning. */
static m31r_err check_ended(m31ri_gather *g, const json_t *metadata, const char *run_id,
                            m31r_error *e)
{
    if (json_is_string(json_object_get(metadata, "end"))) {
        return M31R_OK;
    }
    m31ri_process p = writer_of(metadata);
    switch (m31ri_process_liveness(&p)) {
    case M31RI_ALIVE:
        m31ri_fail(e, M31R_E_ARG, "run %s is still running (its writer is process %lld)", run_id,
                   (long long)p.pid);
        m31ri_fail_hint(e, "wait for its end, or end it: a run can be resumed when it has ended");
        return M31R_E_ARG;
    case M31RI_UNKNOWN:
        m31ri_identity_warn(
            g->id, "run %s has no recorded end, and whether it still runs on %s is not known",
            run_id, p.host[0] != '\0' ? p.host : "its host");
        return M31R_OK;
    default:
        return M31R_OK;
    }
}

m31r_err m31ri_identity_take_resume(m31ri_gather *g, m31r_error *e)
{
    char *path = NULL;
    if (g->o.resume == NULL) {
        return M31R_OK;
    }
    m31r_err err = m31ri_run_find(g->id->root, g->o.resume, &path, e);
    if (err != M31R_OK) {
        return err;
    }
    json_t *metadata = read_metadata(path);
    const char *slash = strrchr(path, '/');
    const char *run_id = json_string_value(json_object_get(metadata, "run_id"));
    run_id = run_id != NULL ? run_id : slash != NULL ? slash + 1 : path;
    if (metadata == NULL) {
        err = m31ri_fail(e, M31R_E_CORRUPT,
                         "run %s cannot be resumed: its metadata.json cannot be read", run_id);
    } else {
        err = check_ended(g, metadata, run_id, e);
    }
    if (err == M31R_OK) {
        g->id->resume_run_id = m31ri_strdup(run_id);
        err = g->id->resume_run_id != NULL ? M31R_OK : m31ri_identity_no_memory(e);
    }
    json_decref(metadata);
    m31ri_free(path);
    return err;
}
