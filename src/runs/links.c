/* links.c - a run's artifacts and parents to bytes and back.
 *
 * Texts end with a NUL, which JSON as it is read here cannot hold; numbers are in this machine's
 * order, since the bytes never leave its cache.
 */
#include "runs/links.h"

#include <string.h>

#include "read/reader_int.h"

static void pack_text(m31ri_buf *out, const json_t *text)
{
    const char *value = json_string_value(text);
    m31ri_buf_add(out, value != NULL ? value : "", (value != NULL ? strlen(value) : 0) + 1);
}

static void pack_file(m31ri_buf *out, const json_t *artifact)
{
    const json_t *step = json_object_get(artifact, "step");
    int64_t number = json_is_integer(step) ? json_integer_value(step) : M31R_UNKNOWN;
    m31ri_buf_add(out, &number, sizeof number);
    pack_text(out, json_object_get(artifact, "role"));
    pack_text(out, json_object_get(artifact, "path"));
    pack_text(out, json_object_get(artifact, "sha256"));
    pack_text(out, json_object_get(artifact, "run"));
}

void m31ri_links_pack(const m31r_reader *run, m31ri_buf *out)
{
    const json_t *parents = m31ri_reader_get(run, "parents");
    const json_t *artifacts = m31ri_reader_get(run, "artifacts");
    uint32_t counts[2] = {(uint32_t)json_array_size(parents), (uint32_t)json_array_size(artifacts)};
    m31ri_buf_add(out, counts, sizeof counts);
    pack_text(out, m31ri_reader_get(run, "name"));
    pack_text(out, m31ri_reader_get(run, "timestamp"));
    for (size_t i = 0; i < counts[0]; i++) {
        pack_text(out, json_array_get(parents, i));
    }
    for (size_t i = 0; i < counts[1]; i++) {
        pack_file(out, json_array_get(artifacts, i));
    }
}

/* The next text; NULL when it does not end inside the bytes. */
static const char *take_text(m31ri_links *links)
{
    const char *text = links->at;
    const char *end = links->left > 0 ? memchr(text, '\0', links->left) : NULL;
    if (end == NULL) {
        return NULL;
    }
    links->left -= (size_t)(end + 1 - text);
    links->at = end + 1;
    return text;
}

bool m31ri_links_open(const char *bytes, size_t length, m31ri_links *out)
{
    uint32_t counts[2];
    if (length < sizeof counts) {
        return false;
    }
    memcpy(counts, bytes, sizeof counts);
    *out = (m31ri_links){.n_parents = counts[0],
                         .n_files = counts[1],
                         .at = bytes + sizeof counts,
                         .left = length - sizeof counts};
    out->name = take_text(out);
    out->timestamp = out->name != NULL ? take_text(out) : NULL;
    return out->timestamp != NULL;
}

bool m31ri_links_parent(m31ri_links *links, const char **out_run_id)
{
    const char *id = links->n_parents > 0 ? take_text(links) : NULL;
    if (id == NULL) {
        return false;
    }
    links->n_parents--;
    *out_run_id = id;
    return true;
}

bool m31ri_links_file(m31ri_links *links, m31ri_link_file *out)
{
    m31ri_link_file f;
    if (links->n_files == 0 || links->left < sizeof f.step) {
        return false;
    }
    memcpy(&f.step, links->at, sizeof f.step);
    links->at += sizeof f.step;
    links->left -= sizeof f.step;
    const char **const texts[] = {&f.role, &f.path, &f.digest, &f.named};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        *texts[i] = take_text(links);
        if (*texts[i] == NULL) {
            return false;
        }
    }
    links->n_files--;
    *out = f;
    return true;
}
