/* Several threads that work on one batch, with a result that does not depend on their timing.
 *
 * The batch is cut into as many equal shares as there are workers. Each worker has its own memory
 * and its own gradient; the gradients are added in the order of the workers, never in the order of
 * arrival. OpenBLAS itself is held to one thread: its own splitting of a product is not promised to
 * be the same from one machine to the next, and small products gain nothing from it.
 */
#ifndef TRAIN_TEAM_H
#define TRAIN_TEAM_H

#include "model.h"

typedef struct team team;

/* `batch` (sequences) must be a multiple of `workers`. `m` must outlive the team.
 * Errors: FAULT_RUNTIME when there is not enough memory. */
team *team_new(const model *m, int workers, int batch, fault *error);
void team_free(team *t);

/* Mean loss in nats over all positions of a full batch, and its gradient in `*gradient` (the team's
 * own, overwritten by the next call); forward only when `gradient` is NULL.
 * Errors: FAULT_RUNTIME when a thread could not be started. */
bool team_work(team *t, const real *parameters, model_batch batch, double *loss, real **gradient,
               fault *error);

#endif
