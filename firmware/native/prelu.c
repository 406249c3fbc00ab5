// A rectifier with slopes in float32; see nnmicro/reference/prelu.py.

#include "kernel.h"

int nn_prelu(const nn_state *call) {
    nn_operand x, slope;
    const nn_operand *out = &call->out;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != PRELU_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 1, &x));
    NN_TRY(nn_input(call, 1, NN_F32, 0, &slope));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out) || !nn_broadcasts(&slope, out)) {
        return NN_BAD_SHAPE;
    }
    const ptrdiff_t slope_step = slope.w > 1 ? slope.ps / 4 : 0, x_step = x.ps / 4, y_step = out->ps / 4;
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const float *from = (const float *)(const void *)nn_at(&x, c, y);
            const float *by = (const float *)(const void *)nn_at(&slope, slope.c > 1 ? c : 0, slope.h > 1 ? y : 0);
            float *to = (float *)(void *)nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q++) {
                const float value = from[q * x_step];
                to[q * y_step] = value < 0.0f ? value * by[q * slope_step] : value;
            }
        }
    }
    return NN_OK;
}
