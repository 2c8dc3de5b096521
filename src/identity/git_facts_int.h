/* git_facts_int.h - the parts of reading .git: where it is (git_repo.c), the index (git_index.c).
 */
#ifndef M31RI_GIT_FACTS_INT_H
#define M31RI_GIT_FACTS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "m31r/error.h"

#define M31RI_GIT_FILE_BYTES (256 * 1024 * 1024) /* HEAD, packed-refs, index: more is refused */

/* Where a work tree's repository is. */
typedef struct m31ri_git_repo {
    char *top;     /* of the work tree, absolute */
    char *git_dir; /* this work tree's own: HEAD, index */
    char *common;  /* shared by all work trees: refs, objects; may equal git_dir in content */
    size_t oid_bytes;
    bool ignores_file_mode; /* core.fileMode is false */
} m31ri_git_repo;

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

typedef struct m31ri_git_head {
    m31ri_git_head_entry *entries; /* one for each entry of the index */
    char **removed;                /* paths that HEAD has and the index has not */
    size_t n_removed, capacity;
} m31ri_git_head;

/* Compares `commit`'s tree with the index; only trees that differ from the index's cache of trees
 * are read. */
m31r_err m31ri_git_head_read(const m31ri_git_repo *r, const char *commit, const m31ri_git_index *x,
                             m31ri_git_head *out, m31r_error *e);
void m31ri_git_head_release(m31ri_git_head *h);

#endif
