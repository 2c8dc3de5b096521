/* identity_describe.c - the identity as metadata.json says it.
 *
 * Everything that a person typed passes the privacy rules on its way. Setting values remembers the
 * first failure, so that the list of values reads as a list; a value that could not be made (no
 * memory) is such a failure.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/json_text.h"
#include "identity/environment.h"
#include "identity/identity_int.h"

#define SCRIPT_BYTES (256LL * 1024 * 1024) /* a larger program is named without a digest */

typedef struct setter {
    m31ri_metadata *m;
    m31r_err err;
} setter;

static void set(setter *s, const char *dotted, json_t *value)
{
    m31r_err err = m31ri_metadata_set(s->m, dotted, value);
    s->err = s->err == M31R_OK ? err : s->err;
}

json_t *m31ri_identity_hex(const uint8_t digest[32])
{
    char hex[M31RI_SHA256_HEX];
    m31ri_sha256_hex(digest, hex);
    return json_string(hex);
}

json_t *m31ri_identity_text(const m31ri_identity *id, const char *text)
{
    if (text == NULL) {
        return json_null();
    }
    m31ri_buf clean = M31RI_BUF_INIT;
    m31ri_privacy_scrub(id->privacy, NULL, 0, text, strlen(text), &clean);
    if (!m31ri_utf8_is_valid(m31ri_buf_str(&clean), clean.length)) {
        m31ri_buf escaped =
            M31RI_BUF_INIT; /* escaping replaces what is ill-formed; then the escapes go again */
        m31ri_json_escape(&escaped, m31ri_buf_str(&clean), clean.length);
        m31ri_buf_clear(&clean);
        m31ri_json_unescape(&clean, m31ri_buf_str(&escaped), escaped.length);
        clean.failed = clean.failed || escaped.failed;
        m31ri_buf_release(&escaped);
    }
    json_t *value = m31ri_buf_ok(&clean) ? json_stringn(m31ri_buf_str(&clean), clean.length) : NULL;
    m31ri_buf_release(&clean);
    return value;
}

static json_t *seed_of(const m31ri_identity *id)
{
    return strcmp(id->seed, "none") == 0 ? json_null() : json_integer(strtoll(id->seed, NULL, 10));
}

static bool is_none(const char *s)
{
    return strcmp(s, "none") == 0;
}

static void set_config(setter *s, const m31ri_identity *id)
{
    uint8_t kept[32];
    m31ri_sha256_of(m31ri_buf_str(&id->config_snapshot), id->config_snapshot.length, kept);
    bool has_original = !is_none(id->config_path) && memcmp(kept, id->config_digest, 32) != 0;
    set(s, "config_path", m31ri_identity_text(id, id->config_path));
    set(s, "config_sha256", m31ri_identity_hex(kept));
    set(s, "config_original_sha256",
        has_original ? m31ri_identity_hex(id->config_digest) : json_null());
    set(s, "sources.config", json_string(id->config_source));
}

/* "dataset_version", "dataset_path", the source, and the state of its digest. */
static void set_data(setter *s, const m31ri_identity *id)
{
    set(s, "dataset_version", m31ri_identity_text(id, id->dataset));
    set(s, "dataset_path", m31ri_identity_text(id, id->dataset_path));
    set(s, "dataset_sha256", json_null());
    set(s, "digests.dataset.state", json_string(id->dataset_path != NULL ? "pending" : "none"));
    set(s, "sources.dataset", json_string(id->dataset_source));
    set(s, "tokenizer_version", m31ri_identity_text(id, id->tokenizer));
    set(s, "tokenizer_path", m31ri_identity_text(id, id->tokenizer_path));
    set(s, "tokenizer_sha256", json_null());
    set(s, "digests.tokenizer.state", json_string(id->tokenizer_path != NULL ? "pending" : "none"));
    set(s, "sources.tokenizer", json_string(id->tokenizer_source));
}

/* {path, sha256} of what is run; JSON null when it is no file. */
static json_t *script_of(const m31ri_identity *id)
{
    m31ri_buf path = M31RI_BUF_INIT;
    m31ri_buf shown = M31RI_BUF_INIT;
    uint8_t digest[32];
    m31ri_argv_script(id, &path);
    int fd = path.length > 0 && m31ri_buf_ok(&path) ? m31ri_open_input(path.data) : -1;
    json_t *script = json_null();
    if (fd >= 0) {
        bool is_small = lseek(fd, 0, SEEK_END) <= SCRIPT_BYTES && lseek(fd, 0, SEEK_SET) == 0;
        bool is_known = is_small && m31ri_sha256_fd(fd, digest, NULL, NULL) == M31R_OK;
        close(fd);
        m31ri_identity_relative(id, path.data, &shown);
        script = json_object();
        json_object_set_new(script, "path", m31ri_identity_text(id, m31ri_buf_str(&shown)));
        json_object_set_new(script, "sha256", is_known ? m31ri_identity_hex(digest) : json_null());
    }
    m31ri_buf_release(&path);
    m31ri_buf_release(&shown);
    return script;
}

static json_t *untracked_of(const m31ri_identity *id)
{
    json_t *list = json_array();
    for (size_t i = 0; i < id->git.n_untracked; i++) {
        const m31ri_untracked *u = &id->git.untracked[i];
        json_t *one = json_object();
        json_object_set_new(one, "path", m31ri_identity_text(id, u->path));
        json_object_set_new(one, "sha256", m31ri_identity_hex(u->digest));
        json_object_set_new(one, "bytes", json_integer((json_int_t)u->bytes));
        json_object_set_new(one, "kept", json_boolean(u->content != NULL));
        json_array_append_new(list, one);
    }
    return list;
}

static void set_code(setter *s, const m31ri_identity *id)
{
    const m31ri_git_facts *g = &id->git;
    bool is_known = g->top != NULL && g->found;
    set(s, "git_commit",
        json_string(g->commit[0] != '\0' && !is_none(id->commit_source) ? g->commit : "none"));
    set(s, "sources.git_commit", json_string(id->commit_source));
    set(s, "code.dirty", is_known ? json_boolean(g->is_dirty) : json_null());
    set(s, "code.changes_sha256",
        is_known && g->is_dirty ? m31ri_identity_hex(g->changes_digest) : json_null());
    set(s, "code.branch",
        is_known && g->branch[0] != '\0' ? m31ri_identity_text(id, g->branch) : json_null());
    set(s, "code.untracked", untracked_of(id));
    if (g->n_untracked_unlisted > 0) {
        set(s, "code.untracked_unlisted", json_integer((json_int_t)g->n_untracked_unlisted));
    }
    set(s, "code.script", script_of(id));
}

static void set_command(setter *s, const m31ri_identity *id)
{
    char cwd[PATH_MAX];
    json_t *argv = json_array();
    for (size_t i = 0; i < id->given.n; i++) {
        json_array_append_new(argv, m31ri_identity_text(id, id->argv[i]));
    }
    set(s, "command.argv", argv);
    set(s, "command.cwd",
        getcwd(cwd, sizeof cwd) != NULL ? m31ri_identity_text(id, cwd) : json_null());
    m31ri_buf below = M31RI_BUF_INIT;
    if (id->git.top != NULL && getcwd(cwd, sizeof cwd) != NULL) {
        m31ri_identity_relative(id, cwd, &below);
    }
    set(s, "command.dir",
        below.length > 0 && below.data[0] != '/' ? m31ri_identity_text(id, below.data)
                                                 : json_null());
    m31ri_buf_release(&below);
    set(s, "command.redacted", json_integer(id->n_argv_redacted));
    set(s, "command.sha256", id->given.n > 0 ? m31ri_identity_hex(id->argv_digest) : json_null());
}

m31r_err m31ri_identity_describe(const m31ri_identity *id, m31ri_metadata *m, m31r_error *e)
{
    setter s = {m, M31R_OK};
    set(&s, "name", m31ri_identity_text(id, id->name));
    set(&s, "stage", json_string(id->stage));
    set(&s, "kind", json_string(id->is_trial ? "trial" : "run"));
    set(&s, "seed", seed_of(id));
    set(&s, "sources.seed", json_string(id->seed_source));
    set_config(&s, id);
    set_data(&s, id);
    set_code(&s, id);
    set(&s, "identity_sha256", m31ri_identity_hex(id->digest));
    set_command(&s, id);
    set(&s, "host", m31ri_host_facts());
    set(&s, "environment", m31ri_environment_known(id->privacy));
    if (id->reproduces[0] != '\0') {
        set(&s, "reproduces", json_string(id->reproduces));
    }
    if (id->resume_run_id != NULL) {
        set(&s, "resumes",
            json_pack("{s:s, s:n, s:n}", "run", id->resume_run_id, "step", "checkpoint_sha256"));
        set(&s, "parents", json_pack("[s]", id->resume_run_id));
    }
    set(&s, "privacy.log_prompts", json_boolean(id->settings.log_prompts));
    if (id->settings.privacy_hash) {
        set(&s, "privacy.hash", json_true());
    }
    set(&s, "privacy.redacted",
        json_integer((json_int_t)id->n_argv_redacted + id->n_config_redacted));
    set(&s, "capture", json_string(m31ri_capture_name(id->settings.capture)));
    if (s.err != M31R_OK) {
        return m31ri_identity_no_memory(e);
    }
    return M31R_OK;
}
