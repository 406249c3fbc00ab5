// Largest or average value of a window in int8; see nnmicro/reference/pooling_int8.py.

#include "requantise.h"

typedef struct {
    nn_operand x;
    int32_t average, least, most;
} work;

static int8_t pool(const work *k, int32_t c, nn_span rows, nn_span columns) {
    const int32_t n = columns.end - columns.first, row_count = rows.end - rows.first;
    int32_t sum = 0, largest = -128;
    for (int32_t r = 0; r < row_count; r++) {
        const int8_t *x = (const int8_t *)nn_at(&k->x, c, rows.start + r) + (ptrdiff_t)columns.start * k->x.ps;
        for (int32_t i = 0; i < n; i++) {
            const int32_t item = x[(ptrdiff_t)i * k->x.ps];
            sum += item;
            largest = nn_max(largest, item);
        }
    }
    int32_t value = largest;
    if (k->average) {
        const int32_t count = n * row_count;
        // Halves away from zero.
        value = count ? (sum > 0 ? sum + count / 2 : sum - count / 2) / count : 0;
    }
    return nn_clamp(value, 0, k->least, k->most);
}

int nn_pooling_int8(const nn_state *call) {
    work k;
    const int32_t *p = call->params;
    const nn_operand *out = &call->out;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != POOLING_INT8_PARAMS || (p[POOLING_INT8_KIND] & ~1)
        || !nn_window_fits(out->h, p[POOLING_INT8_STRIDE_H], p[POOLING_INT8_PAD_TOP], p[POOLING_INT8_KERNEL_H], 1)
        || !nn_window_fits(out->w, p[POOLING_INT8_STRIDE_W], p[POOLING_INT8_PAD_LEFT], p[POOLING_INT8_KERNEL_W], 1)
        || !nn_is_int8(p[POOLING_INT8_ACTIVATION_MIN]) || !nn_is_int8(p[POOLING_INT8_ACTIVATION_MAX])) {
        return NN_BAD_PARAMS;
    }
    k.average = p[POOLING_INT8_KIND];
    k.least = p[POOLING_INT8_ACTIVATION_MIN];
    k.most = p[POOLING_INT8_ACTIVATION_MAX];
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k.x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    // The sum over a window has to fit a word.
    const int64_t largest = (int64_t)nn_min(p[POOLING_INT8_KERNEL_H], k.x.h) * nn_min(p[POOLING_INT8_KERNEL_W], k.x.w);
    if (out->c != k.x.c || largest > 1 << 23) {
        return NN_BAD_SHAPE;
    }
    // A ring that holds fewer rows than a window reads would be read more than once.
    for (int32_t y = call->y0; y < call->y1; y++) {
        const nn_span rows = nn_taps(y, p[POOLING_INT8_STRIDE_H], p[POOLING_INT8_PAD_TOP], p[POOLING_INT8_KERNEL_H], 1,
            k.x.h);
        if (rows.end - rows.first > k.x.rows) {
            return NN_BAD_ROWS;
        }
    }
    for (int32_t y = call->y0; y < call->y1; y++) {
        const nn_span rows = nn_taps(y, p[POOLING_INT8_STRIDE_H], p[POOLING_INT8_PAD_TOP], p[POOLING_INT8_KERNEL_H], 1,
            k.x.h);
        for (int32_t q = 0; q < out->w; q++) {
            const nn_span columns = nn_taps(q, p[POOLING_INT8_STRIDE_W], p[POOLING_INT8_PAD_LEFT],
                p[POOLING_INT8_KERNEL_W], 1, k.x.w);
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            for (int32_t c = 0; c < out->c; c++) {
                to[(ptrdiff_t)c * out->cs] = pool(&k, c, rows, columns);
            }
        }
    }
    return NN_OK;
}
