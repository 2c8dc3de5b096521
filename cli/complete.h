/* complete.h - what may stand where the cursor is: the one place that knows it for every shell. */
#ifndef M31R_CLI_COMPLETE_H
#define M31R_CLI_COMPLETE_H

/* Prints candidates for the last of `n` words behind "m31r", one a line. Errors are no candidates:
 * nothing is printed for them. */
void complete_words(const char *const *words, int n);

#endif
