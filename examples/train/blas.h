/* Matrix products through OpenBLAS, with the shapes said where the product is written.
 *
 *     multiply(BLAS_AS_IS(x, rows, in), BLAS_TRANSPOSED(w, in, out), (product){.out = y, ...});
 */
#ifndef TRAIN_BLAS_H
#define TRAIN_BLAS_H

#include <assert.h>
#include <cblas.h>

#include "real.h"

/* An operand as the product sees it, after transposition: `rows` x `columns`. `stride` is the
 * distance in memory between two stored rows, larger than a row where a matrix is a part of another
 * one. */
typedef struct {
    const real *data;
    int rows;
    int columns;
    int stride;
    CBLAS_TRANSPOSE transposed;
} operand;

#define BLAS_AS_IS(data, rows, columns) ((operand){data, rows, columns, columns, CblasNoTrans})
#define BLAS_TRANSPOSED(data, rows, columns) ((operand){data, rows, columns, rows, CblasTrans})

/* out = scale * a * b + keep * out */
typedef struct {
    real *out;
    int stride;
    real scale;
    real keep;
} product;

static inline void multiply(operand a, operand b, product p)
{
    assert(a.columns == b.rows);
#ifdef TRAIN_DOUBLE
    cblas_dgemm(CblasRowMajor, a.transposed, b.transposed, a.rows, b.columns, a.columns, p.scale,
                a.data, a.stride, b.data, b.stride, p.keep, p.out, p.stride);
#else
    cblas_sgemm(CblasRowMajor, a.transposed, b.transposed, a.rows, b.columns, a.columns, p.scale,
                a.data, a.stride, b.data, b.stride, p.keep, p.out, p.stride);
#endif
}

#endif
