/* run_find.c - from what a person types to a run directory.
 *
 * The root is listed and the text compared with ids and names; nothing typed is ever joined to a
 * path, so "../x" finds nothing outside. Order: the id starts with the second of the start; runs of
 * one second are ordered by the microseconds of metadata.json, so `@` is the latest also in a fast
 * loop.
 */
#include "format/run_find.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/os_dir.h"
#include "base/os_file.h"
#include "format/notes_file.h"

#define ID_SECOND_BYTES 16 /* "20261123T102651Z" */
#define ID_BYTES 25        /* with "-9f3c0a1b" */
#define METADATA_BYTES (64 * 1024 * 1024)
#define LISTED_CANDIDATES 8

static bool all_of(const char *s, size_t from, size_t to, const char *allowed)
{
    for (size_t i = from; i < to; i++) {
        if (s[i] == '\0' || strchr(allowed, s[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* "YYYYMMDDTHHMMSSZ-<8 hex>" with an optional "-N". */
static bool has_id_form(const char *s)
{
    static const char digits[] = "0123456789";
    if (strnlen(s, ID_BYTES) < ID_BYTES || !all_of(s, 0, 8, digits) || s[8] != 'T' ||
        !all_of(s, 9, 15, digits) || s[15] != 'Z' || s[16] != '-' ||
        !all_of(s, 17, ID_BYTES, "0123456789abcdef")) {
        return false;
    }
    size_t length = strlen(s);
    return length == ID_BYTES ||
           (s[ID_BYTES] == '-' && length > ID_BYTES + 1 && all_of(s, ID_BYTES + 1, length, digits));
}

static bool has_file(int dir, const char *name, bool directory)
{
    struct stat st;
    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (directory ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode));
}

/* Name and start from metadata.json. A file that cannot be read or parsed leaves both empty: the
 * run is still there. */
static bool read_name(int run, m31ri_run_entry *entry)
{
    m31ri_buf text = M31RI_BUF_INIT;
    json_t *root = NULL;
    if (m31ri_read_file(run, "metadata.json", METADATA_BYTES, &text, NULL) == M31R_OK) {
        root = json_loadb(m31ri_buf_str(&text), text.length, JSON_DECODE_ANY, NULL);
    }
    m31ri_buf_release(&text);
    const char *name = json_string_value(json_object_get(root, "name"));
    const char *timestamp = json_string_value(json_object_get(root, "timestamp"));
    snprintf(entry->timestamp, sizeof entry->timestamp, "%s", timestamp != NULL ? timestamp : "");
    entry->name = m31ri_strdup(name != NULL ? name : "");
    json_decref(root);
    return entry->name != NULL;
}

/* Notes that cannot be read give no tags: the run is still there. */
static bool read_tags(int run, m31ri_run_entry *entry)
{
    m31ri_notes notes = {0};
    m31ri_buf words = M31RI_BUF_INIT;
    if (m31ri_notes_read(run, &notes, NULL) == M31R_OK) {
        bool has_both = notes.tags[0] != '\0' && notes.release[0] != '\0';
        m31ri_buf_add_format(&words, "%s%s%s", notes.tags, has_both ? " " : "", notes.release);
    }
    entry->tags = m31ri_buf_ok(&words) ? m31ri_strdup(m31ri_buf_str(&words)) : NULL;
    m31ri_notes_release(&notes);
    m31ri_buf_release(&words);
    return entry->tags != NULL;
}

static void release_entry(m31ri_run_entry *entry)
{
    m31ri_free(entry->run_id);
    m31ri_free(entry->name);
    m31ri_free(entry->tags);
}

static bool add_known(const m31ri_run_known *known, const char *id, m31ri_run_list *l)
{
    const char *name;
    const char *timestamp;
    m31ri_run_entry entry = {0};
    if (known == NULL || !known->find(known->context, id, &name, &timestamp)) {
        return false;
    }
    snprintf(entry.timestamp, sizeof entry.timestamp, "%s", timestamp);
    entry.name = m31ri_strdup(name);
    entry.tags = m31ri_strdup("");
    entry.run_id = m31ri_strdup(id);
    entry.is_timed = has_id_form(id);
    if (entry.name == NULL || entry.tags == NULL || entry.run_id == NULL) {
        release_entry(&entry);
        return false;
    }
    l->runs[l->n++] = entry;
    return true;
}

/* Adds directory `id` of `root` to the list when it is a run. */
static m31r_err add_run(int root, const char *id, m31ri_run_list *l, m31r_error *e)
{
    int run = m31ri_open_dir(root, id, false);
    if (run < 0) {
        return M31R_OK; /* removed meanwhile, or not ours to read: `runs` lists what can be read */
    }
    m31ri_run_entry entry = {0};
    entry.is_timed = has_id_form(id);
    entry.has_tags = true;
    bool fits = entry.is_timed || has_file(run, "metadata.json", false);
    bool ok = !fits || (read_name(run, &entry) && read_tags(run, &entry) &&
                        (entry.run_id = m31ri_strdup(id)) != NULL);
    close(run);
    if (!ok) {
        release_entry(&entry);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory listing runs");
    }
    if (fits) {
        l->runs[l->n++] = entry;
    }
    return M31R_OK;
}

static unsigned long attempt_of(const char *id)
{
    return id[ID_BYTES] == '-' ? strtoul(id + ID_BYTES + 1, NULL, 10) : 1;
}

/* Ids of another form sort before all that carry a time. */
static int by_start(const void *a, const void *b)
{
    const m31ri_run_entry *x = a;
    const m31ri_run_entry *y = b;
    if (x->is_timed != y->is_timed) {
        return x->is_timed ? 1 : -1;
    }
    int order = x->is_timed ? strncmp(x->run_id, y->run_id, ID_SECOND_BYTES) : 0;
    if (order == 0 && x->timestamp[0] != '\0' && y->timestamp[0] != '\0') {
        order = strcmp(x->timestamp, y->timestamp);
    }
    if (order == 0 && x->is_timed && strncmp(x->run_id, y->run_id, ID_BYTES) == 0) {
        unsigned long n = attempt_of(x->run_id);
        unsigned long m = attempt_of(y->run_id);
        order = (n > m) - (n < m);
    }
    return order != 0 ? order : strcmp(x->run_id, y->run_id);
}

static m31r_err read_runs(int root, const m31ri_run_known *known, m31ri_run_list *l, m31r_error *e)
{
    m31ri_dir_list names;
    m31r_err err = m31ri_dir_list_fd(root, &names, e);
    if (err != M31R_OK) {
        return err;
    }
    l->runs = m31ri_calloc(names.n + 1, sizeof *l->runs);
    if (l->runs == NULL) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory listing runs");
    }
    for (size_t i = 0; i < names.n && err == M31R_OK; i++) {
        if (names.entries[i].type == 'd' && names.entries[i].name[0] != '.' &&
            !add_known(known, names.entries[i].name, l)) {
            err = add_run(root, names.entries[i].name, l, e);
        }
    }
    m31ri_dir_list_release(&names);
    return err;
}

m31r_err m31ri_run_list_read_fd(int root, const m31ri_run_known *known, m31ri_run_list *out,
                                m31r_error *e)
{
    m31ri_run_list l = {0};
    m31r_err err = read_runs(root, known, &l, e);
    if (err != M31R_OK) {
        m31ri_run_list_release(&l);
        return err;
    }
    size_t n_sorted = l.n > 0; /* names come sorted, which mostly is the order */
    while (n_sorted < l.n && by_start(&l.runs[n_sorted - 1], &l.runs[n_sorted]) < 0) {
        n_sorted++;
    }
    if (n_sorted < l.n) {
        qsort(l.runs, l.n, sizeof *l.runs, by_start);
    }
    *out = l;
    return M31R_OK;
}

m31r_err m31ri_run_list_read(const char *root, m31ri_run_list *out, m31r_error *e)
{
    int fd = m31ri_open_dir(AT_FDCWD, root, true);
    if (fd < 0) {
        return m31ri_fail_sys(e, errno, root, "opening the directory of runs %s", root);
    }
    m31r_err err = m31ri_run_list_read_fd(fd, NULL, out, e);
    close(fd);
    return err;
}

void m31ri_run_list_release(m31ri_run_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        release_entry(&l->runs[i]);
    }
    m31ri_free(l->runs);
    *l = (m31ri_run_list){0};
}

bool m31ri_run_path_is_run(const char *path)
{
    int fd = m31ri_open_dir(AT_FDCWD, path, true);
    if (fd < 0) {
        return false;
    }
    bool is = has_file(fd, "metadata.json", false) || has_file(fd, ".live", true) ||
              has_file(fd, "manifest.json", false);
    close(fd);
    return is;
}

/* Writes `text` for a message: at most 64 bytes of it, control bytes as '?'. */
static const char *printable(const char *text, char out[72])
{
    size_t n = 0;
    for (; text[n] != '\0' && n < 64; n++) {
        out[n] = (unsigned char)text[n] < 0x20 || text[n] == 0x7f ? '?' : text[n];
    }
    snprintf(out + n, 72 - n, "%s", text[n] != '\0' ? "..." : "");
    return out;
}

/* "@" is 0, "@-1" is 1...; -1 when `text` has another form. */
static long long back_from_latest(const char *text)
{
    if (strcmp(text, "@") == 0) {
        return 0;
    }
    if (strncmp(text, "@-", 2) != 0 || text[2] == '\0' || strlen(text) > 12 ||
        !all_of(text, 2, strlen(text), "0123456789")) {
        return -1;
    }
    return strtoll(text + 2, NULL, 10);
}

typedef enum match_kind { MATCH_ID, MATCH_NAME, MATCH_PART } match_kind;

static bool matches(const m31ri_run_entry *run, const char *text, match_kind kind)
{
    switch (kind) {
    case MATCH_ID:
        return strcmp(run->run_id, text) == 0;
    case MATCH_NAME:
        return strcmp(run->name, text) == 0 || m31ri_words_have(run->tags, text);
    default:
        return strstr(run->run_id, text) != NULL || strstr(run->name, text) != NULL;
    }
}

static m31r_err say_ambiguous(const m31ri_run_list *l, const char *text, match_kind kind, size_t n,
                              m31r_error *e)
{
    char shown[72];
    char list[M31R_ERROR_HINT_BYTES - 64] = "";
    size_t used = 0;
    size_t listed = 0;
    for (size_t i = l->n;
         i-- > 0 && listed < LISTED_CANDIDATES;) { /* the newest are the likely ones */
        const m31ri_run_entry *run = &l->runs[i];
        if (matches(run, text, kind) && used < sizeof list) {
            int k = snprintf(list + used, sizeof list - used, "%s%s%s%.40s%s",
                             listed > 0 ? ", " : "", run->run_id, run->name[0] != '\0' ? " (" : "",
                             run->name, run->name[0] != '\0' ? ")" : "");
            used += k > 0 ? (size_t)k : 0;
            listed++;
        }
    }
    m31ri_fail(e, M31R_E_ARG, "\"%s\" means %zu runs", printable(text, shown), n);
    m31ri_fail_hint(e, "give more of the id: %s%s", list, n > listed ? ", ..." : "");
    return M31R_E_ARG;
}

/* The run in the list that `text` means; `*out` its index. */
static m31r_err choose(const m31ri_run_list *l, const char *text, size_t *out, m31r_error *e)
{
    char shown[72];
    long long back = back_from_latest(text);
    if (back >= 0 && (unsigned long long)back < l->n) {
        *out = l->n - 1 - (size_t)back;
        return M31R_OK;
    }
    for (int kind = MATCH_ID; back < 0 && kind <= MATCH_PART; kind++) {
        size_t n = 0;
        for (size_t i = 0; i < l->n; i++) {
            if (matches(&l->runs[i], text, (match_kind)kind)) {
                *out = i;
                n++;
            }
        }
        if (n == 1) {
            return M31R_OK;
        }
        if (n > 1) {
            return say_ambiguous(l, text, (match_kind)kind, n, e);
        }
    }
    m31ri_fail(e, M31R_E_NOTFOUND, "no run \"%s\" among %zu", printable(text, shown), l->n);
    m31ri_fail_hint(e, "`m31r runs` lists them; a run is named by a part of its id or name, a tag, "
                       "@, @-1, or its path");
    return M31R_E_NOTFOUND;
}

/* The tags of a run that was listed without them. */
static bool need_tags(int root, m31ri_run_entry *entry)
{
    char path[NAME_MAX + sizeof M31RI_NOTES_FILE + 1];
    snprintf(path, sizeof path, "%s/%s", entry->run_id, M31RI_NOTES_FILE);
    bool is_known = entry->has_tags || faccessat(root, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    int run = is_known ? -1 : m31ri_open_dir(root, entry->run_id, false);
    entry->has_tags = true;
    if (run < 0) {
        return true;
    }
    m31ri_free(entry->tags);
    bool is_fine = read_tags(run, entry);
    close(run);
    return is_fine;
}

m31r_err m31ri_run_list_find(int root, m31ri_run_list *l, const char *text, size_t *out,
                             m31r_error *e)
{
    if (text[0] == '\0') {
        return m31ri_fail(e, M31R_E_ARG, "an empty text names no run");
    }
    for (size_t i = 0; i < l->n; i++) {
        if (matches(&l->runs[i], text, MATCH_ID)) {
            *out = i;
            return M31R_OK;
        }
    }
    for (size_t i = 0; i < l->n && back_from_latest(text) < 0; i++) {
        if (!need_tags(root, &l->runs[i])) {
            return m31ri_fail(e, M31R_E_NOMEM, "out of memory listing runs");
        }
    }
    return choose(l, text, out, e);
}

static m31r_err take_path(const char *text, char **out_path, m31r_error *e)
{
    size_t length = strlen(text);
    while (length > 1 && text[length - 1] == '/') {
        length--;
    }
    char *path = m31ri_strndup(text, length);
    if (path == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    *out_path = path;
    return M31R_OK;
}

static m31r_err join(const char *root, const char *id, char **out_path, m31r_error *e)
{
    m31ri_buf path = M31RI_BUF_INIT;
    size_t length = strlen(root);
    bool has_slash = length > 0 && root[length - 1] == '/';
    m31ri_buf_add_format(&path, "%s%s%s", root, has_slash ? "" : "/", id);
    if (!m31ri_buf_ok(&path)) {
        m31ri_buf_release(&path);
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory");
    }
    *out_path = path.data;
    return M31R_OK;
}

/* What the id alone says: enough for the order unless two runs began in one second. */
static bool know_by_id(void *context, const char *run_id, const char **out_name,
                       const char **out_timestamp)
{
    (void)context;
    *out_name = *out_timestamp = "";
    return has_id_form(run_id);
}

static bool is_same_second(const m31ri_run_list *l, size_t i, size_t k)
{
    return i < l->n && k < l->n &&
           strncmp(l->runs[i].run_id, l->runs[k].run_id, ID_SECOND_BYTES) == 0;
}

/* `@` and a whole id without reading any metadata; "" in `out_id` when that does not decide. */
static void find_quickly(const char *root, const char *text, char out_id[NAME_MAX + 1])
{
    static const m31ri_run_known by_id = {know_by_id, NULL};
    long long back = back_from_latest(text);
    m31ri_run_list l = {0};
    out_id[0] = '\0';
    int fd = back >= 0 || has_id_form(text) ? m31ri_open_dir(AT_FDCWD, root, true) : -1;
    if (fd < 0) {
        return;
    }
    if (back < 0) {
        bool is_there = has_file(fd, text, true);
        snprintf(out_id, NAME_MAX + 1, "%s", is_there ? text : "");
    } else if (m31ri_run_list_read_fd(fd, &by_id, &l, NULL) == M31R_OK &&
               (unsigned long long)back < l.n) {
        size_t i = l.n - 1 - (size_t)back;
        bool is_decided = has_id_form(l.runs[i].run_id) && !is_same_second(&l, i, i + 1) &&
                          (i == 0 || !is_same_second(&l, i, i - 1));
        snprintf(out_id, NAME_MAX + 1, "%s", is_decided ? l.runs[i].run_id : "");
    }
    m31ri_run_list_release(&l);
    close(fd);
}

/* A run that was removed or moved left its tombstone. */
static void hint_removed(const char *root, const char *text, m31r_error *e)
{
    char path[PATH_MAX];
    m31ri_dir_list names = {0};
    snprintf(path, sizeof path, "%.4000s/.removed", root);
    int fd = m31ri_open_dir(AT_FDCWD, path, false);
    if (fd >= 0 && m31ri_dir_list_fd(fd, &names, NULL) == M31R_OK) {
        for (size_t i = names.n; i-- > 0;) {
            if (strstr(names.entries[i].name, text) != NULL) {
                m31ri_fail_hint(e,
                                "it was removed or moved: %.700s/%.200s/tombstone.json says more",
                                path, names.entries[i].name);
                break;
            }
        }
    }
    m31ri_dir_list_release(&names);
    if (fd >= 0) {
        close(fd);
    }
}

m31r_err m31ri_run_find(const char *root, const char *text, char **out_path, m31r_error *e)
{
    char shown[72];
    if (text == NULL || text[0] == '\0') {
        return m31ri_fail(e, M31R_E_ARG, "an empty text names no run");
    }
    if (strchr(text, '/') != NULL || strcmp(text, ".") == 0 || strcmp(text, "..") == 0) {
        if (m31ri_run_path_is_run(text)) {
            return take_path(text, out_path, e);
        }
        m31ri_fail(e, M31R_E_ARG, "\"%s\" is not the path of a run directory",
                   printable(text, shown));
        m31ri_fail_hint(e,
                        "a run directory holds a metadata.json; `m31r runs` lists those of a root");
        return M31R_E_ARG;
    }
    char id[NAME_MAX + 1];
    find_quickly(root, text, id);
    if (id[0] != '\0') {
        return join(root, id, out_path, e);
    }
    m31ri_run_list l = {0};
    m31r_err err = m31ri_run_list_read(root, &l, e);
    if (err == M31R_E_NOTFOUND) {
        err = M31R_OK;
    }
    size_t index = 0;
    if (err == M31R_OK) {
        err = choose(&l, text, &index, e);
        if (err == M31R_OK) {
            err = join(root, l.runs[index].run_id, out_path, e);
        } else if (err == M31R_E_NOTFOUND && m31ri_run_path_is_run(text)) {
            err = take_path(text, out_path, e); /* typed inside the root */
        }
    }
    m31ri_run_list_release(&l);
    if (err == M31R_E_NOTFOUND) {
        hint_removed(root, text, e);
    }
    return err;
}
