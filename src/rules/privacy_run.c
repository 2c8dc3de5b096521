/* privacy_run.c - privacy rules from settings, and from a run's own config. */
#include "rules/privacy_run.h"

#include <stdlib.h>

#include "base/os_file.h"
#include "format/yaml.h"

m31ri_privacy *m31ri_privacy_of_settings(const m31ri_settings *s)
{
    const m31ri_privacy_options o = {.allow_prompts = s->log_prompts,
                                     .deny_keys = (const char *const *)s->deny_keys.items,
                                     .n_deny_keys = s->deny_keys.n,
                                     .home = getenv("HOME")};
    return m31ri_privacy_new(&o);
}

m31ri_privacy *m31ri_privacy_of_run(int dir)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_yaml *yaml = NULL;
    m31ri_settings s;
    m31ri_settings_init(&s);
    if (m31ri_read_file(dir, "config_snapshot.yaml", M31RI_YAML_BYTES, &text, NULL) == M31R_OK &&
        m31ri_yaml_read(m31ri_buf_str(&text), text.length, "config_snapshot.yaml", &yaml, NULL) ==
            M31R_OK) {
        m31ri_settings_read(yaml, "config_snapshot.yaml", &s, NULL);
    }
    m31ri_privacy *rules = m31ri_privacy_of_settings(&s);
    m31ri_settings_release(&s);
    m31ri_yaml_free(yaml);
    m31ri_buf_release(&text);
    return rules;
}
