/* value_key.c - a run's key, made, laid out in memory, found and taken away; value_key.h. */
#include "rules/value_key.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os_file.h"
#include "base/os_mapping.h"

/* "/dev/shm/m31r-<uid>/<run_id>.<device>.<inode>.key": runs of one second and one identity in two
 * directories of runs have the same id. False when there is no such memory. */
static bool place_of(int dir, const char *run_id, char *out, size_t size)
{
    char memory[128];
    struct stat st;
    if (fstat(dir, &st) != 0 || !m31ri_mapping_memory_dir(memory, sizeof memory)) {
        return false;
    }
    int n = snprintf(out, size, "%s/%s.%llx.%llx.key", memory, run_id,
                     (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return n > 0 && (size_t)n < size;
}

void m31ri_value_key_make(m31ri_privacy *p, int dir, const char *run_id, const char *path)
{
    char place[512];
    m31ri_value_key *k = m31ri_privacy_value_key(p);
    k->is_set = m31ri_hmac_key_new(k->bytes);
    if (!k->is_set || !place_of(dir, run_id, place, sizeof place)) {
        return;
    }
    int fd = m31ri_open(AT_FDCWD, place, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd >= 0) {
        bool is_whole = write(fd, k->bytes, sizeof k->bytes) == (ssize_t)sizeof k->bytes &&
                        write(fd, path, strlen(path)) == (ssize_t)strlen(path);
        close(fd);
        if (!is_whole) {
            unlink(place);
        }
    }
}

void m31ri_value_key_find(m31ri_privacy *p, int dir, const char *run_id)
{
    char place[512];
    m31ri_value_key *k = m31ri_privacy_value_key(p);
    int fd =
        place_of(dir, run_id, place, sizeof place) ? m31ri_open(AT_FDCWD, place, O_RDONLY, 0) : -1;
    if (fd >= 0) {
        k->is_set = read(fd, k->bytes, sizeof k->bytes) == (ssize_t)sizeof k->bytes;
        close(fd);
    }
}

void m31ri_value_key_forget(int dir, const char *run_id)
{
    char place[512];
    if (place_of(dir, run_id, place, sizeof place)) {
        unlink(place); /* its pages are given back; they are never on a disk but by swapping */
    }
}

bool m31ri_value_key_run(const char *path, char *out, size_t size)
{
    uint8_t key[M31RI_HMAC_BYTES];
    int fd = m31ri_open(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, key, sizeof key) == (ssize_t)sizeof key ? read(fd, out, size - 1) : -1;
    close(fd);
    explicit_bzero(key, sizeof key);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 && out[0] == '/';
}
