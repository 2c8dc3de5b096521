/* run_pieces.c - facts, numbers, config and metrics of a run to bytes and back.
 *
 * Integers and doubles are 8 bytes in this machine's order, a text its length, its bytes and a NUL:
 * the bytes never leave this machine's cache. Unpacking checks every length; what does not fit is
 * no piece.
 */
#include "runs/run_pieces_int.h"

#include <string.h>

#include "analyse/series_int.h"
#include "base/os_file.h"
#include "format/yaml.h"
#include "read/expr_int.h"
#include "read/reader_int.h"

#define CONFIG_FILE "config_snapshot.yaml"

typedef struct unpacker {
    const char *at;
    size_t left;
    bool failed;
} unpacker;

static void pack_int(m31ri_buf *out, int64_t i)
{
    m31ri_buf_add(out, &i, sizeof i);
}

static void pack_double(m31ri_buf *out, double d)
{
    m31ri_buf_add(out, &d, sizeof d);
}

static void pack_text(m31ri_buf *out, const char *text, size_t length)
{
    pack_int(out, (int64_t)length);
    m31ri_buf_add(out, text, length);
    m31ri_buf_add_char(out, '\0');
}

static const char *take(unpacker *u, size_t length)
{
    if (u->failed || u->left < length) {
        u->failed = true;
        return NULL;
    }
    const char *at = u->at;
    u->at += length;
    u->left -= length;
    return at;
}

static int64_t unpack_int(unpacker *u)
{
    int64_t i = 0;
    const char *at = take(u, sizeof i);
    if (at != NULL) {
        memcpy(&i, at, sizeof i);
    }
    return i;
}

static double unpack_double(unpacker *u)
{
    double d = 0;
    const char *at = take(u, sizeof d);
    if (at != NULL) {
        memcpy(&d, at, sizeof d);
    }
    return d;
}

static const char *unpack_text(unpacker *u, size_t *out_length)
{
    int64_t length = unpack_int(u);
    u->failed |= length < 0 || (uint64_t)length >= u->left;
    const char *text = take(u, u->failed ? 0 : (size_t)length + 1);
    u->failed |= text == NULL || text[length] != '\0';
    *out_length = u->failed ? 0 : (size_t)length;
    return u->failed ? "" : text;
}

#define TEXT(member)                                                                               \
    {                                                                                              \
        offsetof(m31r_facts, member), 't'                                                          \
    }
#define INT(member)                                                                                \
    {                                                                                              \
        offsetof(m31r_facts, member), 'i'                                                          \
    }
#define BOOL(member)                                                                               \
    {                                                                                              \
        offsetof(m31r_facts, member), 'b'                                                          \
    }
#define IDENTITY(member)                                                                           \
    TEXT(member.value), TEXT(member.digest), TEXT(member.source), TEXT(member.status)

/* Also change: m31r_facts in m31r/reader.h, and the version in run_index.c. */
static const struct {
    size_t offset;
    char type;
} members[] = {
    TEXT(run_id),
    TEXT(name),
    TEXT(stage),
    TEXT(kind),
    TEXT(state_why),
    TEXT(problem),
    TEXT(start),
    TEXT(end),
    INT(start_ns),
    INT(end_ns),
    IDENTITY(seed),
    IDENTITY(config),
    IDENTITY(dataset),
    IDENTITY(tokenizer),
    IDENTITY(commit),
    BOOL(is_dirty),
    TEXT(diff_file),
    INT(n_untracked),
    INT(exit_status),
    TEXT(signal),
    TEXT(cause),
    TEXT(evidence),
    INT(lost_records),
    INT(lost_points),
    TEXT(resumes),
    INT(resumes_step),
    TEXT(host),
    TEXT(writer),
    TEXT(library_version),
    TEXT(capture),
    TEXT(command),
    TEXT(cpu_model),
    TEXT(arch),
    INT(cpus),
    INT(ranks),
    TEXT(tags),
    TEXT(release),
    BOOL(has_live),
    BOOL(has_manifest),
};
#define N_MEMBERS (sizeof members / sizeof members[0])

void m31ri_facts_pack(const m31r_facts *facts, m31ri_buf *out)
{
    const char *base = (const char *)facts;
    pack_int(out, (int64_t)facts->state);
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const void *at = base + members[i].offset;
        if (members[i].type == 't') {
            const char *text = *(const char *const *)at;
            pack_text(out, text, strlen(text));
        } else if (members[i].type == 'i') {
            pack_int(out, *(const int64_t *)at);
        } else {
            pack_int(out, *(const bool *)at);
        }
    }
}

bool m31ri_facts_unpack(m31ri_piece_bytes piece, m31r_facts *out)
{
    unpacker u = {piece.bytes, piece.length, false};
    m31r_facts facts = {.path = "", .metadata = ""};
    char *base = (char *)&facts;
    size_t length;
    int64_t state = unpack_int(&u);
    facts.state = (m31r_state)state;
    for (size_t i = 0; i < N_MEMBERS; i++) {
        void *at = base + members[i].offset;
        if (members[i].type == 't') {
            *(const char **)at = unpack_text(&u, &length);
        } else if (members[i].type == 'i') {
            *(int64_t *)at = unpack_int(&u);
        } else {
            *(bool *)at = unpack_int(&u) != 0;
        }
    }
    if (u.failed || u.left != 0 || state < 0 || state > M31R_STATE_CRASHED) {
        return false;
    }
    *out = facts;
    return true;
}

void m31ri_numbers_pack(const m31r_run_row *row, m31ri_buf *out)
{
    pack_int(out, row->last_step);
    pack_text(out, row->metric, strlen(row->metric));
    pack_double(out, row->metric_last);
    pack_double(out, row->metric_best);
    pack_int(out, row->metric_best_step);
    pack_double(out, row->tokens_per_sec);
}

bool m31ri_numbers_unpack(m31ri_piece_bytes piece, m31r_run_row *out)
{
    unpacker u = {piece.bytes, piece.length, false};
    m31r_run_row row = *out;
    size_t length;
    row.last_step = unpack_int(&u);
    row.metric = unpack_text(&u, &length);
    row.metric_last = unpack_double(&u);
    row.metric_best = unpack_double(&u);
    row.metric_best_step = unpack_int(&u);
    row.tokens_per_sec = unpack_double(&u);
    if (u.failed || u.left != 0) {
        return false;
    }
    *out = row;
    return true;
}

static void pack_scalar(void *context, const char *dotted, const m31ri_yaml_node *n)
{
    m31ri_buf *out = context;
    unsigned is = M31RI_IS_TEXT;
    int64_t i = 0;
    double d = 0;
    if (n->type == M31RI_YAML_INT) {
        is |= M31RI_IS_INT;
        i = n->i;
    } else if (n->type == M31RI_YAML_FLOAT) {
        is |= M31RI_IS_DOUBLE;
        d = n->f;
    } else if (n->type == M31RI_YAML_BOOL) {
        is = M31RI_IS_BOOL;
        i = n->b;
    } else if (n->type == M31RI_YAML_NULL) {
        is = M31RI_IS_NULL;
    }
    pack_text(out, dotted, strlen(dotted));
    pack_int(out, (int64_t)is);
    pack_int(out, i);
    pack_double(out, d);
    pack_text(out, n->text != NULL ? n->text : "", n->text != NULL ? n->text_length : 0);
}

void m31ri_config_pack(const m31r_reader *run, m31ri_buf *out)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_yaml *config = NULL;
    if (m31ri_read_file(run->fd, CONFIG_FILE, M31RI_YAML_BYTES, &text, NULL) == M31R_OK &&
        m31ri_yaml_read(m31ri_buf_str(&text), text.length, CONFIG_FILE, &config, NULL) == M31R_OK) {
        m31ri_yaml_each_scalar(m31ri_yaml_root(config), pack_scalar, out);
    }
    m31ri_yaml_free(config);
    m31ri_buf_release(&text);
}

void m31ri_metrics_pack(const m31r_reader *run, m31ri_buf *out)
{
    m31r_series *series = NULL;
    m31r_metric_facts m;
    if (m31r_series_open(&series, run, NULL) != M31R_OK) {
        return;
    }
    pack_int(out, m31r_series_last_step(series));
    for (size_t i = 0; m31r_series_get(series, i, &m) == M31R_OK; i++) {
        pack_text(out, m.name, strlen(m.name));
        pack_double(out, m.last);
        pack_double(out, m.min);
        pack_double(out, m.max);
        pack_double(out, m.mean);
        pack_int(out, (int64_t)m.n);
    }
    m31r_series_close(series);
}

bool m31ri_config_next(m31ri_piece_bytes *piece, m31ri_config_entry *out)
{
    unpacker u = {piece->bytes, piece->length, piece->bytes == NULL || piece->length == 0};
    m31ri_config_entry entry = {0};
    entry.key = unpack_text(&u, &entry.key_length);
    entry.value.is = (unsigned)unpack_int(&u);
    entry.value.i = unpack_int(&u);
    entry.value.b = entry.value.i != 0;
    entry.value.d = unpack_double(&u);
    entry.value.text = unpack_text(&u, &entry.value.length);
    entry.value.is_loose = entry.value.is == M31RI_IS_TEXT; /* `lr: "1e-3"` */
    if (u.failed) {
        return false;
    }
    *piece = (m31ri_piece_bytes){u.at, u.left};
    *out = entry;
    return true;
}

bool m31ri_metrics_begin(m31ri_piece_bytes *piece, int64_t *out_last_step)
{
    unpacker u = {piece->bytes, piece->length, piece->bytes == NULL || piece->length == 0};
    int64_t last_step = unpack_int(&u);
    if (u.failed) {
        return false;
    }
    *piece = (m31ri_piece_bytes){u.at, u.left};
    *out_last_step = last_step;
    return true;
}

bool m31ri_metrics_next(m31ri_piece_bytes *piece, m31ri_metric_entry *out)
{
    unpacker u = {piece->bytes, piece->length, piece->bytes == NULL || piece->length == 0};
    m31ri_metric_entry entry;
    entry.name = unpack_text(&u, &entry.name_length);
    for (int i = 0; i < M31RI_METRIC_NUMBERS; i++) {
        entry.numbers[i] = unpack_double(&u);
    }
    entry.n = unpack_int(&u);
    if (u.failed) {
        return false;
    }
    *piece = (m31ri_piece_bytes){u.at, u.left};
    *out = entry;
    return true;
}
