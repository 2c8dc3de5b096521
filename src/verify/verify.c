/* verify.c - m31r/verify.h: the parts put together, the five criteria and the
 * verdict.
 *
 * The verdict is the worst that a failed check leads to. The five criteria of section 29 are a
 * second view of the same checks and numbers, in the specification's words; they add no rule of
 * their own.
 */
#include "m31r/verify.h"

#include <stdio.h>
#include <string.h>

#include "verify/verify_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "format/stage_table.h"

static bool all_hold(const m31r_verification *v, const char *id)
{
    for (size_t i = 0; i < v->n_checks; i++) {
        if (strcmp(v->checks[i].id, id) == 0 && v->checks[i].answer == M31R_NO) {
            return false;
        }
    }
    return true;
}

/* No check of the stage's own requirement leads to a verdict. */
static bool stage_holds(const m31r_verification *v, const char *stage_name)
{
    const m31ri_stage *stage = m31ri_stage_find(stage_name);
    for (size_t i = 0; i < v->n_checks && stage != NULL; i++) {
        const m31r_check *c = &v->checks[i];
        if (strcmp(c->id, stage->shows) == 0 && c->answer == M31R_NO &&
            c->breaks > M31R_VERDICT_PREFIX) {
            return false;
        }
    }
    return true;
}

static void set_criterion(m31r_verification *v, size_t i, bool holds, const char *why)
{
    static const char *const statements[M31R_CRITERIA][2] = {
        {"OBS-29.1", "every stage logs progress"}, {"OBS-29.2", "failures include context"},
        {"OBS-29.3", "the run is reproducible"},   {"OBS-29.4", "metrics are saved automatically"},
        {"OBS-29.5", "nothing sensitive leaked"},
    };
    v->criteria[i] = (m31r_check){.id = statements[i][0],
                                  .what = statements[i][1],
                                  .answer = holds ? M31R_YES : M31R_NO,
                                  .why = why,
                                  .path = ""};
}

static void judge_reproducible(m31r_verification *v)
{
    const m31r_facts *f = &v->reader->facts;
    bool is_trial = strcmp(f->kind, "trial") == 0;
    bool lacks_diff = f->is_dirty && f->diff_file[0] == '\0';
    const char *script = m31ri_reader_text(v->reader, "code.script.sha256");
    bool lacks_code = strcmp(f->commit.value, "none") == 0 && script[0] == '\0';
    bool is_named = all_hold(v, "OBS-21") && all_hold(v, "OBS-23");
    const char *why =
        "config, commit, dataset, tokenizer, seed and command are known (OBS-21, OBS-23)";
    if (!is_named) {
        why = "its identity is not whole (OBS-21, OBS-23)";
    } else if (is_trial) {
        why = "a trial: what was not found was taken as none (OBS-21)";
    } else if (lacks_diff) {
        why = "uncommitted changes, and the diff was not kept (OBS-23)";
    } else if (lacks_code) {
        why = "no commit and no digest of the program's script says which code it was (OBS-21)";
    }
    set_criterion(v, 2, is_named && !is_trial && !lacks_diff && !lacks_code, why);
}

static void judge_criteria(m31r_verification *v)
{
    const m31ri_verify_numbers *n = &v->numbers;
    const m31r_facts *f = &v->reader->facts;
    bool logs = n->n_program_records > 0 && all_hold(v, "OBS-06") && all_hold(v, "OBS-08") &&
                stage_holds(v, f->stage);
    set_criterion(v, 0, logs,
                  m31ri_verify_text(v, "%llu records%s (OBS-06, OBS-08)",
                                    (unsigned long long)n->n_program_records,
                                    n->has_step ? ", with steps" : ""));
    bool ended_badly = f->state == M31R_STATE_FAILED || f->state == M31R_STATE_KILLED;
    bool has_cause = f->cause[0] != '\0' || f->signal[0] != '\0' || f->exit_status > 0;
    bool is_unexplained = ended_badly && !has_cause && n->n_failures == 0;
    set_criterion(v, 1, n->n_failures_without_context == 0 && !is_unexplained,
                  is_unexplained
                      ? "the run failed and nothing says why (OBS-25)"
                      : m31ri_verify_text(v,
                                          "%llu ERROR or CRITICAL records, %llu without "
                                          "context (OBS-25)",
                                          (unsigned long long)n->n_failures,
                                          (unsigned long long)n->n_failures_without_context));
    judge_reproducible(v);
    set_criterion(
        v, 3, n->n_points > 0 && n->metrics_agree && all_hold(v, "OBS-19"),
        m31ri_verify_text(v, "%llu points (OBS-19, OBS-20)", (unsigned long long)n->n_points));
    bool has_prompts = json_is_true(m31ri_reader_get(v->reader, "privacy.log_prompts"));
    set_criterion(v, 4, n->n_leaks == 0,
                  m31ri_verify_text(v, "%llu found%s (OBS-18)", (unsigned long long)n->n_leaks,
                                    has_prompts ? "; prompts are kept by opt-in" : ""));
}

/* The seal alone says nothing of records: the criteria rest on checks that were not made. */
static m31r_err look(m31r_verification *v, bool seal_only, m31r_error *e)
{
    m31r_err err = M31R_OK;
    if (!seal_only) {
        m31ri_verify_identity(v);
        err = m31ri_verify_records(v, e);
        err = err == M31R_OK ? m31ri_verify_metrics(v, e) : err;
    }
    err = err == M31R_OK ? m31ri_verify_seal(v, e) : err;
    if (!seal_only) {
        judge_criteria(v);
        v->n_criteria = M31R_CRITERIA;
    }
    return err;
}

m31r_err m31r_verify(m31r_verification **out, const m31r_reader *reader,
                     const m31r_verify_options *options, m31r_error *e)
{
    const m31r_verify_options defaults = M31R_VERIFY_OPTIONS_INIT;
    const m31r_verify_options *o = options != NULL ? options : &defaults;
    m31r_verification *v = m31ri_calloc(1, sizeof *v);
    if (v == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a verification");
    }
    v->reader = reader;
    v->is_complete = o->is_complete;
    v->key = o->key;
    v->listener = (m31ri_hash_listener){o->hashing, o->context};
    m31r_err err = look(v, o->seal_only, e);
    if (err == M31R_OK && v->is_out_of_memory) {
        err = m31ri_fail(e, M31R_E_NOMEM, "out of memory for a verification");
    }
    if (err != M31R_OK) {
        m31r_verification_free(v);
        return err;
    }
    *out = v;
    return M31R_OK;
}

void m31r_verification_free(m31r_verification *v)
{
    if (v == NULL) {
        return;
    }
    for (size_t i = 0; i < v->n_owned; i++) {
        m31ri_free(v->owned[i]);
    }
    m31ri_free(v->owned);
    m31ri_free(v->checks);
    m31ri_free(v);
}

m31r_verdict m31r_verification_verdict(const m31r_verification *v)
{
    m31r_verdict worst = M31R_VERDICT_VERIFIED;
    for (size_t i = 0; i < v->n_checks; i++) {
        if (v->checks[i].answer == M31R_NO && v->checks[i].breaks > worst) {
            worst = v->checks[i].breaks;
        }
    }
    return worst;
}

const m31r_check *m31r_verification_criterion(const m31r_verification *v, size_t i)
{
    return i < v->n_criteria ? &v->criteria[i] : NULL;
}

size_t m31r_verification_checks(const m31r_verification *v)
{
    return v->n_checks;
}

const m31r_check *m31r_verification_check(const m31r_verification *v, size_t i)
{
    return i < v->n_checks ? &v->checks[i] : NULL;
}

const char *m31r_verdict_name(m31r_verdict verdict)
{
    static const char *const names[] = {"verified",   "prefix",  "changed",
                                        "incomplete", "invalid", "unreadable"};
    return verdict >= 0 && verdict <= M31R_VERDICT_UNREADABLE ? names[verdict] : "?";
}
