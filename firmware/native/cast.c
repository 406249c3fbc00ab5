// Elements of one type as another; see nnmicro/reference/cast.py.

#include "kernel.h"

static int32_t load_whole(const uint8_t *at, int32_t dtype) {
    switch (dtype) {
        case NN_I8:
            return *(const int8_t *)at;
        case NN_U8:
            return *at;
        case NN_I16:
            return *(const int16_t *)(const void *)at;
        default:
            return *(const int32_t *)(const void *)at;
    }
}

// The lowest bits of a number.
static void store_whole(uint8_t *at, int32_t dtype, int32_t value) {
    switch (dtype) {
        case NN_I16:
            *(uint16_t *)(void *)at = (uint16_t)value;
            break;
        case NN_I32:
            *(int32_t *)(void *)at = value;
            break;
        default:
            *at = (uint8_t)value;
    }
}

static int32_t whole_of(float value, int32_t least, int32_t most) {
    if (value != value) {
        return 0;
    }
    if (value >= (float)most) { // the highest int32 is 2^31 as a float
        return most;
    }
    return value <= (float)least ? least : (int32_t)value;
}

int nn_cast(const nn_state *call) {
    static const int32_t least[NN_DTYPES] = {0, 0, -128, 0, -32768, INT32_MIN};
    static const int32_t most[NN_DTYPES] = {0, 0, 127, 255, 32767, INT32_MAX};
    nn_operand x;
    const nn_operand *out = &call->out;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != CAST_PARAMS) {
        return NN_BAD_PARAMS;
    }
    int error = NN_BAD_TYPE;
    for (int dtype = NN_F32; dtype < NN_DTYPES && error == NN_BAD_TYPE; dtype++) {
        error = nn_input(call, 0, dtype, 0, &x);
    }
    NN_TRY(error);
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const uint8_t *from = nn_at(&x, c, y);
            uint8_t *to = nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q++) {
                const uint8_t *i = from + (ptrdiff_t)q * x.ps;
                uint8_t *j = to + (ptrdiff_t)q * out->ps;
                if (x.dtype != NN_F32) {
                    const int32_t value = load_whole(i, x.dtype);
                    if (out->dtype == NN_F32) {
                        *(float *)(void *)j = (float)value;
                    } else {
                        store_whole(j, out->dtype, value);
                    }
                } else if (out->dtype == NN_F32) {
                    *(float *)(void *)j = *(const float *)(const void *)i;
                } else {
                    const float value = *(const float *)(const void *)i;
                    store_whole(j, out->dtype, whole_of(value, least[out->dtype], most[out->dtype]));
                }
            }
        }
    }
    return NN_OK;
}
