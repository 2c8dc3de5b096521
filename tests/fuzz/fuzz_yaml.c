/* fuzz_yaml.c - any bytes as a config: refused with a place and something to do, or a tree within
 * its limits, whose spans lie in the file, and whose scrubbed text is a config again. */
#include <string.h>

#include "format/settings.h"
#include "fuzz.h"
#include "rules/privacy.h"

static size_t n_nodes;
static size_t n_bytes;

static void count(void *context, const char *dotted, const m31ri_yaml_node *n)
{
    (void)context;
    REQUIRE(dotted != NULL && n->text != NULL && strlen(n->text) <= n->text_length);
    REQUIRE(n->start <= n->end && n->end <= n_bytes);
    n_nodes++;
}

static void scrub(const m31ri_yaml *y, const char *bytes, size_t size)
{
    static m31ri_privacy *p;
    if (p == NULL) {
        p = m31ri_privacy_new(NULL);
    }
    m31ri_buf out = M31RI_BUF_INIT;
    uint32_t n = m31ri_privacy_scrub_config(p, y, bytes, size, &out);
    REQUIRE(m31ri_buf_ok(&out));
    REQUIRE(n != 0 || (out.length == size && memcmp(out.data, bytes, size) == 0));
    m31ri_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    m31ri_yaml *y = NULL;
    m31r_error e = {0};
    n_nodes = 0;
    n_bytes = size;
    m31r_err err = m31ri_yaml_read((const char *)data, size, "fuzz.yaml", &y, &e);
    if (err != M31R_OK) {
        REQUIRE(err == M31R_E_CONFIG && y == NULL);
        REQUIRE(e.line > 0 && e.column > 0 && e.message[0] != '\0' && e.hint[0] != '\0');
        return 0;
    }
    m31ri_yaml_each_scalar(m31ri_yaml_root(y), count, NULL);
    REQUIRE(n_nodes <= M31RI_YAML_NODES);
    m31ri_settings s;
    m31ri_settings_init(&s);
    err = m31ri_settings_read(y, "fuzz.yaml", &s, &e);
    REQUIRE(err == M31R_OK || (err == M31R_E_CONFIG && e.line > 0));
    m31ri_settings_release(&s);
    scrub(y, (const char *)data, size);
    m31ri_yaml_free(y);
    return 0;
}
