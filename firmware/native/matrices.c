// See matrices.h.

#include "matrices.h"

int nn_matrices_of(const nn_state *call, int dtype, nn_matrices *m) {
    const nn_operand *out = &call->out, *a = &m->a, *b = &m->b;
    const int transpose_a = call->params[0], transpose_b = call->params[1];
    if ((transpose_a & ~1) || (transpose_b & ~1)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, dtype, 0, &m->a));
    NN_TRY(nn_input(call, 1, dtype, 0, &m->b));
    if (out->dtype != dtype) {
        return NN_BAD_TYPE;
    }
    if ((transpose_a && a->rows != a->h) || b->rows != b->h) {
        return NN_BAD_ROWS;
    }
    m->depth = transpose_a ? a->h : a->w;
    if (m->depth != (transpose_b ? b->w : b->h) || out->h != (transpose_a ? a->w : a->h)
        || out->w != (transpose_b ? b->h : b->w) || (a->c != 1 && a->c != out->c) || (b->c != 1 && b->c != out->c)) {
        return NN_BAD_SHAPE;
    }
    m->transpose_a = transpose_a;
    m->a_step = transpose_a ? a->rs : a->ps;
    m->b_column = transpose_b ? b->rs : b->ps;
    m->b_step = transpose_b ? b->ps : b->rs;
    return NN_OK;
}
