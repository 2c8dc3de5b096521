/* os_title.c - the name and the command line that others see of this process.
 *
 * The kernel reads a command line out of the process's own memory. It is told to look at a page of
 * ours, so that the arguments themselves, which others still point to, are not written over. It
 * takes all bounds of the address space at once; those that stay are read from /proc/self/stat.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/os_child.h"
#include "base/os_file.h"

/* Numbers of fields in proc(5). */
enum {
    FIELD_STATE = 3,
    FIELD_START_CODE = 26,
    FIELD_END_CODE = 27,
    FIELD_START_STACK = 28,
    FIELD_START_DATA = 45,
    FIELD_END_DATA = 46,
    FIELD_START_BRK = 47,
    FIELD_ENV_START = 50,
    FIELD_ENV_END = 51,
    FIELDS = 52
};

static bool read_fields(uint64_t out[FIELDS])
{
    char text[2048];
    int fd = m31ri_open(AT_FDCWD, "/proc/self/stat", O_RDONLY, 0);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    char *at = strrchr(text, ')'); /* the name before may hold anything */
    int i = FIELD_STATE;
    for (at = at != NULL ? strchr(at, ' ') : NULL; at != NULL && i < FIELDS; i++) {
        out[i] = strtoull(at + 1, NULL, 10);
        at = strchr(at + 1, ' ');
    }
    return i == FIELDS;
}

void m31ri_process_set_name(const char *name)
{
    uint64_t field[FIELDS] = {0};
    size_t size = strlen(name) + 1;
    prctl(PR_SET_NAME, name, 0, 0, 0);
    if (!read_fields(field)) {
        return;
    }
    char *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return;
    }
    memcpy(page, name, size);
    struct prctl_mm_map map = {.start_code = field[FIELD_START_CODE],
                               .end_code = field[FIELD_END_CODE],
                               .start_stack = field[FIELD_START_STACK],
                               .start_data = field[FIELD_START_DATA],
                               .end_data = field[FIELD_END_DATA],
                               .start_brk = field[FIELD_START_BRK],
                               .brk = (uintptr_t)sbrk(0),
                               .arg_start = (uintptr_t)page,
                               .arg_end = (uintptr_t)page + size,
                               .env_start = field[FIELD_ENV_START],
                               .env_end = field[FIELD_ENV_END],
                               .exe_fd = (uint32_t)-1};
    prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof map, 0);
}
