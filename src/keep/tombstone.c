/* tombstone.c - what is left of a run that was removed or moved: `.removed/<run_id>/`.
 *
 *     {"format_version":1,"run_id":...,"removed":ts,"reason":...,"moved_to":null|path,
 *      "root":hex,"metadata":{...},"files":[lines of the manifest]}
 *
 * It is on disk before anything of the run goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verify/manifest_read.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/json_text.h"
#include "format/timestamp.h"
#include "keep/keep_int.h"

/* Opens `.removed/<run_id>`, made when it is missing; -1 and errno. */
static int open_place(int root, const char *run_id)
{
    if (mkdirat(root, M31RI_TOMBSTONES, 0777) != 0 && errno != EEXIST) {
        return -1;
    }
    int all = m31ri_open_dir(root, M31RI_TOMBSTONES, false);
    int fd = -1;
    if (all >= 0 && (mkdirat(all, run_id, 0777) == 0 || errno == EEXIST)) {
        fd = m31ri_open_dir(all, run_id, false);
    }
    int saved = errno;
    if (all >= 0) {
        close(all);
    }
    errno = saved;
    return fd;
}

static void add_text(m31ri_buf *out, const char *key, const char *text)
{
    m31ri_buf_add_format(out, ",\"%s\":", key);
    if (text != NULL && text[0] != '\0') {
        m31ri_json_string(out, text, strlen(text));
    } else {
        m31ri_buf_add_str(out, "null");
    }
}

static void add_files(m31ri_buf *out, int run)
{
    m31ri_manifest m;
    bool is_read = m31ri_manifest_read(run, &m, NULL) == M31R_OK;
    add_text(out, "root", is_read ? m.root : NULL);
    m31ri_buf_add_str(out, ",\"files\":[");
    for (size_t i = 0; is_read && m.is_readable && i < m.n; i++) {
        m31ri_buf_add_str(out, i > 0 ? ",\n" : "\n");
        m31ri_buf_add(out, m.files[i].line, m.files[i].length);
    }
    m31ri_buf_add_str(out, "]");
    if (is_read) {
        m31ri_manifest_release(&m);
    }
}

m31r_err m31ri_tombstone_write(int root, const m31r_reader *r, const char *reason,
                               const char *moved_to, m31r_error *e)
{
    char now[M31RI_TIMESTAMP_BYTES + 1];
    m31ri_buf text = M31RI_BUF_INIT;
    const char *run_id = strrchr(r->path, '/') != NULL ? strrchr(r->path, '/') + 1 : r->path;
    m31ri_timestamp_write(m31ri_wall_ns(), now);
    m31ri_buf_add_str(&text, "{\"format_version\":1");
    add_text(&text, "run_id", run_id);
    add_text(&text, "removed", now);
    add_text(&text, "reason", reason);
    add_text(&text, "moved_to", moved_to);
    m31ri_buf_add_str(&text, ",\"metadata\":");
    bool has_metadata = r->metadata != NULL && r->text.length > 0;
    m31ri_buf_add(&text, has_metadata ? r->text.data : "null", has_metadata ? r->text.length : 4);
    add_files(&text, r->fd);
    m31ri_buf_add_str(&text, "}\n");
    int fd = open_place(root, run_id);
    m31r_err err = M31R_OK;
    if (fd < 0) {
        err = m31ri_fail_sys(e, errno, M31RI_TOMBSTONES, "making %s/%s", M31RI_TOMBSTONES, run_id);
    } else if (!m31ri_buf_ok(&text)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a tombstone");
    } else {
        err = m31ri_replace_file(fd, "tombstone.json", text.data, text.length, true, e);
    }
    if (fd >= 0) {
        close(fd);
    }
    m31ri_buf_release(&text);
    return err;
}

static bool is_log(const m31ri_dir_entry *entry)
{
    size_t n = strlen(entry->name);
    return entry->type == 'f' && ((n > 4 && strcmp(entry->name + n - 4, ".log") == 0) ||
                                  (n > 8 && strcmp(entry->name + n - 8, ".log.zst") == 0));
}

m31r_err m31ri_tombstone_take_logs(int root, int run, const char *run_id, m31r_error *e)
{
    m31ri_dir_list list = {0};
    int fd = open_place(root, run_id);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, M31RI_TOMBSTONES, "opening %s/%s", M31RI_TOMBSTONES,
                              run_id);
    }
    m31r_err err = m31ri_dir_list_fd(run, &list, e);
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        const char *name = list.entries[i].name;
        if (is_log(&list.entries[i]) && renameat(run, name, fd, name) != 0) {
            err = m31ri_fail_sys(e, errno, name, "moving %s to the tombstone", name);
        }
    }
    if (err == M31R_OK && fsync(fd) != 0) {
        err = m31ri_fail_sys(e, errno, M31RI_TOMBSTONES, "syncing the tombstone");
    }
    m31ri_dir_list_release(&list);
    close(fd);
    return err;
}
