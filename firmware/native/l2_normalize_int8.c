// Division by the length along an axis in int8; see nnmicro/reference/l2_normalize_int8.py and inverse_root.py.

#include "along_axis.h"
#include "requantise.h"

enum { OUTPUT_BITS = 7, ITERATIONS = 5 };
enum { HALF_ROOT_OF_2 = 1518500250, ONE = 0x10000000, THREE_HALVES = 0x18000000 };

// The high word of the doubled product, halves up.
static int32_t product(int32_t a, int32_t b) {
    return nn_high_product(a, b, 0);
}

// 1 / sqrt(value) as a quantised multiplier; numbers below 1 count as 1.
static int32_t inverse_root(int64_t value, int32_t *shift) {
    *shift = 0;
    if (value <= 1) {
        return INT32_MAX;
    }
    int32_t right = 11;
    while (value >= 1 << 29) {
        value >>= 2;
        right++;
    }
    int32_t number = (int32_t)value;
    while (number < 1 << 27) {
        number *= 4;
        right--;
    }
    const int32_t half = ((number >> 1) + 1) >> 1;
    int32_t x = ONE;
    for (int i = 0; i < ITERATIONS; i++) {
        const int32_t cube = nn_shift_left(product(product(x, x), x), 6);
        x = nn_shift_left(product(THREE_HALVES, x) - product(half, cube), 3);
    }
    x = product(x, HALF_ROOT_OF_2);
    if (right < 0) {
        return nn_shift_left(x, -right);
    }
    *shift = -right;
    return x;
}

static void normalize(const int8_t *x, ptrdiff_t step, int8_t *y, ptrdiff_t y_step, int32_t count, int32_t zero) {
    int64_t total = 0;
    for (int32_t i = 0; i < count; i++) {
        const int32_t item = x[i * step] - zero;
        total += item * item;
    }
    int32_t shift;
    const int32_t multiplier = inverse_root(total, &shift);
    shift += OUTPUT_BITS;
    for (int32_t i = 0; i < count; i++) {
        y[i * y_step] = nn_clamp(nn_multiply_away(x[i * step] - zero, multiplier, shift), 0, -128, 127);
    }
}

int nn_l2_normalize_int8(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != L2_NORMALIZE_INT8_PARAMS || !nn_is_int8(p[L2_NORMALIZE_INT8_INPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_same_lines(call, NN_I8, p[L2_NORMALIZE_INT8_AXIS], &x, &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            normalize((const int8_t *)nn_line(&x, l.axis, o, i), l.x_step, (int8_t *)nn_line(l.y, l.axis, o, i),
                l.y_step, l.count, p[L2_NORMALIZE_INT8_INPUT_ZERO]);
        }
    }
    return NN_OK;
}
