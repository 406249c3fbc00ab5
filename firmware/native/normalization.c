// Lines brought to a mean of 0 and a variance of 1 in float32; see nnmicro/reference/normalization.py.

#include "along_axis.h"
#include "float_math.h"

static void normalize(
    const float *x, ptrdiff_t step, float *y, ptrdiff_t y_step, int32_t count, int centred, float epsilon) {
    float mean = 0.0f, variance = 0.0f;
    if (centred) {
        for (int32_t i = 0; i < count; i++) {
            mean += x[i * step];
        }
        mean /= (float)count;
    }
    for (int32_t i = 0; i < count; i++) {
        const float item = x[i * step] - mean;
        variance += item * item;
    }
    const float factor = 1.0f / nn_sqrt(variance / (float)count + epsilon);
    for (int32_t i = 0; i < count; i++) {
        y[i * y_step] = (x[i * step] - mean) * factor;
    }
}

int nn_normalization(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != NORMALIZATION_PARAMS || (p[NORMALIZATION_CENTRED] & ~1)) {
        return NN_BAD_PARAMS;
    }
    const float epsilon = nn_float(p[NORMALIZATION_EPSILON]);
    if (!(epsilon > 0.0f && epsilon <= 3.40282347e38f)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_same_lines(call, NN_F32, p[NORMALIZATION_AXIS], &x, &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            normalize((const float *)(const void *)nn_line(&x, l.axis, o, i), l.x_step / 4,
                (float *)(void *)nn_line(l.y, l.axis, o, i), l.y_step / 4, l.count, p[NORMALIZATION_CENTRED], epsilon);
        }
    }
    return NN_OK;
}
