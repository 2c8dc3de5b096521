/* explain_ranks.c - which of several ranks failed first; what came after it followed from it.
 *
 * A rank that had an observer ends with the record rank_end (rank 0: run_end), whose time says
 * when. Where no rank has such an end the first ERROR of each rank stands for it. Times are those
 * of the ranks' hosts, as they recorded them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain_int.h"
#include "base/alloc.h"
#include "base/fail.h"
#include "format/timestamp.h"

#define TOLD 8 /* ranks told one by one after the first */

static const m31r_lane_facts *lane_of(const m31r_reader *reader, const char *file)
{
    for (size_t i = 0; i < reader->lanes.n; i++) {
        if (strcmp(reader->lanes.lanes[i].file, file) == 0) {
            return &reader->lanes.lanes[i];
        }
    }
    return NULL;
}

static m31ri_rank_facts *facts_of(m31r_explanation *x, int64_t rank)
{
    for (size_t i = 0; i < x->n_ranks; i++) {
        if (x->ranks[i].rank == rank) {
            return &x->ranks[i];
        }
    }
    m31ri_rank_facts *grown = m31ri_realloc(x->ranks, (x->n_ranks + 1) * sizeof *grown);
    if (grown == NULL) {
        x->kept.failed = true;
        return NULL;
    }
    x->ranks = grown;
    grown[x->n_ranks] = (m31ri_rank_facts){.rank = rank, .failed_ns = M31R_UNKNOWN};
    return &grown[x->n_ranks++];
}

/* What metadata.json says of how the rank's program ended: "killed SIGKILL", "failed exit status
 * 1".
 */
static void describe_end(const m31r_explanation *x, int64_t rank, char *out, size_t size)
{
    const m31r_facts *f = &x->reader->facts;
    const json_t *ends = m31ri_reader_get(x->reader, "rank_ends");
    const json_t *end = NULL;
    for (size_t i = 0; i < json_array_size(ends); i++) {
        const json_t *one = json_array_get(ends, i);
        end = json_integer_value(json_object_get(one, "rank")) == rank ? one : end;
    }
    const char *signal = rank == 0 ? f->signal : json_string_value(json_object_get(end, "signal"));
    const json_t *number = json_object_get(end, "exit_status");
    int64_t status = rank == 0 ? f->exit_status : json_integer_value(number);
    if (signal != NULL && signal[0] != '\0') {
        snprintf(out, size, "ended by %.40s", signal);
    } else if (rank == 0 ? status != M31R_UNKNOWN : json_is_integer(number)) {
        snprintf(out, size, "exit status %lld", (long long)status);
    } else {
        snprintf(out, size, "failed");
    }
}

void m31ri_explain_take_rank(m31r_explanation *x, const m31r_record *r, bool is_end)
{
    const m31r_facts *f = &x->reader->facts;
    const m31r_lane_facts *lane = lane_of(x->reader, r->file);
    int64_t rank = lane != NULL ? lane->rank : 0;
    if (r->level < M31R_ERROR || r->wall_ns == M31R_UNKNOWN) {
        return;
    }
    /* run_end is an ERROR when any rank failed; rank 0's own program may have ended well */
    bool is_own_end = rank != 0 || f->signal[0] != '\0' || f->exit_status > 0;
    m31ri_rank_facts *facts = facts_of(x, rank);
    if (facts == NULL || (is_end && !is_own_end) || (!is_end && facts->failed_ns != M31R_UNKNOWN)) {
        return;
    }
    if (is_end) {
        facts->has_end = true;
        describe_end(x, rank, facts->text, sizeof facts->text);
    } else {
        snprintf(facts->text, sizeof facts->text, "%s %.*s: %.*s",
                 r->level == M31R_CRITICAL ? "CRITICAL" : "ERROR", (int)r->module_length,
                 r->module != NULL ? r->module : "", (int)r->message_length,
                 r->message != NULL ? r->message : "");
    }
    facts->failed_ns = r->wall_ns;
    facts->place = (m31ri_place){.line = r->line_number};
    snprintf(facts->place.file, sizeof facts->place.file, "%s", r->file);
}

static int by_time(const void *a, const void *b)
{
    const m31ri_rank_facts *x = a;
    const m31ri_rank_facts *y = b;
    if (x->failed_ns != y->failed_ns) {
        return x->failed_ns < y->failed_ns ? -1 : 1;
    }
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Leaves the ranks with a failed end, or, when there is none, those with an error. */
static void select_failed(m31r_explanation *x)
{
    size_t n = 0;
    bool has_ends = false;
    for (size_t i = 0; i < x->n_ranks; i++) {
        has_ends = has_ends || x->ranks[i].has_end;
    }
    for (size_t i = 0; i < x->n_ranks; i++) {
        if (x->ranks[i].failed_ns != M31R_UNKNOWN && x->ranks[i].has_end == has_ends) {
            x->ranks[n++] = x->ranks[i];
        }
    }
    x->n_ranks = n;
    if (n > 0) {
        qsort(x->ranks, n, sizeof *x->ranks, by_time);
    }
}

static void say_abandoned(m31r_explanation *x, m31ri_place metadata)
{
    const json_t *ends = m31ri_reader_get(x->reader, "rank_ends");
    for (size_t i = 0; i < json_array_size(ends); i++) {
        const json_t *end = json_array_get(ends, i);
        const char *state = json_string_value(json_object_get(end, "state"));
        if (state != NULL && strcmp(state, "abandoned") == 0) {
            m31ri_explain_say(x, "unknown", metadata,
                              "how rank %lld ended: it came and said no end",
                              (long long)json_integer_value(json_object_get(end, "rank")));
        }
    }
}

void m31ri_explain_ranks(m31r_explanation *x, m31ri_place metadata)
{
    char when[M31RI_TIMESTAMP_BYTES + 1];
    size_t n_came = json_array_size(m31ri_reader_get(x->reader, "rank_ends"));
    if (x->reader->facts.ranks < 2 && n_came == 0) {
        return;
    }
    say_abandoned(x, metadata);
    select_failed(x);
    for (size_t i = 0; i < x->n_ranks && i <= TOLD; i++) {
        const m31ri_rank_facts *r = &x->ranks[i];
        if (i == 0) {
            m31ri_timestamp_write(r->failed_ns, when);
            when[M31RI_TIMESTAMP_BYTES] = '\0';
            m31ri_explain_say(x, "root", r->place, "rank %lld %s first, at %s: %s",
                              (long long)r->rank, r->has_end ? "failed" : "had an error", when,
                              r->text);
        } else {
            m31ri_explain_say(x, "followed", r->place, "rank %lld, %.3f s later: %s",
                              (long long)r->rank,
                              (double)(r->failed_ns - x->ranks[0].failed_ns) / 1e9, r->text);
        }
    }
    if (x->n_ranks > TOLD + 1) {
        m31ri_explain_say(x, "followed", metadata, "and %zu more ranks", x->n_ranks - TOLD - 1);
    }
}
