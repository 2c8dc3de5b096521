/* run_stamp.c - inode, size, modification and change time of each file that a row is made from.
 *
 * The form is a list of entries: five numbers of 8 bytes in this machine's order, then the file's
 * name with its NUL; the first has the name "." and is the directory, whose times tell of files
 * that came or went. A file that is not there has zeros: it is looked for too. Change times cannot
 * be set back, so a copy that keeps modification times is seen as well.
 */
#include "runs/run_stamp.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_dir.h"
#include "base/os_file.h"

#define NUMBERS M31RI_STAMP_NUMBERS
#define NAME_BYTES 600

static int64_t ns_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000000000LL + t.tv_nsec;
}

void m31ri_run_stamp_file(int root_fd, const char *run_id, const char *file, int64_t out[NUMBERS])
{
    char path[NAME_BYTES];
    struct stat st;
    memset(out, 0, NUMBERS * sizeof *out);
    snprintf(path, sizeof path, "%s/%s", run_id, file);
    if (fstatat(root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        out[0] = (int64_t)st.st_ino;
        out[1] = (int64_t)st.st_dev;
        out[2] = S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;
        out[3] = ns_of(st.st_mtim);
        out[4] = ns_of(st.st_ctim);
    }
}

static void add_entry(int root_fd, const char *run_id, const char *file, m31ri_buf *out,
                      int64_t *newest_ns)
{
    int64_t numbers[NUMBERS];
    m31ri_run_stamp_file(root_fd, run_id, file, numbers);
    m31ri_buf_add(out, numbers, sizeof numbers);
    m31ri_buf_add(out, file, strlen(file) + 1);
    for (int i = 3; i < NUMBERS; i++) {
        *newest_ns = numbers[i] > *newest_ns ? numbers[i] : *newest_ns;
    }
}

bool m31ri_run_stamp_write(int root_fd, const char *run_id, m31ri_buf *out, int64_t *out_newest_ns)
{
    static const char *const files[] = {
        ".", "metadata.json", "metrics.json", "config_snapshot.yaml", "metrics.csv", "notes.jsonl"};
    m31ri_dir_list names = {0};
    int64_t newest_ns = 0;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        add_entry(root_fd, run_id, files[i], out, &newest_ns);
    }
    int fd = m31ri_open_dir(root_fd, run_id, false);
    bool is_fine = fd >= 0 && m31ri_dir_list_fd(fd, &names, NULL) == M31R_OK;
    for (size_t i = 0; is_fine && i < names.n; i++) {
        const char *name = names.entries[i].name;
        size_t length = strlen(name);
        if (strncmp(name, "metrics.rank", 12) == 0 && strcmp(name + length - 4, ".csv") == 0) {
            add_entry(root_fd, run_id, name, out, &newest_ns);
        }
    }
    m31ri_dir_list_release(&names);
    if (fd >= 0) {
        close(fd);
    }
    *out_newest_ns = newest_ns;
    return is_fine && m31ri_buf_ok(out);
}

bool m31ri_run_stamp_holds(int root_fd, const char *run_id, const char *stamp, size_t length)
{
    size_t at = 0;
    while (at < length) {
        int64_t then[NUMBERS];
        int64_t now[NUMBERS];
        const char *name = stamp + at + sizeof then;
        if (length - at <= sizeof then) {
            return false;
        }
        const char *end = memchr(name, '\0', length - at - sizeof then);
        if (end == NULL) {
            return false;
        }
        memcpy(then, stamp + at, sizeof then);
        m31ri_run_stamp_file(root_fd, run_id, name, now);
        if (memcmp(then, now, sizeof now) != 0) {
            return false;
        }
        at = (size_t)(end + 1 - stamp);
    }
    return length > 0;
}
