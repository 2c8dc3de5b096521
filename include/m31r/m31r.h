/* m31r.h - everything a program needs to be observed.
 *
 * Link with -lm31r. In C++ include m31r.hpp, which gives the same calls as templates.
 *
 *     #include <m31r/m31r.h>
 *
 *     m31r_run *run = m31r_run_here("train.yaml");
 *     m31r_step(run, step, "loss", loss, "lr", lr);
 *     m31r_run_close(run);
 */
#ifndef M31R_M31R_H
#define M31R_M31R_H

#include "m31r/artifact.h"
#include "m31r/error.h"
#include "m31r/log.h"
#include "m31r/measure.h"
#include "m31r/metric.h"
#include "m31r/run.h"
#include "m31r/shell.h"
#include "m31r/stage.h"
#include "m31r/value.h"
#include "m31r/version.h"

#endif
