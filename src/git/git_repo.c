/* git_repo.c - where the repository of a directory is, and what HEAD names.
 *
 * `.git` is a directory, or a file "gitdir: PATH" (linked work trees, submodules); a linked work
 * tree has HEAD and index of its own and shares refs and objects through its `commondir` file. A
 * ref is a file, or a line of packed-refs. As git does, the search stops at a file system boundary,
 * and a `.git` without HEAD is not a repository.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "git/git_facts_int.h"

#define REF_DEPTH 5
#define REF_BYTES 4096

static m31r_err out_of_memory(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory reading git facts");
}

/* `a`/`b`, or `b` alone when it is absolute; NULL when memory is out. */
static char *join(const char *a, const char *b)
{
    m31ri_buf path = M31RI_BUF_INIT;
    if (b[0] != '/') {
        m31ri_buf_add_str(&path, a);
        m31ri_buf_add_char(&path, '/');
    }
    m31ri_buf_add_str(&path, b);
    if (!m31ri_buf_ok(&path)) {
        m31ri_buf_release(&path);
    }
    return path.data;
}

/* Reads a file below `dir`. A missing one (or a part of its path that is no directory) leaves `out`
 * empty. */
static m31r_err read_below(const char *dir, const char *name, m31ri_buf *out, m31r_error *e)
{
    char *path = join(dir, name);
    if (path == NULL) {
        return out_of_memory(e);
    }
    m31r_err err = M31R_OK;
    int fd = m31ri_open_input(path);
    if (fd >= 0) {
        err = m31ri_read_fd(fd, M31RI_GIT_FILE_BYTES, out, e);
        close(fd);
    } else if (errno != ENOENT && errno != ENOTDIR && errno != EINVAL) {
        err = m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    m31ri_free(path);
    return err;
}

/* Cuts white space off the end, in place; returns the string. */
static char *trim(m31ri_buf *b)
{
    while (b->length > 0 && strchr(" \t\r\n", b->data[b->length - 1]) != NULL) {
        b->data[--b->length] = '\0';
    }
    return b->data;
}

static bool exists_below(const char *dir, const char *name)
{
    struct stat st;
    char *path = join(dir, name);
    bool exists = path != NULL && lstat(path, &st) == 0;
    m31ri_free(path);
    return exists;
}

/* The directory that "gitdir: PATH" in a `.git` file names; `*out` NULL when the file says
 * something else. */
static m31r_err follow_git_file(const char *top, char **out, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = read_below(top, ".git", &text, e);
    *out = NULL;
    if (err == M31R_OK && text.length > 8 && strncmp(text.data, "gitdir: ", 8) == 0) {
        *out = join(top, trim(&text) + 8);
        err = *out != NULL ? M31R_OK : out_of_memory(e);
    }
    m31ri_buf_release(&text);
    return err;
}

static m31r_err read_common(m31ri_git_repo *r, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = read_below(r->git_dir, "commondir", &text, e);
    if (err == M31R_OK) {
        r->common = text.length > 0 ? join(r->git_dir, trim(&text)) : m31ri_strdup(r->git_dir);
        err = r->common != NULL ? M31R_OK : out_of_memory(e);
    }
    m31ri_buf_release(&text);
    return err;
}

/* Fills `r` when `top` holds a `.git` that leads to a repository. */
static m31r_err try_top(const char *top, m31ri_git_repo *r, bool *found, m31r_error *e)
{
    struct stat st;
    char *git = join(top, ".git");
    m31r_err err = git != NULL ? M31R_OK : out_of_memory(e);
    if (err == M31R_OK && stat(git, &st) == 0) {
        if (S_ISDIR(st.st_mode)) {
            r->git_dir = git;
            git = NULL;
        } else if (S_ISREG(st.st_mode)) {
            err = follow_git_file(top, &r->git_dir, e);
        }
    }
    m31ri_free(git);
    *found = err == M31R_OK && r->git_dir != NULL && exists_below(r->git_dir, "HEAD");
    if (!*found) {
        m31ri_git_repo_release(r);
        return err;
    }
    r->top = m31ri_strdup(top);
    err = r->top != NULL ? read_common(r, e) : out_of_memory(e);
    if (err == M31R_OK) {
        err = m31ri_git_config_read(r, e);
    }
    return err;
}

m31r_err m31ri_git_repo_find(const char *directory, m31ri_git_repo *out, bool *found, m31r_error *e)
{
    m31ri_git_repo r = {0};
    struct stat st;
    *found = false;
    char *path = realpath(directory, NULL);
    if (path == NULL || stat(path, &st) != 0) {
        int saved = errno;
        free(path);
        return m31ri_fail_sys(e, saved, directory, "looking for git around %s", directory);
    }
    dev_t device = st.st_dev;
    m31r_err err = M31R_OK;
    for (;;) {
        err = try_top(path, &r, found, e);
        char *slash = strrchr(path, '/');
        if (err != M31R_OK || *found || slash == NULL || path[1] == '\0') {
            break;
        }
        slash[slash == path ? 1 : 0] = '\0';
        if (stat(path, &st) != 0 || st.st_dev != device) {
            break;
        }
    }
    free(path);
    if (err != M31R_OK) {
        m31ri_git_repo_release(&r);
        *found = false;
        return err;
    }
    *out = r;
    return M31R_OK;
}

void m31ri_git_repo_release(m31ri_git_repo *r)
{
    m31ri_free(r->top);
    m31ri_free(r->git_dir);
    m31ri_free(r->common);
    m31ri_free(r->excludes_file);
    m31ri_free(r->attributes_file);
    *r = (m31ri_git_repo){0};
}

static bool is_hex(const char *s, size_t length)
{
    return strspn(s, "0123456789abcdef") >= length;
}

static bool is_safe_ref(const char *ref)
{
    return strncmp(ref, "refs/", 5) == 0 && strstr(ref, "..") == NULL && strlen(ref) < REF_BYTES;
}

/* Looks `ref` up in packed-refs: lines "<hex> <ref>". */
static m31r_err read_packed(const m31ri_git_repo *r, const char *ref, m31ri_buf *out, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = read_below(r->common, "packed-refs", &text, e);
    size_t n_hex = 2 * r->oid_bytes;
    size_t length = strlen(ref);
    for (char *line = text.data; err == M31R_OK && line != NULL;) {
        size_t n = strcspn(line, "\n");
        if (n >= n_hex + 1 + length && is_hex(line, n_hex) && line[n_hex] == ' ' &&
            memcmp(line + n_hex + 1, ref, length) == 0 &&
            strchr("\r\n", line[n_hex + 1 + length]) != NULL) {
            m31ri_buf_add(out, line, n_hex);
            break;
        }
        line = line[n] == '\n' ? line + n + 1 : NULL;
    }
    m31ri_buf_release(&text);
    return err;
}

/* The text of a ref: its own file in the work tree's or the common directory, or its line in
 * packed-refs. */
static m31r_err read_ref(const m31ri_git_repo *r, const char *ref, m31ri_buf *out, m31r_error *e)
{
    m31r_err err = read_below(r->git_dir, ref, out, e);
    if (err == M31R_OK && out->length == 0) {
        err = read_below(r->common, ref, out, e);
    }
    if (err == M31R_OK && out->length == 0) {
        err = read_packed(r, ref, out, e);
    }
    if (err == M31R_OK && !m31ri_buf_ok(out)) {
        err = out_of_memory(e);
    }
    return err;
}

static m31r_err say_damaged(const m31ri_git_repo *r, const char *ref, m31r_error *e)
{
    m31ri_fail(e, M31R_E_CORRUPT, "%s in %s is neither a commit nor a ref", ref, r->git_dir);
    m31ri_fail_at(e, r->git_dir, 0, 0);
    m31ri_fail_hint(e, "`git fsck` tells more");
    return M31R_E_CORRUPT;
}

/* One step: `ref`'s text is a commit (copied, `ref` left alone), another ref (copied to `ref`), or
 * nothing. */
static m31r_err step_ref(m31ri_git_repo *r, char ref[REF_BYTES], char commit[65], m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = read_ref(r, ref, &text, e);
    size_t n_hex = 2 * r->oid_bytes;
    const char *s = err == M31R_OK && text.length > 0 ? trim(&text) : "";
    if (err != M31R_OK) {
        /* carried up */
    } else if (strncmp(s, "ref:", 4) == 0) {
        s += 4 + strspn(s + 4, " \t");
        if (is_safe_ref(s)) {
            snprintf(ref, REF_BYTES, "%s", s);
        } else {
            err = say_damaged(r, ref, e);
        }
    } else if (is_hex(s, n_hex) && strlen(s) == n_hex) {
        snprintf(commit, 65, "%s", s);
    } else if (s[0] != '\0' || strcmp(ref, "HEAD") == 0) {
        err = say_damaged(r, ref, e);
    } else {
        ref[0] = '\0'; /* a branch without a commit */
    }
    m31ri_buf_release(&text);
    return err;
}

m31r_err m31ri_git_repo_head(m31ri_git_repo *r, char commit[65], char branch[129], m31r_error *e)
{
    char ref[REF_BYTES] = "HEAD";
    commit[0] = '\0';
    branch[0] = '\0';
    for (int i = 0; i < REF_DEPTH; i++) {
        m31r_err err = step_ref(r, ref, commit, e);
        if (err != M31R_OK) {
            return err;
        }
        if (i == 0 && strcmp(ref, "HEAD") != 0) {
            const char *name = strncmp(ref, "refs/heads/", 11) == 0 ? ref + 11 : ref;
            snprintf(branch, 129, "%.128s", name);
        }
        if (commit[0] != '\0' || ref[0] == '\0') {
            return M31R_OK;
        }
    }
    return say_damaged(r, "HEAD", e);
}
