// See fixed_functions.h.

#include "fixed_functions.h"

enum { UNIT = 32767, ONE_TWO_BITS = 8192, EXP_OF_AN_EIGHTH = 28918, EIGHTH = 4096, THIRD = 10923 };
enum { C48_OVER_17 = 23130, C32_OVER_17 = 15420, LARGEST_EXPONENT_BITS = 5, EXPONENTIALS = 7 };

// exp(-1/4), exp(-1/2), exp(-1) and so on to exp(-16).
static const int16_t exponentials[EXPONENTIALS] = {25520, 19875, 12055, 4435, 600, 11, 0};

// The high half of the doubled product, halves up.
static int32_t product(int32_t a, int32_t b) {
    return nn_min((a * b + 0x4000) >> 15, UNIT);
}

static int32_t saturated(int32_t value) {
    return nn_min(nn_max(value, INT16_MIN), UNIT);
}

// exp(a), -32768 <= a <= 0.
static int32_t exponential(int32_t a, int32_t integer_bits) {
    if (a == 0) {
        return UNIT;
    }
    const int32_t quarter = (1 << (15 - integer_bits)) >> 2;
    const int32_t above = (a & (quarter - 1)) - quarter;
    const int32_t x = saturated(above * (1 << integer_bits)) + EIGHTH;
    const int32_t square = product(x, x);
    const int32_t cube = product(square, x);
    const int32_t fourth = nn_divide_by_power(product(square, square), 2);
    const int32_t series = nn_divide_by_power(product(fourth + cube, THIRD) + square, 1);
    int32_t result = saturated(EXP_OF_AN_EIGHTH + product(EXP_OF_AN_EIGHTH, x + series));
    const int32_t rest = above - a;
    int32_t bit = quarter;
    for (int32_t i = 0; i < nn_min(integer_bits + 2, EXPONENTIALS); i++, bit <<= 1) {
        if (rest & bit) {
            result = product(result, exponentials[i]);
        }
    }
    return integer_bits > LARGEST_EXPONENT_BITS && a < -(1 << (20 - integer_bits)) ? 0 : result;
}

// 2 / (1 + a) with two integer bits, 0 <= a <= 1.
static int32_t inverse_of_half_sum(int32_t a) {
    const int32_t half = (a + UNIT + 1) >> 1;
    int32_t x = C48_OVER_17 + product(half, -C32_OVER_17);
    for (int i = 0; i < 3; i++) {
        x += saturated(product(x, ONE_TWO_BITS - product(half, x)) * 4);
    }
    return x;
}

int32_t nn_fixed_logistic(int32_t a) {
    if (a == 0) {
        return 16384;
    }
    const int32_t result = saturated(inverse_of_half_sum(exponential(a < 0 ? a : -a, 3)) * 2);
    return a > 0 ? result : UNIT - result;
}

int32_t nn_fixed_tanh(int32_t a, int32_t integer_bits) {
    if (a == 0) {
        return 0;
    }
    int32_t result = inverse_of_half_sum(exponential(a < 0 ? a : -a, integer_bits + 1));
    result = saturated((result - ONE_TWO_BITS) * 4);
    return a > 0 ? result : -result;
}
