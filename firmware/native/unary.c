// Functions of one number in float32; see nnmicro/reference/unary.py.

#include "functions.h"
#include "kernel.h"

static int is_finite(float x) {
    return x - x == 0.0f;
}

int nn_unary(const nn_state *call) {
    nn_operand x;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != UNARY_PARAMS || p[UNARY_KIND] < 0 || p[UNARY_KIND] >= NN_FUNCTIONS) {
        return NN_BAD_PARAMS;
    }
    const int kind = p[UNARY_KIND];
    const float a = nn_float(p[UNARY_A]), b = nn_float(p[UNARY_B]);
    if (!is_finite(a) || !is_finite(b) || (kind == NN_CELU && a == 0.0f)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 1, &x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const uint8_t *i = nn_at(&x, c, y);
            uint8_t *j = nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q++) {
                const float value = *(const float *)(const void *)(i + (ptrdiff_t)q * x.ps);
                *(float *)(void *)(j + (ptrdiff_t)q * out->ps) = nn_function(kind, value, a, b);
            }
        }
    }
    return NN_OK;
}
