/* live_place.c - `.live/at` written, read and followed; live_place.h.
 *
 * A place is followed only when it is a directory of ours (or we are root), not a symlink: the file
 * that names it lies where others may write.
 */
#include "format/live_place.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/os_file.h"
#include "base/os_process.h"

#define AT_BYTES 8192

bool m31ri_live_at_write(const char *path, const char *host, const char *because, char *out,
                         size_t size)
{
    json_t *at = json_pack("{s:s, s:s, s:s}", "path", path, "host", host, "because", because);
    size_t n = at != NULL ? json_dumpb(at, out, size, JSON_COMPACT) : 0;
    json_decref(at);
    if (n == 0 || n + 2 > size) {
        return false;
    }
    out[n] = '\n';
    out[n + 1] = '\0';
    return true;
}

static bool is_ours(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (geteuid() == 0 || st.st_uid == geteuid());
}

/* Follows the place; the errno, and ENOENT for one that is gone. */
static int follow(const json_t *at, m31ri_live_place *out)
{
    const char *path = json_string_value(json_object_get(at, "path"));
    const char *host = json_string_value(json_object_get(at, "host"));
    m31ri_process self = m31ri_process_self();
    if (path == NULL || host == NULL || path[0] != '/') {
        return EINVAL;
    }
    snprintf(out->host, sizeof out->host, "%s", host);
    out->path = m31ri_strdup(path);
    if (strcmp(host, self.host) != 0) {
        return 0;
    }
    out->fd = m31ri_open_dir(AT_FDCWD, path, false);
    if (out->fd < 0) {
        return errno;
    }
    return is_ours(out->fd) ? 0 : EACCES;
}

int m31ri_live_open(int run_fd, const char *name, m31ri_live_place *out)
{
    m31ri_buf text = M31RI_BUF_INIT;
    *out = (m31ri_live_place){.fd = -1, .gate_fd = -1};
    int fd = m31ri_open_dir(run_fd, name, false);
    if (fd < 0) {
        return errno;
    }
    if (m31ri_read_file(fd, M31RI_LIVE_AT, AT_BYTES, &text, NULL) != M31R_OK) {
        m31ri_buf_release(&text);
        out->fd = fd;
        return 0;
    }
    json_t *at = json_loadb(m31ri_buf_str(&text), text.length, 0, NULL);
    int err = follow(at, out);
    json_decref(at);
    m31ri_buf_release(&text);
    out->gate_fd = fd;
    if (err == ENOENT) {
        m31ri_free(out->path);
        *out = (m31ri_live_place){.fd = fd, .gate_fd = -1};
        return 0;
    }
    if (err != 0) {
        m31ri_live_release(out);
    }
    return err;
}

void m31ri_live_release(m31ri_live_place *p)
{
    if (p->fd >= 0) {
        close(p->fd);
    }
    if (p->gate_fd >= 0) {
        close(p->gate_fd);
    }
    m31ri_free(p->path);
    *p = (m31ri_live_place){.fd = -1, .gate_fd = -1};
}
