/* environment_rows.c - see environment_rows.h. */
#include "analyse/environment_rows.h"

#include <stdio.h>
#include <string.h>

#define KEY_BYTES 320
#define NAME_BYTES 255
#define ID_SHOWN 12 /* of a build id */

typedef struct rows {
    void (*each)(void *context, const char *key, const char *text);
    void *context;
} rows;

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static void add(const rows *r, const char *kind, const char *name, int length, const char *text)
{
    char key[KEY_BYTES];
    snprintf(key, sizeof key, "%s%.*s", kind, length, name);
    r->each(r->context, key, text);
}

/* Length of a library's name without its version: libstdc++ of libstdc++.so.6.0.30, libopenblasp of
 * libopenblasp-r0.3.21.so. */
static int stem_of(const char *name)
{
    const char *end = strstr(name, ".so");
    size_t length = end != NULL ? (size_t)(end - name) : strlen(name);
    for (size_t i = 1; i + 1 < length; i++) {
        size_t at = i + 1 + (name[i + 1] == 'r');
        if (name[i] == '-' && at < length && name[at] >= '0' && name[at] <= '9') {
            return (int)i;
        }
    }
    return (int)length;
}

static void add_files(const rows *r, const json_t *environment)
{
    char text[KEY_BYTES];
    size_t i;
    json_t *file;
    json_array_foreach(json_object_get(environment, "programs"), i, file)
    {
        snprintf(text, sizeof text, "%.*s", ID_SHOWN, text_of(file, "build_id"));
        add(r, "program ", text_of(file, "name"), NAME_BYTES, text);
        if (text_of(file, "compiler")[0] != '\0') {
            add(r, "compiler of ", text_of(file, "name"), NAME_BYTES, text_of(file, "compiler"));
        }
    }
    json_array_foreach(json_object_get(environment, "libraries"), i, file)
    {
        const char *name = text_of(file, "name");
        snprintf(text, sizeof text, "%.255s %.*s", name, ID_SHOWN, text_of(file, "build_id"));
        add(r, "library ", name, stem_of(name), text);
    }
}

static void add_python(const rows *r, const json_t *python)
{
    size_t i;
    json_t *package;
    if (json_is_object(python)) {
        add(r, "python", "", 0, text_of(python, "version"));
    }
    json_array_foreach(json_object_get(python, "packages"), i, package)
    {
        const char *text = json_string_value(package);
        const char *space = text != NULL ? strchr(text, ' ') : NULL;
        if (space != NULL) {
            add(r, "python ", text, (int)(space - text), space + 1);
        }
    }
}

void m31ri_environment_each(const json_t *environment,
                            void (*each)(void *context, const char *key, const char *text),
                            void *context)
{
    const rows r = {each, context};
    const char *key;
    size_t i;
    json_t *value;
    json_array_foreach(json_object_get(environment, "cpu_flags"), i, value)
    {
        if (json_is_string(value)) {
            add(&r, "cpu ", json_string_value(value), NAME_BYTES, "yes");
        }
    }
    json_array_foreach(json_object_get(environment, "gpus"), i, value)
    {
        char name[32];
        snprintf(name, sizeof name, "gpu %zu", i);
        each(context, name, json_is_string(value) ? json_string_value(value) : "?");
    }
    if (text_of(environment, "gpu_driver")[0] != '\0') {
        each(context, "gpu_driver", text_of(environment, "gpu_driver"));
    }
    json_object_foreach(json_object_get(environment, "settings"), key, value)
    {
        each(context, key, json_is_string(value) ? json_string_value(value) : "?");
    }
    add_files(&r, environment);
    add_python(&r, json_object_get(environment, "python"));
}
