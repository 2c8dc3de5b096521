/* The number type of the model: float when training; double in the gradient test, where finite
 * differences need the digits. Code uses <tgmath.h>, so that one source serves both. */
#ifndef TRAIN_REAL_H
#define TRAIN_REAL_H

#ifdef TRAIN_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
