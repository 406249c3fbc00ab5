// The lines of elements along one axis that softmax-like kernels work on; see nnmicro/reference/along_axis.py.

#ifndef NN_ALONG_AXIS_H
#define NN_ALONG_AXIS_H

#include "kernel.h"

// Line i of those that lie at `outer`, for first <= outer < end and 0 <= i < inner, has `count` elements of x, x_step
// bytes apart. Those of the output are y_step bytes apart, where it has as many.
typedef struct {
    const nn_operand *x, *y;
    int32_t axis, first, end, inner, count;
    int32_t x_step, y_step;
} nn_lines;

// `axis`: 0 c, 1 h (whole tensors only), 2 w. x and the output are alike in the two others: whoever calls has looked.
int nn_lines_of(const nn_state *call, const nn_operand *x, int32_t axis, nn_lines *lines);

NN_INLINE uint8_t *nn_line(const nn_operand *x, int32_t axis, int32_t outer, int32_t i) {
    return (axis == 1 ? nn_at(x, outer, 0) : nn_at(x, 0, outer)) + (ptrdiff_t)i * (axis == 2 ? x->cs : x->ps);
}

// Checks of a layer whose output has x's shape, in place or not.
int nn_same_lines(const nn_state *call, int dtype, int32_t axis, nn_operand *x, nn_lines *lines);

// Of one whose output has one element for each line of x.
int nn_reduced_lines(const nn_state *call, const nn_operand *x, int32_t axis, nn_lines *lines);

#endif
