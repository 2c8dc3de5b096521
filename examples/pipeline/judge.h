/* Whether a completion compiles and passes its tests.
 *
 * Prompt, completion, suffix and tests become one file, which rustc builds as a test program; the
 * verdict is that of the tests: all of them ran and none failed. An exit status of 0 alone proves
 * nothing, because a completion may end the program by itself.
 */
#ifndef PIPELINE_JUDGE_H
#define PIPELINE_JUDGE_H

#include "sandbox.h"
#include "task.h"

enum { JUDGE_PATH_BYTES = 1024 };

typedef struct {
    char rustc[JUDGE_PATH_BYTES];
    char version[128]; /* what rustc says of itself */
    sandbox_limits compile;
    sandbox_limits run;
} judge;

typedef struct {
    bool has_compiled;
    bool has_passed;
    bool is_timeout; /* of the compiler or of the tests */
    char code[8];    /* the compiler's first error such as E0308; "" without one */
    double peak_mb;  /* of compiler and tests */
} verdict;

/* Finds the compiler: `rustc` is a path or a name on PATH. A proxy that picks a toolchain is asked
 * for the real one, because programs under judgement get an empty environment.
 * Errors: FAULT_RUNTIME "rustc_missing", "rustc_hangs". */
bool judge_init(judge *j, const char *rustc, const char *scratch, fault *error);

/* Judges one completion in `folder`, which exists and is this call's own.
 * Errors: FAULT_RUNTIME: nothing could be run; not a verdict. */
bool judge_completion(const judge *j, const task *t, const bytes *completion, const char *folder,
                      verdict *out, fault *error);

#endif
