/* reproduce_tree.c - the scratch work tree: commit, submodules, changes, untracked files, config,
 * program, data; then the question whether git sees the same code as then.
 *
 * It lies in .reproduce/ of the directory of runs: on the same file system as the data, mostly, so
 * that hard links do; and a name with a dot is no run.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_remove.h"
#include "base/sha256.h"
#include "git/git_facts.h"
#include "reproduce/reproduce_int.h"

#define FOLDER ".reproduce"
#define FILE_BYTES (64 * 1024 * 1024)

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

static m31r_err make_scratch(m31r_reproduction *p, m31r_error *e)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/" FOLDER "/XXXXXX", p->root);
    if (n < 0 || (size_t)n + 64 > sizeof path) {
        return m31ri_fail(e, M31R_E_LIMIT, "the path of the directory of runs is too long");
    }
    const char *folder = m31ri_keep_format(p, "%s/" FOLDER, p->root);
    m31r_err err = m31ri_make_dirs(folder, e);
    if (err == M31R_OK && mkdtemp(path) == NULL) {
        err = m31ri_fail_sys(e, errno, path, "making %s", path);
    }
    if (err == M31R_OK) {
        snprintf(p->scratch, sizeof p->scratch, "%s", path);
    }
    return err;
}

static m31r_err git(const char *directory, const char *const *arguments, m31r_error *e)
{
    m31ri_buf said = M31RI_BUF_INIT;
    m31r_err err = M31R_OK;
    int status = m31ri_git(directory, arguments, &said);
    if (status != 0) {
        int length = (int)strcspn(m31ri_buf_str(&said), "\n");
        err = m31ri_fail(e, M31R_E_IO, "git %s: %.*s", arguments[0], length < 300 ? length : 300,
                         m31ri_buf_str(&said));
    }
    m31ri_buf_release(&said);
    return err;
}

/* A submodule's commit comes from its own repository in the work tree: nothing is fetched. */
static m31r_err add_submodule(m31r_reproduction *p, const char *line, m31r_error *e)
{
    char commit[65];
    const char *tab = strchr(line, '\t');
    if (strncmp(line, "160000 commit ", 14) != 0 || tab == NULL || strstr(tab, "..") != NULL) {
        return M31R_OK;
    }
    snprintf(commit, sizeof commit, "%.*s", (int)strcspn(line + 14, "\t "), line + 14);
    const char *from = m31ri_keep_format(p, "%s/%s", p->top, tab + 1);
    const char *to = m31ri_keep_format(p, "%s/%s", p->tree, tab + 1);
    const char *const add[] = {"worktree", "add", "--detach", "--force", to, commit, NULL};
    const char *mark = m31ri_keep_format(p, "%s/.git", from);
    if (p->n_submodules < M31RI_SUBMODULES && access(mark, F_OK) == 0 &&
        git(from, add, e) == M31R_OK) {
        p->submodules[p->n_submodules++] = m31ri_keep_format(p, "%s", tab + 1);
        return M31R_OK;
    }
    m31ri_find_passable(p, m31ri_keep_format(p, "submodule %s", tab + 1),
                        "git submodule update --init, or go on without it: --anyway",
                        "its commit %.12s is not in the work tree", commit);
    return M31R_OK;
}

static m31r_err check_out(m31r_reproduction *p, m31r_error *e)
{
    const char *tree = m31ri_keep_format(p, "%s/tree", p->scratch);
    const char *commit = p->run->facts.commit.value;
    const char *const add[] = {"worktree", "add", "--detach", tree, commit, NULL};
    const char *const list[] = {"ls-tree", "-r", "-z", commit, NULL};
    m31ri_buf entries = M31RI_BUF_INIT;
    m31r_err err = git(p->repository, add, e);
    if (err == M31R_OK) {
        snprintf(p->tree, sizeof p->tree, "%s", tree);
        (void)m31ri_git(p->repository, list, &entries);
    }
    const char *at = m31ri_buf_str(&entries);
    const char *end = at + entries.length;
    for (; err == M31R_OK && at < end; at += strlen(at) + 1) {
        err = add_submodule(p, at, e);
    }
    m31ri_buf_release(&entries);
    return err;
}

static m31r_err apply_changes(m31r_reproduction *p, m31r_error *e)
{
    const char *file = m31ri_reader_text(p->run, "code.diff.file");
    struct stat st;
    char *real = file[0] != '\0' ? realpath(p->run->path, NULL) : NULL;
    const char *patch = p->o.diff != NULL
                            ? realpath(p->o.diff, NULL)
                            : m31ri_keep_format(p, "%s/%s", real != NULL ? real : "", file);
    const char *const apply[] = {"apply", "--whitespace=nowarn", "--allow-empty", patch, NULL};
    bool has_text = file[0] != '\0' && patch != NULL && stat(patch, &st) == 0 && st.st_size > 0;
    m31r_err err = has_text ? git(p->tree, apply, e) : M31R_OK;
    if (p->o.diff != NULL) {
        free((char *)(uintptr_t)patch);
    }
    free(real);
    return err;
}

/* A recorded path may only lead below the tree. */
static bool is_below(const char *path)
{
    if (path[0] == '\0' || path[0] == '/') {
        return false;
    }
    for (const char *part = path; *part != '\0';) {
        size_t n = strcspn(part, "/");
        if ((n == 2 && memcmp(part, "..", 2) == 0) || (n == 4 && memcmp(part, ".git", 4) == 0)) {
            return false;
        }
        part += n + (part[n] == '/');
    }
    return true;
}

static m31r_err write_file(const char *from, const char *to, mode_t mode, m31r_error *e)
{
    m31ri_buf bytes = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(AT_FDCWD, from, FILE_BYTES, &bytes, e);
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(to, '/') - to), to);
    err = err == M31R_OK ? m31ri_make_dirs(parent, e) : err;
    bool is_script = bytes.length > 2 && memcmp(bytes.data, "#!", 2) == 0;
    if (err == M31R_OK) {
        err = m31ri_replace_file(AT_FDCWD, to, m31ri_buf_str(&bytes), bytes.length, false, e);
    }
    if (err == M31R_OK && (is_script || (mode & 0100) != 0)) {
        (void)chmod(to, 0755);
    }
    m31ri_buf_release(&bytes);
    return err;
}

static m31r_err add_untracked(m31r_reproduction *p, m31r_error *e)
{
    const json_t *list = m31ri_reader_get(p->run, "code.untracked");
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < json_array_size(list) && err == M31R_OK; i++) {
        const json_t *file = json_array_get(list, i);
        const char *path = text_of(file, "path");
        struct stat st = {0};
        char digest[65] = "";
        if (!is_below(path)) {
            continue;
        }
        const char *kept = m31ri_keep_format(p, "%s/untracked/%s", p->run->path, path);
        const char *here = m31ri_keep_format(p, "%s/%s", p->top, path);
        const char *to = m31ri_keep_format(p, "%s/%s", p->tree, path);
        (void)stat(here, &st);
        if (m31ri_file_digest(here, digest) && strcmp(digest, text_of(file, "sha256")) == 0) {
            err = m31ri_link_tree(here, to, e);
        } else if (json_is_true(json_object_get(file, "kept"))) {
            err = write_file(kept, to, st.st_mode, e);
        }
    }
    return err;
}

/* The config as it was, where the program looks for it. */
static m31r_err add_config(m31r_reproduction *p, m31r_error *e)
{
    const char *path = m31ri_reader_text(p->run, "config_path");
    const char *original = m31ri_reader_text(p->run, "config_original_sha256");
    const char *digest =
        original[0] != '\0' ? original : m31ri_reader_text(p->run, "config_sha256");
    char now[65] = "";
    if (path[0] == '\0' || strcmp(path, "none") == 0) {
        return M31R_OK;
    }
    const char *to = m31ri_recorded_path(p, p->tree, path);
    if (m31ri_file_digest(to, now) && strcmp(now, digest) == 0) {
        return M31R_OK;
    }
    if (!is_below(path)) {
        m31ri_find_passable(p, "config", NULL, "%s lies outside the code and is not what it was",
                            to);
        return M31R_OK;
    }
    const char *from = original[0] != '\0' && p->o.config != NULL
                           ? p->o.config
                           : m31ri_keep_format(p, "%s/config_snapshot.yaml", p->run->path);
    return write_file(from, to, 0, e);
}

/* Makes a file or directory of the work tree visible; outside of the tree it is there anyway. */
static m31r_err show_in_tree(m31r_reproduction *p, const char *path, bool is_from_top,
                             m31r_error *e)
{
    const char *dir = p->dir;
    struct stat st;
    p->dir = is_from_top ? "" : dir;
    const char *from = m31ri_recorded_path(p, p->top, path);
    const char *to = m31ri_recorded_path(p, p->tree, path);
    p->dir = dir;
    bool is_ours = is_below(path) || (strncmp(path, "../", 3) == 0 && is_below(path + 3));
    if (!is_ours || stat(from, &st) != 0) {
        return M31R_OK;
    }
    return m31ri_link_tree(from, to, e);
}

static m31r_err add_data(m31r_reproduction *p, m31r_error *e)
{
    const json_t *artifacts = m31ri_reader_get(p->run, "artifacts");
    m31r_err err = show_in_tree(p, m31ri_reader_text(p->run, "dataset_path"), false, e);
    if (err == M31R_OK) {
        err = show_in_tree(p, m31ri_reader_text(p->run, "tokenizer_path"), false, e);
    }
    for (size_t i = 0; i < json_array_size(artifacts) && err == M31R_OK; i++) {
        const json_t *a = json_array_get(artifacts, i);
        if (strcmp(text_of(a, "role"), "input") == 0) {
            err = show_in_tree(p, text_of(a, "path"), false, e);
        }
    }
    for (size_t i = 0; i < p->o.n_links && err == M31R_OK; i++) {
        err = show_in_tree(p, p->o.links[i], false, e);
    }
    return err;
}

/* The program that lies in the work tree, when it is not to be made anew. */
static m31r_err add_program(m31r_reproduction *p, m31r_error *e)
{
    const char *path = m31ri_reader_text(p->run, "code.script.path");
    if (p->o.build == NULL) {
        return is_below(path) ? show_in_tree(p, path, true, e) : M31R_OK;
    }
    int status = m31ri_shell(p->tree[0] != '\0' ? p->tree : p->top, p->o.build);
    return status == 0
               ? M31R_OK
               : m31ri_fail(e, M31R_E_IO, "the build ended with %d: %s", status, p->o.build);
}

/* Git sees the same changes to the same commit, byte for byte, or it is said. */
static void check_code(m31r_reproduction *p)
{
    const m31r_facts *f = &p->run->facts;
    m31ri_git_facts g = {0};
    char digest[65] = "";
    bool is_read = m31ri_git_facts_read(p->tree, &g, NULL) == M31R_OK && g.found;
    if (is_read && g.is_dirty) {
        m31ri_sha256_hex(g.changes_digest, digest);
    }
    bool is_same = is_read && strcmp(digest, f->commit.digest) == 0;
    if (is_same) {
        m31ri_find(p, M31R_FINDING_SAME, "code", NULL, "restored, and checked byte for byte");
    } else {
        m31ri_find_passable(p, "code", "go on with it: --anyway",
                            "the restored tree is not what the run was made of: changes %.12s "
                            "then, %.12s restored (%zu tracked, %zu untracked)",
                            f->commit.digest[0] != '\0' ? f->commit.digest : "none",
                            digest[0] != '\0' ? digest : "none", g.n_changed, g.n_untracked);
    }
    m31ri_git_facts_release(&g);
}

static m31r_err fill(m31r_reproduction *p, m31r_error *e)
{
    static m31r_err (*const parts[])(m31r_reproduction *, m31r_error *) = {
        check_out, apply_changes, add_untracked, add_config, add_data, add_program};
    m31r_err err = M31R_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && err == M31R_OK; i++) {
        err = parts[i](p, e);
    }
    if (err == M31R_OK) {
        check_code(p);
    }
    return err;
}

m31r_err m31ri_tree_make(m31r_reproduction *p, m31r_error *e)
{
    m31r_err err = make_scratch(p, e);
    if (err == M31R_OK && p->o.is_here) {
        return p->o.build != NULL ? add_program(p, e) : M31R_OK;
    }
    return err == M31R_OK ? fill(p, e) : err;
}

void m31ri_tree_remove(m31r_reproduction *p)
{
    const char *const remove[] = {"worktree", "remove", "--force", "--force", p->tree, NULL};
    m31ri_buf said = M31RI_BUF_INIT;
    for (size_t i = 0; i < p->n_submodules; i++) {
        const char *from = m31ri_keep_format(p, "%s/%s", p->top, p->submodules[i]);
        const char *there = m31ri_keep_format(p, "%s/%s", p->tree, p->submodules[i]);
        const char *const leave[] = {"worktree", "remove", "--force", "--force", there, NULL};
        (void)m31ri_git(from, leave, &said);
    }
    if (p->tree[0] != '\0') {
        (void)m31ri_git(p->repository, remove, &said);
    }
    m31ri_buf_release(&said);
    if (p->scratch[0] != '\0') {
        (void)m31ri_remove_tree(AT_FDCWD, p->scratch, NULL);
        const char *folder = m31ri_keep_format(p, "%s/" FOLDER, p->root);
        (void)rmdir(folder); /* unless another reproduction is at work */
    }
    p->scratch[0] = p->tree[0] = '\0';
}
