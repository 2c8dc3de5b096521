/* reproduce_environment.c - the machine and the settings, then and now. What a program loads is
 * known only when it runs: the comparison of the two runs tells it. */
#include <stdlib.h>
#include <string.h>

#include "identity/environment.h"
#include "identity/identity_int.h"
#include "reproduce/reproduce_int.h"

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

static void look_at_host(m31r_reproduction *p)
{
    static const char *const keys[] = {"os", "kernel", "arch", "cpu_model"};
    const json_t *then = m31ri_reader_get(p->run, "host");
    json_t *now = m31ri_host_facts();
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(text_of(then, keys[i]), text_of(now, keys[i])) != 0) {
            m31ri_find(p, M31R_FINDING_DIFFERS, m31ri_keep_format(p, "environment %s", keys[i]),
                       NULL, "%s then, %s here", text_of(then, keys[i]), text_of(now, keys[i]));
        }
    }
    if (!json_equal(json_object_get(then, "cpus"), json_object_get(now, "cpus"))) {
        m31ri_find(p, M31R_FINDING_DIFFERS, "environment cpus", NULL, "%lld then, %lld here",
                   (long long)json_integer_value(json_object_get(then, "cpus")),
                   (long long)json_integer_value(json_object_get(now, "cpus")));
    }
    json_decref(now);
}

static bool has(const json_t *list, const json_t *one)
{
    size_t i = 0;
    while (i < json_array_size(list) && !json_equal(json_array_get(list, i), one)) {
        i++;
    }
    return i < json_array_size(list);
}

/* What only one of two lists has, by name. */
static void look_at_lists(m31r_reproduction *p, const json_t *then, const json_t *now,
                          const char *what)
{
    size_t i;
    json_t *one;
    const char *name = m31ri_keep_format(p, "environment %s", what);
    json_array_foreach(then, i, one)
    {
        if (!has(now, one)) {
            m31ri_find(p, M31R_FINDING_DIFFERS, name, NULL, "%s is not here",
                       json_is_string(one) ? json_string_value(one) : "?");
        }
    }
    json_array_foreach(now, i, one)
    {
        if (!has(then, one)) {
            m31ri_find(p, M31R_FINDING_DIFFERS, name, NULL, "%s was not there",
                       json_is_string(one) ? json_string_value(one) : "?");
        }
    }
}

static void look_at_settings(m31r_reproduction *p, const json_t *then)
{
    size_t n;
    const char *const *names = m31ri_environment_settings(&n);
    for (size_t i = 0; i < n; i++) {
        const char *now = getenv(names[i]);
        const char *was = json_string_value(json_object_get(then, names[i]));
        bool is_same = now != NULL && was != NULL ? strcmp(now, was) == 0 : now == was;
        if (is_same) {
            continue;
        }
        const char *what = m31ri_keep_format(p, "environment %s", names[i]);
        bool is_kept = p->o.keeps_environment;
        m31ri_find(p, is_kept ? M31R_FINDING_DIFFERS : M31R_FINDING_SAME, what, NULL,
                   is_kept ? "%s then, %s here" : "%s as recorded (here: %s)",
                   was != NULL ? was : "not set", now != NULL ? now : "not set");
    }
}

void m31ri_look_at_environment(m31r_reproduction *p)
{
    const json_t *then = m31ri_reader_get(p->run, "environment");
    m31ri_privacy *rules = m31ri_privacy_new(NULL);
    json_t *now = rules != NULL ? m31ri_environment_known(rules) : NULL;
    look_at_host(p);
    if (then == NULL || now == NULL) {
        m31ri_find(p, M31R_FINDING_SAME, "environment", NULL,
                   "the run is of a version that did not record it");
    } else {
        look_at_lists(p, json_object_get(then, "cpu_flags"), json_object_get(now, "cpu_flags"),
                      "cpu flag");
        look_at_lists(p, json_object_get(then, "gpus"), json_object_get(now, "gpus"), "gpu");
        look_at_settings(p, json_object_get(then, "settings"));
    }
    json_decref(now);
    m31ri_privacy_free(rules);
}
