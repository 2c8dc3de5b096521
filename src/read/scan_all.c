/* scan_all.c - a scan used up at once: in pieces when it can be, and written out. */
#include "read/scan_all.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "format/json_text.h"
#include "m31r/json.h"
#include "read/expr_int.h"
#include "read/merge.h"

#define USE_BYTES ((size_t)256 * 1024) /* of what a stream's records become, before it is used */

/* The work of a caller, with the scan's counts kept beside it. */
typedef struct counted_work {
    m31r_scan *s;
    const m31ri_piece_work *work;
    uint64_t n_lines; /* of the pieces used so far */
    bool is_torn;
} counted_work;

static bool take_counted(void *context, m31ri_piece *piece, m31ri_judge *judge,
                         const uint8_t *slots, const m31r_record *line)
{
    const counted_work *c = context;
    return c->work->take(c->work->context, piece, judge, slots, line);
}

static bool take_many_counted(void *context, m31ri_piece *piece, uint64_t n)
{
    const counted_work *c = context;
    return c->work->take_many(c->work->context, piece, n);
}

static m31r_err use_counted(void *context, m31ri_piece *piece, m31r_error *e)
{
    counted_work *c = context;
    if (piece->first_bad_line != 0) {
        m31ri_merge_note_bad(c->s, c->s->sources[0], c->n_lines + piece->first_bad_line,
                             piece->first_bad_class);
    }
    for (int i = 0; i < M31R_LINE_CLASSES; i++) {
        c->s->counts.lines[i] += piece->lines[i];
        bool is_bad = i != M31R_LINE_OK && i != M31R_LINE_EMPTY;
        c->s->counts.n_skipped += is_bad ? piece->lines[i] : 0;
    }
    c->s->counts.n_kept += piece->n_kept;
    c->n_lines += piece->n_lines;
    c->is_torn |= piece->is_torn;
    return c->work->use(c->work->context, piece, e);
}

static void drop_counted(void *context, m31ri_piece *piece)
{
    const counted_work *c = context;
    if (c->work->drop != NULL) {
        c->work->drop(c->work->context, piece);
    }
}

static bool can_go_in_pieces(const m31r_scan *s)
{
    const m31ri_source *source = s->n_sources == 1 ? s->sources[0] : NULL;
    return source != NULL && source->bytes->kind->at != NULL && source->line_number == 0 &&
           source->end == 0 && s->tail == NULL && !s->options.is_following;
}

static m31r_err run_pieces(m31r_scan *s, const m31ri_piece_work *work, m31r_error *e)
{
    const m31r_expr *x = s->options.filter.expr;
    counted_work counted = {.s = s, .work = work};
    m31ri_piece_work outer = *work;
    outer.take = take_counted;
    outer.take_many = work->take_many != NULL ? take_many_counted : NULL;
    outer.use = use_counted;
    outer.drop = drop_counted;
    outer.context = &counted;
    outer.knows_lines = work->knows_lines || (x != NULL && m31ri_expr_asks_place(x));
    m31ri_pieces_options options = {.bytes = s->sources[0]->bytes,
                                    .filter = &s->options.filter,
                                    .is_strict = s->options.is_strict,
                                    .takes_last_line = s->options.takes_last_line,
                                    .n_threads = s->options.n_threads};
    m31ri_sidecar *sidecar = NULL;
    if (!s->options.has_no_index && m31ri_bounds_of(&s->options.filter, &options.bounds)) {
        sidecar = m31ri_sidecar_open(options.bytes);
        options.sidecar = sidecar;
    }
    m31r_err err = m31ri_pieces_run(&options, &outer, e);
    m31ri_sidecar_free(sidecar);
    m31ri_source_set_ended(s->sources[0], counted.is_torn);
    return err;
}

/* The judge of the scan looks for the names as well, when the record at hand is the one that it has
 * judged last. */
static bool ask_judge(m31r_scan *s, const m31ri_piece_work *work, uint8_t *slots)
{
    m31ri_judge_wants wants = {.filter = &s->options.filter,
                               .is_strict = s->options.is_strict,
                               .needs_head = true,
                               .names = work->names,
                               .n_names = work->n_names,
                               .out_slots = slots};
    m31ri_judge_release(&s->judge);
    return m31ri_judge_init(&s->judge, &wants);
}

static m31r_err run_stream(m31r_scan *s, const m31ri_piece_work *work, m31r_error *e)
{
    m31ri_piece piece = {0};
    uint8_t slots[M31RI_SHAPE_SLOTS];
    bool is_judged_last = s->n_sources == 1 && s->tail == NULL;
    m31r_record record;
    m31r_err err = M31R_OK;
    if (is_judged_last && !ask_judge(s, work, slots)) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a scan");
    }
    while (err == M31R_OK && (err = m31r_scan_next(s, &record, e)) == M31R_OK) {
        if (!work->take(work->context, &piece, is_judged_last ? &s->judge : NULL, slots, &record)) {
            err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for records");
        } else if (piece.out.length > USE_BYTES) {
            err = work->use(work->context, &piece, e);
            m31ri_buf_clear(&piece.out);
        }
    }
    if (err == M31R_EOF) {
        err = work->use(work->context, &piece, e);
    }
    m31ri_buf_release(&piece.out);
    if (work->drop != NULL) {
        work->drop(work->context, &piece);
    }
    return err;
}

m31r_err m31ri_scan_all(m31r_scan *s, const m31ri_piece_work *work, m31r_error *e)
{
    m31r_err err = can_go_in_pieces(s) ? run_pieces(s, work, e) : run_stream(s, work, e);
    return err == M31R_OK ? M31R_EOF : err;
}

/* Records being written: whole, or some of their fields. */
typedef struct writing {
    FILE *out;
    m31ri_buf keys[M31RI_SHAPE_SLOTS]; /* `,"loss":` */
    const char *const *fields;
    size_t n_fields;
} writing;

static bool take_whole(void *context, m31ri_piece *piece, m31ri_judge *judge, const uint8_t *slots,
                       const m31r_record *line)
{
    (void)context;
    (void)judge;
    (void)slots;
    size_t length = line->length;
    length -= length > 0 && line->line[length - 1] == '\r';
    m31ri_buf_add(&piece->out, line->line, length);
    m31ri_buf_add_char(&piece->out, '\n');
    return m31ri_buf_ok(&piece->out);
}

/* The first member of each name that is wanted. */
typedef struct exact_values {
    const writing *w;
    m31ri_json_member values[M31RI_SHAPE_SLOTS]; /* `value` NULL: missing */
} exact_values;

static bool take_value(void *context, const m31ri_json_member *m)
{
    exact_values *v = context;
    for (size_t i = 0; i < v->w->n_fields; i++) {
        const char *name = v->w->fields[i];
        if (v->values[i].value == NULL && strlen(name) == m->key_length &&
            memcmp(name, m->key, m->key_length) == 0) {
            v->values[i] = *m;
        }
    }
    return true;
}

static void add_field(m31ri_buf *out, const m31ri_buf *key, const char *value, size_t length)
{
    m31ri_buf_add(out, key->data, key->length);
    if (value == NULL) {
        m31ri_buf_add_str(out, "null");
    } else {
        m31ri_buf_add(out, value, length);
    }
}

static void add_exact(const writing *w, m31ri_buf *out, const m31r_record *line)
{
    exact_values v = {.w = w};
    (void)m31ri_json_read_object(line->line, line->length, take_value, &v, NULL);
    for (size_t i = 0; i < w->n_fields; i++) {
        const m31ri_json_member *m = &v.values[i];
        bool is_string = m->value != NULL && m->type == 's';
        add_field(out, &w->keys[i], m->value != NULL ? m->value - is_string : NULL,
                  m->value_length + 2 * (size_t)is_string);
    }
}

static void add_found(const writing *w, m31ri_buf *out, const m31ri_found *found,
                      const uint8_t *slots, const m31r_record *line)
{
    for (size_t i = 0; i < w->n_fields; i++) {
        const m31ri_shape_value *v = &found->values[slots[i]];
        bool is_string = v->type == 's';
        if ((found->present >> slots[i] & 1) == 0) {
            add_field(out, &w->keys[i], NULL, 0);
        } else {
            add_field(out, &w->keys[i], line->line + v->start - is_string,
                      v->length + 2 * (size_t)is_string);
        }
    }
}

static bool take_fields(void *context, m31ri_piece *piece, m31ri_judge *judge, const uint8_t *slots,
                        const m31r_record *line)
{
    const writing *w = context;
    m31ri_buf_add_str(&piece->out, "{\"v\":1,\"kind\":\"fields\"");
    if (judge != NULL && judge->is_found) {
        add_found(w, &piece->out, &judge->found, slots, line);
    } else {
        add_exact(w, &piece->out, line);
    }
    m31ri_buf_add(&piece->out, "}\n", 2);
    return m31ri_buf_ok(&piece->out);
}

static m31r_err write_piece(void *context, m31ri_piece *piece, m31r_error *e)
{
    const writing *w = context;
    size_t n = piece->out.length;
    bool is_fine = n == 0 || fwrite(piece->out.data, 1, n, w->out) == n;
    return is_fine ? M31R_OK : m31ri_fail(e, M31R_E_IO, "cannot write output");
}

m31r_err m31r_scan_write(m31r_scan *s, FILE *out, const char *const *fields, size_t n_fields,
                         m31r_error *e)
{
    writing w = {.out = out, .fields = fields, .n_fields = n_fields};
    bool is_fine = n_fields <= M31RI_SHAPE_SLOTS;
    for (size_t i = 0; i < n_fields && is_fine; i++) {
        m31ri_buf_add_char(&w.keys[i], ',');
        m31ri_json_string(&w.keys[i], fields[i], strlen(fields[i]));
        m31ri_buf_add_char(&w.keys[i], ':');
        is_fine = m31ri_buf_ok(&w.keys[i]);
    }
    m31ri_piece_work work = {.names = fields,
                             .n_names = n_fields,
                             .take = n_fields > 0 ? take_fields : take_whole,
                             .use = write_piece,
                             .context = &w};
    m31r_err err = is_fine ? m31ri_scan_all(s, &work, e)
                           : m31ri_fail(e, M31R_E_LIMIT, "at most %d fields", M31RI_SHAPE_SLOTS);
    for (size_t i = 0; i < n_fields && i < M31RI_SHAPE_SLOTS; i++) {
        m31ri_buf_release(&w.keys[i]);
    }
    return err;
}
