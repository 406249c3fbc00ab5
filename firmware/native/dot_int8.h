// Products of int8 elements with two runs of weights at once, so that two output channels share the loads.

#ifndef NN_DOT_INT8_H
#define NN_DOT_INT8_H

#include "requantise.h"

typedef struct {
    uint32_t a, b;
} nn_sums;

// Adds the products of `n` elements of x, `step` apart, with two runs of weights.
NN_INLINE nn_sums nn_dot(nn_sums s, const int8_t *x, int32_t step, const int8_t *v, const int8_t *w, int32_t n,
    int32_t zero) {
    if (step == 1) {
#if NN_DSP
        const uint32_t minus = nn_both_halves(-zero);
        for (; n >= 4; n -= 4, x += 4, v += 4, w += 4) {
            const uint32_t item = nn_load_four(x), a = nn_load_four(v), b = nn_load_four(w);
            const uint32_t even = nn_extend_even(minus, item), odd = nn_extend_odd(minus, item);
            s.a = nn_dual_mac(nn_dual_mac(s.a, even, nn_extend_even(0, a)), odd, nn_extend_odd(0, a));
            s.b = nn_dual_mac(nn_dual_mac(s.b, even, nn_extend_even(0, b)), odd, nn_extend_odd(0, b));
        }
#endif
        for (; n >= 4; n -= 4, x += 4, v += 4, w += 4) {
            const int32_t x0 = x[0] - zero, x1 = x[1] - zero, x2 = x[2] - zero, x3 = x[3] - zero;
            s.a += (uint32_t)(x0 * v[0] + x1 * v[1] + x2 * v[2] + x3 * v[3]);
            s.b += (uint32_t)(x0 * w[0] + x1 * w[1] + x2 * w[2] + x3 * w[3]);
        }
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t item = x[(ptrdiff_t)i * step] - zero;
        s.a = nn_mac(s.a, item, v[i]);
        s.b = nn_mac(s.b, item, w[i]);
    }
    return s;
}

#endif
