/* reader_facts.c - metadata.json and the directory, as facts.
 *
 * Metadata may be missing, of another version, or hold anything: each key is taken when it has the
 * type it should have and is "not known" otherwise. Nothing here fails; what is missing is said by
 * verify.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/os_dir.h"
#include "format/timestamp.h"
#include "read/reader_int.h"

static int64_t number_at(const m31r_reader *r, const char *dotted)
{
    const json_t *value = m31ri_reader_get(r, dotted);
    return json_is_integer(value) ? json_integer_value(value) : M31R_UNKNOWN;
}

static int64_t time_of(const char *text)
{
    int64_t wall_ns;
    return m31ri_timestamp_read(text, strlen(text), &wall_ns) ? wall_ns : M31R_UNKNOWN;
}

/* An id starts with its second: 20261123T102651Z. */
static int64_t time_of_id(const char *id)
{
    char text[21];
    if (strlen(id) < 16 || id[8] != 'T' || id[15] != 'Z') {
        return M31R_UNKNOWN;
    }
    snprintf(text, sizeof text, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", id, id + 4, id + 6, id + 9,
             id + 11, id + 13);
    return time_of(text);
}

static int64_t newest_change(int dir)
{
    m31ri_dir_list names = {0};
    int64_t newest = M31R_UNKNOWN;
    if (m31ri_dir_list_fd(dir, &names, NULL) != M31R_OK) {
        return newest;
    }
    for (size_t i = 0; i < names.n; i++) {
        struct stat st;
        if (names.entries[i].type == 'f' &&
            fstatat(dir, names.entries[i].name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            int64_t t = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
            newest = t > newest ? t : newest;
        }
    }
    m31ri_dir_list_release(&names);
    return newest;
}

static const char *scalar_text(m31r_reader *r, const char *dotted)
{
    const json_t *value = m31ri_reader_get(r, dotted);
    if (json_is_integer(value)) {
        char text[32];
        snprintf(text, sizeof text, "%" PRId64, (int64_t)json_integer_value(value));
        return m31ri_reader_keep(r, m31ri_strdup(text));
    }
    return json_is_string(value) ? json_string_value(value) : "";
}

static m31r_identity_value identity_of(m31r_reader *r, const char *const paths[4])
{
    m31r_identity_value v;
    v.value = scalar_text(r, paths[0]);
    v.digest = paths[1] != NULL ? m31ri_reader_text(r, paths[1]) : "";
    v.source = m31ri_reader_text(r, paths[2]);
    v.status = paths[3] != NULL ? m31ri_reader_text(r, paths[3]) : "";
    if (v.value[0] == '\0' && strcmp(v.source, "none") == 0) {
        v.value = "none";
    }
    return v;
}

static void fill_identity(m31r_reader *r, m31r_facts *f)
{
    static const char *const seed[] = {"seed", NULL, "sources.seed", NULL};
    static const char *const config[] = {"config_path", "config_sha256", "sources.config", NULL};
    static const char *const dataset[] = {"dataset_version", "dataset_sha256", "sources.dataset",
                                          "digests.dataset.state"};
    static const char *const tokenizer[] = {"tokenizer_version", "tokenizer_sha256",
                                            "sources.tokenizer", "digests.tokenizer.state"};
    static const char *const commit[] = {"git_commit", "code.changes_sha256", "sources.git_commit",
                                         NULL};
    f->seed = identity_of(r, seed);
    f->config = identity_of(r, config);
    f->dataset = identity_of(r, dataset);
    f->tokenizer = identity_of(r, tokenizer);
    f->commit = identity_of(r, commit);
    f->is_dirty = json_is_true(m31ri_reader_get(r, "code.dirty"));
    f->diff_file = m31ri_reader_text(r, "code.diff.file");
    const json_t *untracked = m31ri_reader_get(r, "code.untracked");
    f->n_untracked = json_is_array(untracked) ? (int64_t)json_array_size(untracked) : 0;
}

static const char *command_line(m31r_reader *r)
{
    const json_t *argv = m31ri_reader_get(r, "command.argv");
    m31ri_buf line = M31RI_BUF_INIT;
    for (size_t i = 0; i < json_array_size(argv); i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        bool is_plain =
            word != NULL && *word != '\0' && strpbrk(word, " \t\n'\"\\$`*?;&|<>()") == NULL;
        m31ri_buf_add_str(&line, i > 0 ? " " : "");
        if (is_plain) {
            m31ri_buf_add_str(&line, word);
        } else {
            m31ri_buf_add_char(&line, '\'');
            m31ri_buf_add_str(&line, word != NULL ? word : "");
            m31ri_buf_add_char(&line, '\'');
        }
    }
    char *text = m31ri_strdup(m31ri_buf_str(&line));
    m31ri_buf_release(&line);
    return m31ri_reader_keep(r, text);
}

/* "token 3, email 9": by kind, in the order of the first find. */
static const char *redacted_text(m31r_reader *r)
{
    const json_t *found = m31ri_reader_get(r, "privacy.found");
    m31ri_buf text = M31RI_BUF_INIT;
    for (size_t i = 0; i < json_array_size(found); i++) {
        const char *kind = json_string_value(json_object_get(json_array_get(found, i), "kind"));
        json_int_t n = 0;
        bool is_first = kind != NULL;
        for (size_t k = 0; kind != NULL && k < json_array_size(found); k++) {
            const json_t *row = json_array_get(found, k);
            const char *other = json_string_value(json_object_get(row, "kind"));
            if (other != NULL && strcmp(other, kind) == 0) {
                is_first = is_first && k >= i;
                n += json_integer_value(json_object_get(row, "n"));
            }
        }
        if (is_first) {
            m31ri_buf_add_format(&text, "%s%s %lld", text.length != 0 ? ", " : "", kind,
                                 (long long)n);
        }
    }
    char *copy = m31ri_strdup(m31ri_buf_str(&text));
    m31ri_buf_release(&text);
    return m31ri_reader_keep(r, copy);
}

static void fill_end(m31r_reader *r, m31r_facts *f)
{
    f->n_redacted = number_at(r, "privacy.redacted");
    f->redacted = redacted_text(r);
    f->keeps_prompts = json_is_true(m31ri_reader_get(r, "privacy.log_prompts"));
    f->exit_status = number_at(r, "exit_status");
    f->signal = m31ri_reader_text(r, "signal");
    f->cause = m31ri_reader_text(r, "cause");
    f->evidence = m31ri_reader_text(r, "cause_evidence");
    f->lost_records = number_at(r, "lost.records");
    f->lost_points = number_at(r, "lost.points");
    f->resumes = m31ri_reader_text(r, "resumes.run");
    f->resumes_step = number_at(r, "resumes.step");
}

static void mark_unordered(m31r_reader *r)
{
    const json_t *lanes = m31ri_reader_get(r, "lanes");
    for (size_t i = 0; i < json_array_size(lanes); i++) {
        const json_t *lane = json_array_get(lanes, i);
        const char *file = json_string_value(json_object_get(lane, "file"));
        for (size_t k = 0; file != NULL && k < r->lanes.n; k++) {
            if (strcmp(r->lanes.lanes[k].file, file) == 0) {
                r->lanes.lanes[k].is_unordered = json_is_false(json_object_get(lane, "ordered"));
            }
        }
    }
}

void m31ri_facts_fill(m31r_reader *r)
{
    m31r_facts *f = &r->facts;
    struct stat st;
    const char *slash = strrchr(r->path, '/');
    f->path = r->path;
    f->run_id = m31ri_reader_text(r, "run_id");
    if (f->run_id[0] == '\0') {
        f->run_id = slash != NULL ? slash + 1 : r->path;
    }
    f->name = m31ri_reader_text(r, "name");
    f->stage = m31ri_reader_text(r, "stage");
    f->kind = m31ri_reader_text(r, "kind");
    f->start = m31ri_reader_text(r, "timestamp");
    f->end = m31ri_reader_text(r, "end");
    f->metadata = m31ri_buf_str(&r->text);
    f->has_live = fstatat(r->fd, ".live", &st, AT_SYMLINK_NOFOLLOW) == 0;
    f->has_manifest = fstatat(r->fd, "manifest.json", &st, AT_SYMLINK_NOFOLLOW) == 0;
    f->start_ns = time_of(f->start);
    if (f->start_ns == M31R_UNKNOWN) {
        f->start_ns = time_of_id(f->run_id);
    }
    f->end_ns = f->end[0] != '\0' ? time_of(f->end) : newest_change(r->fd);
    fill_identity(r, f);
    fill_end(r, f);
    f->host = m31ri_reader_text(r, "host.name");
    f->cpu_model = m31ri_reader_text(r, "host.cpu_model");
    f->arch = m31ri_reader_text(r, "host.arch");
    f->cpus = number_at(r, "host.cpus");
    f->writer = m31ri_reader_text(r, "writer.role");
    f->library_version = m31ri_reader_text(r, "writer.library_version");
    f->capture = m31ri_reader_text(r, "capture");
    f->command = command_line(r);
    f->ranks = number_at(r, "ranks");
    f->tags = r->notes.tags != NULL ? r->notes.tags : "";
    f->release = r->notes.release != NULL ? r->notes.release : "";
    mark_unordered(r);
    f->state = m31ri_state_derive(r, &f->state_why);
}
