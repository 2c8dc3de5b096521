/* show_run.c - one run at a glance: what it is, how it ended, where it stands, what to look at
 * next. */
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "show/rows.h"
#include "show/text.h"

static m31r_err write_json(const m31r_screen *s, const m31r_chain *chain, const m31r_reader *r,
                           const m31r_series *series, m31r_error *e)
{
    m31r_json *j = m31r_json_new("run");
    const m31r_facts *f = m31r_reader_facts(r);
    m31ri_add_facts(j, f);
    m31ri_add_known_text(j, "cause_evidence", f->evidence);
    m31ri_add_known_text(j, "command", f->command);
    m31ri_add_known_text(j, "capture", f->capture);
    m31ri_add_step(j, "last_step", m31r_series_last_step(series));
    m31ri_add_attempts(j, chain);
    m31r_json_open(j, "lanes", '[');
    for (size_t i = 0; i < m31r_reader_lanes(r); i++) {
        const m31r_lane_facts *lane = m31r_reader_lane(r, i);
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "file", lane->file);
        m31r_json_add_text(j, "name", lane->name);
        m31r_json_add_int(j, "rank", lane->rank);
        m31r_json_add_int(j, "bytes", lane->bytes);
        m31r_json_add_int(j, "segments", lane->segments);
        m31r_json_add_bool(j, "ordered", !lane->is_unordered);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    m31ri_add_notes(j, r);
    m31ri_add_warned(j, r);
    m31r_json_open(j, "artifacts", '[');
    m31r_artifact_facts a;
    for (size_t i = 0; m31r_reader_artifact(r, i, &a) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31r_json_add_text(j, "role", a.role);
        m31r_json_add_text(j, "path", a.path);
        m31ri_add_step(j, "step", a.step);
        m31ri_add_known_int(j, "bytes", a.bytes);
        m31ri_add_known_text(j, "sha256", a.digest);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    m31r_json_open(j, "metrics", '[');
    m31r_metric_facts m;
    for (size_t i = 0; m31r_series_get(series, i, &m) == M31R_OK; i++) {
        m31r_json_open(j, NULL, '{');
        m31ri_add_metric(j, &m);
        m31r_json_close(j);
    }
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

static void label(const m31r_screen *s, const char *name)
{
    fprintf(s->out, "%s%-10s%s", m31ri_style_on(s, M31RI_DIM), name, m31ri_style_off(s, M31RI_DIM));
}

/* Text from a run, made safe. */
static void put(const m31r_screen *s, const char *before, const char *text)
{
    fputs(before, s->out);
    m31r_show_text(s, text);
}

static void write_head(const m31r_screen *s, const m31r_facts *f, int64_t last_step,
                       size_t n_attempts)
{
    char text[M31RI_HUMAN_BYTES];
    m31ri_style style = m31ri_state_style(f->state);
    fputs(m31ri_style_on(s, M31RI_BOLD), s->out);
    put(s, "", f->run_id);
    fputs(m31ri_style_off(s, M31RI_BOLD), s->out);
    if (f->name[0] != '\0') {
        put(s, "  \"", f->name);
        fputc('"', s->out);
    }
    put(s, "  ", f->stage[0] != '\0' ? f->stage : "?");
    if (strcmp(f->kind, "trial") == 0) {
        fputs(" (trial)", s->out);
    }
    fprintf(s->out, "   %s", m31ri_style_on(s, style));
    for (const char *c = m31r_state_name(f->state); *c != '\0'; c++) {
        fputc(*c - 'a' + 'A', s->out);
    }
    if (f->state >= M31R_STATE_FAILED && f->cause[0] != '\0') {
        put(s, " ", f->cause);
    }
    if (f->state >= M31R_STATE_FAILED && f->exit_status > 0) {
        fprintf(s->out, " (exit %lld)", (long long)f->exit_status);
    }
    fputs(m31ri_style_off(s, style), s->out);
    if (last_step >= 0) {
        fprintf(s->out, "   step %s", m31ri_human_count(last_step, text));
    }
    if (n_attempts > 1) {
        fprintf(s->out, "   attempt %zu", n_attempts);
    }
    fputc('\n', s->out);
}

/* "2026-11-23T02:14:07.000000Z" as "2026-11-23 02:14:07Z", without the date when it is that of
 * `other`. */
static void put_time(const m31r_screen *s, const char *ts, const char *other)
{
    char text[24] = "?";
    if (strlen(ts) >= 19 && strncmp(ts, other, 10) == 0) {
        snprintf(text, sizeof text, "%.8sZ", ts + 11);
    } else if (strlen(ts) >= 19) {
        snprintf(text, sizeof text, "%.10s %.8sZ", ts, ts + 11);
    }
    put(s, "", text); /* from metadata.json as well: whoever wrote it */
}

static void write_time(const m31r_screen *s, const m31r_facts *f)
{
    char text[M31RI_HUMAN_BYTES];
    label(s, "time");
    put_time(s, f->start, "");
    if (f->end[0] != '\0') {
        fputs(" to ", s->out);
        put_time(s, f->end, f->start);
    }
    if (f->start_ns != M31R_UNKNOWN && f->end_ns != M31R_UNKNOWN) {
        fprintf(s->out, " (%s%s)", m31ri_human_duration(f->end_ns - f->start_ns, text),
                f->end[0] != '\0' ? "" : " to the newest change");
    }
    if (f->ranks > 1) {
        fprintf(s->out, "   %lld ranks", (long long)f->ranks);
    }
    int64_t lost =
        (f->lost_records > 0 ? f->lost_records : 0) + (f->lost_points > 0 ? f->lost_points : 0);
    fprintf(s->out, "   %slost %s%s\n", m31ri_style_on(s, lost > 0 ? M31RI_RED : M31RI_PLAIN),
            m31ri_human_count(lost, text), m31ri_style_off(s, lost > 0 ? M31RI_RED : M31RI_PLAIN));
    if (f->end[0] == '\0' || f->evidence[0] != '\0') {
        label(s, "why");
        put(s, "", f->evidence[0] != '\0' ? f->evidence : f->state_why);
        fputc('\n', s->out);
    }
    if (f->problem[0] != '\0') {
        label(s, "problem");
        put(s, m31ri_style_on(s, M31RI_RED), f->problem);
        fprintf(s->out, "%s\n", m31ri_style_off(s, M31RI_RED));
    }
}

/* What the privacy rules took out, and what was kept by choice; nothing when there is neither. */
static void write_privacy(const m31r_screen *s, const m31r_facts *f)
{
    char text[M31RI_HUMAN_BYTES];
    if (f->n_redacted > 0) {
        label(s, "privacy");
        fprintf(s->out, "%s taken out", m31ri_human_count(f->n_redacted, text));
        put(s, f->redacted[0] != '\0' ? ": " : "", f->redacted);
        fputc('\n', s->out);
    }
    if (f->keeps_prompts) {
        label(s, "prompts");
        fprintf(s->out, "%skept by choice%s: observability.log_prompts is on\n",
                m31ri_style_on(s, M31RI_RED), m31ri_style_off(s, M31RI_RED));
    }
}

/* Who says so: what only the command line claims is not confirmed by the program. */
static const char *source_text(const m31r_identity_value *v)
{
    return strcmp(v->source, "declared") == 0 ? "declared, not confirmed" : v->source;
}

static void put_identity(const m31r_screen *s, const m31r_identity_value *v)
{
    put(s, "", v->value[0] != '\0' ? v->value : "?");
    if (strlen(v->digest) == 64) {
        char digest[7];
        snprintf(digest, sizeof digest, "%.6s", v->digest);
        put(s, " ", digest);
    }
    if (v->status[0] != '\0' && strcmp(v->status, "none") != 0 && strcmp(v->status, "known") != 0) {
        put(s, " digest ", v->status);
    }
    if (v->source[0] != '\0' && strcmp(v->source, "none") != 0) {
        put(s, " (", source_text(v));
        fputc(')', s->out);
    }
}

static void write_identity(const m31r_screen *s, const m31r_facts *f)
{
    char commit[13];
    label(s, "code");
    snprintf(commit, sizeof commit, "%.12s", f->commit.value[0] != '\0' ? f->commit.value : "?");
    put(s, "", commit);
    if (f->is_dirty) {
        fputs(f->diff_file[0] != '\0' ? " + diff, kept" : " + changes, not kept", s->out);
    }
    if (f->n_untracked > 0) {
        fprintf(s->out, " + %lld untracked", (long long)f->n_untracked);
    }
    fputc('\n', s->out);
    static const char *const names[] = {"config", "data", "tokenizer", "seed"};
    const m31r_identity_value *const values[] = {&f->config, &f->dataset, &f->tokenizer, &f->seed};
    for (size_t i = 0; i < 4; i++) {
        label(s, names[i]);
        put_identity(s, values[i]);
        fputc('\n', s->out);
    }
    if (f->command[0] != '\0') {
        label(s, "command");
        put(s, "", f->command);
        fputc('\n', s->out);
    }
    if (f->resumes[0] != '\0') {
        char text[M31RI_HUMAN_BYTES];
        label(s, "resumes");
        put(s, "", f->resumes);
        fprintf(s->out, "%s%s\n", f->resumes_step != M31R_UNKNOWN ? " from step " : "",
                f->resumes_step != M31R_UNKNOWN ? m31ri_human_count(f->resumes_step, text) : "");
    }
}

static void write_files(const m31r_screen *s, const m31r_reader *r)
{
    char text[M31RI_HUMAN_BYTES];
    label(s, "lanes");
    for (size_t i = 0; i < m31r_reader_lanes(r); i++) {
        const m31r_lane_facts *lane = m31r_reader_lane(r, i);
        put(s, i > 0 ? ", " : "", lane->file);
        fprintf(s->out, " %s%s", m31ri_human_bytes(lane->bytes, text),
                lane->is_unordered ? " (unordered)" : "");
        if (lane->segments > 0) {
            fprintf(s->out, " (%lld segment%s)", (long long)lane->segments,
                    lane->segments == 1 ? "" : "s");
        }
    }
    fputs(m31r_reader_lanes(r) == 0 ? "none\n" : "\n", s->out);
    m31r_artifact_facts a;
    m31r_artifact_facts newest = {0};
    int64_t n = 0;
    int64_t bytes = 0;
    for (size_t i = 0; m31r_reader_artifact(r, i, &a) == M31R_OK; i++) {
        if (strcmp(a.role, "checkpoint") == 0) {
            newest = a;
            bytes += a.bytes > 0 ? a.bytes : 0;
            n++;
        }
    }
    if (n > 0) {
        label(s, "artifacts");
        fprintf(s->out, "%lld checkpoint%s (%s), newest ", (long long)n, n == 1 ? "" : "s",
                m31ri_human_bytes(bytes, text));
        put(s, "", newest.path);
        fputc('\n', s->out);
    }
}

static void write_next(const m31r_screen *s, const m31r_facts *f)
{
    const char *id = m31ri_short_id(f->run_id);
    label(s, "next");
    put(s, "m31r logs ", id);
    fputs(f->state == M31R_STATE_RUNNING ? " --follow" : " --level WARNING", s->out);
    if (f->state > M31R_STATE_FINISHED) {
        put(s, " | explain ", id);
    }
    put(s, " | metrics ", id);
    put(s, " --plot | verify ", id);
    fputc('\n', s->out);
}

m31r_err m31r_show_run(const m31r_screen *s, const m31r_chain *chain, const m31r_series *series,
                       m31r_error *e)
{
    m31r_attempt newest;
    size_t n = m31r_chain_count(chain);
    m31r_chain_attempt(chain, n - 1, &newest);
    const m31r_reader *r = newest.reader;
    const m31r_facts *f = m31r_reader_facts(r);
    if (s->is_json) {
        return write_json(s, chain, r, series, e);
    }
    write_head(s, f, n > 1 ? newest.last_step : m31r_series_last_step(series), n);
    write_time(s, f);
    write_privacy(s, f);
    write_identity(s, f);
    m31ri_write_notes(s, r);
    m31ri_write_warned(s, r);
    m31ri_write_attempts(s, chain);
    m31ri_write_metrics(s, series);
    write_files(s, r);
    write_next(s, f);
    return M31R_OK;
}
