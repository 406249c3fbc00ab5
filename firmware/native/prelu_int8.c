// A rectifier with slopes in int8; see nnmicro/reference/prelu_int8.py.

#include "requantise.h"

NN_INLINE int8_t rectify(const int32_t *p, int32_t x, int32_t slope) {
    int32_t value = x - p[PRELU_INT8_INPUT_ZERO];
    if (value >= 0) {
        value = nn_multiply_away(value, p[PRELU_INT8_POSITIVE_MULTIPLIER], p[PRELU_INT8_POSITIVE_SHIFT]);
    } else {
        value *= slope - p[PRELU_INT8_SLOPE_ZERO];
        value = nn_multiply_away(value, p[PRELU_INT8_NEGATIVE_MULTIPLIER], p[PRELU_INT8_NEGATIVE_SHIFT]);
    }
    return nn_clamp(value, p[PRELU_INT8_OUTPUT_ZERO], -128, 127);
}

static int params_fit(const int32_t *p) {
    return nn_is_int8(p[PRELU_INT8_INPUT_ZERO]) && nn_is_int8(p[PRELU_INT8_SLOPE_ZERO])
        && nn_is_int8(p[PRELU_INT8_OUTPUT_ZERO])
        && nn_is_multiplier(p[PRELU_INT8_POSITIVE_MULTIPLIER], p[PRELU_INT8_POSITIVE_SHIFT])
        && nn_is_multiplier(p[PRELU_INT8_NEGATIVE_MULTIPLIER], p[PRELU_INT8_NEGATIVE_SHIFT]);
}

int nn_prelu_int8(const nn_state *call) {
    nn_operand x, slope;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != PRELU_INT8_PARAMS || !params_fit(p)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 1, &x));
    NN_TRY(nn_input(call, 1, NN_I8, 0, &slope));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out) || !nn_broadcasts(&slope, out)) {
        return NN_BAD_SHAPE;
    }
    // The longer of channels and columns is the inner loop: few channels of a wide map, or many of a narrow one.
    const int by_channels = out->c > out->w;
    const int32_t inner = by_channels ? out->c : out->w, outer = by_channels ? out->w : out->c;
    const ptrdiff_t slope_c = slope.c > 1 ? slope.cs : 0, slope_w = slope.w > 1 ? slope.ps : 0;
    const ptrdiff_t x_step = by_channels ? x.cs : x.ps, y_step = by_channels ? out->cs : out->ps;
    const ptrdiff_t slope_step = by_channels ? slope_c : slope_w;
    for (int32_t y = call->y0; y < call->y1; y++) {
        for (int32_t i = 0; i < outer; i++) {
            const int8_t *from = (const int8_t *)nn_at(&x, 0, y) + (ptrdiff_t)i * (by_channels ? x.ps : x.cs);
            const int8_t *by = (const int8_t *)nn_at(&slope, 0, slope.h > 1 ? y : 0);
            by += i * (by_channels ? slope_w : slope_c);
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)i * (by_channels ? out->ps : out->cs);
            for (int32_t k = 0; k < inner; k++) {
                to[k * y_step] = rectify(p, from[k * x_step], by[k * slope_step]);
            }
        }
    }
    return NN_OK;
}
