// Bilinear resizing in int8; see nnmicro/reference/interp_int8.py.

#include "requantise.h"

enum { ONE = 1024 };

// Two neighbours along an axis and the upper one's weight. Before the first element the weight is negative, and both
// neighbours are the first: it cancels out.
typedef struct {
    int32_t lower, upper, weight;
} place;

static place find(int32_t i, int32_t scale, int half_pixel, int32_t size) {
    int64_t at = (int64_t)i * scale;
    if (half_pixel) {
        at += scale / 2 - ONE / 2;
    }
    // Right shifts of negative numbers round down with every compiler this is built by.
    const int64_t lower = at >> 10, upper = (at + ONE - 1) >> 10;
    place p;
    p.lower = lower < 0 ? 0 : lower < size ? (int32_t)lower : size - 1;
    p.upper = upper < 0 ? 0 : upper < size ? (int32_t)upper : size - 1;
    const int64_t weight = at - (int64_t)p.lower * ONE;
    p.weight = weight < ONE ? (int32_t)weight : ONE;
    return p;
}

// Weights are within -512 and 1024, so that the sum of the four products keeps below 2^29.
NN_INLINE int8_t between(int32_t top_left, int32_t top_right, int32_t low_left, int32_t low_right, int32_t part,
    int32_t weight) {
    const int32_t top = top_left * (ONE - part) + top_right * part;
    const int32_t bottom = low_left * (ONE - part) + low_right * part;
    int32_t value = top * (ONE - weight) + bottom * weight;
    // To the nearest integer, halves away from zero.
    value = value < 0 ? -((ONE * ONE / 2 - value) >> 20) : (value + ONE * ONE / 2) >> 20;
    return (int8_t)nn_min(nn_max(value, -128), 127);
}

int nn_interp_int8(const nn_state *call) {
    nn_operand x;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != INTERP_INT8_PARAMS || p[INTERP_INT8_SCALE_H] < 0 || p[INTERP_INT8_SCALE_W] < 0
        || (p[INTERP_INT8_HALF_PIXEL] & ~1)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    if (x.c != out->c) {
        return NN_BAD_SHAPE;
    }
    for (int32_t y = call->y0; y < call->y1; y++) {
        const place row = find(y, p[INTERP_INT8_SCALE_H], p[INTERP_INT8_HALF_PIXEL], x.h);
        const int8_t *above = (const int8_t *)nn_at(&x, 0, row.lower), *below = (const int8_t *)nn_at(&x, 0, row.upper);
        for (int32_t q = 0; q < out->w; q++) {
            const place column = find(q, p[INTERP_INT8_SCALE_W], p[INTERP_INT8_HALF_PIXEL], x.w);
            const ptrdiff_t left = (ptrdiff_t)column.lower * x.ps, right = (ptrdiff_t)column.upper * x.ps;
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            for (int32_t c = 0; c < x.c; c++) {
                const ptrdiff_t i = (ptrdiff_t)c * x.cs;
                to[(ptrdiff_t)c * out->cs] = between(above[i + left], above[i + right], below[i + left],
                    below[i + right], column.weight, row.weight);
            }
        }
    }
    return NN_OK;
}
