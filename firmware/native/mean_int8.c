// Sum or mean of int8 over any axes; see nnmicro/reference/mean_int8.py.

#include "requantise.h"

static int32_t sum_of(const nn_operand *x, const int32_t *p, int32_t c, int32_t y, int32_t y_end, int32_t q) {
    const int32_t c_end = p[MEAN_INT8_OVER_C] ? x->c : c + 1;
    const int32_t count = p[MEAN_INT8_OVER_W] ? x->w : 1;
    int32_t total = 0;
    for (int32_t channel = c; channel < c_end; channel++) {
        for (int32_t row = y; row < y_end; row++) {
            const int8_t *from = (const int8_t *)nn_at(x, channel, row) + (ptrdiff_t)q * x->ps;
            for (int32_t i = 0; i < count; i++) {
                total += from[(ptrdiff_t)i * x->ps];
            }
        }
    }
    return total;
}

static int8_t result(const int32_t *p, int32_t c, int32_t total) {
    int32_t value;
    if (p[MEAN_INT8_KIND]) {
        const float scaled = nn_single((float)total * nn_float(p[MEAN_INT8_SCALE]));
        // Bounds of its own, as the zero point may be any word in a damaged file.
        value = nn_round(nn_single(scaled + nn_float(p[MEAN_INT8_BIAS])), -0x20000000, 0x20000000, 0);
    } else {
        const int32_t sum = nn_saturate((int64_t)total - p[MEAN_INT8_SUM_ZERO]);
        value = c < p[MEAN_INT8_HALF_UP] ? nn_multiply_up(sum, p[MEAN_INT8_MULTIPLIER], p[MEAN_INT8_SHIFT])
                                         : nn_multiply_away(sum, p[MEAN_INT8_MULTIPLIER], p[MEAN_INT8_SHIFT]);
    }
    return nn_clamp(value, p[MEAN_INT8_OUTPUT_ZERO], -128, 127);
}

// Where element number `k` of the order of y's source lies.
static int8_t *place_of(const nn_operand *y, int32_t k) {
    if (nn_interleaved(y)) {
        const int32_t pixel = k / y->c;
        return (int8_t *)nn_at(y, k % y->c, pixel / y->w) + (ptrdiff_t)(pixel % y->w) * y->ps;
    }
    const int32_t row = k / y->w;
    return (int8_t *)nn_at(y, row / y->h, row % y->h) + (ptrdiff_t)(k % y->w) * y->ps;
}

int nn_mean_int8(const nn_state *call) {
    nn_operand x;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != MEAN_INT8_PARAMS
        || ((p[MEAN_INT8_KIND] | p[MEAN_INT8_OVER_H] | p[MEAN_INT8_OVER_W] | p[MEAN_INT8_OVER_C]) & ~1)
        || !nn_is_multiplier(p[MEAN_INT8_MULTIPLIER], p[MEAN_INT8_SHIFT]) || p[MEAN_INT8_HALF_UP] < 0) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    nn_reduction r;
    if (call->reduces && !p[MEAN_INT8_OVER_H]) {
        return NN_BAD_ROWS;
    }
    NN_TRY(nn_reduction_of(call, &x, nn_count(out), &r));
    int32_t *sums = r.words;
    if (!sums) {
        NN_TRY(nn_whole(call, &x));
    }
    const int32_t kept_c = p[MEAN_INT8_OVER_C] ? 1 : x.c;
    const int32_t kept_h = p[MEAN_INT8_OVER_H] ? 1 : x.h;
    const int32_t kept_w = p[MEAN_INT8_OVER_W] ? 1 : x.w;
    // A sum has to fit a word.
    if (nn_count(out) != (int64_t)kept_c * kept_h * kept_w || nn_count(&x) > 1 << 23) {
        return NN_BAD_SHAPE;
    }
    const int last = nn_interleaved(&x);
    for (int32_t k = 0; k < nn_count(out); k++) {
        const int32_t c = last ? k % kept_c : k / kept_w / kept_h;
        const int32_t q = last ? k / kept_c % kept_w : k % kept_w;
        const int32_t y = last ? k / kept_c / kept_w : k / kept_w % kept_h;
        int32_t total;
        if (sums) {
            total = sum_of(&x, p, c, call->y0, call->y1, q);
            total = sums[k] = (int32_t)((uint32_t)total + (r.begins ? 0 : (uint32_t)sums[k]));
            if (!r.ends) {
                continue;
            }
        } else {
            total = sum_of(&x, p, c, y, p[MEAN_INT8_OVER_H] ? x.h : y + 1, q);
        }
        *place_of(out, k) = result(p, c, total);
    }
    return NN_OK;
}
