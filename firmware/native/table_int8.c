// Any function of one int8 value, as a table of 256; see nnmicro/reference/table_int8.py.

#include "kernel.h"

int nn_table_int8(const nn_state *call) {
    nn_operand x;
    const nn_operand *out = &call->out;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != TABLE_INT8_PARAMS) {
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
    NN_TRY(nn_constant(call, 1, NN_I8, 256, &data));
    const int8_t *table = (const int8_t *)data + 128;
    // Channels inside where they lie closest.
    const int by_channels = x.cs < x.ps;
    const int32_t outer = by_channels ? x.w : x.c, inner = by_channels ? x.c : x.w;
    const ptrdiff_t x_outer = by_channels ? x.ps : x.cs, x_inner = by_channels ? x.cs : x.ps;
    const ptrdiff_t y_outer = by_channels ? out->ps : out->cs, y_inner = by_channels ? out->cs : out->ps;
    for (int32_t y = call->y0; y < call->y1; y++) {
        for (int32_t i = 0; i < outer; i++) {
            const int8_t *from = (const int8_t *)nn_at(&x, 0, y) + i * x_outer;
            int8_t *to = (int8_t *)nn_at(out, 0, y) + i * y_outer;
            for (int32_t j = 0; j < inner; j++) {
                to[j * y_inner] = table[from[j * x_inner]];
            }
        }
    }
    return NN_OK;
}
