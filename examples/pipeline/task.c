#include "task.h"

#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 1024 * 1024, PATH_BYTES = 4096 };

static bool part_read(bytes *out, const char *folder, const char *name, bool is_needed,
                      fault *error)
{
    char path[PATH_BYTES];
    fault cause;
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || length >= PATH_BYTES) {
        return fault_set(error, FAULT_USER, "tasks_unreadable", "%s: the path is too long", folder);
    }
    if (bytes_read_file(out, path, FILE_MAX_BYTES, &cause)) {
        return true;
    }
    return !is_needed || fault_set(error, cause.exit_code, "tasks_unreadable", "%s", cause.text);
}

static int count_tests(const bytes *tests)
{
    static const char MARK[] = "#[test]";
    int n = 0;
    const uint8_t *at = tests->data;
    const uint8_t *end = tests->data + tests->size;
    while ((at = memmem(at, (size_t)(end - at), MARK, sizeof MARK - 1)) != NULL) {
        at += sizeof MARK - 1;
        n++;
    }
    return n;
}

/* Takes what task.json says; false when it does not say it. */
static bool metadata_take(task *t, const bytes *text)
{
    json_t *root = json_loadb((const char *)text->data, text->size, 0, NULL);
    const char *name = json_string_value(json_object_get(root, "task"));
    const char *category = json_string_value(json_object_get(root, "category"));
    const char *stop = json_string_value(json_object_get(root, "stop"));
    bool ok = name != NULL && category != NULL && stop != NULL && strlen(name) < TASK_NAME_BYTES &&
              strlen(category) < TASK_NAME_BYTES &&
              (strcmp(stop, "line") == 0 || strcmp(stop, "brace") == 0);
    if (ok) {
        memcpy(t->name, name, strlen(name) + 1);
        memcpy(t->category, category, strlen(category) + 1);
        t->stop = strcmp(stop, "line") == 0 ? TASK_STOP_LINE : TASK_STOP_BRACE;
    }
    json_decref(root);
    return ok;
}

static bool task_read(task *t, const char *folder, fault *error)
{
    bytes metadata = {0};
    bool ok = part_read(&metadata, folder, "task.json", true, error);
    if (ok && !metadata_take(t, &metadata)) {
        ok = fault_set(error, FAULT_USER, "task_wrong",
                       "%s/task.json: expected texts task, category and stop (line or brace)",
                       folder);
    }
    bytes_release(&metadata);
    ok = ok && part_read(&t->prompt, folder, "prompt.rs", true, error) &&
         part_read(&t->tests, folder, "tests.rs", true, error) &&
         part_read(&t->reference, folder, "reference.rs", true, error) &&
         part_read(&t->suffix, folder, "suffix.rs", false, error);
    t->n_tests = ok ? count_tests(&t->tests) : 0;
    return ok && (t->n_tests > 0 || fault_set(error, FAULT_USER, "task_wrong",
                                              "%s/tests.rs: no #[test] function", folder));
}

static void digest_set(task_list *list, bytes *all)
{
    for (size_t i = 0; i < list->count; i++) {
        const task *t = &list->tasks[i];
        const bytes *parts[] = {&t->prompt, &t->suffix, &t->tests};
        fault ignored;
        bool ok = bytes_append(all, t->name, sizeof t->name, &ignored);
        for (size_t j = 0; ok && j < 3; j++) {
            ok = bytes_append(all, &parts[j]->size, sizeof parts[j]->size, &ignored) &&
                 bytes_append(all, parts[j]->data, parts[j]->size, &ignored);
        }
    }
    bytes_sha256(all->data, all->size, list->digest);
}

bool task_list_read(task_list *out, const char *folder, const char *only, fault *error)
{
    char pattern[PATH_BYTES];
    glob_t found = {0};
    *out = (task_list){0};
    int length =
        snprintf(pattern, sizeof pattern, "%s/%s*/*/task.json", folder, only != NULL ? only : "");
    if (length < 0 || length >= PATH_BYTES) {
        return fault_set(error, FAULT_USER, "tasks_unreadable", "%s: the path is too long", folder);
    }
    if (glob(pattern, 0, NULL, &found) != 0) {
        globfree(&found);
        return fault_set(error, FAULT_USER, "tasks_empty", "no task matches %s", pattern);
    }
    out->tasks = calloc(found.gl_pathc, sizeof *out->tasks);
    bool ok = out->tasks != NULL || fault_set(error, FAULT_RUNTIME, "out_of_memory",
                                              "no memory for %zu tasks", found.gl_pathc);
    for (size_t i = 0; ok && i < found.gl_pathc; i++) {
        *strrchr(found.gl_pathv[i], '/') = '\0';
        out->count++;
        ok = task_read(&out->tasks[i], found.gl_pathv[i], error);
    }
    globfree(&found);
    bytes all = {0};
    if (ok) {
        digest_set(out, &all);
    } else {
        task_list_release(out);
    }
    bytes_release(&all);
    return ok;
}

void task_list_release(task_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        bytes_release(&list->tasks[i].prompt);
        bytes_release(&list->tasks[i].suffix);
        bytes_release(&list->tasks[i].tests);
        bytes_release(&list->tasks[i].reference);
    }
    free(list->tasks);
    *list = (task_list){0};
}

/* Where a scan of Rust text is. */
typedef struct {
    int depth; /* braces that are open */
    bool in_text;
    bool in_comment;
} brace_scan;

/* Goes over `text`; with `stops` it stops behind the brace that closes the last open one. Braces in
 * comments to the end of a line, in quoted texts and in characters do not count. Returns how many
 * bytes it went over. */
static size_t braces_scan(brace_scan *s, const uint8_t *text, size_t size, bool stops)
{
    for (size_t i = 0; i < size; i++) {
        const uint8_t c = text[i];
        if (s->in_comment) {
            s->in_comment = c != '\n';
        } else if (s->in_text) {
            s->in_text = c != '"';
            i += c == '\\';
        } else if (c == '/' && i + 1 < size && text[i + 1] == '/') {
            s->in_comment = true;
        } else if (c == '"') {
            s->in_text = true;
        } else if (c == '\'' && i + 2 < size && text[i + 2] == '\'') {
            i += 2;
        } else if (c == '{') {
            s->depth++;
        } else if (c == '}' && --s->depth <= 0 && stops) {
            return i + 1;
        }
    }
    return size;
}

bool task_has_ended(const task *t, const uint8_t *completion, size_t size, size_t *end)
{
    if (t->stop == TASK_STOP_LINE) {
        const uint8_t *newline = memchr(completion, '\n', size);
        *end = newline != NULL ? (size_t)(newline - completion) + 1 : size;
        return newline != NULL;
    }
    brace_scan s = {0};
    (void)braces_scan(&s, t->prompt.data, t->prompt.size, false);
    s.in_text = s.in_comment = false;
    *end = braces_scan(&s, completion, size, true);
    return s.depth <= 0;
}
