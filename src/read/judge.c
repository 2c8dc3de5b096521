/* judge.c - the filter asked while a line is walked through.
 *
 * The tests of a filter are asked in the order of m31r_filter, each as soon as its field was met:
 * the walk pauses there. The expression is asked last, once all of its fields were met or the line
 * has ended, and only once a line, since it counts what it meets.
 */
#include "read/judge.h"

#include <string.h>

#include "format/number.h"
#include "format/timestamp.h"
#include "read/expr_int.h"

/* What is known of the expression for the line at hand. */
typedef enum answer { NOT_ASKED, HOLDS, FAILS } answer;

static const char *const head_names[M31RI_HEAD] = {"ts", "level", "module", "msg", "step"};

static uint8_t add_name(m31ri_shape_names *names, const char *name, bool *fits)
{
    for (size_t i = 0; i < names->n; i++) {
        if (strcmp(names->names[i], name) == 0) {
            return (uint8_t)i;
        }
    }
    if (names->n == M31RI_SHAPE_SLOTS) {
        *fits = false;
        return M31RI_NO_SLOT;
    }
    names->names[names->n] = name;
    return (uint8_t)names->n++;
}

/* Fields that the tests of the filter need, as bits of M31RI_TS... */
static unsigned tested_fields(const m31r_filter *f)
{
    bool is_timed = f->since_ns != 0 || f->until_ns != 0;
    return (unsigned)is_timed << M31RI_TS | (unsigned)(f->min_level != 0) << M31RI_LEVEL |
           (unsigned)(f->module != NULL) << M31RI_MODULE | (unsigned)f->has_steps << M31RI_STEP;
}

bool m31ri_judge_init(m31ri_judge *j, const m31ri_judge_wants *wants)
{
    m31ri_shape_names names = {0};
    bool fits = true;
    unsigned tested = tested_fields(wants->filter);
    const m31r_expr *x = wants->filter->expr;
    memset(j, 0, sizeof *j);
    j->filter = wants->filter;
    j->is_strict = wants->is_strict;
    for (unsigned i = 0; i < M31RI_HEAD; i++) {
        bool is_tested = (tested >> i & 1) != 0;
        bool is_wanted = is_tested || wants->needs_head || (x != NULL && i == M31RI_LEVEL);
        j->head[i] = is_wanted ? add_name(&names, head_names[i], &fits) : M31RI_NO_SLOT;
        names.checkpoints |= is_tested ? (uint64_t)1 << j->head[i] : 0;
    }
    names.together = names.checkpoints;
    for (size_t i = 0; x != NULL && i < x->n_slots; i++) {
        j->expr_slots[i] = add_name(&names, x->slots[i].facts.name, &fits);
        names.together |= fits ? (uint64_t)1 << j->expr_slots[i] : 0;
    }
    for (size_t i = 0; i < wants->n_names; i++) {
        wants->out_slots[i] = add_name(&names, wants->names[i], &fits);
    }
    j->walk = fits ? m31ri_walk_best() : NULL;
    return m31ri_shapes_init(&j->shapes, &names);
}

void m31ri_judge_release(m31ri_judge *j)
{
    m31ri_shapes_release(&j->shapes);
}

/* Value of a slot, or NULL when the line does not have it (so far). */
static const m31ri_shape_value *value_of(const m31ri_judge *j, uint8_t slot)
{
    bool is_there = slot != M31RI_NO_SLOT && (j->found.present >> slot & 1) != 0;
    return is_there ? &j->found.values[slot] : NULL;
}

static m31r_level level_of(const char *line, const m31ri_shape_value *v)
{
    return v->type == 's' ? m31ri_record_level(line + v->start, v->length) : (m31r_level)0;
}

static bool step_of(const char *line, const m31ri_shape_value *v, int64_t *out)
{
    return v->type == 'n' && m31ri_number_read_int(line + v->start, v->length, out);
}

static int64_t time_of(m31ri_minute *minute, const char *text, size_t length)
{
    int64_t wall_ns;
    return m31ri_timestamp_read_near(minute, text, length, &wall_ns) ? wall_ns : M31R_UNKNOWN;
}

static bool is_in_time(const m31r_filter *f, int64_t wall_ns)
{
    return wall_ns != M31R_UNKNOWN && wall_ns >= f->since_ns &&
           (f->until_ns == 0 || wall_ns < f->until_ns);
}

/* True when the fields that are there turn the line down; `is_whole`: what is not there is missing.
 */
static bool is_turned_down(m31ri_judge *j, const char *line, bool is_whole)
{
    const m31r_filter *f = j->filter;
    const m31ri_shape_value *v;
    int64_t step;
    if (f->min_level != 0) {
        v = value_of(j, j->head[M31RI_LEVEL]);
        if (v != NULL ? level_of(line, v) < f->min_level : is_whole) {
            return true;
        }
    }
    if (f->module != NULL) {
        v = value_of(j, j->head[M31RI_MODULE]);
        if (v != NULL ? v->type != 's' || strlen(f->module) != v->length ||
                            memcmp(f->module, line + v->start, v->length) != 0
                      : is_whole) {
            return true;
        }
    }
    if (f->has_steps) {
        v = value_of(j, j->head[M31RI_STEP]);
        if (v != NULL ? !step_of(line, v, &step) || step < f->first_step || step > f->last_step
                      : is_whole) {
            return true;
        }
    }
    if (f->since_ns != 0 || f->until_ns != 0) {
        v = value_of(j, j->head[M31RI_TS]);
        return v != NULL ? v->type != 's' ||
                               !is_in_time(f, time_of(&j->minute, line + v->start, v->length))
                         : is_whole;
    }
    return false;
}

/* The same of a line that the exact parser has read. */
static bool is_turned_down_exactly(const m31r_filter *f, const m31ri_record_head *h)
{
    bool is_other_module =
        f->module != NULL &&
        (h->module.value == NULL || strlen(f->module) != h->module.value_length ||
         memcmp(f->module, h->module.value, h->module.value_length) != 0);
    bool is_other_step =
        f->has_steps && (!h->has_step || h->step < f->first_step || h->step > f->last_step);
    bool is_timed = f->since_ns != 0 || f->until_ns != 0;
    return h->level < f->min_level || is_other_module || is_other_step ||
           (is_timed && !is_in_time(f, h->wall_ns));
}

static answer ask_exactly(m31ri_judge *j, const char *line, size_t length, const m31r_record *place)
{
    m31r_record record = *place;
    record.line = line;
    record.length = length;
    record.level = j->is_found ? (value_of(j, j->head[M31RI_LEVEL]) != NULL
                                      ? level_of(line, value_of(j, j->head[M31RI_LEVEL]))
                                      : (m31r_level)0)
                               : j->exact.level;
    return m31r_expr_holds_record(j->filter->expr, &record) ? HOLDS : FAILS;
}

/* Asks the expression about the values that were found. */
static answer ask_found(m31ri_judge *j, const char *line, const m31r_record *place)
{
    m31r_expr *x = j->filter->expr;
    m31ri_expr_begin_record(x, place);
    for (size_t i = 0; i < x->n_slots; i++) {
        const m31ri_shape_value *v = value_of(j, j->expr_slots[i]);
        if (v != NULL) {
            m31ri_json_member m = {.value = line + v->start,
                                   .value_length = v->length,
                                   .type = v->type,
                                   .value_escaped = v->is_escaped};
            bool is_level = j->expr_slots[i] == j->head[M31RI_LEVEL];
            m31ri_expr_set(x, i, &m, is_level ? level_of(line, v) : (m31r_level)0);
        }
    }
    return m31ri_expr_judge(x) ? HOLDS : FAILS;
}

/* At a checkpoint: true when the line is turned down already. */
static bool is_over(m31ri_judge *j, const char *line, const m31r_record *place, answer *expr)
{
    const m31r_expr *x = j->filter->expr;
    uint64_t together = j->shapes.names.together;
    if (is_turned_down(j, line, false)) {
        return true;
    }
    bool can_ask = x != NULL && *expr == NOT_ASKED && (together & ~j->found.present) == 0 &&
                   !m31ri_expr_is_looking(x);
    if (can_ask) {
        *expr = ask_found(j, line, place);
    }
    return *expr == FAILS;
}

static m31ri_verdict judge_found(m31ri_judge *j, const char *line, size_t length,
                                 const m31r_record *place, answer expr)
{
    const m31r_expr *x = j->filter->expr;
    j->class = M31R_LINE_OK;
    if (is_turned_down(j, line, true)) {
        return M31RI_DROP;
    }
    if (x != NULL && expr == NOT_ASKED) {
        bool must_tell = m31ri_expr_is_looking(x) && !j->found.last->is_told;
        expr = must_tell ? ask_exactly(j, line, length, place) : ask_found(j, line, place);
        j->found.last->is_told |= must_tell;
    }
    return expr == FAILS ? M31RI_DROP : M31RI_KEEP;
}

static m31ri_verdict judge_exactly(m31ri_judge *j, const char *line, size_t length,
                                   const m31r_record *place, answer expr)
{
    j->is_found = false;
    j->class = (m31r_line_class)m31ri_record_read(line, length, &j->exact);
    if (j->class != M31R_LINE_OK) {
        return M31RI_BAD;
    }
    if (j->walk != NULL) {
        m31ri_shapes_learn(&j->shapes, line, length + 1);
    }
    if (is_turned_down_exactly(j->filter, &j->exact)) {
        return M31RI_DROP;
    }
    if (j->filter->expr != NULL && expr == NOT_ASKED) {
        expr = ask_exactly(j, line, length, place);
    }
    return expr == FAILS ? M31RI_DROP : M31RI_KEEP;
}

static bool has_all(const m31ri_judge *j)
{
    return (j->found.last->pauses & M31RI_PAUSE_ALL) != 0;
}

static m31ri_verdict judge(m31ri_judge *j, const char *line, size_t length,
                           const m31r_record *place, unsigned pauses)
{
    answer expr = NOT_ASKED;
    m31ri_walk_state state = M31RI_WALK_LOST;
    if (j->walk != NULL) {
        j->is_found = true;
        m31ri_walk_start(&j->shapes, line, &j->found);
        state = j->walk->go(&j->shapes, line, pauses, &j->found);
    }
    while (state == M31RI_WALK_PAUSE) {
        if (is_over(j, line, place, &expr)) {
            j->class = M31R_LINE_OK;
            return M31RI_DROP;
        }
        if ((pauses & M31RI_PAUSE_ALL) != 0 && has_all(j)) {
            return judge_found(j, line, length, place, expr);
        }
        state = j->walk->go(&j->shapes, line, pauses, &j->found);
    }
    if (state == M31RI_WALK_END && j->found.at == line + length + 1) {
        return judge_found(j, line, length, place, expr);
    }
    return judge_exactly(j, line, length, place, expr);
}

m31ri_verdict m31ri_judge_line(m31ri_judge *j, const char *line, size_t length,
                               const m31r_record *place)
{
    /* What begins and ends like no object is judged whole, whatever the filter can tell from it. */
    bool can_pause = !j->is_strict && length > 0 && line[length - 1] == '}';
    return judge(j, line, length, place, can_pause ? M31RI_PAUSE_CHECK : 0);
}

m31ri_verdict m31ri_judge_start(m31ri_judge *j, const char *line, size_t length,
                                const m31r_record *place)
{
    return judge(j, line, length, place, M31RI_PAUSE_CHECK | M31RI_PAUSE_ALL);
}

void m31ri_judge_record(m31ri_judge *j, const char *line, size_t length, m31r_record *out)
{
    out->line = line;
    out->length = length > 0 && line[length - 1] == '\r' ? length - 1 : length;
    if (!j->is_found) {
        out->wall_ns = j->exact.wall_ns;
        out->level = j->exact.level;
        out->module = j->exact.module.value;
        out->module_length = j->exact.module.value_length;
        out->message = j->exact.message.value;
        out->message_length = j->exact.message.value_length;
        out->has_step = j->exact.has_step;
        out->step = j->exact.step;
        return;
    }
    const m31ri_shape_value *ts = value_of(j, j->head[M31RI_TS]);
    const m31ri_shape_value *level = value_of(j, j->head[M31RI_LEVEL]);
    const m31ri_shape_value *module = value_of(j, j->head[M31RI_MODULE]);
    const m31ri_shape_value *msg = value_of(j, j->head[M31RI_MSG]);
    const m31ri_shape_value *step = value_of(j, j->head[M31RI_STEP]);
    bool has_module = module != NULL && module->type == 's';
    bool has_message = msg != NULL && msg->type == 's';
    out->wall_ns = ts != NULL && ts->type == 's' ? time_of(&j->minute, line + ts->start, ts->length)
                                                 : M31R_UNKNOWN;
    out->level = level != NULL ? level_of(line, level) : (m31r_level)0;
    out->module = has_module ? line + module->start : NULL;
    out->module_length = has_module ? module->length : 0;
    out->message = has_message ? line + msg->start : NULL;
    out->message_length = has_message ? msg->length : 0;
    out->step = 0;
    out->has_step = step != NULL && step_of(line, step, &out->step);
}
