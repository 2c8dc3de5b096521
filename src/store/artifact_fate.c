/* artifact_fate.c - see artifact_fate.h. */
#include "store/artifact_fate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* Where it was registered: below the run when it is there, else as given, the home directory being
 * "~". 0 or errno; EACCES when a rule of privacy took its name out. */
static int look(const m31ri_run_dir *d, const char *path, struct stat *st)
{
    const char *home = getenv("HOME");
    char below_home[PATH_MAX];
    if (strstr(path, "[redacted:") != NULL) {
        return EACCES;
    }
    if (path[0] == '~' && path[1] == '/' && home != NULL) {
        int n = snprintf(below_home, sizeof below_home, "%s%s", home, path + 1);
        path = n > 0 && (size_t)n < sizeof below_home ? below_home : path;
    }
    if (path[0] != '/' && fstatat(d->fd, path, st, 0) == 0) {
        return 0;
    }
    return fstatat(AT_FDCWD, path, st, 0) == 0 ? 0 : errno;
}

/* True when the file was registered again, after `i`, with another content. */
static bool was_registered_again(const json_t *all, size_t i, const json_t *artifact)
{
    for (size_t k = i + 1; k < json_array_size(all); k++) {
        const json_t *later = json_array_get(all, k);
        if (strcmp(text_of(later, "path"), text_of(artifact, "path")) == 0 &&
            strcmp(text_of(later, "sha256"), text_of(artifact, "sha256")) != 0) {
            return true;
        }
    }
    return false;
}

static const char *fate_of(const m31ri_run_dir *d, const json_t *all, size_t i)
{
    struct stat st;
    const json_t *artifact = json_array_get(all, i);
    const json_t *bytes = json_object_get(artifact, "bytes");
    const json_t *mtime = json_object_get(artifact, "mtime_ns");
    if (was_registered_again(all, i, artifact)) {
        return "replaced";
    }
    int err = look(d, text_of(artifact, "path"), &st);
    if (err != 0) {
        return err == ENOENT || err == ENOTDIR ? "removed" : NULL; /* not to be seen: not known */
    }
    json_int_t now = (json_int_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    bool is_same = json_is_integer(bytes) && json_integer_value(bytes) == st.st_size &&
                   json_is_integer(mtime) && json_integer_value(mtime) == now;
    return is_same ? NULL : "replaced";
}

void m31ri_artifact_fates(m31ri_metadata *m, const m31ri_run_dir *d,
                          void (*each)(void *context, const json_t *artifact), void *context)
{
    const json_t *all = json_object_get(m->root, "artifacts");
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_t *artifact = json_array_get(all, i);
        const char *fate =
            strcmp(text_of(artifact, "role"), "input") != 0 ? fate_of(d, all, i) : NULL;
        if (fate == NULL || strcmp(text_of(artifact, "state"), fate) == 0) {
            continue;
        }
        json_object_set_new(artifact, "state", json_string(fate));
        m->is_dirty = true;
        if (each != NULL) {
            each(context, artifact);
        }
    }
}

const char *m31ri_artifact_digest(const json_t *metadata, const char *path, const struct stat *st)
{
    const json_t *all = json_object_get(metadata, "artifacts");
    json_int_t now = (json_int_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
    for (size_t i = json_array_size(all); i-- > 0;) {
        const json_t *artifact = json_array_get(all, i);
        const json_t *hashed = json_object_get(artifact, "hashed_ns");
        if (strcmp(text_of(artifact, "path"), path) == 0) {
            bool is_same = json_integer_value(json_object_get(artifact, "bytes")) == st->st_size &&
                           json_integer_value(json_object_get(artifact, "mtime_ns")) == now &&
                           json_integer_value(hashed) > now + M31RI_MTIME_GRAIN_NS;
            return is_same ? json_string_value(json_object_get(artifact, "sha256")) : NULL;
        }
    }
    return NULL;
}
