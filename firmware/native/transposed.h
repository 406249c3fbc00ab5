// The geometry of the transposed convolutions: which elements of x an element of y is made of; see
// nnmicro/reference/spatial_transposed.py.

#ifndef NN_TRANSPOSED_H
#define NN_TRANSPOSED_H

#include "kernel.h"

typedef struct {
    int32_t stride, pad, kernel, dilation, size;
    int32_t tap_step; // from one tap that meets an element of x to the next one
    int32_t back; // by how many elements of x that one lies in front
} nn_transposed;

// `count` taps that meet elements of x: tap first + i * tap_step meets element start - i * back.
typedef struct {
    int32_t first, start, count;
} nn_meeting;

// One axis from the first eight parameters, which both kernels have in common; `axis`: 0 h, 1 w. x has `size` elements.
int nn_transposed_of(const int32_t *params, int axis, int32_t positions, int32_t size, nn_transposed *t);

nn_meeting nn_meet(const nn_transposed *t, int32_t position);

#endif
