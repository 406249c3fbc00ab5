// Products of int8 matrices; see nnmicro/reference/matmul_int8.py. Two columns at a time share the loads of a.

#include "matrices.h"
#include "requantise.h"

NN_INLINE int8_t result(const int32_t *p, uint32_t sum) {
    const int32_t value = nn_multiply_away((int32_t)sum, p[MATMUL_INT8_MULTIPLIER], p[MATMUL_INT8_SHIFT]);
    return nn_clamp(value, p[MATMUL_INT8_OUTPUT_ZERO], -128, 127);
}

static void two(const nn_state *call, const nn_matrices *m, const int8_t *a, const int8_t *b, ptrdiff_t next, int8_t *y,
    int8_t *z) {
    const int32_t *p = call->params;
    const int32_t a_zero = p[MATMUL_INT8_A_ZERO], b_zero = p[MATMUL_INT8_B_ZERO];
    const ptrdiff_t a_step = m->a_step, b_step = m->b_step;
    uint32_t first = 0, second = 0;
    for (int32_t k = 0; k < m->depth; k++) {
        const int32_t item = a[k * a_step] - a_zero;
        first = nn_mac(first, item, b[k * b_step] - b_zero);
        second = nn_mac(second, item, b[k * b_step + next] - b_zero);
    }
    // Both are one element where there is no second column, and one value.
    *z = result(p, second);
    *y = result(p, first);
}

int nn_matmul_int8(const nn_state *call) {
    nn_matrices m;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != MATMUL_INT8_PARAMS || !nn_is_int8(p[MATMUL_INT8_A_ZERO]) || !nn_is_int8(p[MATMUL_INT8_B_ZERO])
        || !nn_is_multiplier(p[MATMUL_INT8_MULTIPLIER], p[MATMUL_INT8_SHIFT])
        || !nn_is_int8(p[MATMUL_INT8_OUTPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_matrices_of(call, NN_I8, &m));
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const int8_t *a = (const int8_t *)nn_matrix_row(&m, c, y);
            int8_t *to = (int8_t *)nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q += 2) {
                const int more = q + 1 < out->w;
                int8_t *at = to + (ptrdiff_t)q * out->ps;
                const int8_t *b = (const int8_t *)nn_matrix(&m.b, c) + (ptrdiff_t)q * m.b_column;
                two(call, &m, a, b, more ? m.b_column : 0, at, at + (more ? out->ps : 0));
            }
        }
    }
    return NN_OK;
}
