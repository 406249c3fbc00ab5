// Products of matrices in float32; see nnmicro/reference/matmul.py. Two columns at a time share the loads of a.

#include "matrices.h"

static void two(const nn_matrices *m, const uint8_t *a, const uint8_t *b, ptrdiff_t next, float *y, float *z) {
    const ptrdiff_t a_step = m->a_step / 4, b_step = m->b_step / 4;
    const float *p = (const float *)(const void *)a, *q = (const float *)(const void *)b;
    float first = 0.0f, second = 0.0f;
    for (int32_t k = 0; k < m->depth; k++) {
        const float item = p[k * a_step];
        first += item * q[k * b_step];
        second += item * q[k * b_step + next];
    }
    // Both are one element where there is no second column, and one value.
    *z = second;
    *y = first;
}

int nn_matmul(const nn_state *call) {
    nn_matrices m;
    const nn_operand *out = &call->out;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != MATMUL_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_matrices_of(call, NN_F32, &m));
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const uint8_t *a = nn_matrix_row(&m, c, y);
            float *to = (float *)(void *)nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q += 2) {
                const int more = q + 1 < out->w;
                float *at = to + (ptrdiff_t)q * (out->ps / 4);
                two(&m, a, nn_matrix(&m.b, c) + (ptrdiff_t)q * m.b_column, more ? m.b_column / 4 : 0, at,
                    at + (more ? out->ps / 4 : 0));
            }
        }
    }
    return NN_OK;
}
