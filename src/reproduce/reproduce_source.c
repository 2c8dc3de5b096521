/* reproduce_source.c - which source files are not what the run was made of, and at which line.
 *
 * Asked when what is here will run, or when a built program is not the one that ran: a digest says
 * that something differs, a person wants to know what. git compares the work tree with the commit
 * of the run; a file that the run's own diff takes to the same blob is the same. The rest is named
 * with the first line that only one of the two has.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os_file.h"
#include "reproduce/reproduce_int.h"
#include "rules/privacy.h"

#define NAMED 8       /* files; the rest is counted */
#define LINE_BYTES 72 /* of a line of source that are shown */
#define LEAD_BYTES 40 /* of them before what differs */
#define DIFF_BYTES (64 * 1024 * 1024)

/* A part of a text. */
typedef struct piece {
    const char *at;
    size_t n;
} piece;

typedef struct source_look {
    m31r_reproduction *p;
    m31ri_privacy *rules; /* a line of source may hold a secret */
    const char *then;     /* the diff that was kept */
    size_t n_differ;
} source_look;

static bool piece_equal(piece a, piece b)
{
    return a.n == b.n && memcmp(a.at, b.at, a.n) == 0;
}

static bool begins(piece line, const char *with)
{
    return line.n >= strlen(with) && memcmp(line.at, with, strlen(with)) == 0;
}

/* The line at `*at`, which is moved behind it; false at the end. */
static bool next_line(const char **at, const char *end, piece *out)
{
    const char *newline = *at < end ? memchr(*at, '\n', (size_t)(end - *at)) : NULL;
    const char *stop = newline != NULL ? newline : end;
    bool is_line = *at < end;
    *out = (piece){*at, (size_t)(stop - *at)};
    *at = newline != NULL ? newline + 1 : end;
    return is_line;
}

/* The part of a diff that is of one file, and its path; moves `*at` behind it. */
static bool next_file(const char **at, piece *section, piece *path)
{
    const char *next = strncmp(*at, "diff --git ", 11) == 0 ? *at : strstr(*at, "\ndiff --git ");
    if (next == NULL) {
        return false;
    }
    const char *from = next + (*next == '\n');
    const char *behind = strstr(from, "\ndiff --git ");
    size_t n = strcspn(from + 11, "\n"); /* a/PATH b/PATH */
    *at = behind != NULL ? behind : from + strlen(from);
    *section = (piece){from, (size_t)(*at - from)};
    *path = (piece){from + 13, n > 5 ? (n - 5) / 2 : 0};
    return true;
}

/* The section of a path in a diff; {NULL, 0} when it has none. */
static piece find_file(const char *diff, piece wanted)
{
    piece section;
    piece path;
    while (next_file(&diff, &section, &path)) {
        if (piece_equal(path, wanted)) {
            return section;
        }
    }
    return (piece){NULL, 0};
}

/* The blob that a section leads to; {NULL, 0} when only the mode changes. */
static piece blob_of(piece section)
{
    const char *at = section.at;
    piece line;
    while (section.at != NULL && next_line(&at, section.at + section.n, &line)) {
        const char *dots = begins(line, "index ") ? memmem(line.at, line.n, "..", 2) : NULL;
        if (dots != NULL) {
            size_t n = (size_t)(line.at + line.n - dots - 2);
            const char *blank = memchr(dots + 2, ' ', n);
            return (piece){dots + 2, blank != NULL ? (size_t)(blank - dots - 2) : n};
        }
    }
    return (piece){NULL, 0};
}

static bool has_line(piece section, piece wanted)
{
    const char *at = section.at;
    piece line;
    while (section.at != NULL && next_line(&at, section.at + section.n, &line)) {
        if (piece_equal(line, wanted)) {
            return true;
        }
    }
    return false;
}

/* The first line of `section` that begins with `sign` and that `other` lacks; its number in the
 * file that the section leads to in `*number`. */
static piece first_only_in(piece section, piece other, char sign, unsigned *number)
{
    const char *at = section.at;
    bool is_in_hunk = false;
    unsigned n = 0;
    piece line;
    while (section.at != NULL && next_line(&at, section.at + section.n, &line)) {
        if (begins(line, "@@ ")) {
            const char *plus = memchr(line.at, '+', line.n);
            n = plus != NULL ? (unsigned)strtoul(plus + 1, NULL, 10) : 0;
            is_in_hunk = true;
        } else if (is_in_hunk && line.n > 0) {
            if (line.at[0] == sign && !has_line(other, line)) {
                *number = n;
                return (piece){line.at + 1, line.n - 1};
            }
            n += line.at[0] == '+' || line.at[0] == ' ';
        }
    }
    return (piece){NULL, 0};
}

/* The lines around the first byte in which they differ, quoted; without secrets. */
static const char *quote(source_look *s, piece line, piece other)
{
    size_t same = 0;
    size_t blank = 0;
    m31ri_buf text = M31RI_BUF_INIT;
    while (same < line.n && same < other.n && line.at[same] == other.at[same]) {
        same++;
    }
    while (blank < line.n && (line.at[blank] == ' ' || line.at[blank] == '\t')) {
        blank++;
    }
    if (line.at == NULL) {
        return "nothing";
    }
    m31ri_privacy_scrub(s->rules, NULL, 0, line.at, line.n, &text);
    bool is_clean = text.length == line.n && memcmp(text.data, line.at, line.n) == 0;
    size_t from = is_clean && same > blank + LEAD_BYTES ? same - LEAD_BYTES : blank;
    from = from < text.length ? from : 0;
    while (from > blank && ((unsigned char)text.data[from] & 0xC0) == 0x80) {
        from--;
    }
    size_t n = text.length - from < LINE_BYTES ? text.length - from : LINE_BYTES;
    while (n > 0 && from + n < text.length && ((unsigned char)text.data[from + n] & 0xC0) == 0x80) {
        n--;
    }
    const char *out =
        m31ri_keep_format(s->p, "\"%s%.*s%s\"", from > blank ? "..." : "", (int)n,
                          m31ri_buf_str(&text) + from, from + n < text.length ? "..." : "");
    m31ri_buf_release(&text);
    return out;
}

static void name_file(source_look *s, piece path, const char *text)
{
    if (s->n_differ++ < NAMED) {
        m31ri_find(s->p, M31R_FINDING_DIFFERS,
                   m31ri_keep_format(s->p, "source %.*s", (int)path.n, path.at), NULL, "%s", text);
    }
}

/* A file whose text differs: `now` and `then` are its sections, of which one may be missing. */
static void name_line(source_look *s, piece path, piece now, piece then)
{
    unsigned number = 0;
    unsigned unused;
    piece here = first_only_in(now, then, '+', &number);
    piece was = first_only_in(now, then, '-', here.at == NULL ? &number : &unused);
    if (was.at == NULL) {
        was = first_only_in(then, now, '+', &unused);
    }
    if (here.at == NULL) {
        here = first_only_in(then, now, '-', &unused);
    }
    if (here.at == NULL && was.at == NULL) {
        name_file(s, path, "is not what it was: its mode, or bytes that are no text");
        return;
    }
    const char *line = number > 0 ? m31ri_keep_format(s->p, "line %u: ", number) : "";
    name_file(s, path,
              m31ri_keep_format(s->p, "%s%s then, %s here", line, quote(s, was, here),
                                quote(s, here, was)));
}

static void compare_diffs(source_look *s, const char *now)
{
    piece section;
    piece path;
    for (const char *at = now; next_file(&at, &section, &path);) {
        piece then = find_file(s->then, path);
        if (then.at == NULL || !piece_equal(blob_of(section), blob_of(then))) {
            name_line(s, path, section, then);
        }
    }
    for (const char *at = s->then; next_file(&at, &section, &path);) {
        if (find_file(now, path).at == NULL) {
            name_line(s, path, (piece){NULL, 0}, section);
        }
    }
}

static void compare_untracked(source_look *s)
{
    const json_t *list = m31ri_reader_get(s->p->run, "code.untracked");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *file = json_array_get(list, i);
        const char *path = json_string_value(json_object_get(file, "path"));
        const char *was = json_string_value(json_object_get(file, "sha256"));
        char digest[65] = "";
        if (path == NULL || was == NULL) {
            continue;
        }
        bool is_here = m31ri_file_digest(m31ri_keep_format(s->p, "%s/%s", s->p->top, path), digest);
        if (!is_here || strcmp(digest, was) != 0) {
            name_file(s, (piece){path, strlen(path)},
                      is_here ? "untracked, and not what it was" : "untracked, and not here");
        }
    }
}

void m31ri_look_at_source(m31r_reproduction *p)
{
    const char *file = m31ri_reader_text(p->run, "code.diff.file");
    const char *const ask[] = {"diff",
                               "--no-color",
                               "--no-ext-diff",
                               "--no-textconv",
                               "--no-renames",
                               "--full-index",
                               "--src-prefix=a/",
                               "--dst-prefix=b/",
                               "-U0",
                               p->run->facts.commit.value,
                               "--",
                               NULL};
    m31ri_buf now = M31RI_BUF_INIT;
    m31ri_buf then = M31RI_BUF_INIT;
    source_look s = {.p = p, .rules = m31ri_privacy_new(NULL)};
    bool is_kept = file[0] == '\0' ||
                   m31ri_read_file(AT_FDCWD, m31ri_keep_format(p, "%s/%s", p->run->path, file),
                                   DIFF_BYTES, &then, NULL) == M31R_OK;
    s.then = m31ri_buf_str(&then);
    if (s.rules != NULL && is_kept && m31ri_git(p->top, ask, &now) == 0) {
        compare_diffs(&s, m31ri_buf_str(&now));
        compare_untracked(&s);
        if (s.n_differ > NAMED) {
            m31ri_find(p, M31R_FINDING_DIFFERS, "source", NULL, "%zu further files",
                       s.n_differ - NAMED);
        } else if (s.n_differ == 0) {
            m31ri_find(p, M31R_FINDING_SAME, "source", NULL,
                       "the work tree is what the run was made of");
        }
    }
    m31ri_privacy_free(s.rules);
    m31ri_buf_release(&then);
    m31ri_buf_release(&now);
}
