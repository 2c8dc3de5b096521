/* show_provenance.c - a lineage for other tools: W3C PROV-JSON, and RO-Crate 1.2.
 *
 * A file is what its SHA-256 says: the same bytes read by one run and made by another are one
 * entity, whatever they are called. What has no digest is an entity of the run that registered it.
 * Both documents are made of the same walk over runs and files; nothing is in them that the lineage
 * does not say.
 */
#include <stdio.h>
#include <string.h>

#include "m31r/json.h"
#include "m31r/lineage.h"
#include "show/rows.h"

#define ID_BYTES 1600
#define PREFIX "m31r"
#define NAMESPACE "urn:m31r:"

/* ---- names -------------------------------------------------------------------------------------
 */

/* Percent-encodes what a URI's path may not hold. */
static void encode(const char *text, char *out, size_t size)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/@";
    size_t n = 0;
    for (; *text != '\0' && n + 4 < size; text++) {
        if (strchr(plain, *text) != NULL) {
            out[n++] = *text;
        } else {
            n += (size_t)snprintf(out + n, 4, "%%%02X", (unsigned char)*text);
        }
    }
    out[n] = '\0';
}

static const char *run_of(const m31r_lineage *l, size_t run, m31r_lineage_run *out)
{
    return m31r_lineage_get_run(l, run, out) == M31R_OK ? out->run_id : "";
}

static bool is_input(const m31r_lineage_file *f)
{
    return strcmp(f->role, "input") == 0;
}

/* Are two registrations of one entity? */
static bool is_same(const m31r_lineage_file *a, const m31r_lineage_file *b)
{
    if (a->digest[0] != '\0' || b->digest[0] != '\0') {
        return strcmp(a->digest, b->digest) == 0;
    }
    return a->run == b->run && strcmp(a->path, b->path) == 0;
}

/* The registration that speaks for the entity of the i-th file: that of its first maker, else the
 * first one. */
static size_t speaker_of(const m31r_lineage *l, size_t i)
{
    m31r_lineage_file f;
    m31r_lineage_file other;
    size_t first = i;
    m31r_lineage_get_file(l, i, &f);
    for (size_t k = 0; m31r_lineage_get_file(l, k, &other) == M31R_OK; k++) {
        if (is_same(&f, &other) && !is_input(&other)) {
            return k;
        }
        first = is_same(&f, &other) && k < first ? k : first;
    }
    return first;
}

/* ---- PROV-JSON ---------------------------------------------------------------------------------
 */

static void prov_file_id(const m31r_lineage *l, const m31r_lineage_file *f, char out[ID_BYTES])
{
    m31r_lineage_run r;
    char path[ID_BYTES - 200];
    if (f->digest[0] != '\0') {
        snprintf(out, ID_BYTES, PREFIX ":sha256-%.64s", f->digest);
    } else {
        encode(f->path, path, sizeof path);
        snprintf(out, ID_BYTES, PREFIX ":file-%.128s/%s", run_of(l, f->run, &r), path);
    }
}

static void prov_run_id(const char *run_id, char out[ID_BYTES])
{
    char encoded[600];
    encode(run_id, encoded, sizeof encoded);
    snprintf(out, ID_BYTES, PREFIX ":run-%s", encoded);
}

/* What a run was given, by a name that is the same for the same thing; false when it says none. */
typedef struct given {
    const char *what, *value, *digest;
} given;

#define N_GIVEN 4

static void list_given(const m31r_lineage_run *r, given out[N_GIVEN])
{
    out[0] = (given){"config", r->config, r->config_digest};
    out[1] = (given){"dataset", r->dataset, ""};
    out[2] = (given){"tokenizer", r->tokenizer, ""};
    out[3] = (given){"commit", r->commit, ""};
}

static bool is_said(const given *g)
{
    return g->value[0] != '\0' && strcmp(g->value, "none") != 0;
}

static void given_id(const given *g, const char *before, char out[ID_BYTES])
{
    char encoded[ID_BYTES - 100];
    encode(g->digest[0] != '\0' ? g->digest : g->value, encoded, sizeof encoded);
    snprintf(out, ID_BYTES, "%s%s-%s", before, g->what, encoded);
}

/* The first run that was given this is the one that describes it. */
static bool is_first_given(const m31r_lineage *l, size_t run, size_t which)
{
    m31r_lineage_run r;
    given own[N_GIVEN];
    given other[N_GIVEN];
    char a[ID_BYTES];
    char b[ID_BYTES];
    m31r_lineage_get_run(l, run, &r);
    list_given(&r, own);
    given_id(&own[which], "", a);
    for (size_t i = 0; i < run; i++) {
        m31r_lineage_get_run(l, i, &r);
        list_given(&r, other);
        given_id(&other[which], "", b);
        if (is_said(&other[which]) && strcmp(a, b) == 0) {
            return false;
        }
    }
    return true;
}

static void prov_entities(m31r_json *j, const m31r_lineage *l)
{
    m31r_lineage_file f;
    m31r_lineage_run r;
    given all[N_GIVEN];
    char id[ID_BYTES];
    m31r_json_open(j, "entity", '{');
    for (size_t i = 0; m31r_lineage_get_file(l, i, &f) == M31R_OK; i++) {
        if (speaker_of(l, i) != i) {
            continue;
        }
        prov_file_id(l, &f, id);
        m31r_json_open(j, id, '{');
        m31r_json_add_text(j, "prov:label", f.path);
        m31r_json_add_text(j, PREFIX ":role", f.role);
        if (f.digest[0] != '\0') {
            m31r_json_add_text(j, PREFIX ":sha256", f.digest);
        }
        m31r_json_close(j);
    }
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        list_given(&r, all);
        for (size_t k = 0; k < N_GIVEN; k++) {
            if (is_said(&all[k]) && is_first_given(l, i, k)) {
                given_id(&all[k], PREFIX ":", id);
                m31r_json_open(j, id, '{');
                m31r_json_add_text(j, "prov:label", all[k].value);
                m31r_json_add_text(j, PREFIX ":role", all[k].what);
                m31r_json_close(j);
            }
        }
    }
    m31r_json_close(j);
}

static void prov_activities(m31r_json *j, const m31r_lineage *l)
{
    m31r_lineage_run r;
    char id[ID_BYTES];
    m31r_json_open(j, "activity", '{');
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        prov_run_id(r.run_id, id);
        m31r_json_open(j, id, '{');
        if (r.start[0] != '\0') {
            m31r_json_add_text(j, "prov:startTime", r.start);
        }
        if (r.end[0] != '\0') {
            m31r_json_add_text(j, "prov:endTime", r.end);
        }
        m31r_json_add_text(j, "prov:label", r.run_id);
        m31r_json_add_text(j, PREFIX ":stage", r.stage);
        m31r_json_add_text(j, PREFIX ":state", m31r_state_name(r.state));
        m31r_json_add_text(j, PREFIX ":seed", r.seed);
        m31r_json_add_bool(j, PREFIX ":uncommitted_changes", r.is_dirty);
        m31r_json_close(j);
    }
    m31r_json_close(j);
}

/* One relation with an identifier of its own. */
static void prov_relation(m31r_json *j, size_t *n, const char *const keys[2],
                          const char *const ids[2])
{
    char name[32];
    snprintf(name, sizeof name, "_:r%zu", ++*n);
    m31r_json_open(j, name, '{');
    m31r_json_add_text(j, keys[0], ids[0]);
    m31r_json_add_text(j, keys[1], ids[1]);
    m31r_json_close(j);
}

static void prov_files(m31r_json *j, const m31r_lineage *l, bool are_inputs, size_t *n)
{
    static const char *const keys[2] = {"prov:activity", "prov:entity"};
    m31r_lineage_file f;
    m31r_lineage_run r;
    char ids[2][ID_BYTES];
    for (size_t i = 0; m31r_lineage_get_file(l, i, &f) == M31R_OK; i++) {
        if (is_input(&f) == are_inputs) {
            prov_run_id(run_of(l, f.run, &r), ids[0]);
            prov_file_id(l, &f, ids[1]);
            prov_relation(j, n, keys, (const char *const[2]){ids[0], ids[1]});
        }
    }
}

static void prov_used(m31r_json *j, const m31r_lineage *l, size_t *n)
{
    static const char *const keys[2] = {"prov:activity", "prov:entity"};
    m31r_lineage_run r;
    given all[N_GIVEN];
    char ids[2][ID_BYTES];
    m31r_json_open(j, "used", '{');
    prov_files(j, l, true, n);
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        list_given(&r, all);
        for (size_t k = 0; k < N_GIVEN; k++) {
            if (is_said(&all[k])) {
                prov_run_id(r.run_id, ids[0]);
                given_id(&all[k], PREFIX ":", ids[1]);
                prov_relation(j, n, keys, (const char *const[2]){ids[0], ids[1]});
            }
        }
    }
    m31r_json_close(j);
}

m31r_err m31r_show_lineage_prov(const m31r_screen *s, const m31r_lineage *l, m31r_error *e)
{
    size_t n = 0;
    m31r_json *j = m31r_json_new(NULL);
    m31r_json_open(j, "prefix", '{');
    m31r_json_add_text(j, PREFIX, NAMESPACE);
    m31r_json_close(j);
    prov_entities(j, l);
    prov_activities(j, l);
    prov_used(j, l, &n);
    m31r_json_open(j, "wasGeneratedBy", '{');
    prov_files(j, l, false, &n);
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}

/* ---- RO-Crate ----------------------------------------------------------------------------------
 */

/* A file that a run made lies in its directory, by its path from the crate's root; one from
 * elsewhere is named by its digest. */
static void crate_file_id(const m31r_lineage *l, size_t i, char out[ID_BYTES])
{
    m31r_lineage_file f;
    m31r_lineage_run r;
    char path[ID_BYTES - 200];
    m31r_lineage_get_file(l, speaker_of(l, i), &f);
    bool is_in_run =
        !is_input(&f) && f.path[0] != '/' && f.path[0] != '~' && strstr(f.path, "..") == NULL;
    encode(f.path, path, sizeof path);
    if (is_in_run) {
        snprintf(out, ID_BYTES, "%.128s/%s", run_of(l, f.run, &r), path);
    } else if (f.digest[0] != '\0') {
        snprintf(out, ID_BYTES, NAMESPACE "sha256:%.64s", f.digest);
    } else {
        snprintf(out, ID_BYTES, NAMESPACE "file:%.128s/%s", run_of(l, f.run, &r), path);
    }
}

static void add_reference(m31r_json *j, const char *key, const char *id)
{
    m31r_json_open(j, key, '{');
    m31r_json_add_text(j, "@id", id);
    m31r_json_close(j);
}

static void open_entity(m31r_json *j, const char *id, const char *type, const char *name)
{
    m31r_json_open(j, NULL, '{');
    m31r_json_add_text(j, "@id", id);
    m31r_json_add_text(j, "@type", type);
    if (name != NULL) {
        m31r_json_add_text(j, "name", name);
    }
}

static void crate_root(m31r_json *j, const m31r_lineage *l)
{
    m31r_lineage_file f;
    m31r_lineage_run r;
    char id[ID_BYTES];
    const char *newest = "";
    open_entity(j, "ro-crate-metadata.json", "CreativeWork", NULL);
    add_reference(j, "conformsTo", "https://w3id.org/ro/crate/1.2");
    add_reference(j, "about", "./");
    m31r_json_close(j);
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        const char *when = r.end[0] != '\0' ? r.end : r.start;
        newest = strcmp(when, newest) > 0 ? when : newest;
    }
    open_entity(j, "./", "Dataset", "Lineage of runs");
    m31r_json_add_text(j, "description",
                       "Runs of programs, the files that they read and made, and what they were "
                       "given: config, dataset, tokenizer and commit.");
    m31r_json_add_text(j, "datePublished", newest[0] != '\0' ? newest : "1970-01-01");
    add_reference(j, "license", "#license");
    m31r_json_open(j, "hasPart", '[');
    for (size_t i = 0; m31r_lineage_get_file(l, i, &f) == M31R_OK; i++) {
        if (speaker_of(l, i) == i) {
            crate_file_id(l, i, id);
            add_reference(j, NULL, id);
        }
    }
    m31r_json_close(j);
    m31r_json_open(j, "mentions", '[');
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        snprintf(id, sizeof id, "#run-%.128s", r.run_id);
        add_reference(j, NULL, id);
    }
    m31r_json_close(j);
    m31r_json_close(j);
    open_entity(j, "#license", "CreativeWork", "not stated");
    m31r_json_add_text(j, "description",
                       "The record of the runs does not say under which terms "
                       "their files may be used.");
    m31r_json_close(j);
}

static void crate_files(m31r_json *j, const m31r_lineage *l)
{
    m31r_lineage_file f;
    char id[ID_BYTES];
    for (size_t i = 0; m31r_lineage_get_file(l, i, &f) == M31R_OK; i++) {
        if (speaker_of(l, i) != i) {
            continue;
        }
        crate_file_id(l, i, id);
        open_entity(j, id, "File", f.path);
        m31r_json_add_text(j, "description", f.role);
        if (f.digest[0] != '\0') {
            m31r_json_add_text(j, "sha256", f.digest);
        }
        m31r_json_close(j);
    }
}

static void crate_given(m31r_json *j, const m31r_lineage *l)
{
    static const char *const types[N_GIVEN] = {"CreativeWork", "CreativeWork", "CreativeWork",
                                               "SoftwareSourceCode"};
    m31r_lineage_run r;
    given all[N_GIVEN];
    char id[ID_BYTES];
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        list_given(&r, all);
        for (size_t k = 0; k < N_GIVEN; k++) {
            if (is_said(&all[k]) && is_first_given(l, i, k)) {
                given_id(&all[k], "#", id);
                open_entity(j, id, types[k], all[k].value);
                m31r_json_add_text(j, "description", all[k].what);
                if (all[k].digest[0] != '\0') {
                    m31r_json_add_text(j, "sha256", all[k].digest);
                }
                m31r_json_close(j);
            }
        }
    }
}

static void crate_file_list(m31r_json *j, const m31r_lineage *l, size_t run, bool are_inputs)
{
    m31r_lineage_file f;
    char id[ID_BYTES];
    for (size_t i = 0; m31r_lineage_get_file(l, i, &f) == M31R_OK; i++) {
        if (f.run == run && is_input(&f) == are_inputs) {
            crate_file_id(l, i, id);
            add_reference(j, NULL, id);
        }
    }
}

static void crate_runs(m31r_json *j, const m31r_lineage *l)
{
    m31r_lineage_run r;
    given all[N_GIVEN];
    char id[ID_BYTES];
    for (size_t i = 0; m31r_lineage_get_run(l, i, &r) == M31R_OK; i++) {
        bool is_good = r.state == M31R_STATE_FINISHED;
        bool is_over = r.state != M31R_STATE_RUNNING && r.state != M31R_STATE_UNKNOWN;
        snprintf(id, sizeof id, "#run-%.128s", r.run_id);
        open_entity(j, id, "CreateAction", r.run_id);
        m31r_json_add_text(j, "description", r.stage);
        if (r.start[0] != '\0') {
            m31r_json_add_text(j, "startTime", r.start);
        }
        if (r.end[0] != '\0') {
            m31r_json_add_text(j, "endTime", r.end);
        }
        add_reference(j, "actionStatus",
                      !is_over  ? "http://schema.org/ActiveActionStatus"
                      : is_good ? "http://schema.org/CompletedActionStatus"
                                : "http://schema.org/FailedActionStatus");
        list_given(&r, all);
        if (is_said(&all[3])) {
            given_id(&all[3], "#", id);
            add_reference(j, "instrument", id);
        }
        m31r_json_open(j, "object", '[');
        for (size_t k = 0; k < 3; k++) {
            if (is_said(&all[k])) {
                given_id(&all[k], "#", id);
                add_reference(j, NULL, id);
            }
        }
        crate_file_list(j, l, i, true);
        m31r_json_close(j);
        m31r_json_open(j, "result", '[');
        crate_file_list(j, l, i, false);
        m31r_json_close(j);
        m31r_json_close(j);
    }
}

m31r_err m31r_show_lineage_rocrate(const m31r_screen *s, const m31r_lineage *l, m31r_error *e)
{
    m31r_json *j = m31r_json_new(NULL);
    m31r_json_add_text(j, "@context", "https://w3id.org/ro/crate/1.2/context");
    m31r_json_open(j, "@graph", '[');
    crate_root(j, l);
    crate_files(j, l);
    crate_given(j, l);
    crate_runs(j, l);
    m31r_json_close(j);
    return m31r_json_write(j, s->out, e);
}
