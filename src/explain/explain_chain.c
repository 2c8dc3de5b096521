/* explain_chain.c - what the attempts before a resumed run say: how they ended, whether the steps
 * that both have are the same, and what was changed. */
#include <stdio.h>
#include <string.h>

#include "explain/explain_int.h"
#include "m31r/chain.h"

/* A file of another attempt, from this run's directory. */
static m31ri_place place_in(const m31r_reader *reader, const char *file, uint64_t line)
{
    m31ri_place place = {.line = line};
    snprintf(place.file, sizeof place.file, "../%.64s/%.80s", reader->facts.run_id, file);
    return place;
}

static void say_attempt(m31r_explanation *x, const m31r_chain *chain, size_t i)
{
    m31r_attempt a;
    char steps[64] = "no step";
    m31r_chain_attempt(chain, i, &a);
    const m31r_facts *f = &a.reader->facts;
    if (a.first_step != M31R_NO_STEP) {
        snprintf(steps, sizeof steps, "steps %lld to %lld", (long long)a.first_step,
                 (long long)a.last_step);
    }
    m31ri_explain_say(
        x, "attempt",
        place_in(a.reader, "metadata.json", m31ri_explain_metadata_at(a.reader, "state").line),
        "%zu: %s, %s%s%s; %llu of its points are superseded", i + 1, steps,
        m31r_state_name(f->state), f->cause[0] != '\0' ? " " : "", f->cause,
        (unsigned long long)a.n_superseded);
}

static void say_overlap(m31r_explanation *x, const m31r_chain *chain, size_t i)
{
    static const m31ri_place points = {"metrics.csv", 0};
    m31r_overlap o;
    m31r_attempt before;
    m31r_attempt after;
    m31r_chain_overlap(chain, i, &o);
    m31r_chain_attempt(chain, i - 1, &before);
    m31r_chain_attempt(chain, i, &after);
    if (o.first_step == M31R_NO_STEP) {
        m31ri_explain_say(x, "overlap", points, "none with attempt %zu", i);
    } else if (o.name[0] == '\0') {
        m31ri_explain_say(x, "overlap", place_in(before.reader, "metrics.csv", 0),
                          "steps %lld to %lld of attempts %zu and %zu are equal (%llu points)",
                          (long long)o.first_step, (long long)o.last_step, i, i + 1,
                          (unsigned long long)o.n_same);
    } else {
        m31ri_explain_say(
            x, "overlap", place_in(after.reader, o.after.file, o.after.line),
            "attempts %zu and %zu differ from step %lld: %s %.6g, then %.6g (%s:%llu)", i, i + 1,
            (long long)o.step, o.name, o.before.value, o.after.value, o.before.file,
            (unsigned long long)o.before.line);
    }
    const char *changed = m31r_chain_changed(chain, i);
    m31ri_explain_say(x, "changed", place_in(after.reader, "config_snapshot.yaml", 0),
                      "since attempt %zu: %s", i,
                      changed[0] != '\0' ? changed : "nothing in config, code, data or seed");
}

m31r_err m31ri_explain_chain(m31r_explanation *x, m31ri_place metadata, m31r_error *e)
{
    m31r_chain *chain = NULL;
    if (x->reader->facts.resumes[0] == '\0') {
        return M31R_OK;
    }
    m31r_err err = m31r_chain_open(&chain, x->reader, e);
    if (err != M31R_OK) {
        return err;
    }
    for (size_t i = 0; i + 1 < m31r_chain_count(chain); i++) {
        say_attempt(x, chain, i);
    }
    for (size_t i = 1; i < m31r_chain_count(chain); i++) {
        say_overlap(x, chain, i);
    }
    if (m31r_chain_problem(chain)[0] != '\0') {
        m31ri_explain_say(x, "unknown", metadata, "the attempts before: %s",
                          m31r_chain_problem(chain));
    }
    m31r_chain_close(chain);
    return M31R_OK;
}
