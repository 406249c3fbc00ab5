// Where the largest or smallest element along an axis lies; see nnmicro/reference/arg_max.py.

#include "along_axis.h"

// A NaN is neither less nor greater, and so is passed over unless it comes first.
#define DEFINE_PLACE(name, type)                                                                \
    static int32_t name(const uint8_t *data, int32_t step, int32_t count, int least) {          \
        type best = *(const type *)(const void *)data;                                          \
        int32_t found = 0;                                                                      \
        for (int32_t k = 1; k < count; k++) {                                                   \
            const type item = *(const type *)(const void *)(data + (ptrdiff_t)k * step);        \
            if (least ? item < best : item > best) {                                            \
                best = item;                                                                    \
                found = k;                                                                      \
            }                                                                                   \
        }                                                                                       \
        return found;                                                                           \
    }

DEFINE_PLACE(place_f32, float)
DEFINE_PLACE(place_i8, int8_t)
DEFINE_PLACE(place_u8, uint8_t)
DEFINE_PLACE(place_i16, int16_t)
DEFINE_PLACE(place_i32, int32_t)

static int32_t place(int32_t dtype, const uint8_t *data, int32_t step, int32_t count, int least) {
    switch (dtype) {
        case NN_F32:
            return place_f32(data, step, count, least);
        case NN_I8:
            return place_i8(data, step, count, least);
        case NN_U8:
            return place_u8(data, step, count, least);
        case NN_I16:
            return place_i16(data, step, count, least);
        default:
            return place_i32(data, step, count, least);
    }
}

int nn_arg_max(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != ARG_MAX_PARAMS || (p[ARG_MAX_KIND] & ~1)) {
        return NN_BAD_PARAMS;
    }
    int error = NN_BAD_TYPE;
    for (int dtype = NN_F32; dtype < NN_DTYPES && error == NN_BAD_TYPE; dtype++) {
        error = nn_input(call, 0, dtype, 0, &x);
    }
    NN_TRY(error);
    if (out->dtype != NN_I32) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_reduced_lines(call, &x, p[ARG_MAX_AXIS], &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            *(int32_t *)(void *)nn_line(out, l.axis, o, i)
                = place(x.dtype, nn_line(&x, l.axis, o, i), l.x_step, l.count, p[ARG_MAX_KIND]);
        }
    }
    return NN_OK;
}
