/* redact_packed.c - a compressed segment made anew from other plain bytes, beside the old one.
 *
 * It is whole, with a digest that can be said, before anything of the run is touched; then one
 * rename puts it in the old one's place. It is made in a directory of its own, where only redacted
 * bytes ever lie: what a killed redaction leaves there gives nothing away and is cleared by the
 * next one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/os_file.h"
#include "base/os_remove.h"
#include "format/run_files.h"
#include "format/seekable.h"
#include "keep/redact_int.h"
#include "store/segment.h"

#define FOLDER ".redacting"
#define PACKED ".zst"

bool m31ri_redact_is_packed(const char *path)
{
    size_t n = strlen(path), m = sizeof PACKED - 1;
    return n > m && strcmp(path + n - m, PACKED) == 0;
}

static bool add_plain(void *buf, const char *plain, size_t length)
{
    m31ri_buf_add(buf, plain, length);
    return m31ri_buf_ok(buf);
}

m31r_err m31ri_redact_unpack(int run, const char *path, m31ri_buf *out, m31r_error *e)
{
    int fd = m31ri_run_file_open(run, path);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, path, "reading %s", path);
    }
    m31r_err err = m31ri_seekable_walk(fd, add_plain, out, e);
    close(fd);
    return err;
}

static m31r_err digest_of(int dir, const char *name, uint8_t out[M31RI_SHA256_BYTES], m31r_error *e)
{
    int fd = m31ri_open(dir, name, O_RDONLY, 0);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, name, "reading %s", name);
    }
    m31r_err err = m31ri_sha256_fd(fd, out, NULL, e);
    close(fd);
    return err;
}

m31r_err m31ri_redact_pack(int run, const char *path, const m31ri_buf *plain,
                           uint8_t out[M31RI_SHA256_BYTES], m31r_error *e)
{
    char name[160];
    snprintf(name, sizeof name, "%.*s", (int)(strlen(path) - (sizeof PACKED - 1)), path);
    if (mkdirat(run, FOLDER, 0700) != 0 && errno != EEXIST) {
        return m31ri_fail_sys(e, errno, FOLDER, "making %s", FOLDER);
    }
    int dir = m31ri_open_dir(run, FOLDER, true);
    if (dir < 0) {
        return m31ri_fail_sys(e, errno, FOLDER, "opening %s", FOLDER);
    }
    (void)unlinkat(dir, path, 0); /* of a redaction that was killed */
    m31r_err err = m31ri_replace_file(dir, name, m31ri_buf_str(plain), plain->length, false, e);
    err = err == M31R_OK ? m31ri_segment_compress(dir, name, NULL, e) : err;
    err = err == M31R_OK ? digest_of(dir, path, out, e) : err;
    close(dir);
    return err;
}

m31r_err m31ri_redact_put_packed(int run, const char *path, m31r_error *e)
{
    struct stat st;
    int dir = m31ri_open_dir(run, FOLDER, true);
    int err = dir < 0 || fstatat(run, path, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
                      fchmodat(dir, path, st.st_mode & 07777, 0) != 0 ||
                      renameat(dir, path, run, path) != 0
                  ? errno
                  : 0;
    if (dir >= 0) {
        close(dir);
    }
    return err == 0 ? M31R_OK : m31ri_fail_sys(e, err, path, "replacing %s", path);
}

void m31ri_redact_leave(int run)
{
    (void)m31ri_remove_tree(run, FOLDER, NULL);
}
