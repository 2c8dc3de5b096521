/* clean.c - m31r_clean(): rotated segments of logs/ by a policy, the oldest first.
 *
 * Each segment is looked at for failures before it may go (segment.h), and its tombstone, a line of
 * logs/removed.jsonl with its digest, is on disk before it goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "base/sha256.h"
#include "format/settings.h"
#include "format/yaml.h"
#include "keep/keep_int.h"
#include "store/segment.h"

#define TOMBSTONES "removed.jsonl"
#define DAY_NS (86400LL * 1000000000LL)
#define MIB (1024ULL * 1024ULL)

typedef struct cleaning {
    int dir;
    bool is_dry;
    int64_t days, mib, count; /* -1: no such limit */
    uint64_t bytes;           /* of what stays so far, from the newest */
    int64_t n;
    void (*each)(void *context, const m31r_cleaned *c);
    void *context;
} cleaning;

static m31r_err read_policy(const m31r_clean_options *o, cleaning *c, m31r_error *e)
{
    const char *path = o->project != NULL ? o->project : "m31r.yaml";
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_yaml *yaml = NULL;
    m31ri_project project;
    m31r_err err = m31ri_read_file(AT_FDCWD, path, M31RI_YAML_BYTES, &text, e);
    if (err == M31R_E_NOTFOUND && o->project == NULL) {
        m31ri_buf_release(&text);
        return M31R_OK;
    }
    if (err == M31R_OK) {
        err = m31ri_yaml_read(m31ri_buf_str(&text), text.length, path, &yaml, e);
    }
    if (err == M31R_OK && !m31ri_project_init(&project)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    } else if (err == M31R_OK) {
        err = m31ri_project_read(yaml, path, &project, e);
        if (err == M31R_OK) {
            c->days = project.clean_days_set ? project.clean_days : -1;
            c->mib = project.clean_mib_set ? project.clean_mib : -1;
            c->count = project.clean_count_set ? project.clean_count : -1;
        }
        m31ri_project_release(&project);
    }
    m31ri_yaml_free(yaml);
    m31ri_buf_release(&text);
    return err;
}

static m31r_err choose_policy(const m31r_clean_options *o, cleaning *c, m31r_error *e)
{
    c->days = c->mib = c->count = -1;
    m31r_err err = read_policy(o, c, e);
    c->days = o->days >= 0 ? o->days : c->days;
    c->mib = o->mib >= 0 ? o->mib : c->mib;
    c->count = o->count >= 0 ? o->count : c->count;
    if (err == M31R_OK && c->days < 0 && c->mib < 0 && c->count < 0) {
        err = m31ri_fail(e, M31R_E_ARG, "there is no policy: nothing says what may go");
        m31ri_fail_hint(e, "clean_days, clean_mib or clean_count in m31r.yaml, or --days, --mib, "
                           "--count");
    }
    return err;
}

static m31r_err write_tombstone(const cleaning *c, const m31ri_old_segment *s, const char *why,
                                m31r_error *e)
{
    uint8_t digest[M31RI_SHA256_BYTES];
    char hex[M31RI_SHA256_HEX];
    int fd = m31ri_open(c->dir, s->file, O_RDONLY | O_NONBLOCK, 0);
    m31r_err err = fd >= 0 ? m31ri_sha256_fd(fd, digest, NULL, e)
                           : m31ri_fail_sys(e, errno, s->file, "reading %s", s->file);
    if (fd >= 0) {
        close(fd);
    }
    if (err != M31R_OK) {
        return err;
    }
    m31ri_sha256_hex(digest, hex);
    const m31r_value keys[] = {m31r_of_string("file"), m31r_of_string("bytes"),
                               m31r_of_string("sha256"), m31r_of_string("reason")};
    const m31r_value values[] = {m31r_of_string(s->file), m31r_of_uint(s->bytes),
                                 m31r_of_string(hex), m31r_of_string(why)};
    return m31ri_note_line(c->dir, TOMBSTONES, "segment_removed", keys, values, 4, e);
}

/* The part of the policy that it is outside of; NULL when it is within. From the newest on, so that
 * `bytes` and `n` are those of what is newer. */
static const char *outside(const cleaning *c, const m31ri_old_segment *s)
{
    if (c->days >= 0 && m31ri_wall_ns() - s->wall_ns > c->days * DAY_NS) {
        return "older than clean_days";
    }
    if (c->count >= 0 && c->n >= c->count) {
        return "more than clean_count";
    }
    return c->mib >= 0 && c->bytes + s->bytes > (uint64_t)c->mib * MIB ? "more than clean_mib"
                                                                       : NULL;
}

static m31r_err judge(void *context, const m31ri_old_segment *s, m31r_error *e)
{
    cleaning *c = context;
    m31r_cleaned told = {M31R_CLEAN_STAYS, s->file, "within the policy", s->bytes};
    m31r_err err = M31R_OK;
    const char *why = outside(c, s);
    const char *keeps = why != NULL ? m31ri_segment_stays(c->dir, s) : NULL;
    if (why != NULL && keeps != NULL) {
        told.why = keeps;
    } else if (why != NULL) {
        told.why = why;
        told.kind = M31R_CLEAN_PLANNED;
    }
    if (told.kind == M31R_CLEAN_PLANNED && !c->is_dry) {
        err = write_tombstone(c, s, why, e);
        if (err == M31R_OK && unlinkat(c->dir, s->file, 0) != 0 && errno != ENOENT) {
            err = m31ri_fail_sys(e, errno, s->file, "removing %s", s->file);
        }
        told.kind = M31R_CLEAN_REMOVED;
    }
    if (told.kind == M31R_CLEAN_STAYS) {
        c->n++;
        c->bytes += s->bytes;
    }
    if (err == M31R_OK) {
        c->each(c->context, &told);
    }
    return err;
}

m31r_err m31r_clean(const m31r_clean_options *o, void (*each)(void *context, const m31r_cleaned *c),
                    void *context, m31r_error *e)
{
    const char *path = o->logs != NULL ? o->logs : "logs";
    cleaning c = {.dir = -1, .is_dry = o->is_dry, .each = each, .context = context};
    struct stat st;
    m31r_err err = choose_policy(o, &c, e);
    if (err != M31R_OK) {
        return err;
    }
    c.dir = m31ri_open_dir(AT_FDCWD, path, true);
    if (c.dir < 0) {
        return errno == ENOENT ? M31R_OK : m31ri_fail_sys(e, errno, path, "opening %s", path);
    }
    if (fstatat(c.dir, "metadata.json", &st, AT_SYMLINK_NOFOLLOW) == 0 ||
        fstatat(c.dir, ".seals.jsonl", &st, AT_SYMLINK_NOFOLLOW) == 0) {
        err = m31ri_fail(e, M31R_E_ARG, "%s is a run or a directory of runs: clean is for logs/",
                         path);
    }
    err = err == M31R_OK ? m31ri_segments_each_newest_first(c.dir, judge, &c, e) : err;
    close(c.dir);
    return err;
}
