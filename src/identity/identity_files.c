/* identity_files.c - what is kept of the code and the config beside metadata.json.
 *
 * Files are made, never replaced, below the pinned directory of the run and without following
 * symlinks. Where the privacy rules changed something, metadata.json gets the digest of what is
 * kept and that of the original.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "identity/identity_int.h"

#define EXTENSION_BYTES 16

/* Scrubs `text` into `out`; how many data were taken out. */
static uint32_t scrub(const m31ri_identity *id, const char *text, size_t length, m31ri_buf *out)
{
    return m31ri_privacy_scrub(id->privacy, NULL, 0, text, length, out);
}

/* "config_original.toml"; an odd extension is left out. */
static void original_name(const char *path, char out[64])
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash != NULL ? slash : path, '.');
    size_t n =
        dot != NULL
            ? strspn(dot + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
            : 0;
    bool is_plain = n > 0 && n < EXTENSION_BYTES && dot[1 + n] == '\0';
    snprintf(out, 64, "config_original%s%s", is_plain ? "." : "", is_plain ? dot + 1 : "");
}

static m31r_err write_config(const m31ri_identity *id, const m31ri_run_dir *d, uint32_t *n,
                             m31r_error *e)
{
    char name[64];
    m31r_err err =
        m31ri_create_file(d->fd, "config_snapshot.yaml", m31ri_buf_str(&id->config_snapshot),
                          id->config_snapshot.length, e);
    if (err != M31R_OK || !id->is_config_kept_apart) {
        return err;
    }
    m31ri_buf kept = M31RI_BUF_INIT;
    original_name(id->config_path, name);
    *n += scrub(id, m31ri_buf_str(&id->config_bytes), id->config_bytes.length, &kept);
    err = m31ri_buf_ok(&kept) ? M31R_OK : m31ri_identity_no_memory(e);
    if (err == M31R_OK) {
        err = m31ri_create_file(d->fd, name, m31ri_buf_str(&kept), kept.length, e);
    }
    m31ri_buf_release(&kept);
    return err;
}

/* {file, sha256, bytes, cut}, and original_sha256 when the privacy rules changed it. */
static json_t *describe_diff(const m31ri_git_facts *g, const m31ri_buf *kept)
{
    uint8_t digest[32];
    uint8_t original[32];
    m31ri_sha256_of(m31ri_buf_str(kept), kept->length, digest);
    m31ri_sha256_of(m31ri_buf_str(&g->diff), g->diff.length, original);
    json_t *o = json_object();
    json_object_set_new(o, "file", json_string("code.diff"));
    json_object_set_new(o, "sha256", m31ri_identity_hex(digest));
    json_object_set_new(o, "bytes", json_integer((json_int_t)kept->length));
    json_object_set_new(o, "cut", json_boolean(g->diff_is_cut));
    if (memcmp(digest, original, 32) != 0) {
        json_object_set_new(o, "original_sha256", m31ri_identity_hex(original));
    }
    return o;
}

static m31r_err write_diff(const m31ri_identity *id, const m31ri_run_dir *d, m31ri_metadata *m,
                           uint32_t *n, m31r_error *e)
{
    if (id->git.diff.length == 0) {
        return M31R_OK;
    }
    m31ri_buf kept = M31RI_BUF_INIT;
    *n += scrub(id, id->git.diff.data, id->git.diff.length, &kept);
    m31r_err err = m31ri_buf_ok(&kept) ? M31R_OK : m31ri_identity_no_memory(e);
    if (err == M31R_OK) {
        err = m31ri_create_file(d->fd, "code.diff", m31ri_buf_str(&kept), kept.length, e);
    }
    if (err == M31R_OK &&
        m31ri_metadata_set(m, "code.diff", describe_diff(&id->git, &kept)) != M31R_OK) {
        err = m31ri_identity_no_memory(e);
    }
    m31ri_buf_release(&kept);
    return err;
}

/* Makes the directories of `path` below `dir` (which it closes) and opens the last; `*leaf` is the
 * file's name. */
static int open_parent(int dir, char *path, const char **leaf)
{
    for (char *part = path;;) {
        char *slash = strchr(part, '/');
        if (dir < 0 || slash == NULL) {
            *leaf = part;
            return dir;
        }
        *slash = '\0';
        bool is_safe = part[0] != '\0' && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
        bool is_made = is_safe && (mkdirat(dir, part, 0777) == 0 || errno == EEXIST);
        int next = is_made ? m31ri_open_dir(dir, part, false) : -1;
        close(dir);
        dir = next;
        part = slash + 1;
    }
}

static m31r_err create_below(int base, const char *path, const m31ri_buf *bytes, m31r_error *e)
{
    const char *leaf = NULL;
    char *copy = m31ri_strdup(path);
    if (copy == NULL) {
        return m31ri_identity_no_memory(e);
    }
    int dir = open_parent(m31ri_open_dir(base, ".", false), copy, &leaf);
    m31r_err err;
    if (dir < 0 || leaf[0] == '\0' || strcmp(leaf, "..") == 0) {
        err = m31ri_fail_sys(e, dir < 0 ? errno : EINVAL, path, "keeping untracked %s", path);
    } else {
        err = m31ri_create_file(dir, leaf, m31ri_buf_str(bytes), bytes->length, e);
    }
    if (dir >= 0) {
        close(dir);
    }
    m31ri_free(copy);
    return err;
}

/* Keeps one file's text; when the rules changed it, its entry in metadata says what the kept one's
 * digest is. */
static m31r_err write_one(const m31ri_identity *id, int base, size_t i, m31ri_metadata *m,
                          m31r_error *e)
{
    const m31ri_untracked *u = &id->git.untracked[i];
    m31ri_buf kept = M31RI_BUF_INIT;
    uint8_t digest[32];
    scrub(id, u->content, strlen(u->content), &kept); /* counted by its own entry: kept_sha256 */
    m31r_err err = m31ri_buf_ok(&kept) ? M31R_OK : m31ri_identity_no_memory(e);
    if (err == M31R_OK) {
        err = create_below(base, u->path, &kept, e);
    }
    m31ri_sha256_of(m31ri_buf_str(&kept), kept.length, digest);
    if (err == M31R_OK && memcmp(digest, u->digest, 32) != 0) {
        json_t *entry = json_array_get(m31ri_metadata_get(m, "code.untracked"), i);
        json_object_set_new(entry, "kept_sha256", m31ri_identity_hex(digest));
        m->is_dirty = true;
    }
    m31ri_buf_release(&kept);
    return err;
}

static m31r_err write_untracked(const m31ri_identity *id, const m31ri_run_dir *d, m31ri_metadata *m,
                                m31r_error *e)
{
    int base = -1;
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < id->git.n_untracked && err == M31R_OK; i++) {
        const char *path = id->git.untracked[i].path;
        const m31ri_key_verdict none = {M31RI_KEY_NONE, NULL};
        if (id->git.untracked[i].content == NULL ||
            !m31ri_privacy_is_clean(id->privacy, none, path, strlen(path))) {
            continue; /* a name that must not be kept is no name for a copy */
        }
        if (base < 0) {
            bool is_made = mkdirat(d->fd, "untracked", 0777) == 0;
            base = is_made ? m31ri_open_dir(d->fd, "untracked", false) : -1;
        }
        err = base >= 0 ? write_one(id, base, i, m, e)
                        : m31ri_fail_sys(e, errno, "untracked", "making directory untracked");
    }
    if (base >= 0) {
        close(base);
    }
    return err;
}

m31r_err m31ri_identity_write_files(const m31ri_identity *id, const m31ri_run_dir *d,
                                    m31ri_metadata *m, m31r_error *e)
{
    uint32_t n = 0;
    m31r_err err = write_config(id, d, &n, e);
    if (err == M31R_OK) {
        err = write_diff(id, d, m, &n, e);
    }
    if (err == M31R_OK) {
        err = write_untracked(id, d, m, e);
    }
    if (err == M31R_OK && n > 0) {
        json_int_t total = json_integer_value(m31ri_metadata_get(m, "privacy.redacted")) + n;
        if (m31ri_metadata_set(m, "privacy.redacted", json_integer(total)) != M31R_OK) {
            err = m31ri_identity_no_memory(e);
        }
    }
    return err;
}
