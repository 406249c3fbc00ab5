// See along_axis.h.

#include "along_axis.h"

int nn_lines_of(const nn_state *call, const nn_operand *x, int32_t axis, nn_lines *l) {
    const nn_operand *y = &call->out;
    if (axis < 0 || axis > 2) {
        return NN_BAD_PARAMS;
    }
    if (axis == 1) {
        NN_TRY(nn_whole(call, x));
    }
    l->x = x;
    l->y = y;
    l->axis = axis;
    l->first = axis == 1 ? 0 : call->y0;
    l->end = axis == 1 ? x->c : call->y1;
    l->inner = axis == 2 ? x->c : x->w;
    l->count = axis == 0 ? x->c : axis == 1 ? x->h : x->w;
    l->x_step = axis == 0 ? x->cs : axis == 1 ? x->rs : x->ps;
    l->y_step = axis == 0 ? y->cs : axis == 1 ? y->rs : y->ps;
    return NN_OK;
}

int nn_same_lines(const nn_state *call, int dtype, int32_t axis, nn_operand *x, nn_lines *lines) {
    NN_TRY(nn_input(call, 0, dtype, 1, x));
    if (call->out.dtype != dtype) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(x, &call->out)) {
        return NN_BAD_SHAPE;
    }
    return nn_lines_of(call, x, axis, lines);
}

int nn_reduced_lines(const nn_state *call, const nn_operand *x, int32_t axis, nn_lines *lines) {
    const nn_operand *y = &call->out;
    if (y->c != (axis == 0 ? 1 : x->c) || y->h != (axis == 1 ? 1 : x->h) || y->w != (axis == 2 ? 1 : x->w)) {
        return NN_BAD_SHAPE;
    }
    return nn_lines_of(call, x, axis, lines);
}
