// Softmax in float32; see nnmicro/reference/softmax.py.

#include "float_math.h"
#include "kernel.h"

#define AT(pointer) (*(float *)(void *)(pointer))

static void softmax(const uint8_t *x, int32_t step, uint8_t *y, int32_t y_step, int32_t count) {
    float largest = *(const float *)(const void *)x;
    for (int32_t i = 1; i < count; i++) {
        float value = *(const float *)(const void *)(x + (ptrdiff_t)i * step);
        if (value > largest) {
            largest = value;
        }
    }
    float total = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        float value = nn_exp(*(const float *)(const void *)(x + (ptrdiff_t)i * step) - largest);
        total += value;
        AT(y + (ptrdiff_t)i * y_step) = value;
    }
    for (int32_t i = 0; i < count; i++) {
        AT(y + (ptrdiff_t)i * y_step) /= total;
    }
}

int nn_softmax(const nn_state *call) {
    nn_operand x;
    const nn_operand *out = &call->out;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != SOFTMAX_PARAMS || call->params[SOFTMAX_AXIS] < 0 || call->params[SOFTMAX_AXIS] > 2) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 1, &x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    const int axis = call->params[SOFTMAX_AXIS];
    if (axis == 1) {
        NN_TRY(nn_whole(call, &x));
        for (int32_t c = 0; c < x.c; c++) {
            for (int32_t q = 0; q < x.w; q++) {
                softmax(nn_at(&x, c, 0) + (ptrdiff_t)q * x.ps, x.rs, nn_at(out, c, 0) + (ptrdiff_t)q * out->ps, out->rs,
                    x.h);
            }
        }
        return NN_OK;
    }
    for (int32_t y = call->y0; y < call->y1; y++) {
        if (axis == 2) {
            for (int32_t c = 0; c < x.c; c++) {
                softmax(nn_at(&x, c, y), x.ps, nn_at(out, c, y), out->ps, x.w);
            }
        } else {
            for (int32_t q = 0; q < x.w; q++) {
                softmax(nn_at(&x, 0, y) + (ptrdiff_t)q * x.ps, x.cs, nn_at(out, 0, y) + (ptrdiff_t)q * out->ps, out->cs,
                    x.c);
            }
        }
    }
    return NN_OK;
}
