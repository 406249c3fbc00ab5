// The logarithm of softmax in float32; see nnmicro/reference/log_softmax.py.

#include "along_axis.h"
#include "float_math.h"
#include "logarithm.h"

static void log_softmax(const float *x, ptrdiff_t step, float *y, ptrdiff_t y_step, int32_t count) {
    float largest = x[0];
    for (int32_t i = 1; i < count; i++) {
        largest = x[i * step] > largest ? x[i * step] : largest;
    }
    float total = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        total += nn_exp(x[i * step] - largest);
    }
    // The largest element adds 1, so there is a logarithm; NaNs stay what they are.
    total = total > 0.0f ? nn_log(total) : total;
    for (int32_t i = 0; i < count; i++) {
        y[i * y_step] = x[i * step] - largest - total;
    }
}

int nn_log_softmax(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != LOG_SOFTMAX_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_same_lines(call, NN_F32, call->params[LOG_SOFTMAX_AXIS], &x, &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            log_softmax((const float *)(const void *)nn_line(&x, l.axis, o, i), l.x_step / 4,
                (float *)(void *)nn_line(l.y, l.axis, o, i), l.y_step / 4, l.count);
        }
    }
    return NN_OK;
}
