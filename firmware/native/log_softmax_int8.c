// The logarithm of softmax in int8; see nnmicro/reference/log_softmax_int8.py. The sum is in the order of the elements,
// because single precision depends on it.

#include "along_axis.h"
#include "logarithm.h"
#include "requantise.h"

typedef struct {
    const float *table;
    float input_scale, output_scale;
    int32_t zero;
} work;

static void log_softmax(const work *k, const int8_t *x, ptrdiff_t step, int8_t *y, ptrdiff_t y_step, int32_t count) {
    int32_t largest = -128;
    for (int32_t i = 0; i < count; i++) {
        largest = nn_max(largest, x[i * step]);
    }
    const float *exponentials = k->table + 255 - largest;
    float total = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        total += exponentials[x[i * step]];
    }
    // Only a damaged table adds up to nothing or less.
    total = total > 0.0f ? nn_log(total) : 0.0f;
    float offset = nn_single(k->input_scale * (float)largest);
    offset = nn_single(nn_single(offset + total) / k->output_scale);
    const float scale = nn_single(k->input_scale / k->output_scale);
    for (int32_t i = 0; i < count; i++) {
        const float value = nn_single(nn_single(scale * (float)x[i * step]) - offset);
        y[i * y_step] = (int8_t)(nn_round(value, -128 - k->zero, 127 - k->zero, 1) + k->zero);
    }
}

static int is_scale(float value) {
    return value > 0.0f && value <= 3.40282347e38f;
}

int nn_log_softmax_int8(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    work k;
    const int32_t *p = call->params;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != LOG_SOFTMAX_INT8_PARAMS || !nn_is_int8(p[LOG_SOFTMAX_INT8_OUTPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    k.input_scale = nn_float(p[LOG_SOFTMAX_INT8_INPUT_SCALE]);
    k.output_scale = nn_float(p[LOG_SOFTMAX_INT8_OUTPUT_SCALE]);
    k.zero = p[LOG_SOFTMAX_INT8_OUTPUT_ZERO];
    if (!is_scale(k.input_scale) || !is_scale(k.output_scale)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_same_lines(call, NN_I8, p[LOG_SOFTMAX_INT8_AXIS], &x, &l));
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, 256, &data));
    k.table = data;
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            log_softmax(&k, (const int8_t *)nn_line(&x, l.axis, o, i), l.x_step, (int8_t *)nn_line(l.y, l.axis, o, i),
                l.y_step, l.count);
        }
    }
    return NN_OK;
}
