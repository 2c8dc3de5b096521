/* A training run: steps, logs, validations and checkpoints at their intervals, from the first step
 * or from a checkpoint to the last. The only module that tells the library what happens. */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include <signal.h>

#include "learner.h"
#include "observe.h"

typedef struct {
    const settings *settings;
    const corpus *text;
    const char *checkpoints; /* directory; made when it is not there */
    const char *resume;      /* checkpoint to go on from, or NULL */
    const char *losses;      /* file for the loss of every step as a hexadecimal float, or NULL */
    int slow_percent;        /* each step waits this part of its own time: a regression, made up */
    m31r_run *run;
    const volatile sig_atomic_t
        *stop; /* number of the signal that asked to stop; 0 while none has */
} trainer_options;

/* Errors: as the modules below; "interrupted" with 128 + signal when asked to stop, a checkpoint
 *         having been saved. */
bool trainer_run(const trainer_options *options, fault *error);

#endif
