/* os_proc_tree.c - the tree of processes from /proc.
 *
 * Where the kernel lists children (CONFIG_PROC_CHILDREN) only the tree is read; elsewhere every
 * process's parent is. That costs about 10 us a process on the machine, so that its result is kept
 * for as many samples as make it cheap.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_proc_tree.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/os_process.h"

#define CHEAP_NS (2 * 1000 * 1000) /* a scan that costs more is made every n-th time only */

struct m31ri_proc_tree {
    int64_t pids[M31RI_PROC_TREE_LIMIT];
    size_t n;
    bool is_cut;
    bool has_children_files;
    int skip;     /* samples for which the members are kept as they are */
    int64_t *all; /* scratch of the scan: pid, parent, pid, parent... */
    size_t all_capacity;
};

static bool holds(const int64_t *list, size_t n, int64_t x)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == x) {
            return true;
        }
    }
    return false;
}

/* Once each: a root may be another root's descendant. */
static void add_member(m31ri_proc_tree *t, int64_t pid)
{
    if (pid <= 0 || holds(t->pids, t->n, pid)) {
        return;
    }
    if (t->n == M31RI_PROC_TREE_LIMIT) {
        t->is_cut = true;
    } else {
        t->pids[t->n++] = pid;
    }
}

m31ri_proc_tree *m31ri_proc_tree_new(void)
{
    m31ri_proc_tree *t = m31ri_calloc(1, sizeof *t);
    if (t != NULL) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        t->has_children_files = access(path, R_OK) == 0;
    }
    return t;
}

void m31ri_proc_tree_free(m31ri_proc_tree *t)
{
    if (t != NULL) {
        m31ri_free(t->all);
        m31ri_free(t);
    }
}

/* Adds the children of member `pid`, which any of its threads may have made. */
static void add_listed_children(m31ri_proc_tree *t, int64_t pid)
{
    char path[320];
    char text[16384];
    snprintf(path, sizeof path, "/proc/%lld/task", (long long)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *d; tasks != NULL && (d = readdir(tasks)) != NULL;) {
        if (d->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof path, "/proc/%lld/task/%s/children", (long long)pid, d->d_name);
        if (m31ri_proc_read(path, text, sizeof text) <= 0) {
            continue;
        }
        for (char *p = text, *end; (void)(end = p), *p != '\0' && *p != '\n'; p = end) {
            int64_t child = strtoll(p, &end, 10);
            if (end == p) {
                break;
            }
            add_member(t, child);
            end += *end == ' ';
        }
    }
    if (tasks != NULL) {
        closedir(tasks);
    }
}

static bool push_pair(m31ri_proc_tree *t, size_t *n, int64_t pid, int64_t parent)
{
    if (*n + 2 > t->all_capacity) {
        size_t capacity = t->all_capacity == 0 ? 1024 : 2 * t->all_capacity;
        int64_t *more = m31ri_realloc(t->all, capacity * sizeof *more);
        if (more == NULL) {
            return false;
        }
        t->all = more;
        t->all_capacity = capacity;
    }
    t->all[(*n)++] = pid;
    t->all[(*n)++] = parent;
    return true;
}

/* (pid, parent) of every process on the machine into t->all; how many numbers there are. */
static size_t scan_parents(m31ri_proc_tree *t)
{
    size_t n = 0;
    DIR *proc = opendir("/proc");
    for (struct dirent *d; proc != NULL && (d = readdir(proc)) != NULL;) {
        uint64_t fields[M31RI_PROC_STAT_FIELDS + 1];
        int64_t pid = d->d_name[0] >= '1' && d->d_name[0] <= '9' ? strtoll(d->d_name, NULL, 10) : 0;
        if (pid > 0 && m31ri_proc_stat(pid, fields) && !push_pair(t, &n, pid, (int64_t)fields[4])) {
            break;
        }
    }
    if (proc != NULL) {
        closedir(proc);
    }
    return n;
}

static void find_members(m31ri_proc_tree *t, const int64_t *roots, size_t n_roots)
{
    int64_t start_ns = m31ri_mono_ns();
    size_t n_all = t->has_children_files ? 0 : scan_parents(t);
    t->n = 0;
    t->is_cut = false;
    for (size_t i = 0; i < n_roots; i++) {
        add_member(t, roots[i]);
    }
    for (size_t at = 0; at < t->n; at++) {
        if (t->has_children_files) {
            add_listed_children(t, t->pids[at]);
            continue;
        }
        for (size_t i = 0; i < n_all; i += 2) {
            if (t->all[i + 1] == t->pids[at]) {
                add_member(t, t->all[i]);
            }
        }
    }
    t->skip = (int)((m31ri_mono_ns() - start_ns) / CHEAP_NS);
}

/* Adds what /proc says of one process; false when it is gone, or going: without memory of its own.
 */
static bool add_usage(int64_t pid, m31ri_proc_usage *out)
{
    uint64_t fields[M31RI_PROC_STAT_FIELDS + 1];
    if (!m31ri_proc_stat(pid, fields) || fields[3] == 'Z' || fields[23] == 0) {
        return false;
    }
    uint64_t tick_ns = 1000000000u / (uint64_t)sysconf(_SC_CLK_TCK);
    out->n_processes++;
    out->n_threads += (uint32_t)fields[20];
    out->cpu_ns += (fields[14] + fields[15] + fields[16] + fields[17]) * tick_ns;
    out->rss_bytes += fields[24] * (uint64_t)sysconf(_SC_PAGESIZE);
    char path[64];
    char text[512];
    snprintf(path, sizeof path, "/proc/%lld/io", (long long)pid);
    if (m31ri_proc_read(path, text, sizeof text) > 0) {
        const char *r = strstr(text, "\nread_bytes: ");
        const char *w = strstr(text, "\nwrite_bytes: ");
        out->has_io = true;
        out->read_bytes += r != NULL ? strtoull(r + 13, NULL, 10) : 0;
        out->write_bytes += w != NULL ? strtoull(w + 14, NULL, 10) : 0;
    }
    return true;
}

bool m31ri_proc_tree_usage(m31ri_proc_tree *t, const int64_t *roots, size_t n,
                           const int64_t *without, size_t n_without, m31ri_proc_usage *out)
{
    memset(out, 0, sizeof *out);
    if (t->skip > 0 && t->n > 0) {
        t->skip--;
    } else {
        find_members(t, roots, n);
    }
    out->is_cut = t->is_cut;
    for (size_t i = 0; i < t->n; i++) {
        if (!holds(without, n_without, t->pids[i])) {
            add_usage(t->pids[i], out);
        }
    }
    return out->n_processes > 0;
}

void m31ri_proc_tree_signal(m31ri_proc_tree *t, const int64_t *roots, size_t n,
                            const int64_t *without, size_t n_without, int number)
{
    find_members(t, roots, n);
    for (size_t i = 0; i < t->n; i++) {
        if (t->pids[i] > 1 && !holds(without, n_without, t->pids[i])) {
            kill((pid_t)t->pids[i], number);
        }
    }
}

/* The path behind ":memory:" (v1) or "0::" (v2) in /proc/<pid>/cgroup; false when there is none. */
static bool cgroup_path(const char *text, bool v2, char *out, size_t size)
{
    const char *found = strstr(text, v2 ? "0::" : ":memory:");
    if (found == NULL) {
        return false;
    }
    found += v2 ? 3 : 8;
    size_t length = strcspn(found, "\n");
    if (length >= size) {
        return false;
    }
    memcpy(out, found, length);
    out[length] = '\0';
    return true;
}

static int64_t number_after(const char *file, const char *key)
{
    char text[1024];
    if (m31ri_proc_read(file, text, sizeof text) <= 0) {
        return -1;
    }
    const char *at = strstr(text, key);
    return at != NULL ? strtoll(at + strlen(key), NULL, 10) : -1;
}

int64_t m31ri_cgroup_oom_kills_below(const char *membership, const char *mount, bool *out_is_own)
{
    static const char *const unified[] = {"", "/unified"}; /* the second beside version 1 */
    char group[2048];
    char file[2400];
    int64_t n = -1;
    *out_is_own = false;
    if (cgroup_path(membership, false, group, sizeof group)) {
        snprintf(file, sizeof file, "%.256s/memory%s/memory.oom_control", mount, group);
        n = number_after(file, "\noom_kill ");
        *out_is_own = n >= 0 && strcmp(group, "/") != 0;
    }
    for (int i = 0; i < 2 && n < 0 && cgroup_path(membership, true, group, sizeof group); i++) {
        snprintf(file, sizeof file, "%.256s%s%s/memory.events", mount, unified[i], group);
        n = number_after(file, "\noom_kill ");
        *out_is_own =
            n >= 0; /* the machine's root has no such file: a root that has is a container's */
    }
    return n;
}

int64_t m31ri_cgroup_oom_kills(int64_t pid, bool *out_is_own)
{
    char path[64];
    char text[4096];
    snprintf(path, sizeof path, "/proc/%lld/cgroup", (long long)pid);
    *out_is_own = false;
    return m31ri_proc_read(path, text, sizeof text) > 0
               ? m31ri_cgroup_oom_kills_below(text, "/sys/fs/cgroup", out_is_own)
               : -1;
}
