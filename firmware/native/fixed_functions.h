// Logistic function and hyperbolic tangent of fixed-point numbers of sixteen bits; see
// nnmicro/reference/fixed_functions.py.

#ifndef NN_FIXED_FUNCTIONS_H
#define NN_FIXED_FUNCTIONS_H

#include "kernel.h"

// value / 2^bits to the nearest integer, halves away from zero, for |value| <= 2^30 and 0 <= bits <= 29.
NN_INLINE int32_t nn_divide_by_power(int32_t value, int32_t bits) {
    value -= value < 0 && bits;
    return (value + (((int32_t)1 << bits) >> 1)) >> bits;
}

// Of sixteen bits, three of them before the point.
int32_t nn_fixed_logistic(int32_t a);

// `integer_bits`: 0 to 6.
int32_t nn_fixed_tanh(int32_t a, int32_t integer_bits);

#endif
