/* stage.c - typed calls: from a struct of fields to a record and its points, by the tables.
 *
 * A call counts and fills what its stage knows (stage_fill.c, stage_score.c), then every field that
 * is set is written in the table's order. What is mandatory and not set is named once in an ERROR
 * record; the record itself goes without it, so that nothing stands there that nobody said.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "emit/stage_state.h"
#include "m31r/artifact.h"

#define SAID_METRICS 1
#define SAID_MISSING 2
#define SAID_RANGE 4
#define MIB (1024.0 * 1024.0)
#define MEMORY_NS (20 * 1000 * 1000LL)
#define GPU_NS (1000 * 1000 * 1000LL) /* a driver may take milliseconds */

_Static_assert(sizeof(m31ri_cell) == 8 && sizeof(void *) == 8,
               "a field of a typed call is 8 bytes");

static m31ri_stage_fill *const fills[M31RI_STAGE_CALLS] = {
    [M31R_CALL_TRAIN_STEP] = m31ri_fill_train_step,
    [M31R_CALL_TRAIN_SUMMARY] = m31ri_fill_train_summary,
    [M31R_CALL_DATA_KEPT] = m31ri_fill_data_kept,
    [M31R_CALL_DATA_REJECTED] = m31ri_fill_data_rejected,
    [M31R_CALL_DATA_DUPLICATE] = m31ri_fill_data_duplicate,
    [M31R_CALL_DATA_SHARD] = m31ri_fill_data_shard,
    [M31R_CALL_DATA_SUMMARY] = m31ri_fill_data_summary,
    [M31R_CALL_TOKENIZER_PROGRESS] = m31ri_fill_tokenizer_progress,
    [M31R_CALL_TOKENIZER_SUMMARY] = m31ri_fill_tokenizer_summary,
    [M31R_CALL_EVAL_TASK] = m31ri_fill_eval_task,
    [M31R_CALL_EVAL_SUMMARY] = m31ri_fill_eval_summary,
    [M31R_CALL_SERVE_REQUEST] = m31ri_fill_serve_request,
    [M31R_CALL_SERVE_SUMMARY] = m31ri_fill_serve_summary,
};

/* ---- the state of a process --------------------------------------------------------------------
 */

static struct m31ri_stage_state *new_state(const m31r_run *run)
{
    struct m31ri_stage_state *s = m31ri_calloc(1, sizeof *s);
    if (s != NULL) {
        pthread_mutex_init(&s->lock, NULL);
        s->fork_generation = run->fork_generation;
        s->latency = m31r_quantiles_new();
        s->first_token = m31r_quantiles_new();
    }
    return s;
}

void m31ri_stage_state_free(struct m31ri_stage_state *s)
{
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < M31RI_STAGE_CALLS * M31RI_STAGE_SITES; i++) {
        m31ri_free(s->sites[i / M31RI_STAGE_SITES][i % M31RI_STAGE_SITES]);
    }
    m31ri_words_release(&s->data.reasons);
    m31ri_words_release(&s->eval.categories);
    m31ri_free(s->eval.tasks);
    m31r_quantiles_free(s->latency);
    m31r_quantiles_free(s->first_token);
    pthread_mutex_destroy(&s->lock);
    m31ri_free(s);
}

struct m31ri_stage_state *m31ri_stage_state_of(m31r_run *run)
{
    pthread_mutex_lock(&run->lock);
    struct m31ri_stage_state *s = run->stages;
    if (s == NULL || s->fork_generation != run->fork_generation) {
        s = new_state(run);
        if (s != NULL) {
            s->parents = run->stages; /* its lock may be held by a thread that is not here */
            run->stages = s;
        }
    }
    pthread_mutex_unlock(&run->lock);
    return s;
}

/* ---- words and fills ---------------------------------------------------------------------------
 */

size_t m31ri_words_count(m31ri_words *words, const char *word, uint64_t n)
{
    for (size_t i = 0; i < words->n; i++) {
        if (strcmp(words->items[i].word, word) == 0) {
            words->items[i].n += n;
            return i;
        }
    }
    if (words->n == words->capacity) {
        size_t capacity = words->capacity == 0 ? 16 : words->capacity * 2;
        m31ri_word_count *items = NULL;
        if (capacity <= M31RI_STAGE_WORDS) {
            items = m31ri_realloc(words->items, capacity * sizeof *items);
        }
        if (items == NULL) {
            return SIZE_MAX;
        }
        words->items = items;
        words->capacity = capacity;
    }
    char *copy = m31ri_strdup(word);
    if (copy == NULL) {
        return SIZE_MAX;
    }
    words->items[words->n] = (m31ri_word_count){copy, n};
    return words->n++;
}

void m31ri_words_release(m31ri_words *words)
{
    for (size_t i = 0; i < words->n; i++) {
        m31ri_free(words->items[i].word);
    }
    m31ri_free(words->items);
    *words = (m31ri_words){0};
}

void m31ri_fill_integer(int64_t *field, uint64_t value)
{
    if (m31ri_is_unset_integer(*field)) {
        *field = value > INT64_MAX ? INT64_MAX : (int64_t)value;
    }
}

void m31ri_fill_number(double *field, double value)
{
    if (m31ri_is_unset_number(*field)) {
        *field = value;
    }
}

void m31ri_fill_gpu_memory(struct m31ri_stage_state *s, double *field)
{
    int64_t now = m31ri_mono_ns();
    m31r_memory memory;
    if (!m31ri_is_unset_number(*field)) {
        return;
    }
    if (s->gpu_mono_ns == 0 || now - s->gpu_mono_ns >= GPU_NS) {
        s->gpu_mono_ns = now;
        s->has_gpu = m31r_memory_read(&memory, true) == M31R_OK && memory.has_gpu;
        s->gpu_memory_mb = s->has_gpu ? (double)memory.gpu_bytes / MIB : 0;
    }
    if (s->has_gpu) {
        *field = s->gpu_memory_mb;
    }
}

/* Asking the system takes longer than all else of a call, so an answer is good for a while. */
void m31ri_fill_memory(struct m31ri_stage_state *s, double *field)
{
    int64_t now = m31ri_mono_ns();
    m31r_memory memory;
    if (!m31ri_is_unset_number(*field)) {
        return;
    }
    if (s->memory_mono_ns == 0 || now - s->memory_mono_ns >= MEMORY_NS) {
        if (m31r_memory_read(&memory, false) != M31R_OK) {
            return;
        }
        s->memory_mb = (double)memory.rss_bytes / MIB;
        s->memory_mono_ns = now;
    }
    *field = s->memory_mb;
}

void m31ri_fill_duration(const m31r_run *run, double *field)
{
    m31ri_fill_number(field, (double)(m31ri_mono_ns() - run->opened_mono_ns) / 1e9);
}

/* ---- writing -----------------------------------------------------------------------------------
 */

static bool is_unset(const m31ri_stage_field *f, const m31ri_cell *cell)
{
    return cell->bits == UINT64_MAX || (f->type == M31RI_FIELD_STRING && cell->s == NULL);
}

static m31r_value value_of(const m31ri_stage_field *f, const m31ri_cell *cell)
{
    switch (f->type) {
    case M31RI_FIELD_INTEGER:
        return m31r_of_int(cell->i);
    case M31RI_FIELD_REAL:
        return m31r_of_double(cell->d);
    default:
        return m31r_of_string(cell->s);
    }
}

static bool is_out_of_range(const m31ri_stage_field *f, const m31ri_cell *cell)
{
    double x = f->type == M31RI_FIELD_INTEGER ? (double)cell->i : cell->d;
    return f->type != M31RI_FIELD_STRING && (x < f->minimum || x > f->maximum);
}

/* The ERROR that names fields, once a run, call and kind of fault. */
static void say_fault(m31r_run *run, const m31ri_stage_message *m, const char *fault,
                      const char *names)
{
    const m31r_value keys[] = {m31r_of_string("record"), m31r_of_string("fields"),
                               m31r_of_string("stage")};
    const m31r_value values[] = {m31r_of_string(m->name), m31r_of_string(names),
                                 m31r_of_string(run->stage)};
    const m31r_fields fields = {keys, values, 3};
    m31r_log_write(m31r_run_logger(run, m->module), M31R_ERROR, m31r_of_string(fault), &fields);
}

typedef struct name_list {
    char text[256];
    size_t length;
} name_list;

static void add_name(name_list *list, const char *name)
{
    int n = snprintf(list->text + list->length, sizeof list->text - list->length, "%s%s",
                     list->length > 0 ? " " : "", name);
    if (n > 0 && list->length + (size_t)n < sizeof list->text) {
        list->length += (size_t)n;
    }
}

/* Says what is mandatory and not set, and what is outside its limits. */
static void check_cells(m31r_run *run, const m31ri_stage_message *m, const m31ri_cell *cells,
                        uint8_t *said)
{
    name_list missing = {"", 0};
    name_list outside = {"", 0};
    for (size_t i = 0; i < m->n_fields; i++) {
        const m31ri_stage_field *f = &m->fields[i];
        bool must = (f->flags & (M31RI_FIELD_REQUIRED | M31RI_FIELD_IN_CALL)) != 0;
        if (!is_unset(f, &cells[i])) {
            if (is_out_of_range(f, &cells[i])) {
                add_name(&outside, f->key);
            }
        } else if (must) {
            add_name(&missing, f->filled_from[0] != '\0' ? f->filled_from : f->key);
        }
    }
    if (missing.length > 0 && (*said & SAID_MISSING) == 0) {
        *said |= SAID_MISSING;
        say_fault(run, m, "field_missing", missing.text);
    }
    if (outside.length > 0 && (*said & SAID_RANGE) == 0) {
        *said |= SAID_RANGE;
        say_fault(run, m, "field_out_of_range", outside.text);
    }
}

static void define_metrics(m31r_run *run, const m31ri_stage_message *m)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        const m31ri_stage_field *f = &m->fields[i];
        if ((f->flags & M31RI_FIELD_POINT) != 0) {
            m31r_metric_define(run, f->key, f->unit[0] != '\0' ? f->unit : NULL, f->better);
        }
    }
}

static m31ri_stage_site *new_site(const m31ri_stage_message *m, uint32_t set)
{
    m31ri_stage_site *made = m31ri_calloc(1, sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->set = set;
    made->site = (m31r_site){.level = m->level, .message = m->name, .keys = made->keys, .file = ""};
    for (size_t i = 0; i < m->n_fields; i++) {
        if ((set >> i & 1) != 0) {
            made->keys[made->site.n_keys++] = m->fields[i].key;
        }
    }
    return made;
}

/* The call site for a set of fields; NULL when too many sets are in use or memory is out. */
static m31r_site *site_of(struct m31ri_stage_state *s, const m31ri_stage_message *m, uint32_t set)
{
    m31ri_stage_site **known = s->sites[m->call];
    for (size_t i = 0; i < M31RI_STAGE_SITES && m->call != 0; i++) {
        if (known[i] == NULL) {
            known[i] = new_site(m, set);
            return known[i] != NULL ? &known[i]->site : NULL;
        }
        if (known[i]->set == set) {
            return &known[i]->site;
        }
    }
    return NULL;
}

/* One record; `set` says which fields `keys` and `values` are. */
static void write_record(m31r_run *run, const m31ri_stage_message *m, uint32_t set,
                         const m31r_fields *fields)
{
    m31r_log *log = m31r_run_logger(run, m->module);
    if (!m31r_log_is_on(log, m->level)) {
        return;
    }
    m31r_site *site = site_of(run->stages, m, set);
    if (site != NULL) {
        m31r_log_emit(log, site, fields->values);
    } else {
        m31r_log_write(log, m->level, m31r_of_string(m->name), fields);
    }
}

void m31ri_stage_write(m31r_run *run, const m31ri_stage_message *m, const m31ri_cell *cells)
{
    m31r_value keys[M31RI_STAGE_FIELDS];
    m31r_value values[M31RI_STAGE_FIELDS];
    m31r_value numbers[M31RI_STAGE_FIELDS];
    const char *names[M31RI_STAGE_FIELDS];
    size_t n = 0;
    size_t n_points = 0;
    uint32_t set = 0;
    int64_t step = M31R_NO_STEP;
    for (size_t i = 0; i < m->n_fields; i++) {
        const m31ri_stage_field *f = &m->fields[i];
        if (is_unset(f, &cells[i])) {
            continue;
        }
        set |= 1u << i;
        keys[n] = m31r_of_string(f->key);
        values[n] = value_of(f, &cells[i]);
        if ((int)i == m->step && cells[i].i >= 0) {
            step = cells[i].i;
        }
        if ((f->flags & M31RI_FIELD_POINT) != 0) {
            names[n_points] = f->key;
            numbers[n_points++] = values[n];
        }
        n++;
    }
    const m31r_fields fields = {keys, values, n};
    write_record(run, m, set, &fields);
    if (n_points > 0) {
        m31ri_points_add(run, names, numbers, n_points, step);
    }
}

/* A path below the run's directory as one relative to it: records of equal runs are then equal. */
static const char *path_in_run(const m31r_run *run, const char *path)
{
    size_t prefix = strlen(run->dir.path);
    bool is_inside = !m31ri_is_unset_string(path) && path != NULL &&
                     strncmp(path, run->dir.path, prefix) == 0 && path[prefix] == '/';
    return is_inside ? path + prefix + 1 : path;
}

/* The file that a call is about is registered before anything is locked: hashing takes its time. */
static void register_file(m31r_run *run, m31r_stage_call call, void *fields)
{
    if (call == M31R_CALL_TRAIN_CHECKPOINT) {
        m31r_train_checkpoint_fields *f = fields;
        if (!m31ri_is_unset_string(f->path)) {
            (void)m31r_checkpoint_add(run, f->path,
                                      m31ri_is_unset_integer(f->step) ? M31R_NO_STEP : f->step);
        }
        f->path = path_in_run(run, f->path);
    } else if (call == M31R_CALL_TRAIN_RESUME) {
        m31r_train_resume_fields *f = fields;
        if (!m31ri_is_unset_string(f->path)) {
            (void)m31r_input_add(run, f->path);
        }
        f->path = path_in_run(run, f->path);
    }
}

static void emit(m31r_run *run, m31r_stage_call call, const m31ri_stage_message *m,
                 m31ri_cell *cells)
{
    char sha256[M31RI_SHA256_HEX];
    if (call == M31R_CALL_DATA_SHARD) {
        m31r_data_shard_fields *f = (m31r_data_shard_fields *)cells;
        m31ri_register_shard(run, f, sha256);
        f->path = path_in_run(run, f->path);
    } else {
        register_file(run, call, cells);
    }
    struct m31ri_stage_state *s = m31ri_stage_state_of(run);
    if (s == NULL) {
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (!s->said_schema) {
        const m31ri_stage *stage = m31ri_stage_of_call((uint32_t)call);
        s->said_schema = true;
        m31ri_notice(run, json_pack("{s:s, s:s, s:i}", "kind", "schema", "stage", stage->name,
                                    "version", stage->version));
    }
    if ((s->was_said[call] & SAID_METRICS) == 0) {
        s->was_said[call] |= SAID_METRICS;
        define_metrics(run, m);
    }
    bool is_due = fills[call] == NULL || fills[call](run, s, cells);
    check_cells(run, m, cells, &s->was_said[call]);
    if (is_due) {
        m31ri_stage_write(run, m, cells);
    }
    pthread_mutex_unlock(&s->lock);
}

void m31r_stage_emit(m31r_run *run, m31r_stage_call call, const void *fields, size_t size_bytes)
{
    int saved = errno;
    const m31ri_stage_message *m = m31ri_stage_message_of_call((uint32_t)call);
    if (!m31ri_run_enter(run) || m == NULL || fields == NULL) {
        errno = saved;
        return;
    }
    m31ri_cell
        cells[M31RI_STAGE_FIELDS]; /* a caller built with fewer fields leaves the rest unset */
    size_t size = m->n_fields * sizeof cells[0];
    memset(cells, 0xFF, sizeof cells);
    memcpy(cells, fields, size_bytes < size ? size_bytes : size);
    emit(run, call, m, cells);
    errno = saved;
}
