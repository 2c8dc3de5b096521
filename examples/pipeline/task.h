/* The tasks of a benchmark: a folder of categories, each a folder of tasks.
 *
 *     tasks/bugs/off_by_one/
 *         task.json      category, what it is about, where a completion ends
 *         prompt.rs      what the model is given
 *         suffix.rs      what stands behind the completion (only where the middle is asked for)
 *         tests.rs       #[test] functions; all of them must pass
 *         reference.rs   a completion that is right
 *
 * A completion ends at the end of its line ("stop": "line"), or where the braces that the prompt
 * has opened are closed ("stop": "brace").
 */
#ifndef PIPELINE_TASK_H
#define PIPELINE_TASK_H

#include "bytes.h"

enum { TASK_NAME_BYTES = 64 };

typedef enum { TASK_STOP_BRACE, TASK_STOP_LINE } task_stop;

typedef struct {
    char name[TASK_NAME_BYTES]; /* such as bugs/off_by_one */
    char category[TASK_NAME_BYTES];
    task_stop stop;
    int n_tests;
    bytes prompt, suffix, tests, reference;
} task;

typedef struct {
    task *tasks;
    size_t count;
    uint8_t digest[32]; /* of all names and files: the version of the benchmark */
} task_list;

/* Reads the tasks whose name begins with `only` (NULL: all), in the order of their names.
 * Errors: FAULT_USER "tasks_unreadable", "task_wrong", "tasks_empty"; FAULT_RUNTIME. */
bool task_list_read(task_list *out, const char *folder, const char *only, fault *error);
void task_list_release(task_list *list);

/* Whether a completion has come to its end; `*end` is then how many of its bytes belong to it. */
bool task_has_ended(const task *t, const uint8_t *completion, size_t size, size_t *end);

#endif
