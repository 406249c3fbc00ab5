// Softmax in int8; see nnmicro/reference/softmax_int8.py. The sum is in the order of the elements, because single
// precision depends on it.

#include "requantise.h"

typedef struct {
    const float *table;
    float scale;
    int32_t zero;
} work;

static void softmax(const work *k, const int8_t *x, int32_t step, int8_t *y, int32_t y_step, int32_t count) {
    int32_t largest = -128;
    for (int32_t i = 0; i < count; i++) {
        largest = nn_max(largest, x[(ptrdiff_t)i * step]);
    }
    const float *exponentials = k->table + 255 - largest;
    float total = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        total += exponentials[x[(ptrdiff_t)i * step]];
    }
    const float inverse = 1.0f / nn_single(total * k->scale);
    for (int32_t i = 0; i < count; i++) {
        const float value = nn_single(exponentials[x[(ptrdiff_t)i * step]] * inverse);
        y[(ptrdiff_t)i * y_step] = (int8_t)(nn_round(value, -128 - k->zero, 127 - k->zero, 0) + k->zero);
    }
}

int nn_softmax_int8(const nn_state *call) {
    nn_operand x;
    work k;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != SOFTMAX_INT8_PARAMS || p[SOFTMAX_INT8_AXIS] < 0 || p[SOFTMAX_INT8_AXIS] > 2
        || !nn_is_int8(p[SOFTMAX_INT8_OUTPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    k.zero = p[SOFTMAX_INT8_OUTPUT_ZERO];
    k.scale = nn_float(p[SOFTMAX_INT8_OUTPUT_SCALE]);
    if (!(k.scale > 0.0f && k.scale <= 3.40282347e38f)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 1, &x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, 256, &data));
    k.table = data;
    const int axis = p[SOFTMAX_INT8_AXIS];
    if (axis == 1) {
        NN_TRY(nn_whole(call, &x));
        for (int32_t c = 0; c < x.c; c++) {
            for (int32_t q = 0; q < x.w; q++) {
                softmax(&k, (const int8_t *)nn_at(&x, c, 0) + (ptrdiff_t)q * x.ps, x.rs,
                    (int8_t *)nn_at(out, c, 0) + (ptrdiff_t)q * out->ps, out->rs, x.h);
            }
        }
        return NN_OK;
    }
    for (int32_t y = call->y0; y < call->y1; y++) {
        if (axis == 2) {
            for (int32_t c = 0; c < x.c; c++) {
                softmax(&k, (const int8_t *)nn_at(&x, c, y), x.ps, (int8_t *)nn_at(out, c, y), out->ps, x.w);
            }
        } else {
            for (int32_t q = 0; q < x.w; q++) {
                softmax(&k, (const int8_t *)nn_at(&x, 0, y) + (ptrdiff_t)q * x.ps, x.cs,
                    (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps, out->cs, x.c);
            }
        }
    }
    return NN_OK;
}
