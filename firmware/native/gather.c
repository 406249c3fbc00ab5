// Elements along h that indices name, of any type; see nnmicro/reference/gather.py.

#include "kernel.h"

int nn_gather(const nn_state *call) {
    nn_operand x, indices;
    const nn_operand *out = &call->out;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != GATHER_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, 0, 0, &x));
    NN_TRY(nn_input(call, 1, NN_I32, 0, &indices));
    NN_TRY(nn_whole(call, &x));
    NN_TRY(nn_whole(call, &indices));
    if (x.c != out->c || x.w != out->w || !nn_broadcasts(&indices, out) || indices.h != out->h) {
        return NN_BAD_SHAPE;
    }
    const ptrdiff_t step = indices.w > 1 ? indices.ps : 0;
    const int32_t bytes = nn_item_bytes[out->dtype];
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = 0; y < out->h; y++) {
            const uint8_t *index = nn_at(&indices, indices.c > 1 ? c : 0, y);
            uint8_t *to = nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q++) {
                int32_t row = *(const int32_t *)(const void *)(index + q * step);
                row = row < 0 ? row + x.h : row;
                row = nn_min(nn_max(row, 0), x.h - 1);
                const uint8_t *from = nn_at(&x, c, row) + (ptrdiff_t)q * x.ps;
                for (int32_t i = 0; i < bytes; i++) {
                    to[(ptrdiff_t)q * out->ps + i] = from[i];
                }
            }
        }
    }
    return NN_OK;
}
