/* os_process.c - process identity from /proc; where there is none, less is known and said to be
 * unknown. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_process.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

ssize_t m31ri_proc_read(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -1;
    }
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    out[n > 0 ? n : 0] = '\0';
    return n;
}

bool m31ri_proc_stat(int64_t pid, uint64_t fields[M31RI_PROC_STAT_FIELDS + 1])
{
    char path[64];
    char text[1024];
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    if (m31ri_proc_read(path, text, sizeof text) <= 0) {
        return false;
    }
    char *p = strrchr(text, ')');
    if (p == NULL || strlen(p) < 4) {
        return false;
    }
    fields[3] = (uint64_t)(unsigned char)p[2];
    p += 3;
    for (int i = 4; i <= M31RI_PROC_STAT_FIELDS; i++) {
        fields[i] = strtoull(p, &p, 10);
    }
    return true;
}

static void read_boot_id(char out[40])
{
    ssize_t n = m31ri_proc_read("/proc/sys/kernel/random/boot_id", out, 40);
    if (n > 0 && out[n - 1] == '\n') {
        out[n - 1] = '\0';
    } else if (n <= 0) {
        out[0] = '\0';
    }
}

m31ri_process m31ri_process_of(int64_t pid)
{
    m31ri_process p = {.pid = pid};
    uint64_t fields[M31RI_PROC_STAT_FIELDS + 1];
    struct utsname names;
    p.start_ticks = m31ri_proc_stat(pid, fields) ? fields[22] : 0;
    read_boot_id(p.boot_id);
    if (uname(&names) == 0) {
        snprintf(p.host, sizeof p.host, "%.64s", names.nodename);
    }
    return p;
}

m31ri_process m31ri_process_self(void)
{
    return m31ri_process_of((int64_t)getpid());
}

m31ri_liveness m31ri_process_liveness(const m31ri_process *p)
{
    m31ri_process here = m31ri_process_of(p->pid);
    if (p->pid <= 0 || strcmp(p->host, here.host) != 0) {
        return M31RI_UNKNOWN;
    }
    if (p->boot_id[0] != '\0' && here.boot_id[0] != '\0' && strcmp(p->boot_id, here.boot_id) != 0) {
        return M31RI_DEAD;
    }
    uint64_t fields[M31RI_PROC_STAT_FIELDS + 1];
    if (!m31ri_proc_stat(p->pid, fields)) {
        return kill((pid_t)p->pid, 0) != 0 && errno == ESRCH ? M31RI_DEAD : M31RI_UNKNOWN;
    }
    if (fields[3] == 'Z' || fields[3] == 'X') {
        return M31RI_DEAD;
    }
    return p->start_ticks == 0 || fields[22] == p->start_ticks ? M31RI_ALIVE : M31RI_DEAD;
}

void m31ri_thread_be_idle(void)
{
    const struct sched_param none = {0};
    pthread_setschedparam(pthread_self(), SCHED_IDLE, &none);
}

uint64_t m31ri_process_rss_bytes(void)
{
    char text[128];
    if (m31ri_proc_read("/proc/self/statm", text, sizeof text) <= 0) {
        return 0;
    }
    char *resident = strchr(text, ' ');
    return resident != NULL ? strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}
