/* stage.c - typed calls: from a struct of fields to a record and its points, by the tables.
 *
 * A call counts and fills what its stage knows (stage_fill.c, stage_score.c), then every field that
 * is set is written in the table's order (stage_write.c).
 */
#include <errno.h>
#include <string.h>

#include "emit/stage_state.h"
#include "m31r/artifact.h"

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

static void define_metrics(m31r_run *run, const m31ri_stage_message *m)
{
    for (size_t i = 0; i < m->n_fields; i++) {
        const m31ri_stage_field *f = &m->fields[i];
        if ((f->flags & M31RI_FIELD_POINT) != 0) {
            m31r_metric_define(run, f->key, f->unit[0] != '\0' ? f->unit : NULL, f->better);
        }
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
    if ((s->was_said[call] & M31RI_SAID_METRICS) == 0) {
        s->was_said[call] |= M31RI_SAID_METRICS;
        define_metrics(run, m);
    }
    bool is_due = fills[call] == NULL || fills[call](run, s, cells);
    m31ri_stage_check(run, m, cells, &s->was_said[call]);
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
