/* os_host.c - host facts by uname(2), /etc/os-release and /proc; what cannot be read stays empty,
 * never guessed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_host.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define ARGUMENT_BYTES (1024 * 1024)
#define FACT_BYTES 16384 /* of /proc/cpuinfo: the first processor is enough */

/* Reads the start of a small file into `out` with NUL; false when it cannot be read. */
static bool read_start(const char *path, char *out, size_t size)
{
    size_t done = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    while (done < size - 1 &&
           ((n = read(fd, out + done, size - 1 - done)) > 0 || (n < 0 && errno == EINTR))) {
        done += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    out[done] = '\0';
    return done > 0;
}

/* Copies what follows `key` and its separators in `text` to the end of the line; false when the key
 * is not there. */
static bool take_line(const char *text, const char *key, char *out, size_t size)
{
    size_t length = strlen(key);
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *end = line + strcspn(line, "\n");
        if (strncmp(line, key, length) == 0 && strchr(" \t:=", line[length]) != NULL) {
            const char *value = line + length;
            value += strspn(value, " \t:=\"");
            int n = (int)(end - value);
            while (n > 0 && strchr("\" \t", value[n - 1]) != NULL) {
                n--;
            }
            snprintf(out, size, "%.*s", n > 0 ? n : 0, value);
            return true;
        }
        line = *end == '\n' ? end + 1 : NULL;
    }
    return false;
}

static void read_cpu(m31ri_host *h)
{
    char text[FACT_BYTES];
    if (read_start("/proc/cpuinfo", text, sizeof text) &&
        !take_line(text, "model name", h->cpu_model, sizeof h->cpu_model)) {
        take_line(text, "CPU part", h->cpu_model,
                  sizeof h->cpu_model); /* ARM names a part number only */
    }
    cpu_set_t set;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    h->cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? (uint32_t)CPU_COUNT(&set)
                                                          : (uint32_t)(online > 0 ? online : 0);
}

void m31ri_host_read(m31ri_host *out)
{
    m31ri_host h;
    struct utsname names;
    char text[FACT_BYTES];
    char value[64];
    memset(&h, 0, sizeof h);
    if (uname(&names) == 0) {
        snprintf(h.name, sizeof h.name, "%.64s", names.nodename);
        snprintf(h.kernel, sizeof h.kernel, "%.60s %.60s", names.sysname, names.release);
        snprintf(h.arch, sizeof h.arch, "%.64s", names.machine);
    }
    if (read_start("/etc/os-release", text, sizeof text)) {
        take_line(text, "PRETTY_NAME", h.os, sizeof h.os);
    }
    if (read_start("/proc/meminfo", text, sizeof text) &&
        take_line(text, "MemTotal", value, sizeof value)) {
        h.memory_bytes = strtoull(value, NULL, 10) * 1024;
    }
    read_cpu(&h);
    *out = h;
}

bool m31ri_host_line(const char *path, const char *key, char *out, size_t size)
{
    char text[FACT_BYTES];
    return read_start(path, text, sizeof text) && take_line(text, key, out, size);
}

bool m31ri_host_cpu_flags(char *out, size_t size)
{
    return m31ri_host_line("/proc/cpuinfo", "flags", out, size) ||
           m31ri_host_line("/proc/cpuinfo", "Features", out, size);
}

bool m31ri_process_arguments(m31ri_buf *out)
{
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    size_t start = out->length;
    ssize_t n = -1;
    while (out->length - start < ARGUMENT_BYTES && m31ri_buf_reserve(out, 4096) &&
           ((n = read(fd, out->data + out->length, 4096)) > 0 || (n < 0 && errno == EINTR))) {
        out->length += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (out->length > start) {
        out->data[out->length] = '\0';
        if (out->data[out->length - 1] != '\0') {
            m31ri_buf_add(out, "", 1);
        }
    }
    return out->length > start;
}
