/* explain.c - m31r/explain.h: how the run ended and what that rests on, in the order in which a
 * person asks: ended, cause, proof, last error, health, losses, and how to go on.
 *
 * The end is told by metadata.json and by the record run_end, which say the same; the record is
 * the proof where there is one. Nothing is concluded that neither of them says.
 */
#include "m31r/explain.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "explain/explain_int.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fail.h"

/* What the causes of FORMAT.md mean. */
static const struct {
    const char *cause, *meaning;
} causes[] = {
    {"kernel_oom", "the kernel's OOM killer took it"},
    {"cuda_oom", "the GPU had no memory left"},
    {"nonfinite", "a metric was no longer a finite number"},
    {"signal", "a signal ended it"},
    {"preempted", "it was asked to stop (SIGTERM)"},
    {"disk", "the disk was full"},
    {"exec", "the program could not be started"},
    {"exit_status", "the program exited with an error"},
    {"diverged", "a loss grew instead of falling, and the run was to end then"},
    {"stall", "it made no progress"},
};

static m31ri_place metadata_at(const m31r_explanation *x, const char *key)
{
    return m31ri_explain_metadata_at(x->reader, key);
}

/* Where the end stands: the record, else metadata.json. */
static m31ri_place end_place(const m31r_explanation *x)
{
    return x->facts.end.file[0] != '\0' ? x->facts.end : metadata_at(x, "state");
}

static void say_ended(m31r_explanation *x)
{
    const m31r_facts *f = &x->reader->facts;
    char step[64] = "";
    if (x->facts.last_step != M31R_UNKNOWN) {
        snprintf(step, sizeof step, ", last step %lld", (long long)x->facts.last_step);
    }
    m31ri_explain_say(x, "ended", end_place(x), "%s%s%s%s%s%s", m31r_state_name(f->state),
                      f->cause[0] != '\0' ? " " : "", f->cause, f->end[0] != '\0' ? " at " : "",
                      f->end, step);
}

static void say_cause(m31r_explanation *x)
{
    const m31r_facts *f = &x->reader->facts;
    const char *meaning = NULL;
    const char *colon = strncmp(f->cause, "rank ", 5) == 0 ? strstr(f->cause, ": ") : NULL;
    const char *cause = colon != NULL ? colon + 2 : f->cause; /* of that rank */
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        meaning = strcmp(causes[i].cause, cause) == 0 ? causes[i].meaning : meaning;
    }
    if (meaning != NULL) {
        bool is_likely = strncmp(f->evidence, "likely", 6) == 0;
        m31ri_explain_say(x, "cause", metadata_at(x, "cause"), "%.*s%s%s%s%s",
                          (int)(cause - f->cause), f->cause, is_likely ? "likely " : "", meaning,
                          f->signal[0] != '\0' ? ": " : "", f->signal);
    } else if (f->state == M31R_STATE_FINISHED) {
        m31ri_explain_say(x, "cause", end_place(x), "none: nothing failed");
    } else if (m31ri_explain_is_cause(x)) { /* nobody has recorded an end yet */
        m31ri_explain_say(x, "cause", x->facts.crash.place, "a signal ended it: %s",
                          x->facts.crash.signal);
    } else {
        m31ri_explain_say(x, "unknown", metadata_at(x, "cause"), "the cause: %s", f->state_why);
    }
    if (f->exit_status != M31R_UNKNOWN && f->exit_status != 0) {
        m31ri_explain_say(x, "proof", metadata_at(x, "exit_status"), "exit status %lld",
                          (long long)f->exit_status);
    }
    if (f->evidence[0] != '\0') {
        m31ri_explain_say(x, "proof", metadata_at(x, "cause_evidence"), "%s", f->evidence);
    }
    if (x->facts.n_errors > 0) {
        m31ri_explain_say(x, "error", x->facts.error, "last of %llu: %s",
                          (unsigned long long)x->facts.n_errors, x->facts.error_text);
    }
}

/* A live run that says nothing: how long it has been silent. */
static void say_silence(m31r_explanation *x)
{
    const m31r_facts *f = &x->reader->facts;
    int64_t silent_ns = m31ri_wall_ns() - x->facts.last_ns;
    if (f->state == M31R_STATE_RUNNING && x->facts.last_ns != M31R_UNKNOWN && silent_ns > 0) {
        m31ri_explain_say(x, "silent", x->facts.last, "no record of the program for %lld s",
                          (long long)(silent_ns / 1000000000));
    }
}

static void say_losses(m31r_explanation *x)
{
    const m31r_facts *f = &x->reader->facts;
    const m31ri_explain_facts *met = &x->facts;
    m31ri_explain_say(x, "lost", met->lost.file[0] != '\0' ? met->lost : metadata_at(x, "lost"),
                      "%lld records, %lld points",
                      (long long)(f->lost_records > 0 ? f->lost_records : 0),
                      (long long)(f->lost_points > 0 ? f->lost_points : 0));
    if (met->torn_tail.file[0] != '\0') {
        m31ri_explain_say(x, "torn", met->torn_tail, "the file ends in the middle of a line");
    }
    if (met->n_torn_records > 0) {
        m31ri_explain_say(x, "torn", met->torn, "%llu torn tails were taken off and recorded",
                          (unsigned long long)met->n_torn_records);
    }
    if (met->n_bad > 0) {
        bool is_one = met->n_bad == 1;
        m31ri_explain_say(x, "unread", met->bad,
                          is_one ? "%llu line is no record, it is %s"
                                 : "%llu lines are no records, the first is %s",
                          (unsigned long long)met->n_bad, met->bad_class);
    }
}

/* Appends a word as a shell takes it. */
static void add_word(m31ri_buf *out, const char *word)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-./=:,+@%";
    m31ri_buf_add_char(out, ' ');
    if (word[0] != '\0' && word[strspn(word, safe)] == '\0') {
        m31ri_buf_add_str(out, word);
        return;
    }
    m31ri_buf_add_char(out, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            m31ri_buf_add_str(out, "'\\''");
        } else {
            m31ri_buf_add_char(out, *word);
        }
    }
    m31ri_buf_add_char(out, '\'');
}

static void say_resume(m31r_explanation *x)
{
    const json_t *argv = m31ri_reader_get(x->reader, "command.argv");
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_buf_add_format(&text, "m31r run --resume %s --", x->reader->facts.run_id);
    for (size_t i = 0; i < json_array_size(argv); i++) {
        const char *word = json_string_value(json_array_get(argv, i));
        add_word(&text, word != NULL ? word : "?");
    }
    m31ri_explain_say(x, "resume", metadata_at(x, "command"), "%s", m31ri_buf_str(&text));
    x->kept.failed |= text.failed;
    m31ri_buf_release(&text);
    m31ri_explain_say(x, "unknown", metadata_at(x, "command"),
                      "the program's own option that takes the checkpoint: add it");
}

static void say_checkpoint(m31r_explanation *x)
{
    m31r_artifact_facts last = {0};
    m31r_artifact_facts a;
    for (size_t i = 0; m31r_reader_artifact(x->reader, i, &a) == M31R_OK; i++) {
        if (strcmp(a.role, "checkpoint") == 0) {
            last = a;
        }
    }
    if (last.path == NULL) {
        m31ri_explain_say(x, "unknown", metadata_at(x, "artifacts"),
                          "a checkpoint to go on from: none was registered");
        return;
    }
    struct stat st;
    const char *there = "not found";
    char after[64] = "";
    if (fstatat(x->reader->fd, last.path, &st, 0) == 0) {
        there = st.st_size == last.bytes ? "there, size as recorded, digest not checked"
                                         : "there, but of another size than recorded";
    }
    if (last.step >= 0 && x->facts.last_step > last.step) {
        snprintf(after, sizeof after, "; %lld steps are after it",
                 (long long)(x->facts.last_step - last.step));
    }
    bool is_recorded = x->facts.checkpoint.file[0] != '\0';
    m31ri_explain_say(x, "checkpoint",
                      is_recorded ? x->facts.checkpoint : metadata_at(x, "artifacts"),
                      "newest %s (%s)%s", last.path, there, after);
    if (x->reader->facts.state > M31R_STATE_FINISHED) {
        say_resume(x);
    }
}

static void say_unknown(m31r_explanation *x)
{
    const m31r_facts *f = &x->reader->facts;
    bool was_ended = f->state == M31R_STATE_KILLED || f->state == M31R_STATE_CRASHED;
    if (was_ended && x->facts.crash.stack == NULL) {
        m31ri_explain_say(x, "unknown", end_place(x), "the stack: none is recorded");
    }
    if (f->problem[0] != '\0') {
        m31ri_explain_say(x, "unknown", metadata_at(x, "run_id"), "not all could be read: %s",
                          f->problem);
    }
}

m31r_err m31r_explanation_open(m31r_explanation **out, const m31r_reader *reader, m31r_error *e)
{
    m31r_explanation *x = m31ri_calloc(1, sizeof *x);
    if (x == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for an explanation");
    }
    x->reader = reader;
    m31r_err err = m31ri_explain_records(x, e);
    if (err == M31R_OK) {
        say_ended(x);
        say_cause(x);
        m31ri_explain_crash(x);
        m31ri_explain_ranks(x, metadata_at(x, "rank_ends"));
        say_silence(x);
        err = m31ri_explain_points(x, e);
        err = err == M31R_OK ? m31ri_explain_anomalies(x, e) : err;
    }
    if (err == M31R_OK) {
        err = m31ri_explain_chain(x, metadata_at(x, "resumes"), e);
    }
    if (err == M31R_OK) {
        say_losses(x);
        say_checkpoint(x);
        say_unknown(x);
    }
    if (err == M31R_OK && x->kept.failed) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for an explanation");
    }
    if (err != M31R_OK) {
        m31r_explanation_close(x);
        return err;
    }
    *out = x;
    return M31R_OK;
}

void m31r_explanation_close(m31r_explanation *x)
{
    if (x == NULL) {
        return;
    }
    m31ri_free(x->statements);
    m31ri_free(x->ranks);
    m31ri_kept_release(&x->kept);
    m31ri_free(x);
}

m31r_err m31r_explanation_statement(const m31r_explanation *x, size_t i, m31r_statement *out)
{
    if (i >= x->n) {
        return M31R_E_NOTFOUND;
    }
    *out = x->statements[i];
    return M31R_OK;
}

m31r_err m31r_explanation_record(const m31r_explanation *x, size_t i, m31r_explain_record *out)
{
    if (i >= x->n_records) {
        return M31R_E_NOTFOUND;
    }
    *out = x->records[i];
    return M31R_OK;
}
