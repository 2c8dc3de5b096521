/* privacy_run.c - privacy rules from settings, and from a run's own config. */
#include "rules/privacy_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fail.h"
#include "base/os_file.h"
#include "format/yaml.h"
#include "rules/rule_pattern.h"

static m31ri_privacy *of_settings(const m31ri_settings *s, const char *home)
{
    m31ri_own_rule patterns[M31RI_SETTING_PRIVACY_RULES];
    for (size_t i = 0; i < s->privacy_rules.n; i++) {
        patterns[i] = (m31ri_own_rule){.kind = s->privacy_rules.items[i].kind,
                                       .pattern = s->privacy_rules.items[i].pattern};
    }
    const m31ri_privacy_options o = {.allow_prompts = s->log_prompts,
                                     .deny_keys = (const char *const *)s->deny_keys.items,
                                     .n_deny_keys = s->deny_keys.n,
                                     .home = home,
                                     .patterns = patterns,
                                     .n_patterns = s->privacy_rules.n};
    return m31ri_privacy_new(&o);
}

m31ri_privacy *m31ri_privacy_of_settings(const m31ri_settings *s)
{
    return of_settings(s, getenv("HOME"));
}

m31r_err m31ri_privacy_read(const m31ri_settings *s, const char *path, m31ri_privacy **out,
                            m31r_error *e)
{
    for (size_t i = 0; i < s->privacy_rules.n; i++) {
        const m31ri_privacy_setting *rule = &s->privacy_rules.items[i];
        m31ri_pattern pattern;
        m31ri_pattern_fault fault;
        if (!m31ri_pattern_read(rule->pattern, &pattern, &fault)) {
            m31ri_fail(e, M31R_E_CONFIG, "observability.privacy_rules: the pattern of %s: %s",
                       rule->kind, fault.what);
            m31ri_fail_at(e, path, rule->line, rule->column + (uint32_t)fault.at);
            m31ri_fail_hint(e, "A pattern is text, then sets with a length: "
                               "acme_[A-Za-z0-9]{20,}; docs/PRIVACY.md says more.");
            return M31R_E_CONFIG;
        }
    }
    *out = m31ri_privacy_of_settings(s);
    return *out != NULL ? M31R_OK : m31ri_fail(e, M31R_E_NOMEM, "out of memory for the rules");
}

static m31ri_privacy *of_run(int dir, const char *home)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31ri_yaml *yaml = NULL;
    m31ri_settings s;
    m31ri_settings_init(&s);
    m31r_error e = {0};
    m31r_err err = m31ri_read_file(dir, "config_snapshot.yaml", M31RI_YAML_BYTES, &text, &e);
    bool is_hidden = (err == M31R_E_IO || err == M31R_E_NOMEM) && e.sys_errno != ENOENT;
    if (err == M31R_OK && m31ri_yaml_read(m31ri_buf_str(&text), text.length, "config_snapshot.yaml",
                                          &yaml, NULL) == M31R_OK) {
        m31ri_settings_read(yaml, "config_snapshot.yaml", &s, NULL);
    }
    /* Rules of the run's own that cannot be read are not as good as none. */
    m31ri_privacy *rules = is_hidden ? NULL : of_settings(&s, home);
    m31ri_settings_release(&s);
    m31ri_yaml_free(yaml);
    m31ri_buf_release(&text);
    return rules;
}

m31ri_privacy *m31ri_privacy_of_run(int dir)
{
    return of_run(dir, getenv("HOME"));
}

m31ri_privacy *m31ri_privacy_of_record(int dir)
{
    return of_run(dir, NULL);
}

static m31r_err read_yaml(const char *path, m31ri_yaml **out, m31r_error *e)
{
    m31ri_buf text = M31RI_BUF_INIT;
    m31r_err err = m31ri_read_file(AT_FDCWD, path, M31RI_YAML_BYTES, &text, e);
    err = err == M31R_OK ? m31ri_yaml_read(m31ri_buf_str(&text), text.length, path, out, e) : err;
    m31ri_buf_release(&text);
    return err;
}

/* The config that m31r.yaml in the working directory names, in `*out`; NULL when there is none. */
static m31r_err named_by_project(char **out, m31r_error *e)
{
    static const char file[] = "m31r.yaml";
    m31ri_yaml *yaml = NULL;
    m31ri_project project;
    m31r_err err = m31ri_project_init(&project)
                       ? M31R_OK
                       : m31ri_fail(e, M31R_E_NOMEM, "out of memory for %s", file);
    err = err == M31R_OK ? read_yaml(file, &yaml, e) : err;
    err = err == M31R_OK ? m31ri_project_read(yaml, file, &project, e) : err;
    if (err == M31R_OK && project.config != NULL && strcmp(project.config, "none") != 0) {
        *out = project.config;
        project.config = NULL;
    }
    m31ri_project_release(&project);
    m31ri_yaml_free(yaml);
    return err == M31R_E_NOTFOUND ? M31R_OK : err;
}

m31r_err m31ri_privacy_of_config(const char *path, bool keeps_prompts, m31ri_privacy **out,
                                 m31r_error *e)
{
    char *named = NULL;
    m31ri_yaml *yaml = NULL;
    m31ri_settings s;
    m31ri_settings_init(&s);
    m31r_err err = path != NULL ? M31R_OK : named_by_project(&named, e);
    path = path != NULL ? path : named;
    if (err == M31R_OK && path != NULL) {
        err = read_yaml(path, &yaml, e);
        err = err == M31R_OK ? m31ri_settings_read(yaml, path, &s, e) : err;
        err = err == M31R_E_NOTFOUND && named != NULL ? M31R_OK : err; /* it has no rules */
    }
    if (err == M31R_OK) {
        s.log_prompts = keeps_prompts;
        err = m31ri_privacy_read(&s, path, out, e);
    }
    m31ri_settings_release(&s);
    m31ri_yaml_free(yaml);
    m31ri_free(named);
    return err;
}
