/* reader.c - m31r/reader.h: a run's directory, pinned, with its metadata parsed once. */
#include "m31r/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/run_find.h"
#include "read/reader_int.h"

static void problem(m31r_reader *r, const char *text)
{
    if (r->facts.problem[0] == '\0') {
        r->facts.problem = m31ri_reader_keep(r, m31ri_strdup(text));
    }
}

static void read_metadata(m31r_reader *r)
{
    m31r_error e;
    char line[JSON_ERROR_TEXT_LENGTH + 64];
    if (m31ri_read_file(r->fd, "metadata.json", M31RI_METADATA_BYTES, &r->text, &e) != M31R_OK) {
        problem(r, e.code == M31R_E_NOTFOUND ? "metadata.json is missing" : e.message);
        return;
    }
    json_error_t json;
    r->metadata =
        json_loadb(m31ri_buf_str(&r->text), r->text.length, JSON_REJECT_DUPLICATES, &json);
    if (r->metadata != NULL && !json_is_object(r->metadata)) {
        json_decref(r->metadata);
        r->metadata = NULL;
        problem(r, "metadata.json is not an object");
    } else if (r->metadata == NULL) {
        snprintf(line, sizeof line, "metadata.json: line %d: %s", json.line, json.text);
        problem(r, line);
    }
}

static void read_notes(m31r_reader *r)
{
    m31r_error e;
    char line[M31R_ERROR_MESSAGE_BYTES + 64];
    if (m31ri_notes_read(r->fd, &r->notes, &e) != M31R_OK) {
        snprintf(line, sizeof line, "%s cannot be read: %s", M31RI_NOTES_FILE, e.message);
        problem(r, line);
    }
}

m31r_err m31ri_reader_open_path(m31r_reader **out, const char *path, m31r_error *e)
{
    m31r_reader *r = m31ri_calloc(1, sizeof *r);
    if (r == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a run");
    }
    r->facts.problem = "";
    r->path = m31ri_strdup(path);
    r->fd = m31ri_open_dir(AT_FDCWD, path, true);
    m31r_err err = M31R_OK;
    if (r->path == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a run");
    } else if (r->fd < 0) {
        err = m31ri_fail_sys(e, errno, path, "cannot open the run %s", path);
    } else {
        err = m31ri_lane_list_read(r->fd, &r->lanes, e);
    }
    if (err != M31R_OK) {
        m31r_reader_close(r);
        return err;
    }
    read_metadata(r);
    read_notes(r);
    m31ri_facts_fill(r);
    *out = r;
    return M31R_OK;
}

m31r_err m31r_reader_open(m31r_reader **out, const char *root, const char *run, m31r_error *e)
{
    char *path = NULL;
    m31r_err err = m31ri_run_find(root != NULL ? root : "experiments", run, &path, e);
    if (err == M31R_OK) {
        err = m31ri_reader_open_path(out, path, e);
    }
    m31ri_free(path);
    return err;
}

void m31r_reader_close(m31r_reader *r)
{
    if (r == NULL) {
        return;
    }
    if (r->fd >= 0) {
        close(r->fd);
    }
    json_decref(r->metadata);
    m31ri_buf_release(&r->text);
    m31ri_lane_list_release(&r->lanes);
    m31ri_notes_release(&r->notes);
    for (size_t i = 0; i < r->n_owned; i++) {
        m31ri_free(r->owned[i]);
    }
    m31ri_free(r->owned);
    m31ri_free(r->path);
    m31ri_free(r);
}

const m31r_facts *m31r_reader_facts(const m31r_reader *r)
{
    return &r->facts;
}

size_t m31r_reader_lanes(const m31r_reader *r)
{
    return r->lanes.n;
}

const m31r_lane_facts *m31r_reader_lane(const m31r_reader *r, size_t i)
{
    return i < r->lanes.n ? &r->lanes.lanes[i] : NULL;
}

size_t m31r_reader_artifacts(const m31r_reader *r)
{
    return json_array_size(m31ri_reader_get(r, "artifacts"));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static int64_t number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) ? json_integer_value(value) : M31R_UNKNOWN;
}

m31r_err m31r_reader_artifact(const m31r_reader *r, size_t i, m31r_artifact_facts *out)
{
    const json_t *artifact = json_array_get(m31ri_reader_get(r, "artifacts"), i);
    if (artifact == NULL) {
        return M31R_E_NOTFOUND;
    }
    out->role = text_of(artifact, "role");
    out->path = text_of(artifact, "path");
    out->digest = text_of(artifact, "sha256");
    out->step = number_of(artifact, "step");
    out->bytes = number_of(artifact, "bytes");
    return M31R_OK;
}

m31r_err m31r_reader_note(const m31r_reader *r, size_t i, m31r_note *out)
{
    if (i >= r->notes.n) {
        return M31R_E_NOTFOUND;
    }
    *out = r->notes.items[i];
    return M31R_OK;
}
