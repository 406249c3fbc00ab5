// One number for each line along an axis in float32; see nnmicro/reference/reduce.py.

#include "along_axis.h"
#include "float_math.h"
#include "functions.h"

enum { SUM, MEAN, MAX, MIN, PRODUCT, ABSOLUTE, LENGTH, LOG_SUM, LOG_SUM_EXP, SQUARES };

// A NaN is the maximum and the minimum.
static float extreme(int kind, const float *x, ptrdiff_t step, int32_t count) {
    float found = x[0];
    for (int32_t i = 1; i < count; i++) {
        const float item = x[i * step];
        if (item != item || (kind == MIN ? item < found : item > found)) {
            found = item;
        }
        if (found != found) {
            break;
        }
    }
    return found;
}

static float reduced(int kind, const float *x, ptrdiff_t step, int32_t count) {
    float largest = 0.0f, value = kind == PRODUCT ? 1.0f : 0.0f;
    if (kind == MAX || kind == MIN || kind == LOG_SUM_EXP) {
        largest = extreme(kind, x, step, count);
        if (kind != LOG_SUM_EXP || largest - largest != 0.0f) {
            return largest;
        }
    }
    for (int32_t i = 0; i < count; i++) {
        const float item = x[i * step];
        switch (kind) {
            case PRODUCT:
                value *= item;
                break;
            case ABSOLUTE:
                value += item < 0.0f ? -item : item;
                break;
            case LENGTH:
            case SQUARES:
                value += item * item;
                break;
            case LOG_SUM_EXP:
                value += nn_exp(item - largest);
                break;
            default:
                value += item;
        }
    }
    switch (kind) {
        case MEAN:
            return value / (float)count;
        case LENGTH:
            return nn_sqrt(value);
        case LOG_SUM:
        case LOG_SUM_EXP:
            return nn_function(NN_LOGARITHM, value, 0.0f, 0.0f) + largest;
        default:
            return value;
    }
}

int nn_reduce(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != REDUCE_PARAMS || p[REDUCE_KIND] < SUM || p[REDUCE_KIND] > SQUARES) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_reduced_lines(call, &x, p[REDUCE_AXIS], &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            *(float *)(void *)nn_line(out, l.axis, o, i) = reduced(
                p[REDUCE_KIND], (const float *)(const void *)nn_line(&x, l.axis, o, i), l.x_step / 4, l.count);
        }
    }
    return NN_OK;
}
