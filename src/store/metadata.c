/* metadata.c - metadata.json as an object in memory, saved whole; metadata.h lists its keys.
 *
 * The keys are made once, in their order, each at its empty value: setting one later keeps its
 * place, so the file has the same shape from the first save to the last. The shape is written as
 * JSON text, because that is how it is read.
 */
#include "store/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"

static const char empty_metadata[] =
    "{\"format_version\":1,\"run_id\":null,\"name\":null,\"stage\":null,\"kind\":\"run\","
    "\"timestamp\":null,\"seed\":null,\"config_path\":null,\"config_sha256\":null,"
    "\"config_original_sha256\":null,\"dataset_version\":null,\"dataset_path\":null,"
    "\"dataset_sha256\":null,\"tokenizer_version\":null,\"tokenizer_path\":null,"
    "\"tokenizer_sha256\":null,\"git_commit\":\"none\","
    "\"sources\":{\"seed\":\"none\",\"config\":\"none\",\"dataset\":\"none\",\"tokenizer\":"
    "\"none\","
    "\"git_commit\":\"none\"},"
    "\"identity_sha256\":null,"
    "\"digests\":{\"dataset\":{\"state\":\"none\",\"files\":null,\"bytes\":null,\"error\":null},"
    "\"tokenizer\":{\"state\":\"none\",\"files\":null,\"bytes\":null,\"error\":null}},"
    "\"code\":{\"dirty\":null,\"changes_sha256\":null,\"branch\":null,\"diff\":null,\"untracked\":["
    "],"
    "\"script\":null},"
    "\"command\":{\"argv\":[],\"cwd\":null,\"dir\":null,\"patterns\":[],\"redacted\":0,\"sha256\":"
    "null},"
    "\"host\":{\"name\":null,\"os\":null,\"kernel\":null,\"arch\":null,\"cpu_model\":null,"
    "\"cpus\":null,\"memory_bytes\":null},"
    "\"environment\":{\"cpu_flags\":[],\"gpus\":[],\"gpu_driver\":null,\"settings\":{},"
    "\"programs\":[],\"libraries\":[],\"python\":null},"
    "\"writer\":{\"pid\":null,\"start_ticks\":null,\"boot_id\":null,\"host\":null,\"role\":null,"
    "\"library_version\":null},"
    "\"program\":null,\"state\":null,\"end\":null,\"exit_status\":null,\"signal\":null,"
    "\"cause\":null,\"cause_evidence\":null,\"resumes\":null,\"reproduces\":null,\"parents\":[],"
    "\"privacy\":{\"log_prompts\":false,\"redacted\":0,\"found\":[]},\"capture\":null,\"live\":"
    "null,\"ranks\":"
    "null,"
    "\"rank_ends\":[],"
    "\"lanes\":[],\"metrics\":{},\"artifacts\":[],\"schemas\":{},"
    "\"lost\":{\"records\":0,\"points\":0,\"reasons\":{}},\"unknown_notices\":0}";

m31r_err m31ri_metadata_init(m31ri_metadata *m, m31r_error *e)
{
    json_t *root = json_loads(empty_metadata, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    *m = (m31ri_metadata){.root = root, .is_dirty = true};
    return M31R_OK;
}

void m31ri_metadata_release(m31ri_metadata *m)
{
    json_decref(m->root);
    json_decref(m->told_lanes);
    m->told_lanes = NULL;
    json_decref(m->told_rings);
    m->told_rings = NULL;
    m31ri_free(m->pending_warnings);
    *m = (m31ri_metadata){0};
}

/* Object that holds the last part of a dotted path, and that part. NULL when there is none. */
static json_t *parent_of(const m31ri_metadata *m, const char *dotted, const char **last)
{
    json_t *at = m->root;
    for (;;) {
        size_t length = strcspn(dotted, ".");
        if (dotted[length] == '\0') {
            *last = dotted;
            return json_is_object(at) && length != 0 ? at : NULL;
        }
        at = json_object_getn(at, dotted, length);
        dotted += length + 1;
    }
}

m31r_err m31ri_metadata_set(m31ri_metadata *m, const char *dotted, json_t *value)
{
    const char *last;
    json_t *parent = parent_of(m, dotted, &last);
    if (parent == NULL) {
        json_decref(value);
        return M31R_E_ARG;
    }
    if (value != NULL && json_equal(json_object_get(parent, last), value)) {
        json_decref(value);
        return M31R_OK;
    }
    if (json_object_set_new(parent, last, value) != 0) {
        return M31R_E_NOMEM; /* also for a value that could not be made: jansson refuses NULL */
    }
    m->is_dirty = true;
    return M31R_OK;
}

json_t *m31ri_metadata_get(const m31ri_metadata *m, const char *dotted)
{
    const char *last = NULL;
    json_t *parent = parent_of(m, dotted, &last);
    return json_object_get(parent, last);
}

m31r_err m31ri_metadata_save(m31ri_metadata *m, const m31ri_run_dir *d, bool sync, m31r_error *e)
{
    if (!m->is_dirty && !(sync && m->is_unsynced)) {
        return M31R_OK;
    }
    char *text = json_dumps(m->root, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    if (text == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    size_t length = strlen(text);
    text[length] = '\n'; /* in place of the NUL: the length is given */
    m31r_err err = m31ri_replace_file(d->fd, "metadata.json", text, length + 1, sync, e);
    free(text);
    if (err == M31R_OK) {
        m->is_dirty = false;
        m->is_unsynced = !sync;
    }
    return err;
}
