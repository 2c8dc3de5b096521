/* What went wrong, made once where the cause is known, carried up unchanged, reported by main().
 *
 * The modules below main() know nothing of logging: they fill a fault and return false.
 *
 *     if (n == 0) {
 *         return fault_set(out, FAULT_USER, "corpus_empty", "no .rs file below %s", directory);
 *     }
 */
#ifndef TRAIN_FAULT_H
#define TRAIN_FAULT_H

#include <stdbool.h>

/* The exit statuses of the program; 0 is success. */
enum { FAULT_USER = 1, FAULT_CONFIG = 2, FAULT_RUNTIME = 3 };

typedef struct {
    int exit_code;
    const char *reason; /* a literal such as "corpus_empty"; for programs */
    char text[480];     /* one line: the fact and the value; for people */
} fault;

/* Fills `*out` and returns false, so that callers can return it. A longer text is cut. */
bool fault_set(fault *out, int exit_code, const char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
