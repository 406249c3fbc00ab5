// How the kernels that multiply matrices find their elements; see nnmicro/reference/matrices.py.

#ifndef NN_MATRICES_H
#define NN_MATRICES_H

#include "kernel.h"

typedef struct {
    nn_operand a, b;
    int32_t depth; // products for an element
    int32_t transpose_a;
    int32_t a_step, b_column, b_step; // in bytes: to the next factor, or to the next column of b
} nn_matrices;

// Inputs 0 and 1, checked; the first two parameters say what is transposed.
int nn_matrices_of(const nn_state *call, int dtype, nn_matrices *m);

// The first element of matrix `c`.
NN_INLINE const uint8_t *nn_matrix(const nn_operand *x, int32_t c) {
    return nn_at(x, x->c > 1 ? c : 0, 0);
}

// The first factor of a for row `y` of the product.
NN_INLINE const uint8_t *nn_matrix_row(const nn_matrices *m, int32_t c, int32_t y) {
    return m->transpose_a ? nn_matrix(&m->a, c) + (ptrdiff_t)y * m->a.ps : nn_at(&m->a, m->a.c > 1 ? c : 0, y);
}

#endif
