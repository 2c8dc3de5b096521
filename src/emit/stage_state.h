/* stage_state.h - what a process counts for the stages, between their typed calls.
 *
 * One object a run and process, made at the first typed call. Its lock is the outermost of the emit
 * side: it is held while a call counts and writes, so that numbers, records and points have one
 * order. A forked child begins again from 0.
 */
#ifndef M31RI_STAGE_STATE_H
#define M31RI_STAGE_STATE_H

#include "emit/state.h"
#include "base/sha256.h"
#include "format/stage_table.h"
#include "m31r/measure.h"
#include "m31r/stage.h"

#define M31RI_STAGE_CALLS 96 /* numbers of typed calls are below */
#define M31RI_STAGE_WORDS 4096
#define M31RI_STAGE_SITES 4 /* sets of fields a call that are remembered */

/* What is said once a run and call. */
#define M31RI_SAID_METRICS 1
#define M31RI_SAID_MISSING 2
#define M31RI_SAID_RANGE 4

/* A field of a typed call as it lies in the caller's struct. */
typedef union m31ri_cell {
    uint64_t bits; /* all set: not given */
    int64_t i;
    double d;
    const char *s;
} m31ri_cell;

/* Words that are counted, such as reasons and categories. */
typedef struct m31ri_word_count {
    char *word;
    uint64_t n;
} m31ri_word_count;

typedef struct m31ri_words {
    m31ri_word_count *items;
    size_t n, capacity;
} m31ri_words;

typedef struct m31ri_task {
    size_t category; /* in the state's categories */
    uint64_t n_samples, n_compiled, n_passed;
} m31ri_task;

typedef struct m31ri_train_counts {
    m31r_rate speed;
    int64_t last_mono_ns; /* of the newest step call; 0: none */
    uint64_t n_tokens;    /* since the last record */
    bool has_record, is_held;
    m31r_train_step_fields
        held; /* a step that was not recorded, for the case that it is the last */
} m31ri_train_counts;

typedef struct m31ri_data_counts {
    uint64_t n_kept, n_rejected, n_duplicate, n_shards, kept_bytes;
    m31ri_words reasons;
} m31ri_data_counts;

typedef struct m31ri_eval_counts {
    m31ri_task *tasks;
    size_t n_tasks, capacity;
    m31ri_words categories;
} m31ri_eval_counts;

typedef struct m31ri_serve_counts {
    uint64_t n_requests, n_errors, n_tokens;
} m31ri_serve_counts;

/* The constant part of a record with a certain set of fields, as the logging macros make it. */
typedef struct m31ri_stage_site {
    uint32_t set; /* bit i: field i is given */
    m31r_site site;
    const char *keys[M31RI_STAGE_FIELDS];
} m31ri_stage_site;

struct m31ri_stage_state {
    pthread_mutex_t lock;
    unsigned fork_generation;
    struct m31ri_stage_state *parents; /* of a forked child: never looked into */
    bool said_schema;
    m31ri_stage_site *sites[M31RI_STAGE_CALLS][M31RI_STAGE_SITES];
    uint8_t was_said[M31RI_STAGE_CALLS]; /* M31RI_SAID_... */
    m31ri_train_counts train;
    m31ri_data_counts data;
    m31ri_eval_counts eval;
    m31ri_serve_counts serve;
    m31r_quantiles *latency, *first_token;
    double memory_mb; /* as of memory_mono_ns */
    int64_t memory_mono_ns;
    double gpu_memory_mb; /* as of gpu_mono_ns; has_gpu: one answered then */
    int64_t gpu_mono_ns;
    bool has_gpu;
    m31r_lane *progress_lane;
    bool has_no_progress_lane;
    int64_t progress_next_ns, progress_start_ns;
    uint64_t progress_done;
};

/* Was the field not given? */
static inline bool m31ri_is_unset_integer(int64_t x)
{
    return x == -1;
}

static inline bool m31ri_is_unset_number(double x)
{
    m31ri_cell cell = {.d = x};
    return cell.bits == UINT64_MAX;
}

static inline bool m31ri_is_unset_string(const char *s)
{
    return s == NULL || (uintptr_t)s == UINTPTR_MAX;
}

/* stage_state.c: the state of `run` in this process, made when there is none; NULL when memory is
 * out. */
struct m31ri_stage_state *m31ri_stage_state_of(m31r_run *run);

/* stage_write.c: says what is mandatory and not set, and what is outside its limits; once each,
 * noted in `said`. */
void m31ri_stage_check(m31r_run *run, const m31ri_stage_message *m, const m31ri_cell *cells,
                       uint8_t *said);

/* stage_write.c: writes one record of the table's message, and its points. `cells` are its fields
 * in order. */
void m31ri_stage_write(m31r_run *run, const m31ri_stage_message *m, const m31ri_cell *cells);

/* stage_state.c: counts `n` for a word, in the order in which words were met; its place, or
 * SIZE_MAX when memory is out or there are too many. */
size_t m31ri_words_count(m31ri_words *words, const char *word, uint64_t n);
void m31ri_words_release(m31ri_words *words);

/* artifacts.c: registers the file of a shard and fills its size and digest; `sha256` is kept by the
 * caller as long as the fields. */
void m31ri_register_shard(m31r_run *run, m31r_data_shard_fields *f, char sha256[M31RI_SHA256_HEX]);

/* stage_values.c: set a field of any stage where the caller did not. */
void m31ri_fill_integer(int64_t *field, uint64_t value);
void m31ri_fill_number(double *field, double value);
void m31ri_fill_memory(struct m31ri_stage_state *s, double *field);
void m31ri_fill_gpu_memory(struct m31ri_stage_state *s, double *field);
void m31ri_fill_duration(const m31r_run *run, double *field);

/* stage_fill.c, stage_score.c: count what a call says and fill what it leaves out; `fields` is the
 * call's struct. False: nothing is to be written now. */
typedef bool m31ri_stage_fill(m31r_run *run, struct m31ri_stage_state *s, void *fields);
m31ri_stage_fill m31ri_fill_train_step, m31ri_fill_train_summary;
m31ri_stage_fill m31ri_fill_data_kept, m31ri_fill_data_rejected, m31ri_fill_data_duplicate;
m31ri_stage_fill m31ri_fill_data_shard, m31ri_fill_data_summary;
m31ri_stage_fill m31ri_fill_tokenizer_progress, m31ri_fill_tokenizer_summary;
m31ri_stage_fill m31ri_fill_eval_task, m31ri_fill_eval_summary;
m31ri_stage_fill m31ri_fill_serve_request, m31ri_fill_serve_summary;

#endif
