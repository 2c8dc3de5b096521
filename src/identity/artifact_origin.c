/* artifact_origin.c - which earlier run made a file.
 *
 * A run names the files it makes by digest, so moving or renaming the file does not break the link.
 * The text of each metadata.json is searched for the digest before it is parsed: a thousand runs
 * cost a few milliseconds.
 */
#include "identity/artifact_origin.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/os_dir.h"
#include "base/os_file.h"

#define METADATA_LIMIT (16 * 1024 * 1024)

/* The artifact of this digest in a parsed metadata.json that the run made, not read; NULL when
 * there is none. */
static const json_t *find_artifact(const json_t *root, const char *sha256)
{
    size_t i;
    json_t *artifact;
    json_array_foreach(json_object_get(root, "artifacts"), i, artifact)
    {
        const char *role = json_string_value(json_object_get(artifact, "role"));
        const char *digest = json_string_value(json_object_get(artifact, "sha256"));
        if (role != NULL && strcmp(role, "input") != 0 && digest != NULL &&
            strcmp(digest, sha256) == 0) {
            return artifact;
        }
    }
    return NULL;
}

static bool read_origin(const m31ri_buf *text, const char *sha256, m31ri_artifact_origin *out)
{
    json_t *root = json_loadb(m31ri_buf_str(text), text->length, 0, NULL);
    const json_t *artifact = find_artifact(root, sha256);
    const char *run_id = json_string_value(json_object_get(root, "run_id"));
    bool found = artifact != NULL && run_id != NULL;
    if (found) {
        const json_t *step = json_object_get(artifact, "step");
        const char *stage = json_string_value(json_object_get(root, "stage"));
        snprintf(out->run_id, sizeof out->run_id, "%s", run_id);
        snprintf(out->stage, sizeof out->stage, "%s", stage != NULL ? stage : "");
        snprintf(out->role, sizeof out->role, "%s",
                 json_string_value(json_object_get(artifact, "role")));
        out->has_step = json_is_integer(step);
        out->step = json_integer_value(step);
    }
    json_decref(root);
    return found;
}

/* Looks into one run; `text` is scratch. */
static bool look(int root_fd, const char *name, const char *sha256, m31ri_buf *text,
                 m31ri_artifact_origin *out)
{
    char path[M31RI_RUN_ID_BYTES + 32];
    int n = snprintf(path, sizeof path, "%s/metadata.json", name);
    m31ri_buf_clear(text);
    return n > 0 && (size_t)n < sizeof path && m31ri_run_id_is_safe(name, strlen(name)) &&
           m31ri_read_file(root_fd, path, METADATA_LIMIT, text, NULL) == M31R_OK &&
           memmem(m31ri_buf_str(text), text->length, sha256, strlen(sha256)) != NULL &&
           read_origin(text, sha256, out);
}

bool m31ri_artifact_origin_find(const m31ri_run_dir *d, const char *sha256,
                                m31ri_artifact_origin *out)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_dir_list list = {0};
    bool found = false;
    int root_fd = m31ri_open_dir(d->fd, "..", true);
    if (root_fd >= 0 && m31ri_dir_list_fd(root_fd, &list, NULL) == M31R_OK) {
        for (size_t i = list.n; i > 0 && !found; i--) {
            const char *name = list.entries[i - 1].name;
            found = strcmp(name, d->run_id) != 0 && look(root_fd, name, sha256, &text, out);
        }
        m31ri_dir_list_release(&list);
    }
    if (root_fd >= 0) {
        close(root_fd);
    }
    m31ri_buf_release(&text);
    return found;
}
