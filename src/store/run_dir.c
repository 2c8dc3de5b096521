/* run_dir.c - the directory of a run; run_dir.h says what is in it and what is promised.
 *
 * mkdir decides who owns a name: it succeeds for one process only, and it never touches what is
 * there. All that follows goes through descriptors that were opened without following a link, so
 * swapping a part of the path later leads nowhere.
 *
 * A joiner makes its file, locks it, and only then looks whether the `.live` it did this in still
 * has that name. The owner renames `.live` first and looks for locks afterwards. Whichever comes
 * first, either the joiner sees the rename or the owner sees the lock: there is no order in which
 * both believe the other is not there.
 */
#include "store/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "base/os_remote.h"
#include "format/json_text.h"
#include "format/live_place.h"
#include "rules/value_key.h"
#include "store/live_local.h"
#include "store/run_dir_int.h"

#define SUFFIXES 1000
#define HIDDEN_TRIES 100
#define JOINERS_OF_ONE_PROCESS 10000
#define LOCK_WAIT_MS                                                                               \
    1000 /* only a look for others (which takes a shared lock for a moment) can stand in the way   \
          */
#define MEMBER_BYTES 64
#define OWNER_LINE_LIMIT 4096

/* As m31ri_fail_sys, but always M31R_E_IO (or NOMEM): here a missing or existing part is never an
 * answer of its own. */
m31r_err m31ri_run_dir_fail(m31r_error *e, int sys_errno, const char *path, const char *doing)
{
    m31r_err code = m31ri_fail_sys(e, sys_errno, path, "%s %s", doing, path);
    if (code == M31R_E_NOMEM) {
        return code;
    }
    if (e != NULL) {
        e->code = M31R_E_IO;
    }
    return M31R_E_IO;
}

static m31r_err fail_nomem(m31r_error *e)
{
    return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
}

/* Absolute path of an open directory, links resolved. NULL when memory is out or the system does
 * not say. */
char *m31ri_run_dir_path_of(int fd)
{
    char name[64];
    char path[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, path, sizeof path);
    return n > 0 && (size_t)n < sizeof path ? m31ri_strndup(path, (size_t)n) : NULL;
}

static char *join_path(const char *directory, const char *name)
{
    m31ri_buf b = M31RI_BUF_INIT;
    m31ri_buf_add_format(&b, "%s%s%s", directory, strcmp(directory, "/") == 0 ? "" : "/", name);
    if (!m31ri_buf_ok(&b)) {
        m31ri_buf_release(&b);
    }
    return b.data; /* from m31ri_alloc, as every buffer */
}

/* One line of JSON: which process this is. */
int m31ri_run_dir_write_member(int fd, const m31ri_run_dir *d)
{
    m31ri_process self = m31ri_process_self();
    m31ri_buf b = M31RI_BUF_INIT;
    m31ri_buf_add_str(&b, "{\"run_id\":");
    m31ri_json_string(&b, d->run_id, strlen(d->run_id));
    m31ri_buf_add_format(&b, ",\"pid\":%lld,\"start_ticks\":%llu,\"boot_id\":", (long long)self.pid,
                         (unsigned long long)self.start_ticks);
    m31ri_json_string(&b, self.boot_id, strlen(self.boot_id));
    m31ri_buf_add_str(&b, ",\"host\":");
    m31ri_json_string(&b, self.host, strlen(self.host));
    m31ri_buf_add_str(&b, "}\n");
    int err = m31ri_buf_ok(&b) ? m31ri_write_all(fd, b.data, b.length, NULL) : ENOMEM;
    m31ri_buf_release(&b);
    return err;
}

/* Makes, locks and fills a member file in `.live`. EEXIST when the name is taken. */
static int add_member(m31ri_run_dir *d, const char *name)
{
    char *copy = m31ri_strdup(name);
    if (copy == NULL) {
        return ENOMEM;
    }
    int fd = m31ri_open(d->live_fd, name, O_RDWR | O_CREAT | O_EXCL, M31RI_FILE_MODE);
    int err = fd < 0 ? errno : 0;
    if (err == 0 && !m31ri_lock(fd, LOCK_WAIT_MS)) {
        err = errno;
    }
    if (err == 0) {
        err = m31ri_run_dir_write_member(fd, d);
    }
    if (err != 0) {
        if (fd >= 0) {
            unlinkat(d->live_fd, name, 0);
            close(fd);
        }
        m31ri_free(copy);
        return err;
    }
    d->lock_fd = fd;
    d->lock_pid = (int64_t)getpid();
    d->member_name = copy;
    return 0;
}

/* A free suffix, made. The identity and the second are the same for runs started together: mkdir
 * sorts them. */
static m31r_err make_run_directory(int root_fd, const char *root, int64_t wall_ns,
                                   const uint8_t digest[32], m31ri_run_dir *d, m31r_error *e)
{
    for (unsigned attempt = 1; attempt <= SUFFIXES; attempt++) {
        m31ri_run_id_write(wall_ns, digest, attempt, d->run_id);
        if (mkdirat(root_fd, d->run_id, 0700) == 0) { /* what is in it is its owner's */
            return M31R_OK;
        }
        if (errno != EEXIST) {
            m31r_err code = m31ri_run_dir_fail(e, errno, root, "making a run directory in");
            m31ri_fail_hint(
                e, "runs are kept in %s: make it writable, or name another directory of runs",
                root);
            return code;
        }
    }
    return m31ri_fail(e, M31R_E_LIMIT, "%s holds %d runs of this second and identity already", root,
                      SUFFIXES);
}

/* Opens the root, made when missing, and pins it. */
static m31r_err open_root(const char *root, int *out_fd, char **out_path, m31r_error *e)
{
    m31r_err err = m31ri_make_dirs(root, e);
    if (err != M31R_OK && err != M31R_E_NOMEM) {
        m31ri_fail_hint(e, "runs are kept in %s: make it, or name another directory of runs", root);
        if (e != NULL) {
            e->code = M31R_E_IO;
        }
        return M31R_E_IO;
    }
    if (err != M31R_OK) {
        return err;
    }
    int fd = m31ri_open_dir(AT_FDCWD, root, true);
    if (fd < 0) {
        return m31ri_run_dir_fail(e, errno, root, "opening the directory of runs");
    }
    char *path = m31ri_run_dir_path_of(fd);
    if (path == NULL) {
        close(fd);
        return fail_nomem(e);
    }
    *out_fd = fd;
    *out_path = path;
    return M31R_OK;
}

/* On a network file system the members, their locks and the notices lie in a local directory, which
 * `.live/at` names. errno. */
static int place_live(m31ri_run_dir *d)
{
    char text[PATH_MAX + 256];
    d->live_because = m31ri_remote_kind(d->fd);
    d->live_fd = m31ri_open_dir(d->fd, M31RI_LIVE, false);
    if (d->live_fd < 0 || d->live_because == NULL) {
        return d->live_fd < 0 ? errno : 0;
    }
    m31ri_process self = m31ri_process_self();
    d->gate_fd = d->live_fd;
    d->live_fd = -1;
    int err = m31ri_live_local_make(d->run_id, &d->live_path);
    if (err != 0) {
        return err;
    }
    d->live_fd = m31ri_open_dir(AT_FDCWD, d->live_path, false);
    if (d->live_fd < 0) {
        return errno;
    }
    if (!m31ri_live_at_write(d->live_path, self.host, d->live_because, text, sizeof text)) {
        return ENAMETOOLONG;
    }
    m31r_error e = {0};
    m31r_err made = m31ri_create_file(d->gate_fd, M31RI_LIVE_AT, text, strlen(text), &e);
    return made == M31R_OK ? 0 : e.sys_errno != 0 ? e.sys_errno : ENOMEM;
}

/* Takes back what place_live and the owner's file have made. */
static void remove_live(m31ri_run_dir *d)
{
    if (d->member_name != NULL) {
        unlinkat(d->live_fd, d->member_name, 0);
    }
    if (d->gate_fd >= 0) {
        unlinkat(d->gate_fd, M31RI_LIVE_AT, 0);
    }
    if (d->live_path != NULL) {
        rmdir(d->live_path);
    }
    unlinkat(d->fd, M31RI_LIVE, AT_REMOVEDIR);
}

/* What stands in a new run directory. errno, and nothing is left behind in `d->fd` that rmdir would
 * refuse. */
static int furnish(int root_fd, m31ri_run_dir *d)
{
    d->fd = m31ri_open_dir(root_fd, d->run_id, false);
    if (d->fd < 0) {
        return errno;
    }
    if (mkdirat(d->fd, M31RI_LIVE, 0777) != 0) {
        return errno;
    }
    int err = place_live(d);
    err = err == 0 ? add_member(d, "owner") : err;
    if (err == 0 && mkdirat(d->fd, "checkpoints", 0777) != 0) {
        err = errno;
    }
    if (err != 0) {
        remove_live(d);
    }
    return err;
}

m31r_err m31ri_run_dir_create(const char *root, int64_t wall_ns, const uint8_t identity_digest[32],
                              m31ri_run_dir *out, m31r_error *e)
{
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    int root_fd = -1;
    char *root_path = NULL;
    m31r_err err = open_root(root, &root_fd, &root_path, e);
    if (err != M31R_OK) {
        return err;
    }
    err = make_run_directory(root_fd, root_path, wall_ns, identity_digest, &d, e);
    if (err == M31R_OK) {
        d.is_owner = true;
        d.path = join_path(root_path, d.run_id);
        int sys_errno = d.path != NULL ? furnish(root_fd, &d) : ENOMEM;
        if (sys_errno != 0) {
            err = m31ri_run_dir_fail(e, sys_errno, d.path != NULL ? d.path : root_path,
                                     "making the run in");
            unlinkat(root_fd, d.run_id, AT_REMOVEDIR);
        }
    }
    close(root_fd);
    m31ri_free(root_path);
    if (err != M31R_OK) {
        m31ri_run_dir_release(&d);
        return err;
    }
    *out = d;
    return M31R_OK;
}

/* Run id of a live run: its owner's file says it; a directory may have been renamed. */
m31r_err m31ri_run_dir_read_id(m31ri_run_dir *d, m31r_error *e)
{
    const char *base = strrchr(d->path, '/');
    base = base != NULL ? base + 1 : d->path;
    m31ri_buf b = M31RI_BUF_INIT;
    json_t *line = NULL;
    if (m31ri_read_file(d->live_fd, "owner", OWNER_LINE_LIMIT, &b, NULL) == M31R_OK) {
        line = json_loadb(b.data, b.length, 0, NULL);
    }
    const char *said = json_string_value(json_object_get(line, "run_id"));
    const char *id = said != NULL ? said : base;
    m31r_err err = M31R_OK;
    if (strlen(id) >= sizeof d->run_id || !m31ri_run_id_is_safe(id, strlen(id))) {
        err = m31ri_fail(e, M31R_E_ARG, "%s is not a run directory: \"%.80s\" is no run id",
                         d->path, id);
    } else {
        snprintf(d->run_id, sizeof d->run_id, "%s", id);
    }
    json_decref(line);
    m31ri_buf_release(&b);
    return err;
}

static bool is_there(int dir, const char *name)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int m31ri_run_dir_open_live(m31ri_run_dir *d, const char *name, m31r_error *e)
{
    m31ri_live_place place;
    int err = m31ri_live_open(d->fd, name, &place);
    if (err != 0) {
        return err;
    }
    if (place.fd < 0) {
        m31ri_fail(e, M31R_E_ARG,
                   "%s is in progress on host %s, and on a network file system: processes of "
                   "another host cannot take part in it",
                   d->path, place.host);
        m31ri_fail_hint(e, "its locks are in %s there", place.path);
        m31ri_live_release(&place);
        return EXDEV;
    }
    d->live_fd = place.fd;
    d->gate_fd = place.gate_fd;
    d->live_path = place.path;
    return 0;
}

static m31r_err open_live(m31ri_run_dir *d, m31r_error *e)
{
    int err = m31ri_run_dir_open_live(d, M31RI_LIVE, e);
    if (err == 0 || err == EXDEV) {
        return err == 0 ? M31R_OK : M31R_E_ARG;
    }
    if (err != ENOENT && err != ENOTDIR && err != ELOOP) {
        return m31ri_run_dir_fail(e, err, d->path, "opening .live of");
    }
    if (err == ENOENT && (is_there(d->fd, "metadata.json") || is_there(d->fd, M31RI_LIVE_ENDING))) {
        return m31ri_fail(e, M31R_E_CLOSED, "%s has ended: nothing can be added to it", d->path);
    }
    return m31ri_fail(e, M31R_E_ARG, "%s is not a run directory", d->path);
}

static bool is_still_live(const m31ri_run_dir *d)
{
    struct stat mine;
    struct stat named;
    return fstat(m31ri_run_dir_gate(d), &mine) == 0 &&
           fstatat(d->fd, M31RI_LIVE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

/* Adds a joiner file of this process under the next free number. */
static m31r_err add_joiner(m31ri_run_dir *d, m31r_error *e)
{
    int err = EEXIST;
    for (int n = 0; err == EEXIST && n < JOINERS_OF_ONE_PROCESS; n++) {
        char name[MEMBER_BYTES];
        snprintf(name, sizeof name, "joiner.%lld.%d", (long long)getpid(), n);
        err = add_member(d, name);
    }
    if (err == 0 && is_still_live(d)) {
        return M31R_OK;
    }
    if (err == 0) {
        unlinkat(d->live_fd, d->member_name, 0);
        close(d->lock_fd);
        m31ri_free(d->member_name);
        d->lock_fd = -1;
        d->member_name = NULL;
    }
    if (err == 0 || err == ENOENT) {
        return m31ri_fail(e, M31R_E_CLOSED, "%s has ended: nothing can be added to it", d->path);
    }
    return m31ri_run_dir_fail(e, err, d->path, "joining");
}

m31r_err m31ri_run_dir_join(const char *path, m31ri_run_dir *out, m31r_error *e)
{
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    d.fd = m31ri_open_dir(AT_FDCWD, path, true);
    if (d.fd < 0) {
        return errno == ENOTDIR ? m31ri_fail(e, M31R_E_ARG, "%s is not a run directory", path)
                                : m31ri_fail_sys(e, errno, path, "opening the run %s", path);
    }
    d.path = m31ri_run_dir_path_of(d.fd);
    m31r_err err = d.path != NULL ? open_live(&d, e) : fail_nomem(e);
    if (err == M31R_OK) {
        err = m31ri_run_dir_read_id(&d, e);
    }
    if (err == M31R_OK) {
        err = add_joiner(&d, e);
    }
    if (err != M31R_OK) {
        m31ri_run_dir_release(&d);
        return err;
    }
    *out = d;
    return M31R_OK;
}

/* Whether somebody holds the file's lock. A shared lock is asked for, so that two who look do not
 * see each other. */
bool m31ri_run_dir_is_locked(int live_fd, const char *name)
{
    int fd = m31ri_open(live_fd, name, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0) {
        return false;
    }
    bool locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

bool m31ri_run_dir_is_owned(const char *path)
{
    m31ri_live_place place;
    int fd = m31ri_open_dir(AT_FDCWD, path, true);
    bool is_owned = false;
    if (fd >= 0 && m31ri_live_open(fd, M31RI_LIVE, &place) == 0) {
        is_owned = place.fd < 0 || m31ri_run_dir_is_locked(place.fd, "owner");
        m31ri_live_release(&place);
    }
    if (fd >= 0) {
        close(fd);
    }
    return is_owned;
}

static bool is_member(const char *name)
{
    return strcmp(name, "owner") == 0 || strncmp(name, "joiner.", 7) == 0;
}

bool m31ri_run_dir_has_others(const m31ri_run_dir *d, int *n_abandoned)
{
    m31ri_dir_list list = {0};
    bool found = false;
    int n = 0;
    if (m31ri_dir_list_fd(d->live_fd, &list, NULL) == M31R_OK) {
        for (size_t i = 0; i < list.n; i++) {
            const char *name = list.entries[i].name;
            if (!is_member(name) || (d->member_name != NULL && strcmp(name, d->member_name) == 0)) {
                continue;
            }
            if (m31ri_run_dir_is_locked(d->live_fd, name)) {
                found = true;
            } else if (is_there(d->live_fd, name)) {
                n++;
            }
        }
        m31ri_dir_list_release(&list);
    }
    if (n_abandoned != NULL) {
        *n_abandoned = n;
    }
    return found;
}

bool m31ri_run_dir_was_ended(const m31ri_run_dir *d)
{
    struct stat st;
    if (fstat(m31ri_run_dir_gate(d), &st) != 0) {
        return errno == ENOENT || errno == ESTALE; /* as network file systems say it */
    }
    return st.st_nlink == 0;
}

m31r_err m31ri_run_dir_shut(m31ri_run_dir *d, m31r_error *e)
{
    if (!is_still_live(d)) {
        return M31R_OK;
    }
    if (renameat(d->fd, M31RI_LIVE, d->fd, M31RI_LIVE_ENDING) != 0) {
        return m31ri_run_dir_fail(e, errno, d->path, "ending");
    }
    return M31R_OK;
}

static m31r_err empty(int dir, m31r_error *e)
{
    m31ri_dir_list list = {0};
    m31r_err err = m31ri_dir_list_fd(dir, &list, e);
    for (size_t i = 0; err == M31R_OK && i < list.n; i++) {
        unlinkat(dir, list.entries[i].name, 0);
    }
    m31ri_dir_list_release(&list);
    return err;
}

/* Network file systems keep a removed file that is open under a hidden name: our lock's is closed,
 * and given a moment to go. errno. */
static int remove_ending(m31ri_run_dir *d)
{
    const struct timespec pause = {0, 10 * 1000 * 1000};
    for (int i = 0;; i++) {
        if (unlinkat(d->fd, M31RI_LIVE_ENDING, AT_REMOVEDIR) == 0 || errno == ENOENT) {
            return 0;
        }
        if ((errno != ENOTEMPTY && errno != EEXIST) || i == HIDDEN_TRIES) {
            return errno;
        }
        if (d->lock_fd >= 0 && d->gate_fd < 0) {
            close(d->lock_fd);
            d->lock_fd = -1;
        }
        nanosleep(&pause, NULL);
        empty(m31ri_run_dir_gate(d), NULL);
    }
}

m31r_err m31ri_run_dir_end(m31ri_run_dir *d, m31r_error *e)
{
    m31r_err err = m31ri_run_dir_shut(d, e);
    err = err == M31R_OK ? empty(d->live_fd, e) : err;
    if (err == M31R_OK && d->live_path != NULL) {
        rmdir(d->live_path);
        err = empty(m31ri_run_dir_gate(d), e);
    }
    int sys_errno = err == M31R_OK ? remove_ending(d) : 0;
    m31ri_value_key_forget(d->fd, d->run_id);
    if (sys_errno != 0) {
        return m31ri_run_dir_fail(e, sys_errno, d->path, "removing .live of");
    }
    return err;
}

static void remove_content(int dir)
{
    m31ri_dir_list list = {0};
    if (m31ri_dir_list_fd(dir, &list, NULL) != M31R_OK) {
        return;
    }
    for (size_t i = 0; i < list.n; i++) {
        const char *name = list.entries[i].name;
        int fd = list.entries[i].type == 'd' ? m31ri_open_dir(dir, name, false) : -1;
        if (fd >= 0) {
            remove_content(fd); /* as deep as an untracked file's path: what we made ourselves */
            close(fd);
        }
        unlinkat(dir, name, fd >= 0 ? AT_REMOVEDIR : 0);
    }
    m31ri_dir_list_release(&list);
}

void m31ri_run_dir_undo(m31ri_run_dir *d)
{
    if (d->is_owner && d->fd >= 0) {
        if (d->live_path != NULL) {
            remove_content(d->live_fd);
            rmdir(d->live_path);
        }
        m31ri_value_key_forget(d->fd, d->run_id);
        remove_content(d->fd);
        rmdir(d->path); /* refuses when something else was put there */
    }
}

void m31ri_run_dir_release(m31ri_run_dir *d)
{
    if (d->lock_fd >= 0 && d->lock_pid == (int64_t)getpid()) {
        if (!d->is_owner) {
            unlinkat(d->live_fd, d->member_name, 0);
        }
        m31ri_unlock(d->lock_fd); /* a forked child may hold the same description open */
    }
    const int fds[] = {d->lock_fd, d->live_fd, d->gate_fd, d->fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    m31ri_free(d->member_name);
    m31ri_free(d->live_path);
    m31ri_free(d->path);
    *d = (m31ri_run_dir)M31RI_RUN_DIR_INIT;
}

m31r_err m31ri_run_dir_rejoin_after_fork(m31ri_run_dir *d, m31r_error *e)
{
    if (d->lock_fd >= 0) {
        close(d->lock_fd); /* no unlock: that would drop the parent's */
    }
    m31ri_free(d->member_name);
    d->lock_fd = -1;
    d->member_name = NULL;
    d->is_owner = false;
    return add_joiner(d, e);
}

/* Turns a joiner into the owner: its own file goes, the owner's is locked and says who has it now.
 */
static int become_owner(m31ri_run_dir *d)
{
    char *name = m31ri_strdup("owner");
    int fd = name != NULL ? m31ri_open(d->live_fd, "owner", O_RDWR, 0) : -1;
    int err = name == NULL ? ENOMEM : fd < 0 ? errno : 0;
    if (err == 0 && !m31ri_lock(fd, LOCK_WAIT_MS)) {
        err = EBUSY;
    }
    if (err != 0) {
        if (fd >= 0) {
            close(fd);
        }
        m31ri_free(name);
        return err;
    }
    unlinkat(d->live_fd, d->member_name, 0);
    close(d->lock_fd);
    m31ri_free(d->member_name);
    d->lock_fd = fd;
    d->member_name = name;
    d->is_owner = true;
    return ftruncate(fd, 0) == 0 ? m31ri_run_dir_write_member(fd, d) : errno;
}

m31r_err m31ri_run_dir_adopt(const char *path, m31ri_run_dir *out, m31r_error *e)
{
    m31ri_run_dir d = M31RI_RUN_DIR_INIT;
    m31r_err err = m31ri_run_dir_join(path, &d, e);
    if (err != M31R_OK) {
        return err;
    }
    int sys_errno = become_owner(&d);
    if (sys_errno != 0) {
        err = sys_errno == EBUSY ? m31ri_fail(e, M31R_E_BUSY, "the owner of %s is alive", path)
                                 : m31ri_run_dir_fail(e, sys_errno, path, "taking over");
        m31ri_run_dir_release(&d);
        return err;
    }
    *out = d;
    return M31R_OK;
}
