// Sums up to each element along an axis in float32; see nnmicro/reference/cumsum.py.

#include "along_axis.h"

int nn_cumsum(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != CUMSUM_PARAMS || (p[CUMSUM_EXCLUSIVE] & ~1) || (p[CUMSUM_REVERSE] & ~1)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    NN_TRY(nn_lines_of(call, &x, p[CUMSUM_AXIS], &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            const uint8_t *from = nn_line(&x, l.axis, o, i);
            uint8_t *to = nn_line(out, l.axis, o, i);
            float total = 0.0f;
            for (int32_t n = 0; n < l.count; n++) {
                const ptrdiff_t k = p[CUMSUM_REVERSE] ? l.count - 1 - n : n;
                const float next = total + *(const float *)(const void *)(from + k * l.x_step);
                *(float *)(void *)(to + k * l.y_step) = p[CUMSUM_EXCLUSIVE] ? total : next;
                total = next;
            }
        }
    }
    return NN_OK;
}
