// Moving elements of any type; a row at a time.

#ifndef NN_MOVEMENT_H
#define NN_MOVEMENT_H

#include "kernel.h"

// `count` elements of `item` bytes from x to y. Steps are in bytes; a step of 0 repeats an element of x.
void nn_move(uint8_t *y, ptrdiff_t y_step, const uint8_t *x, ptrdiff_t x_step, int32_t count, int32_t item);

// The same, for elements that lie at four nested strides, into `out` in c, y, x order; as many as `out` has.
void nn_move_nested(const nn_operand *out, const uint8_t *x, const int32_t *sizes, const int32_t *steps);

#endif
