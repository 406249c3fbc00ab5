// Division by the length along an axis in float32; see nnmicro/reference/l2_normalize.py.

#include "along_axis.h"
#include "float_math.h"

static void normalize(const float *x, ptrdiff_t step, float *y, ptrdiff_t y_step, int32_t count, float epsilon) {
    float total = 0.0f;
    for (int32_t i = 0; i < count; i++) {
        total += x[i * step] * x[i * step];
    }
    total = nn_sqrt(total);
    // Written so that a NaN stays one.
    if (total < epsilon) {
        total = epsilon;
    }
    for (int32_t i = 0; i < count; i++) {
        y[i * y_step] = x[i * step] / total;
    }
}

int nn_l2_normalize(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != L2_NORMALIZE_PARAMS) {
        return NN_BAD_PARAMS;
    }
    const float epsilon = nn_float(call->params[L2_NORMALIZE_EPSILON]);
    if (!(epsilon > 0.0f && epsilon <= 3.40282347e38f)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_same_lines(call, NN_F32, call->params[L2_NORMALIZE_AXIS], &x, &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            normalize((const float *)(const void *)nn_line(&x, l.axis, o, i), l.x_step / 4,
                (float *)(void *)nn_line(l.y, l.axis, o, i), l.y_step / 4, l.count, epsilon);
        }
    }
    return NN_OK;
}
