/* git_facts_int.h - the parts of reading .git and comparing it with the work tree. */
#ifndef M31RI_GIT_FACTS_INT_H
#define M31RI_GIT_FACTS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "git/git_facts.h"
#include "m31r/error.h"

#define M31RI_GIT_FILE_BYTES (256 * 1024 * 1024) /* HEAD, packed-refs, index: more is refused */

/* Where a work tree's repository is. */
typedef struct m31ri_git_repo {
    char *top;     /* of the work tree, absolute */
    char *git_dir; /* this work tree's own: HEAD, index */
    char *common;  /* shared by all work trees: refs, objects; may equal git_dir in content */
    size_t oid_bytes;
    bool ignores_file_mode;  /* core.fileMode is false */
    bool converts_line_ends; /* core.autocrlf is true or input */
    bool is_sparse;          /* core.sparseCheckout */
    char *excludes_file;     /* core.excludesFile or where it is by default; NULL without a home */
    char *attributes_file;
} m31ri_git_repo;

/* git_config.c: the settings above, from the repository's configuration and the user's. */
m31r_err m31ri_git_config_read(m31ri_git_repo *r, m31r_error *e);

/* Looks from `directory` upwards. `*found` false: no work tree around it. */
m31r_err m31ri_git_repo_find(const char *directory, m31ri_git_repo *out, bool *found,
                             m31r_error *e);
void m31ri_git_repo_release(m31ri_git_repo *r);

/* Follows HEAD. `commit` is "" for a branch without a commit; `branch` "" when detached. */
m31r_err m31ri_git_repo_head(m31ri_git_repo *r, char commit[65], char branch[129], m31r_error *e);

/* One index entry; `oid` and `name` point into the index's own memory. */
typedef struct m31ri_git_entry {
    const char *name;
    const uint8_t *oid;
    uint32_t ctime_s, ctime_ns, mtime_s, mtime_ns, inode, mode, size;
    uint16_t flags, more_flags;
} m31ri_git_entry;

#define M31RI_GIT_ASSUME_VALID 0x8000 /* flags */
#define M31RI_GIT_STAGE 0x3000
#define M31RI_GIT_SKIP_WORKTREE 0x4000 /* more_flags */
#define M31RI_GIT_INTENT_TO_ADD 0x2000

typedef struct m31ri_git_index {
    m31ri_buf bytes;
    m31ri_buf names;          /* version 4: names unpacked */
    m31ri_git_entry *entries; /* in byte order of name, then stage */
    size_t n;
    int64_t written_s; /* when the index itself was written: entries as young are in doubt */
    uint32_t written_ns;
    const uint8_t *cache_tree; /* extension TREE, NULL when there is none */
    size_t cache_tree_bytes;
    bool is_split; /* only a part: the rest is in a shared index that is not read here */
} m31ri_git_index;

/* Reads `git_dir`/index. A missing one is an empty one. */
m31r_err m31ri_git_index_read(const m31ri_git_repo *r, m31ri_git_index *out, m31r_error *e);
void m31ri_git_index_release(m31ri_git_index *x);

/* git_objects.c: the content of an object, without its header. M31R_E_CORRUPT when it is not there
 * or damaged. */
m31r_err m31ri_git_object_read(const m31ri_git_repo *r, const uint8_t *oid, m31ri_buf *out,
                               m31r_error *e);

/* git_head.c: what HEAD holds, entry by entry of the index. */
typedef enum m31ri_git_head_state {
    M31RI_HEAD_ABSENT, /* not in HEAD: added to the index */
    M31RI_HEAD_SAME,   /* HEAD holds what the index holds */
    M31RI_HEAD_OTHER   /* HEAD holds something else: `oid`, `mode` */
} m31ri_git_head_state;

typedef struct m31ri_git_head_entry {
    m31ri_git_head_state state;
    uint32_t mode;
    uint8_t oid[32];
} m31ri_git_head_entry;

/* A file that HEAD has and the index has not. */
typedef struct m31ri_git_removed {
    char *path;
    uint32_t mode;
    uint8_t oid[32];
} m31ri_git_removed;

typedef struct m31ri_git_head {
    m31ri_git_head_entry *entries; /* one for each entry of the index */
    m31ri_git_removed *removed;
    size_t n_removed, capacity;
} m31ri_git_head;

/* Compares `commit`'s tree with the index; only trees that differ from the index's cache of trees
 * are read. */
m31r_err m31ri_git_head_read(const m31ri_git_repo *r, const char *commit, const m31ri_git_index *x,
                             m31ri_git_head *out, m31r_error *e);
void m31ri_git_head_release(m31ri_git_head *h);

/* First entry of the index whose name is not below `name`. */
size_t m31ri_git_index_find(const m31ri_git_index *x, const char *name);

/* git_attributes.c: what .gitattributes and core.autocrlf say of a path. */
typedef struct m31ri_git_attributes m31ri_git_attributes;

typedef enum m31ri_git_text {
    M31RI_GIT_TEXT_NO,
    M31RI_GIT_TEXT_AUTO, /* when it looks like text */
    M31RI_GIT_TEXT_YES
} m31ri_git_text;

typedef struct m31ri_git_manner {
    m31ri_git_text text; /* is CRLF stored as LF? */
    bool is_binary;      /* -diff */
    bool is_lfs;         /* filter=lfs: a pointer is stored */
    bool has_filter;     /* another filter, ident or working-tree-encoding: not done here */
} m31ri_git_manner;

/* `top` is a descriptor of the work tree and must stay open. Freed by
 * m31ri_git_attributes_free(). */
m31r_err m31ri_git_attributes_new(const m31ri_git_repo *r, int top, m31ri_git_attributes **out,
                                  m31r_error *e);
void m31ri_git_attributes_free(m31ri_git_attributes *a);
m31r_err m31ri_git_manner_of(m31ri_git_attributes *a, const m31ri_git_repo *r, const char *path,
                             m31ri_git_manner *out, m31r_error *e);

/* git_clean.c: turns a file's bytes into what git would store, in place. `index_oid` NULL: there is
 * no version in the index to look at. */
m31r_err m31ri_git_clean(const m31ri_git_repo *r, const m31ri_git_manner *manner,
                         const uint8_t *index_oid, m31ri_buf *bytes, m31r_error *e);

/* What Git LFS stores for the file: a pointer with its digest and size; a file that is a pointer
 * already stays as it is. False: not there, or not readable. */
bool m31ri_git_lfs_pointer(int top, const char *path, m31ri_buf *out);

/* A work tree being compared. */
typedef struct m31ri_git_work {
    const m31ri_git_repo *repo;
    const m31ri_git_index *index;
    const m31ri_git_head
        *head; /* NULL when HEAD's tree cannot be read: then the index stands for it */
    m31ri_git_attributes *attributes;
    int top; /* descriptor */
} m31ri_git_work;

/* git_content.c: SHA-256 and size of what the work tree holds at `path` below `top`: a file's bytes
 * or a symlink's target text. False when there is nothing, or nothing that git tracks. */
bool m31ri_git_content_digest(int top, const char *path, uint8_t out[32], uint64_t *out_bytes);

/* Git's name of it, line ends as they are. */
bool m31ri_git_work_oid(const m31ri_git_work *w, const char *path, uint8_t out[32]);

/* A file's bytes or a symlink's target. False: not there, not readable, or larger than `limit`. */
bool m31ri_git_work_read(int top, const char *path, size_t limit, m31ri_buf *out);

/* Git's name of these bytes as a blob. */
void m31ri_git_blob_oid(const void *bytes, size_t length, size_t oid_bytes, uint8_t out[32]);

/* One changed file. Mode 0: there is none. */
typedef struct m31ri_git_delta {
    const char *path; /* points into the index or the head */
    uint32_t old_mode, new_mode;
    uint8_t old_oid[32];
    const uint8_t *index_oid; /* NULL: not in the index */
    bool is_new_stored;       /* the index stands for the work tree */
    uint8_t digest[32];       /* SHA-256 of what is there now */
} m31ri_git_delta;

/* git_compare.c: the changed files in byte order of path. Owns: m31ri_free(*out); paths die with
 * index and head. */
m31r_err m31ri_git_compare(const m31ri_git_work *w, m31ri_git_facts *g, m31ri_git_delta **out,
                           m31r_error *e);

/* git_diff.c: appends the file's patch to g->diff, or says in `g` why it is not there.
 * Errors: M31R_E_NOMEM. */
m31r_err m31ri_git_diff_add(const m31ri_git_work *w, const m31ri_git_delta *d, m31ri_git_facts *g,
                            m31r_error *e);

/* git_changes.c: changed and untracked files, for the digest over all. Paths are copies. */
typedef struct m31ri_git_change {
    char *path;
    uint8_t digest[32];
} m31ri_git_change;

typedef struct m31ri_git_changes {
    m31ri_git_change *items;
    size_t n, capacity;
} m31ri_git_changes;

m31r_err m31ri_git_changes_add(m31ri_git_changes *c, const char *path, const uint8_t digest[32],
                               m31r_error *e);
void m31ri_git_changes_release(m31ri_git_changes *c);

/* SHA-256 over all of them in order of path; zeros when there is none. Sorts `c`. */
m31r_err m31ri_git_changes_digest(m31ri_git_changes *c, uint8_t out[32], m31r_error *e);

/* git_untracked.c: what observing itself leaves behind (runs, their chain of seals, logs) is no
 * part of the code, tracked or not: else every run would change the next one's identity. */
bool m31ri_git_is_our_own(const char *path);

/* git_untracked.c: fills the untracked part of `g` and adds each file to `changes`.
 * Errors: M31R_E_NOMEM. */
m31r_err m31ri_git_untracked_read(const m31ri_git_work *w, m31ri_git_facts *g,
                                  m31ri_git_changes *changes, m31r_error *e);

#endif
