/* reproduce_inputs.c - have dataset, tokenizer and the files that were read the recorded digests?
 */
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "identity/fingerprint.h"
#include "reproduce/reproduce_int.h"

#define SHOWN 12

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

static void look_at_data(m31r_reproduction *p, const char *what)
{
    char key[64];
    char hex[65];
    m31ri_fingerprint now;
    snprintf(key, sizeof key, "%s_path", what);
    const char *path = m31ri_reader_text(p->run, key);
    snprintf(key, sizeof key, "%s_sha256", what);
    const char *digest = m31ri_reader_text(p->run, key);
    snprintf(key, sizeof key, "%s_version", what);
    const char *version = m31ri_reader_text(p->run, key);
    if (path[0] == '\0' || strcmp(path, "none") == 0) {
        if (version[0] != '\0' && strcmp(version, "none") != 0) {
            m31ri_find(p, M31R_FINDING_SAME, what, NULL, "%s by its name only: not checked",
                       version);
        }
        return;
    }
    const char *here = m31ri_recorded_path(p, p->top, path);
    if (m31ri_fingerprint_path(here, NULL, &now, NULL) != M31R_OK) {
        m31ri_find(p, M31R_FINDING_REFUSED, what, NULL, "%s is not here", here);
        return;
    }
    m31ri_sha256_hex(now.digest, hex);
    if (digest[0] == '\0') {
        m31ri_find_passable(p, what, "go on: --anyway", "%s: its digest was never known", path);
    } else if (strcmp(hex, digest) != 0) {
        m31ri_find_passable(p, what, "run with what is here: --anyway",
                            "%s is not what it was: %.*s then, %.*s now", path, SHOWN, digest,
                            SHOWN, hex);
    } else {
        m31ri_find(p, M31R_FINDING_SAME, what, NULL, "%s %.*s", path, SHOWN, digest);
    }
}

void m31ri_look_at_inputs(m31r_reproduction *p)
{
    const json_t *artifacts = m31ri_reader_get(p->run, "artifacts");
    size_t i;
    json_t *a;
    look_at_data(p, "dataset");
    look_at_data(p, "tokenizer");
    json_array_foreach(artifacts, i, a)
    {
        char digest[65] = "";
        const char *path = text_of(a, "path");
        if (strcmp(text_of(a, "role"), "input") != 0) {
            continue;
        }
        const char *what = m31ri_keep_format(p, "input %s", path);
        bool is_here = m31ri_file_digest(m31ri_recorded_path(p, p->top, path), digest);
        if (!is_here) {
            m31ri_find_passable(p, what, "go on without it: --anyway", "is not here");
        } else if (strcmp(digest, text_of(a, "sha256")) != 0) {
            m31ri_find_passable(p, what, "run with what is here: --anyway",
                                "is not what it was: %.*s then, %.*s now", SHOWN,
                                text_of(a, "sha256"), SHOWN, digest);
        } else {
            m31ri_find(p, M31R_FINDING_SAME, what, NULL, "%.*s", SHOWN, digest);
        }
    }
}
