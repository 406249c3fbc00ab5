// How the kernels that multiply matrices find their elements; see nnmicro/reference/matrices.py.

#ifndef NN_MATRICES_H
#define NN_MATRICES_H

#include "kernel.h"

typedef struct {
    nn_operand a, b;
    int32_t depth; // products for an element
    int32_t a_row, a_step, b_column, b_step; // in bytes: to the next row of a, column of b; to the next factor
} nn_matrices;

// Inputs 0 and 1, checked; the first two parameters say what is transposed.
int nn_matrices_of(const nn_state *call, int dtype, nn_matrices *m);

// The first element of matrix `c`.
NN_INLINE const uint8_t *nn_matrix(const nn_operand *x, int32_t c) {
    return nn_at(x, x->c > 1 ? c : 0, 0);
}

#endif
