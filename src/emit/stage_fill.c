/* stage_fill.c - what training, data and tokenizer calls count, and what they leave to the library.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "emit/stage_state.h"

#define MIB (1024.0 * 1024.0)

/* ---- train -------------------------------------------------------------------------------------
 */

/* Time that the tokens took: what the caller says, else since the call before, at first since the
 * opening of the run. */
static double step_seconds(const m31r_run *run, m31ri_train_counts *t, double duration_s)
{
    int64_t now = m31ri_mono_ns();
    int64_t since = t->last_mono_ns != 0 ? t->last_mono_ns : run->opened_mono_ns;
    t->last_mono_ns = now;
    return m31ri_is_unset_number(duration_s) ? (double)(now - since) / 1e9 : duration_s;
}

/* The first step, every N-th, and every one whose loss is no number are recorded. */
static bool is_step_due(const m31r_run *run, const m31ri_train_counts *t,
                        const m31r_train_step_fields *f)
{
    int64_t every = run->settings->log_every;
    return !t->has_record || every <= 1 || m31ri_is_unset_integer(f->step) ||
           f->step % every == 0 || !isfinite(f->loss);
}

bool m31ri_fill_train_step(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_train_step_fields *f = fields;
    m31ri_train_counts *t = &s->train;
    double seconds = step_seconds(run, t, f->duration_s);
    if (!m31ri_is_unset_integer(f->tokens)) {
        double rate = m31r_rate_add(&t->speed, (double)f->tokens, seconds);
        t->n_tokens += f->tokens > 0 ? (uint64_t)f->tokens : 0;
        f->tokens = (int64_t)t->n_tokens;
        m31ri_fill_number(&f->tokens_per_sec, rate);
    }
    m31ri_fill_memory(s, &f->memory_mb);
    m31ri_fill_gpu_memory(s, &f->gpu_memory_mb);
    t->is_held = !is_step_due(run, t, f);
    if (t->is_held) {
        t->held = *f;
        return false;
    }
    t->has_record = true;
    t->n_tokens = 0;
    return true;
}

bool m31ri_fill_train_summary(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_train_summary_fields *f = fields;
    m31r_memory memory;
    if (s->train.is_held) {
        m31ri_cell cells[sizeof s->train.held / sizeof(m31ri_cell)];
        memcpy(cells, &s->train.held, sizeof cells);
        m31ri_stage_write(run, m31ri_stage_message_of_call(M31R_CALL_TRAIN_STEP), cells);
        s->train.is_held = false;
    }
    m31ri_fill_duration(run, &f->duration_s);
    if (m31r_memory_read(&memory, false) == M31R_OK) {
        m31ri_fill_number(&f->peak_memory_mb, (double)memory.peak_bytes / MIB);
    }
    return true;
}

/* ---- data --------------------------------------------------------------------------------------
 */

bool m31ri_fill_data_kept(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    const m31r_data_kept_fields *f = fields;
    (void)run;
    s->data.n_kept++;
    s->data.kept_bytes += f->bytes > 0 ? (uint64_t)f->bytes : 0;
    return true;
}

bool m31ri_fill_data_rejected(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    const m31r_data_rejected_fields *f = fields;
    (void)run;
    s->data.n_rejected++;
    (void)m31ri_words_count(&s->data.reasons,
                            m31ri_is_unset_string(f->reason) ? "unknown" : f->reason, 1);
    return true;
}

bool m31ri_fill_data_duplicate(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    (void)run;
    (void)fields;
    s->data.n_duplicate++;
    return true;
}

bool m31ri_fill_data_shard(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    (void)run;
    (void)fields;
    s->data.n_shards++;
    return true;
}

static int by_word(const void *a, const void *b)
{
    return strcmp(((const m31ri_word_count *)a)->word, ((const m31ri_word_count *)b)->word);
}

/* One record a reason, in order of the word, so that threads may count in any order. */
static void write_reasons(m31r_run *run, m31ri_words *reasons)
{
    static const char name[] = "reject_reason";
    const m31ri_stage *stage = m31ri_stage_find("data");
    const m31ri_stage_message *m = m31ri_stage_message_find(stage, name, sizeof name - 1);
    if (reasons->n > 1) {
        qsort(reasons->items, reasons->n, sizeof reasons->items[0], by_word);
    }
    for (size_t i = 0; i < reasons->n; i++) {
        const m31ri_cell cells[] = {{.s = reasons->items[i].word},
                                    {.i = (int64_t)reasons->items[i].n}};
        m31ri_stage_write(run, m, cells);
    }
    m31ri_words_release(reasons);
}

bool m31ri_fill_data_summary(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_data_summary_fields *f = fields;
    m31ri_data_counts *d = &s->data;
    m31ri_fill_integer(&f->files_processed, d->n_kept + d->n_rejected + d->n_duplicate);
    m31ri_fill_integer(&f->files_kept, d->n_kept);
    m31ri_fill_integer(&f->files_rejected, d->n_rejected);
    m31ri_fill_integer(&f->files_duplicate, d->n_duplicate);
    m31ri_fill_integer(&f->shards, d->n_shards);
    m31ri_fill_integer(&f->bytes_kept, d->kept_bytes);
    m31ri_fill_duration(run, &f->duration_s);
    m31ri_fill_memory(s, &f->memory_mb);
    write_reasons(run, &d->reasons);
    return true;
}

/* ---- tokenizer ---------------------------------------------------------------------------------
 */

bool m31ri_fill_tokenizer_progress(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_tokenizer_progress_fields *f = fields;
    m31ri_fill_duration(run, &f->duration_s);
    m31ri_fill_memory(s, &f->memory_mb);
    return true;
}

bool m31ri_fill_tokenizer_summary(m31r_run *run, struct m31ri_stage_state *s, void *fields)
{
    m31r_tokenizer_summary_fields *f = fields;
    m31ri_fill_duration(run, &f->duration_s);
    m31ri_fill_memory(s, &f->memory_mb);
    return true;
}
