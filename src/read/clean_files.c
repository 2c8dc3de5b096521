/* clean_files.c - files that exist, looked through for what must not be in them.
 *
 * Names come in byte order, so the same files give the same answer. What was captured from a
 * program (stdout, stderr), differences of a work tree and text that is no record are looked
 * through too, but what a person wrote there in plain words no rule can know: such files are named.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "m31r/clean.h"
#include "read/source.h"
#include "rules/clean_line.h"
#include "rules/privacy_run.h"

#define HEAD 4096 /* bytes that say whether a file is text */
#define DEPTH 32  /* directories below one another */

typedef struct check {
    m31r_privacy_check_options o;
    m31r_privacy_summary *sum;
    m31ri_line_cleaner lines;
    m31ri_privacy *defaults;
    m31ri_buf path; /* of the file looked at, from the path given */
    m31ri_buf out;
    uint64_t line;
    m31r_error *e;
} check;

static void tell(void *context, const m31ri_find *f)
{
    check *c = context;
    c->sum->n_found++;
    if (c->o.found != NULL) {
        const m31r_leak finding = {.file = m31ri_buf_str(&c->path),
                                   .line = c->line,
                                   .column = f->column,
                                   .found = f->kind,
                                   .rule = f->rule};
        c->o.found(c->o.context, &finding);
    }
}

static void doubt(check *c, const char *why)
{
    c->sum->n_unproved++;
    if (c->o.unproved != NULL) {
        c->o.unproved(c->o.context, &(m31r_unproved){m31ri_buf_str(&c->path), why});
    }
}

static bool has(const char *name, const char *part)
{
    return strstr(name, part) != NULL;
}

/* Why nobody can say that a file of this name is clean; NULL: there is no reason. */
static const char *doubt_of_name(const char *name)
{
    if (has(name, ".stdout") || has(name, ".stderr") || has(name, "stdout.") ||
        has(name, "stderr.")) {
        return "what a program printed is free text: names and words of persons have no form";
    }
    if (has(name, ".diff") || has(name, ".patch") || has(name, "untracked")) {
        return "source text: names and words of persons have no form";
    }
    return NULL;
}

static m31r_err look_at_lines(check *c, m31ri_source *s, uint64_t *out_free)
{
    for (;;) {
        const char *line;
        size_t length;
        m31r_err err = m31ri_source_line(s, true, &line, &length, c->e);
        c->line = s->line_number;
        if (err == M31R_EOF) {
            return M31R_OK;
        }
        if (err == M31R_E_LIMIT || err == M31R_E_CORRUPT) {
            doubt(c, err == M31R_E_LIMIT ? "a line is too long to be read"
                                         : "bytes of it cannot be read");
            continue;
        }
        if (err != M31R_OK) {
            return err;
        }
        c->sum->n_lines++;
        *out_free += length != 0 && line[0] != '{';
        m31ri_buf_clear(&c->out);
        (void)m31ri_line_clean(&c->lines, line, length, &c->out);
    }
}

static m31r_err look_at_file(check *c, int fd, const char *name)
{
    char head[HEAD];
    ssize_t n = pread(fd, head, sizeof head, 0);
    m31ri_bytes *bytes = NULL;
    m31ri_source source;
    c->sum->n_files++;
    if (n > 0 && memchr(head, '\0', (size_t)n) != NULL && !m31ri_bytes_is_zstd(fd, name)) {
        doubt(c, "not text: not looked into");
        close(fd);
        return M31R_OK;
    }
    m31r_err err = m31ri_bytes_open(&bytes, fd, true, name, c->e);
    if (err == M31R_OK) {
        err = m31ri_source_init(&source, bytes, name, "", c->e);
    }
    if (err != M31R_OK) {
        return err;
    }
    uint64_t n_free = 0;
    c->lines.in_key = false;
    err = look_at_lines(c, &source, &n_free);
    const char *why = doubt_of_name(name);
    bool is_ours = has(name, ".csv") || has(name, ".json") || has(name, ".yaml");
    if (err == M31R_OK && (why != NULL || (n_free > 0 && !is_ours))) {
        doubt(c, why != NULL ? why : "free text: names and words of persons have no form");
    }
    m31ri_source_release(&source);
    return err;
}

/* In a run its own rules hold. Returns the rules to take up again behind it. */
static const m31ri_privacy *enter(check *c, int dir, m31ri_privacy **own)
{
    const m31ri_privacy *before = c->lines.privacy;
    if (faccessat(dir, "metadata.json", R_OK, 0) != 0) {
        return before;
    }
    *own = m31ri_privacy_of_run(dir);
    if (*own == NULL) {
        doubt(c, "the run's own rules cannot be read: only the built-in ones were tried");
        return before;
    }
    c->lines.privacy = *own;
    c->sum->has_prompts = c->sum->has_prompts || m31ri_privacy_keeps_prompts(*own);
    return before;
}

static m31r_err look_below(check *c, int dir, int depth);

static m31r_err look_at_entry(check *c, int dir, const m31ri_dir_entry *entry, int depth)
{
    size_t length = c->path.length;
    m31r_err err = M31R_OK;
    m31ri_buf_add_format(&c->path, "%s%s", length != 0 ? "/" : "", entry->name);
    if (entry->type == 'd' && depth < DEPTH) {
        int below = m31ri_open_dir(dir, entry->name, false);
        if (below >= 0) {
            err = look_below(c, below, depth + 1);
            close(below);
        } else {
            doubt(c, "cannot be opened");
        }
    } else if (entry->type == 'f') {
        int fd = m31ri_open(dir, entry->name, O_RDONLY | O_NONBLOCK, 0);
        if (fd >= 0) {
            err = look_at_file(c, fd, entry->name);
        } else {
            doubt(c, "cannot be opened");
        }
    } else {
        doubt(c, entry->type == 'l' ? "a link: not followed" : "no regular file");
    }
    if (c->path.length > length) {
        c->path.length = length;
        c->path.data[length] = '\0';
    }
    return err;
}

static m31r_err look_below(check *c, int dir, int depth)
{
    m31ri_dir_list list;
    m31ri_privacy *own = NULL;
    m31r_err err = m31ri_dir_list_fd(dir, &list, c->e);
    if (err != M31R_OK) {
        return err;
    }
    const m31ri_privacy *before = enter(c, dir, &own);
    for (size_t i = 0; i < list.n && err == M31R_OK; i++) {
        err = look_at_entry(c, dir, &list.entries[i], depth);
    }
    c->lines.privacy = before;
    m31ri_privacy_free(own);
    m31ri_dir_list_release(&list);
    return err;
}

static m31r_err look_at_path(check *c, const char *path)
{
    int dir = m31ri_open_dir(AT_FDCWD, path, true);
    if (dir >= 0) {
        m31r_err err = look_below(c, dir, 0);
        close(dir);
        return err;
    }
    int fd = m31ri_open_input(path);
    if (fd < 0) {
        m31r_err err = errno == ENOENT ? M31R_E_NOTFOUND : M31R_E_IO;
        return m31ri_fail(c->e, err, "%s: %s", path, strerror(errno));
    }
    m31ri_privacy *own = NULL;
    const char *slash = strrchr(path, '/');
    m31ri_buf_add_str(&c->path, path);
    m31ri_buf above = M31RI_BUF_INIT;
    m31ri_buf_add(&above, slash != NULL ? path : "./",
                  slash != NULL ? (size_t)(slash - path) + 1 : 2);
    dir = m31ri_open_dir(AT_FDCWD, m31ri_buf_str(&above), true);
    if (dir >= 0) {
        (void)enter(c, dir, &own);
        close(dir);
    }
    m31r_err err = look_at_file(c, fd, slash != NULL ? slash + 1 : path);
    m31ri_privacy_free(own);
    m31ri_buf_release(&above);
    return err;
}

m31r_err m31r_privacy_check(const char *path, const m31r_privacy_check_options *o,
                            m31r_privacy_summary *out, m31r_error *e)
{
    m31r_privacy_summary sum = {0};
    check c = {.o = M31R_PRIVACY_CHECK_OPTIONS_INIT,
               .sum = &sum,
               .path = M31RI_BUF_INIT,
               .out = M31RI_BUF_INIT,
               .e = e};
    /* The caller's struct may be of an older, shorter version. */
    memcpy(&c.o, o, o->size < sizeof c.o ? o->size : sizeof c.o);
    m31r_err err = m31ri_privacy_of_config(c.o.config, false, &c.defaults, e);
    if (err != M31R_OK) {
        return err;
    }
    c.lines = (m31ri_line_cleaner){.privacy = c.defaults, .found = tell, .context = &c};
    err = look_at_path(&c, path);
    if (err == M31R_OK && (c.path.failed || c.out.failed)) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for %s", path);
    }
    if (err == M31R_OK) {
        *out = sum;
    }
    m31ri_line_cleaner_release(&c.lines);
    m31ri_privacy_free(c.defaults);
    m31ri_buf_release(&c.path);
    m31ri_buf_release(&c.out);
    return err;
}
