/* os_mapping.c - mmap(2), fallocate(2), MADV_WIPEONFORK and POSIX record locks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/os_mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define MEMORY_ROOT "/dev/shm"
#define TMPFS_MAGIC 0x01021994

bool m31ri_mapping_memory_dir(char *out, size_t size)
{
    struct statfs fs;
    struct stat st;
    int n = snprintf(out, size, MEMORY_ROOT "/m31r-%lu", (unsigned long)geteuid());
    if (n < 0 || (size_t)n >= size || statfs(MEMORY_ROOT, &fs) != 0 || fs.f_type != TMPFS_MAGIC) {
        return false;
    }
    if (mkdir(out, 0700) != 0 && errno != EEXIST) {
        return false;
    }
    /* Anybody may make names in /dev/shm: only a directory of ours that nobody else can enter. */
    return lstat(out, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & 077) == 0;
}

void *m31ri_mapping_map(int fd, size_t size, bool is_writable)
{
    int rights = is_writable ? PROT_READ | PROT_WRITE : PROT_READ;
    void *at = mmap(NULL, size, rights, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

void m31ri_mapping_unmap(void *at, size_t size)
{
    if (at != NULL) {
        munmap(at, size);
    }
}

bool m31ri_mapping_replace(void *at, size_t size)
{
    return mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
           MAP_FAILED;
}

bool m31ri_mapping_size_is_allowed(uint64_t bytes)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
           bytes <= limit.rlim_cur;
}

int m31ri_mapping_take_room(int fd, uint64_t offset, uint64_t length)
{
    int err;
    do {
        err = posix_fallocate(fd, (off_t)offset, (off_t)length);
    } while (err == EINTR);
    return err;
}

void *m31ri_mapping_fork_token(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *at = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at != MAP_FAILED && madvise(at, page, MADV_WIPEONFORK) == 0) {
        return at;
    }
    if (at != MAP_FAILED) {
        munmap(at, page);
    }
    return NULL;
}

void m31ri_mapping_fork_token_free(void *page)
{
    if (page != NULL) {
        munmap(page, (size_t)sysconf(_SC_PAGESIZE));
    }
}

static struct flock whole_byte(short type, int which)
{
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = which;
    lock.l_len = 1;
    return lock;
}

bool m31ri_lease_take(int fd, int which)
{
    struct flock lock = whole_byte(F_WRLCK, which);
    return fcntl(fd, F_SETLK, &lock) == 0;
}

void m31ri_lease_end(int fd, int which)
{
    struct flock lock = whole_byte(F_UNLCK, which);
    fcntl(fd, F_SETLK, &lock);
}

bool m31ri_lease_is_held(int fd, int which)
{
    struct flock lock = whole_byte(F_WRLCK, which);
    return fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
