/* diff_identity.c - what the two metadata.json say of the runs' identity and ends, where it
 * differs. */
#include <string.h>

#include "diff/diff_int.h"
#include "base/alloc.h"
#include "base/fail.h"

/* What is told of the identity: a heading and where it stands in metadata.json. */
static const struct {
    const char *what, *path;
} identity[] = {
    {"config", "config_sha256"},
    {"seed", "seed"},
    {"commit", "git_commit"},
    {"changes", "code.changes_sha256"},
    {"script", "code.script.sha256"},
    {"dataset", "dataset_version"},
    {"dataset_sha256", "dataset_sha256"},
    {"tokenizer", "tokenizer_version"},
    {"tokenizer_sha256", "tokenizer_sha256"},
    {"stage", "stage"},
    {"kind", "kind"},
    {"resumes", "resumes.run"},
    {"state", "state"},
    {"host", "host.name"},
    {"cpu_model", "host.cpu_model"},
    {"library_version", "writer.library_version"},
};

static const char *value_text(m31r_diff *d, const m31r_reader *r, const char *path)
{
    const json_t *value = m31ri_reader_get(r, path);
    if (json_is_integer(value)) {
        return m31ri_kept_format(&d->kept, "%lld", (long long)json_integer_value(value));
    }
    const char *text = json_string_value(value);
    return text != NULL ? text : "";
}

m31r_err m31ri_diff_identity(m31r_diff *d, m31r_error *e)
{
    size_t n = sizeof identity / sizeof identity[0];
    d->facts = m31ri_calloc(n, sizeof *d->facts);
    if (d->facts == NULL) {
        return m31ri_fail(e, M31R_E_NOMEM, "out of memory for a difference");
    }
    for (size_t i = 0; i < n; i++) {
        m31r_diff_fact fact = {identity[i].what, value_text(d, d->a, identity[i].path),
                               value_text(d, d->b, identity[i].path)};
        if (strcmp(fact.a, fact.b) != 0) {
            d->facts[d->n_facts++] = fact;
        }
    }
    return M31R_OK;
}
