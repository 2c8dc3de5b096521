/* metadata_fold.c - what the processes of a run report, folded into its metadata; notices.h lists
 * the kinds.
 *
 * A notice comes from another process, so nothing of it is believed before its type was looked at,
 * and a kind or a shape that is not known is refused as a whole. Folding the same line twice does
 * no harm except to `lost`, which adds up.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "format/number.h"
#include "store/metadata.h"

#define LOADED_LIMIT 4096 /* programs, libraries: more are left out */

/* An identity value: its key in a notice, in the file, and in `sources`. */
typedef struct identity_key {
    const char *key;
    const char *field;
    const char *source;
} identity_key;

static const identity_key identity_keys[] = {
    {"seed", "seed", "sources.seed"},
    {"config", "config_path", "sources.config"},
    {"config_path", "config_path", "sources.config"},
    {"dataset", "dataset_version", "sources.dataset"},
    {"dataset_version", "dataset_version", "sources.dataset"},
    {"tokenizer", "tokenizer_version", "sources.tokenizer"},
    {"tokenizer_version", "tokenizer_version", "sources.tokenizer"},
    {"git_commit", "git_commit", "sources.git_commit"},
};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool equals(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void add_warning(m31ri_metadata *m, const char *line)
{
    m31ri_buf b = M31RI_BUF_INIT;
    m31ri_buf_add_str(&b, m->pending_warnings != NULL ? m->pending_warnings : "");
    m31ri_buf_add_str(&b, line);
    m31ri_buf_add_char(&b, '\n');
    if (!m31ri_buf_ok(&b)) {
        m31ri_buf_release(&b); /* the lines before stay */
        return;
    }
    m31ri_free(m->pending_warnings);
    m->pending_warnings = b.data;
}

/* The value as the file holds it: an integer for the seed. NULL when it is not one, or memory is
 * out. */
static json_t *make_value(const identity_key *k, const char *text)
{
    int64_t seed;
    if (strcmp(k->field, "seed") != 0) {
        return json_string(text);
    }
    return m31ri_number_read_int(text, strlen(text), &seed) ? json_integer(seed) : NULL;
}

static void write_plain(m31ri_buf *out, const json_t *value)
{
    if (json_is_integer(value)) {
        m31ri_buf_add_format(out, "%lld", (long long)json_integer_value(value));
    } else {
        m31ri_buf_add_str(out, json_is_string(value) ? json_string_value(value) : "none");
    }
}

static void warn_contradiction(m31ri_metadata *m, const char *key, const json_t *kept,
                               const json_t *other)
{
    const char *source = json_string_value(m31ri_metadata_get(m, key));
    bool by_program = equals(source, "program");
    m31ri_buf line = M31RI_BUF_INIT;
    const char *name = strchr(key, '.') + 1;
    m31ri_buf_add_format(&line, "%s: ", name);
    if (by_program) {
        m31ri_buf_add_str(&line, "two processes of the program say ");
        write_plain(&line, kept);
        m31ri_buf_add_str(&line, " and ");
        write_plain(&line, other);
        m31ri_buf_add_str(&line, "; the first is recorded");
    } else {
        m31ri_buf_add_str(&line, "the program says ");
        write_plain(&line, other);
        m31ri_buf_add_format(&line, ", %s said ", source != NULL ? source : "none");
        write_plain(&line, kept);
        m31ri_buf_add_str(&line, "; the program's is recorded");
    }
    if (m31ri_buf_ok(&line)) {
        add_warning(m, m31ri_buf_str(&line));
    }
    m31ri_buf_release(&line);
}

static bool is_none(const json_t *value)
{
    return !json_is_integer(value) &&
           (!json_is_string(value) || equals(json_string_value(value), "none"));
}

/* The snapshot kept here is of another config than the one that the program reads: its digest is
 * not that one's. */
static void disown_snapshot(m31ri_metadata *m, const char *path)
{
    m31ri_buf line = M31RI_BUF_INIT;
    m31ri_buf_add_format(
        &line, "config: the program reads %s, and config_snapshot.yaml is of another config", path);
    if (m31ri_buf_ok(&line) && json_is_string(m31ri_metadata_get(m, "config_sha256"))) {
        add_warning(m, m31ri_buf_str(&line));
        m31ri_metadata_set(m, "config_sha256", json_null());
    }
    m31ri_buf_release(&line);
}

static bool fold_identity(m31ri_metadata *m, const json_t *notice)
{
    const char *key = text_of(notice, "key");
    const char *text = text_of(notice, "value");
    const identity_key *k = NULL;
    for (size_t i = 0; i < sizeof identity_keys / sizeof identity_keys[0]; i++) {
        k = equals(key, identity_keys[i].key) ? &identity_keys[i] : k;
    }
    json_t *value = k != NULL && text != NULL ? make_value(k, text) : NULL;
    if (value == NULL) {
        return false;
    }
    json_t *old = m31ri_metadata_get(m, k->field);
    bool differs = !json_equal(old, value);
    bool was_program = equals(json_string_value(m31ri_metadata_get(m, k->source)), "program");
    if (differs && !is_none(old)) {
        warn_contradiction(m, k->source, old, value);
    }
    if (differs && was_program && !is_none(old)) {
        json_decref(value);
        return true;
    }
    if (json_is_true(json_object_get(notice, "is_other"))) {
        disown_snapshot(m, text);
    }
    return m31ri_metadata_set(m, k->field, value) == M31R_OK &&
           m31ri_metadata_set(m, k->source, json_string("program")) == M31R_OK;
}

/* Puts `value` (taken over) at a key; marks a change. */
static bool put(m31ri_metadata *m, json_t *object, const char *key, json_t *value)
{
    if (value != NULL && json_equal(json_object_get(object, key), value)) {
        json_decref(value);
        return true;
    }
    m->is_dirty = true;
    return json_object_set_new(object, key, value) == 0;
}

static json_t *copy_or_null(const json_t *object, const char *key, bool is_kind)
{
    json_t *value = json_object_get(object, key);
    return is_kind ? json_incref(value) : json_null();
}

static bool fold_metric(m31ri_metadata *m, const json_t *notice)
{
    const char *name = text_of(notice, "name");
    json_t *metrics = json_object_get(m->root, "metrics");
    if (name == NULL || name[0] == '\0' || !json_is_object(metrics)) {
        return false;
    }
    json_t *unit = copy_or_null(notice, "unit", text_of(notice, "unit") != NULL);
    json_t *better = copy_or_null(notice, "better", text_of(notice, "better") != NULL);
    return put(m, metrics, name, json_pack("{s:o,s:o}", "unit", unit, "better", better));
}

/* Element of an array whose members all equal those of `notice` at the keys; NULL when there is
 * none. */
static json_t *find_same(const json_t *array, const json_t *notice, const char *const keys[])
{
    size_t i;
    json_t *element;
    json_array_foreach(array, i, element)
    {
        bool same = true;
        for (size_t k = 0; same && keys[k] != NULL; k++) {
            json_t *a = json_object_get(element, keys[k]);
            json_t *b = json_object_get(notice, keys[k]);
            same = json_equal(a, b) || (json_is_null(a) && b == NULL);
        }
        if (same) {
            return element;
        }
    }
    return NULL;
}

/* Finds or appends the element and copies the listed members of `notice` to it; a member that is
 * missing is null in a new element and stays as it is in an old one. */
static bool fold_element(m31ri_metadata *m, const char *array_key, const json_t *notice,
                         const char *const same_keys[], const char *const members[])
{
    json_t *array = json_object_get(m->root, array_key);
    json_t *element = find_same(array, notice, same_keys);
    bool is_new = element == NULL;
    if (is_new) {
        element = json_object();
        if (json_array_append_new(array, element) != 0) {
            return false;
        }
        m->is_dirty = true;
    }
    for (size_t i = 0; members[i] != NULL; i++) {
        json_t *value = json_object_get(notice, members[i]);
        bool is_scalar = value != NULL && !json_is_object(value) && !json_is_array(value);
        if ((is_scalar || is_new) &&
            !put(m, element, members[i], is_scalar ? json_incref(value) : json_null())) {
            return false;
        }
    }
    return true;
}

static bool fold_artifact(m31ri_metadata *m, const json_t *notice)
{
    static const char *const same[] = {"role", "path", "step", NULL};
    static const char *const members[] = {"role",   "path",     "step",      "bytes",
                                          "sha256", "mtime_ns", "hashed_ns", NULL};
    static const char *const origin[] = {"run", NULL}; /* only where it is known */
    const char *role = text_of(notice, "role");
    const char *path = text_of(notice, "path");
    return role != NULL && path != NULL && path[0] != '\0' &&
           fold_element(m, "artifacts", notice, same, members) &&
           (text_of(notice, "run") == NULL || fold_element(m, "artifacts", notice, same, origin));
}

/* Adds without wrapping round: the count came from outside. */
static bool add_count(m31ri_metadata *m, json_t *object, const char *key, json_int_t count)
{
    json_int_t old = json_integer_value(json_object_get(object, key));
    json_int_t sum = old > LLONG_MAX - count ? LLONG_MAX : old + count;
    return put(m, object, key, json_integer(sum));
}

static json_int_t count_of(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));
    return n > 0 ? n : 0;
}

/* What the process that tells has written to the lane: the last that it said, and what it had said
 * before it began to count anew, with another handle of the run. */
static bool count_of_process(m31ri_metadata *m, json_t *processes, const json_t *notice,
                             const char *key)
{
    char pid[32];
    snprintf(pid, sizeof pid, "%lld",
             (long long)json_integer_value(json_object_get(notice, "pid")));
    json_t *p = json_object_get(processes, pid);
    if (p == NULL && ((p = json_object()) == NULL || json_object_set_new(processes, pid, p) != 0)) {
        return false;
    }
    char past[16], closed[16];
    snprintf(past, sizeof past, "%s+", key);
    snprintf(closed, sizeof closed, "%s.", key);
    bool is_anew =
        count_of(notice, key) < count_of(p, key) ||
        (json_is_true(json_object_get(p, closed)) && equals(text_of(notice, "state"), "open"));
    if (json_is_integer(json_object_get(notice, key))) {
        return (!is_anew || add_count(m, p, past, count_of(p, key))) &&
               put(m, p, key, json_integer(count_of(notice, key))) &&
               put(m, p, closed, json_boolean(equals(text_of(notice, "state"), "closed")));
    }
    return true;
}

/* `records` and `lost` of a lane are those of all processes that wrote there: one after the other,
 * or at one time (scripts), or from the ring of a dead one. The last two tell what is to be added.
 */
static bool count_lane(m31ri_metadata *m, json_t *lane, const json_t *notice)
{
    static const char *const counts[] = {"records", "lost"};
    const char *file = text_of(notice, "file");
    if (m->told_lanes == NULL) {
        m->told_lanes = json_object();
    }
    json_t *processes = json_object_get(m->told_lanes, file);
    if (processes == NULL && ((processes = json_object()) == NULL ||
                              json_object_set_new(m->told_lanes, file, processes) != 0)) {
        return false;
    }
    for (size_t i = 0; i < 2; i++) {
        const char *key;
        json_t *p;
        if (json_is_true(json_object_get(notice, "adds"))
                ? !add_count(m, processes, counts[i], count_of(notice, counts[i]))
                : !count_of_process(m, processes, notice, counts[i])) {
            return false;
        }
        json_t *sum = json_pack("{s:I}", counts[i], count_of(processes, counts[i]));
        json_object_foreach(processes, key, p)
        {
            char past[16];
            snprintf(past, sizeof past, "%s+", counts[i]);
            add_count(m, sum, counts[i], count_of(p, counts[i]));
            add_count(m, sum, counts[i], count_of(p, past));
        }
        bool is_known =
            count_of(sum, counts[i]) > 0 || json_is_integer(json_object_get(lane, counts[i]));
        bool is_put = !is_known || put(m, lane, counts[i], json_integer(count_of(sum, counts[i])));
        json_decref(sum);
        if (!is_put) {
            return false;
        }
    }
    return true;
}

/* Whoever settles a ring tells its counts before the ring is removed; when it is killed in between,
 * the next one tells them again. */
static bool is_told_again(m31ri_metadata *m, const char *ring, const char *file)
{
    char key[512];
    if (ring == NULL) {
        return false;
    }
    snprintf(key, sizeof key, "%.250s/%.250s", ring, file);
    if (m->told_rings == NULL) {
        m->told_rings = json_object();
    }
    bool is_again = json_object_get(m->told_rings, key) != NULL;
    json_object_set_new(m->told_rings, key, json_true());
    return is_again;
}

static bool fold_lane(m31ri_metadata *m, const json_t *notice)
{
    static const char *const same[] = {"file", NULL};
    static const char *const members[] = {"file", "name",  "ordered", "records",
                                          "lost", "state", "pid",     NULL};
    static const char *const added[] = {NULL}; /* a dead process's ring: it changes nothing else */
    const char *file = text_of(notice, "file");
    if (file == NULL || file[0] == '\0') {
        return false;
    }
    if (is_told_again(m, text_of(notice, "ring"), file)) {
        return true;
    }
    json_t *lane = find_same(json_object_get(m->root, "lanes"), notice, same);
    bool adds = lane != NULL && json_is_true(json_object_get(notice, "adds"));
    if (!fold_element(m, "lanes", notice, same, adds ? added : members)) {
        return false;
    }
    return count_lane(m, find_same(json_object_get(m->root, "lanes"), notice, same), notice);
}

static bool fold_lost(m31ri_metadata *m, const json_t *notice)
{
    const char *what = text_of(notice, "what");
    const char *reason = text_of(notice, "reason");
    json_t *count = json_object_get(notice, "count");
    json_t *lost = json_object_get(m->root, "lost");
    json_t *reasons = json_object_get(lost, "reasons");
    bool is_known = equals(what, "records") || equals(what, "points");
    if (!is_known || reason == NULL || !json_is_integer(count) || json_integer_value(count) < 0 ||
        !json_is_object(reasons)) {
        return false;
    }
    return add_count(m, lost, what, json_integer_value(count)) &&
           add_count(m, reasons, reason, json_integer_value(count));
}

static bool fold_close(m31ri_metadata *m, const json_t *notice)
{
    json_t *pid = json_object_get(notice, "pid");
    if (!json_is_integer(pid)) {
        return false;
    }
    size_t i;
    json_t *lane;
    json_array_foreach(json_object_get(m->root, "lanes"), i, lane)
    {
        if (json_equal(json_object_get(lane, "pid"), pid) &&
            equals(text_of(lane, "state"), "open") &&
            !put(m, lane, "state", json_string("closed"))) {
            return false;
        }
    }
    return true;
}

/* The background digest of the dataset or the tokenizer is known, or failed. */
static bool fold_digest(m31ri_metadata *m, const json_t *notice)
{
    static const char *const members[] = {"state", "files", "bytes", "error"};
    const char *what = text_of(notice, "what");
    const char *sha256 = text_of(notice, "sha256");
    bool is_dataset = equals(what, "dataset");
    if ((!is_dataset && !equals(what, "tokenizer")) || text_of(notice, "state") == NULL) {
        return false;
    }
    json_t *digest = json_object_get(json_object_get(m->root, "digests"), what);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_t *value = json_object_get(notice, members[i]);
        if (value != NULL && !json_is_object(value) && !json_is_array(value) &&
            !put(m, digest, members[i], json_incref(value))) {
            return false;
        }
    }
    return sha256 == NULL ||
           m31ri_metadata_set(m, is_dataset ? "dataset_sha256" : "tokenizer_sha256",
                              json_string(sha256)) == M31R_OK;
}

static void abandon(m31ri_metadata *m, const char *array, const char *state)
{
    size_t i;
    json_t *element;
    json_array_foreach(json_object_get(m->root, array), i, element)
    {
        if (equals(text_of(element, "state"), state)) {
            put(m, element, "state", json_string("abandoned"));
        }
    }
}

void m31ri_metadata_abandon_open_lanes(m31ri_metadata *m)
{
    abandon(m, "lanes", "open");
    abandon(m, "rank_ends", "joined");
}

/* How a process says that its part ended; the first word stands. */
static bool fold_end(m31ri_metadata *m, const json_t *notice)
{
    const char *state = text_of(notice, "state");
    const char *cause = text_of(notice, "cause");
    if (!equals(state, "failed") && !equals(state, "interrupted")) {
        return false;
    }
    if (m->stated_state[0] == '\0') {
        snprintf(m->stated_state, sizeof m->stated_state, "%s", state);
        snprintf(m->stated_cause, sizeof m->stated_cause, "%s", cause != NULL ? cause : "");
    }
    return true;
}

/* The program read an earlier run's checkpoint. A run that was declared to be continued stays
 * declared; the checkpoint completes it when it is that run's. */
static bool fold_resumes(m31ri_metadata *m, const json_t *notice)
{
    const char *run = text_of(notice, "run");
    const json_t *step = json_object_get(notice, "step");
    const char *declared = text_of(m31ri_metadata_get(m, "resumes"), "run");
    if (run == NULL || text_of(notice, "checkpoint_sha256") == NULL) {
        return false;
    }
    if (declared != NULL && !equals(declared, run)) {
        m31ri_buf line = M31RI_BUF_INIT;
        m31ri_buf_add_format(&line, "resumes: declared %s, but the checkpoint read is of %s",
                             declared, run);
        add_warning(m, m31ri_buf_str(&line));
        m31ri_buf_release(&line);
        return true;
    }
    json_t *value =
        json_pack("{s:s, s:o, s:s}", "run", run, "step",
                  json_is_integer(step) ? json_integer(json_integer_value(step)) : json_null(),
                  "checkpoint_sha256", text_of(notice, "checkpoint_sha256"));
    return value != NULL && m31ri_metadata_set(m, "resumes", value) == M31R_OK;
}

/* A rank came, left, or ended so. The first that failed is what the run failed by: the others
 * follow from it. */
static bool fold_rank(m31ri_metadata *m, const json_t *notice)
{
    static const char *const same[] = {"rank", NULL};
    static const char *const members[] = {"rank",   "pid",   "host",     "state", "exit_status",
                                          "signal", "cause", "evidence", NULL};
    const json_t *rank = json_object_get(notice, "rank");
    const char *state = text_of(notice, "state");
    if (!json_is_integer(rank) || state == NULL) {
        return false;
    }
    const char *before =
        text_of(find_same(json_object_get(m->root, "rank_ends"), notice, same), "state");
    bool is_end = !equals(state, "joined") && !equals(state, "closed");
    bool is_news = is_end || before == NULL || equals(before, "joined");
    if (is_news && !fold_element(m, "rank_ends", notice, same, members)) {
        return false;
    }
    if (is_end && !equals(state, "finished") && m->stated_state[0] == '\0') {
        const char *cause = text_of(notice, "cause");
        snprintf(m->stated_state, sizeof m->stated_state, "%s",
                 equals(state, "interrupted") ? "interrupted" : "failed");
        snprintf(m->stated_cause, sizeof m->stated_cause, "rank %lld: %s",
                 (long long)json_integer_value(rank), cause != NULL ? cause : state);
    }
    return true;
}

/* A file that the program read was made by that run. */
static bool fold_parent(m31ri_metadata *m, const json_t *notice)
{
    const char *run = text_of(notice, "run");
    json_t *parents = json_object_get(m->root, "parents");
    size_t i;
    json_t *known;
    if (run == NULL) {
        return false;
    }
    json_array_foreach(parents, i, known)
    {
        if (equals(json_string_value(known), run)) {
            return true;
        }
    }
    m->is_dirty = true;
    return json_array_append_new(parents, json_string(run)) == 0;
}

/* The program writes the records of a stage by its schema. */
static bool fold_schema(m31ri_metadata *m, const json_t *notice)
{
    const char *stage = text_of(notice, "stage");
    const json_t *version = json_object_get(notice, "version");
    if (stage == NULL || !json_is_integer(version)) {
        return false;
    }
    if (!json_is_object(json_object_get(m->root, "schemas"))) {
        json_object_set_new(m->root, "schemas",
                            json_object()); /* a run begun by an older version */
    }
    return put(m, json_object_get(m->root, "schemas"), stage,
               json_integer(json_integer_value(version)));
}

/* Adds what is not there yet. */
static bool add_missing(m31ri_metadata *m, json_t *list, const json_t *more)
{
    size_t i;
    json_t *one;
    json_array_foreach(more, i, one)
    {
        bool is_known = false;
        for (size_t k = 0; k < json_array_size(list) && !is_known; k++) {
            is_known = json_equal(json_array_get(list, k), one);
        }
        if (!is_known && json_array_size(list) < LOADED_LIMIT) {
            m->is_dirty = true;
            if (json_array_append(list, one) != 0) {
                return false;
            }
        }
    }
    return true;
}

/* What a process has loaded is added to what others have. */
static bool fold_environment(m31ri_metadata *m, const json_t *notice)
{
    json_t *environment = json_object_get(m->root, "environment");
    json_t *python = json_object_get(notice, "python");
    const json_t *programs = json_object_get(notice, "programs");
    const json_t *libraries = json_object_get(notice, "libraries");
    if (!json_is_object(environment) || !json_is_array(programs) || !json_is_array(libraries)) {
        return false;
    }
    return (!json_is_object(python) || put(m, environment, "python", json_incref(python))) &&
           add_missing(m, json_object_get(environment, "programs"), programs) &&
           add_missing(m, json_object_get(environment, "libraries"), libraries);
}

/* One row of what was taken out, added to the row of the same kind and rule. */
static bool add_redactions(json_t *found, json_t *row)
{
    static const char *const same[] = {"kind", "rule", NULL};
    const json_t *n = json_object_get(row, "n");
    if (text_of(row, "kind") == NULL || text_of(row, "rule") == NULL || !json_is_integer(n) ||
        json_integer_value(n) < 0) {
        return false;
    }
    json_t *old = find_same(found, row, same);
    if (old == NULL) {
        return json_array_append_new(found, json_deep_copy(row)) == 0;
    }
    json_int_t sum = json_integer_value(json_object_get(old, "n")) + json_integer_value(n);
    return json_object_set_new(old, "n", json_integer(sum)) == 0;
}

/* What the rules took out in some process is added to what others have; `redacted` is the sum. */
static bool fold_redacted(m31ri_metadata *m, const json_t *notice)
{
    json_t *privacy = json_object_get(m->root, "privacy");
    json_t *found = json_object_get(privacy, "found");
    json_t *rows = json_object_get(notice, "found"), *row;
    size_t i;
    json_int_t total = 0;
    bool is_understood = json_is_array(found) && json_is_array(rows);
    json_array_foreach(rows, i, row)
    {
        is_understood = is_understood && add_redactions(found, row);
    }
    json_array_foreach(found, i, row)
    {
        total += json_integer_value(json_object_get(row, "n"));
    }
    return is_understood && put(m, privacy, "redacted", json_integer(total));
}

static bool fold_critical(m31ri_metadata *m, const json_t *notice)
{
    (void)notice;
    m->is_critical = true;
    return true;
}

bool m31ri_metadata_fold(m31ri_metadata *m, const json_t *notice)
{
    static const struct {
        const char *kind;
        bool (*fold)(m31ri_metadata *m, const json_t *notice);
    } kinds[] = {
        {"identity", fold_identity}, {"metric", fold_metric},
        {"artifact", fold_artifact}, {"lane", fold_lane},
        {"lost", fold_lost},         {"critical", fold_critical},
        {"close", fold_close},       {"digest", fold_digest},
        {"end", fold_end},           {"resumes", fold_resumes},
        {"rank", fold_rank},         {"parent", fold_parent},
        {"schema", fold_schema},     {"environment", fold_environment},
        {"redacted", fold_redacted},
    };
    const char *kind = text_of(notice, "kind");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (equals(kind, kinds[i].kind)) {
            return kinds[i].fold(m, notice);
        }
    }
    return false;
}
