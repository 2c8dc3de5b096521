/* reproduce_code.c - is everything there that the code was: commit, changes, untracked files,
 * config, command, program? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "git/git_facts.h"
#include "reproduce/reproduce_int.h"

#define SHOWN 12 /* digits of a digest */

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

/* The repository, and the work tree that data is taken from. */
static void find_repository(m31r_reproduction *p)
{
    static const char *const ask_top[] = {"rev-parse", "--show-toplevel", NULL};
    const char *given = p->o.repository != NULL ? p->o.repository : ".";
    m31ri_buf said = M31RI_BUF_INIT;
    char *real = realpath(given, NULL);
    snprintf(p->repository, sizeof p->repository, "%s", real != NULL ? real : given);
    if (m31ri_git(p->repository, ask_top, &said) == 0 && said.length > 1) {
        snprintf(p->top, sizeof p->top, "%.*s", (int)strcspn(said.data, "\n"), said.data);
    }
    if (p->top[0] == '\0') {
        snprintf(p->top, sizeof p->top, "%s", p->repository); /* bare, or no repository at all */
    }
    free(real);
    m31ri_buf_release(&said);
}

static void look_at_commit(m31r_reproduction *p)
{
    const char *commit = p->run->facts.commit.value;
    const char *object = m31ri_keep_format(p, "%s^{commit}", commit);
    const char *const ask[] = {"cat-file", "-e", object, NULL};
    m31ri_buf said = M31RI_BUF_INIT;
    int status = m31ri_git(p->repository, ask, &said);
    bool is_repository = strstr(m31ri_buf_str(&said), "not a git repository") == NULL;
    m31ri_buf_release(&said);
    if (status == 0) {
        m31ri_find(p, M31R_FINDING_SAME, "commit", NULL, "%.*s is in %s", SHOWN, commit,
                   p->repository);
    } else if (status < 0) {
        m31ri_find(p, M31R_FINDING_REFUSED, "commit", "install git, or run what is here: --here",
                   "git cannot be started");
    } else {
        m31ri_find(p, M31R_FINDING_REFUSED, "commit",
                   "fetch it, name another repository: --repo DIR, or run what is here: --here",
                   is_repository ? "%.*s is not in %s: rebased away, or never fetched"
                                 : "%.*s: %s is no git repository",
                   SHOWN, commit, p->repository);
    }
}

static void look_at_diff(m31r_reproduction *p)
{
    const json_t *diff = m31ri_reader_get(p->run, "code.diff");
    const char *original = text_of(diff, "original_sha256");
    const char *path = m31ri_keep_format(p, "%s/%s", p->run->path, text_of(diff, "file"));
    char digest[65] = "";
    if (!json_is_object(diff)) {
        return;
    }
    if (p->o.diff != NULL || original[0] != '\0') {
        bool is_it = p->o.diff != NULL && m31ri_file_digest(p->o.diff, digest) &&
                     strcmp(digest, original[0] != '\0' ? original : text_of(diff, "sha256")) == 0;
        m31ri_find(p, is_it ? M31R_FINDING_SAME : M31R_FINDING_REFUSED, "changes",
                   is_it ? NULL : "give the original: --diff FILE",
                   is_it               ? "the original diff, checked"
                   : p->o.diff != NULL ? "the diff that was given is not the original"
                                       : "something was redacted in code.diff");
    } else if (json_is_true(json_object_get(diff, "cut"))) {
        m31ri_find_passable(p, "changes", NULL,
                            "code.diff is cut: the changes of some files were not kept");
    } else if (!m31ri_file_digest(path, digest) || strcmp(digest, text_of(diff, "sha256")) != 0) {
        m31ri_find(p, M31R_FINDING_REFUSED, "changes", NULL,
                   digest[0] == '\0' ? "code.diff is not there" : "code.diff is not what was kept");
    } else {
        m31ri_find(p, M31R_FINDING_SAME, "changes", NULL, "code.diff %.*s is kept", SHOWN, digest);
    }
}

static void look_at_untracked(m31r_reproduction *p)
{
    const json_t *list = m31ri_reader_get(p->run, "code.untracked");
    size_t i;
    json_t *file;
    json_array_foreach(list, i, file)
    {
        char digest[65] = "";
        const char *what = m31ri_keep_format(p, "untracked %s", text_of(file, "path"));
        const char *here = m31ri_keep_format(p, "%s/%s", p->top, text_of(file, "path"));
        bool is_kept =
            json_is_true(json_object_get(file, "kept")) && text_of(file, "kept_sha256")[0] == '\0';
        bool is_here =
            m31ri_file_digest(here, digest) && strcmp(digest, text_of(file, "sha256")) == 0;
        if (is_kept || is_here) {
            m31ri_find(p, M31R_FINDING_SAME, what, NULL,
                       is_kept ? "kept" : "not kept, and the same in the work tree");
        } else {
            m31ri_find_passable(p, what, "without it: --anyway", "%s",
                                text_of(file, "kept_sha256")[0] != '\0'
                                    ? "something was redacted in what is kept"
                                    : "not kept, and not in the work tree as it was");
        }
    }
    if (m31ri_reader_get(p->run, "code.untracked_unlisted") != NULL) {
        m31ri_find_passable(p, "untracked", "without them: --anyway",
                            "more untracked files than were listed");
    }
}

/* The work tree as it is, against what it was. */
static void look_at_here(m31r_reproduction *p)
{
    const m31r_facts *f = &p->run->facts;
    m31ri_git_facts g = {0};
    char digest[65] = "";
    bool is_read = m31ri_git_facts_read(p->top, &g, NULL) == M31R_OK;
    const char *commit = is_read && g.found ? g.commit : "none";
    bool is_same = strcmp(commit, f->commit.value) == 0;
    m31ri_find(p, is_same ? M31R_FINDING_SAME : M31R_FINDING_DIFFERS, "commit", NULL,
               is_same ? "%.*s here too" : "%.*s then, %.*s here", SHOWN, f->commit.value, SHOWN,
               commit);
    if (is_read && g.found && g.is_dirty) {
        m31ri_sha256_hex(g.changes_digest, digest);
    }
    is_same = strcmp(digest, f->commit.digest) == 0;
    if (digest[0] != '\0' || f->commit.digest[0] != '\0') {
        m31ri_find(p, is_same ? M31R_FINDING_SAME : M31R_FINDING_DIFFERS, "changes", NULL,
                   is_same ? "the same uncommitted changes" : "other uncommitted changes");
    }
    if (!is_same || strcmp(commit, f->commit.value) != 0) {
        m31ri_look_at_source(p);
    }
    m31ri_git_facts_release(&g);
}

void m31ri_look_at_code(m31r_reproduction *p)
{
    const char *commit = p->run->facts.commit.value;
    find_repository(p);
    if (p->o.is_here) {
        look_at_here(p);
    } else if (commit[0] == '\0' || strcmp(commit, "none") == 0) {
        m31ri_find(p, M31R_FINDING_REFUSED, "commit", "run what is here: --here",
                   "the run names no commit, so its code cannot be fetched again");
    } else {
        look_at_commit(p);
        look_at_diff(p);
        look_at_untracked(p);
    }
}

void m31ri_look_at_config(m31r_reproduction *p)
{
    const char *original = m31ri_reader_text(p->run, "config_original_sha256");
    const char *kept = m31ri_reader_text(p->run, "config_sha256");
    const char *path = m31ri_reader_text(p->run, "config_path");
    char digest[65] = "";
    if (path[0] == '\0' || strcmp(path, "none") == 0) {
        return;
    }
    const char *snapshot = m31ri_keep_format(p, "%s/config_snapshot.yaml", p->run->path);
    if (original[0] != '\0') {
        const char *now = m31ri_recorded_path(p, p->top, path);
        const char *given = p->o.config != NULL ? p->o.config : now;
        bool is_it = m31ri_file_digest(given, digest) && strcmp(digest, original) == 0;
        p->o.config = is_it ? given : p->o.config;
        m31ri_find(p, is_it ? M31R_FINDING_SAME : M31R_FINDING_REFUSED, "config",
                   is_it ? NULL : "give the original: --config FILE",
                   is_it ? "%s has the digest of the original"
                         : "something was redacted in %s, and "
                           "the original is not here",
                   is_it ? given : path);
    } else if (kept[0] == '\0') {
        m31ri_find_passable(p, "config", NULL, "the program read another config than was kept");
    } else if (!m31ri_file_digest(snapshot, digest) || strcmp(digest, kept) != 0) {
        m31ri_find(p, M31R_FINDING_REFUSED, "config", NULL,
                   "config_snapshot.yaml is not what was kept");
    } else {
        m31ri_find(p, M31R_FINDING_SAME, "config", NULL, "%s %.*s is kept", path, SHOWN, digest);
    }
}

static bool has_digest(const char *const *argv, size_t n, const char *wanted)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[65];
    m31ri_sha256 *h = m31ri_sha256_new();
    for (size_t i = 0; i < n && h != NULL; i++) {
        m31ri_sha256_add(h, argv[i], strlen(argv[i]) + 1);
    }
    if (h != NULL) {
        m31ri_sha256_end(h, digest);
        m31ri_sha256_hex(digest, hex);
    }
    m31ri_sha256_free(h);
    return h != NULL && strcmp(hex, wanted) == 0;
}

/* The words that were recorded, "~" being the home directory. */
static size_t take_recorded(m31r_reproduction *p)
{
    const json_t *argv = m31ri_reader_get(p->run, "command.argv");
    const char *home = getenv("HOME");
    size_t n = json_array_size(argv);
    for (size_t i = 0; i < n; i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        word = word != NULL ? word : "";
        bool is_home = word[0] == '~' && (word[1] == '/' || word[1] == '\0') && home != NULL;
        p->argv[i] = is_home ? m31ri_keep_format(p, "%s%s", home, word + 1) : word;
    }
    return n;
}

static void look_at_program(m31r_reproduction *p)
{
    const char *path = m31ri_reader_text(p->run, "code.script.path");
    const char *digest = m31ri_reader_text(p->run, "code.script.sha256");
    char now[65] = "";
    if (path[0] == '\0' || digest[0] == '\0') {
        return;
    }
    const char *what = m31ri_keep_format(p, "program %s", path);
    const char *here = path[0] == '/' || path[0] == '~'
                           ? m31ri_recorded_path(p, "", path)
                           : m31ri_keep_format(p, "%s/%s", p->top, path);
    const char *object = m31ri_keep_format(p, "%s:%s", p->run->facts.commit.value, path);
    const char *const ask[] = {"cat-file", "-e", object, NULL};
    m31ri_buf said = M31RI_BUF_INIT;
    bool is_in_commit =
        !p->o.is_here && path[0] != '/' && m31ri_git(p->repository, ask, &said) == 0;
    m31ri_buf_release(&said);
    bool is_read = m31ri_file_digest(here, now);
    if (is_in_commit) {
        return; /* it comes with the code */
    }
    if (is_read && strcmp(now, digest) == 0) {
        m31ri_find(p, M31R_FINDING_SAME, what, NULL, "the same file");
    } else if (p->o.build != NULL) {
        m31ri_find(p, M31R_FINDING_SAME, what, NULL, "will be made by %s", p->o.build);
    } else if (p->o.is_here) {
        m31ri_find(p, M31R_FINDING_DIFFERS, what, NULL, "%.*s then, %.*s here", SHOWN, digest,
                   SHOWN, is_read ? now : "missing");
    } else {
        m31ri_find_passable(p, what, "have it made from the recorded code: --build 'COMMAND'",
                            is_read ? "is not what was run: %.*s then, %.*s here"
                                    : "is not here: %.*s%.*s",
                            SHOWN, digest, SHOWN, now);
        m31ri_look_at_source(p);
    }
}

void m31ri_look_at_command(m31r_reproduction *p)
{
    const char *digest = m31ri_reader_text(p->run, "command.sha256");
    size_t n_recorded = json_array_size(m31ri_reader_get(p->run, "command.argv"));
    size_t n_given = p->o.argc > 0 ? (size_t)p->o.argc : 0;
    size_t n = n_given > 0 ? n_given : n_recorded;
    p->argv = m31ri_calloc(n + 1, sizeof *p->argv);
    if (p->argv == NULL || n == 0) {
        m31ri_find(p, M31R_FINDING_REFUSED, "command", "give it: -- PROGRAM [ARG...]",
                   "no command was recorded");
        return;
    }
    for (size_t i = 0; i < n_given; i++) {
        p->argv[i] = p->o.argv[i];
    }
    bool is_it = has_digest(p->argv, n_given > 0 ? n : take_recorded(p), digest);
    if (!is_it && n_given > 0) {
        m31ri_find(p, M31R_FINDING_REFUSED, "command", NULL,
                   "the command that was given is not the one that was run");
    } else if (!is_it) {
        m31ri_find(p, M31R_FINDING_REFUSED, "command", "give the original: -- PROGRAM [ARG...]",
                   "something was redacted in the command");
    } else {
        m31ri_find(p, M31R_FINDING_SAME, "command", NULL, "as recorded");
        look_at_program(p);
    }
}
