// Largest or average value of a window in int8; see nnmicro/reference/pooling_int8.py.

#include "requantise.h"

typedef struct {
    nn_operand x;
    int32_t average, least, most;
} work;

// The sum or the largest of a window's elements in `rows`, together with `value`, which is of the rows before.
static int32_t pool(const work *k, int32_t c, nn_span rows, nn_span columns, int32_t value) {
    const int32_t n = columns.end - columns.first;
    uint32_t sum = (uint32_t)value;
    int32_t largest = value;
    for (int32_t r = 0; r < rows.end - rows.first; r++) {
        const int8_t *x = (const int8_t *)nn_at(&k->x, c, rows.start + r) + (ptrdiff_t)columns.start * k->x.ps;
        for (int32_t i = 0; i < n; i++) {
            const int32_t item = x[(ptrdiff_t)i * k->x.ps];
            sum += (uint32_t)item;
            largest = nn_max(largest, item);
        }
    }
    return k->average ? (int32_t)sum : largest;
}

#if NN_DSP

// Adds `n` elements of four channels, `step` apart, to their sums.
NN_INLINE void add_four(const int8_t *x, int32_t step, int32_t n, int32_t *sums) {
    while (n > 0) {
        const int32_t some = nn_min(n, 255); // their sums fit halfwords
        uint32_t even = 0, odd = 0;
        n -= some;
        for (int32_t i = 0; i < some; i++) {
            const uint32_t bytes = nn_load_four(x + (ptrdiff_t)i * step);
            even = nn_extend_even(even, bytes);
            odd = nn_extend_odd(odd, bytes);
        }
        sums[0] += (int16_t)even;
        sums[1] += (int16_t)odd;
        sums[2] += (int16_t)(even >> 16);
        sums[3] += (int16_t)(odd >> 16);
        x += n ? (ptrdiff_t)some * step : 0;
    }
}

#else

NN_INLINE void add_four(const int8_t *x, int32_t step, int32_t n, int32_t *sums) {
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    for (; n > 0; n--) {
        a += x[0];
        b += x[1];
        c += x[2];
        d += x[3];
        x += n > 1 ? step : 0;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

#endif

// The sums of four channels that lie next to each other; with `joined` all rows are one run.
static void sum_four(const work *k, int32_t c, nn_span rows, nn_span columns, int joined, int32_t *sums) {
    const int32_t n = columns.end - columns.first, count = rows.end - rows.first;
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
    for (int32_t r = 0; r < (joined ? nn_min(count, 1) : count); r++) {
        const int8_t *x = (const int8_t *)nn_at(&k->x, c, rows.start + r) + (ptrdiff_t)columns.start * k->x.ps;
        add_four(x, k->x.ps, joined ? n * count : n, sums);
    }
}

static int8_t result(const work *k, int32_t count, int32_t value) {
    if (k->average) {
        // Halves away from zero; without a sum, which need not fit where a workspace held something else.
        const int32_t sum = value, rest = count ? sum % count : 0;
        value = count ? sum / count : 0;
        value += (2 * rest >= count && rest > 0) - (-2 * rest >= count && rest < 0);
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
    nn_reduction r;
    if (call->reduces && out->h != 1) {
        return NN_BAD_ROWS;
    }
    NN_TRY(nn_reduction_of(call, &k.x, nn_count(out), &r));
    int32_t *sums = r.words; // of the windows, or their largest so far
    // A ring that holds fewer rows than a window reads would be read more than once.
    for (int32_t y = call->y0; y < call->y1 && !sums; y++) {
        const nn_span rows = nn_taps(y, p[POOLING_INT8_STRIDE_H], p[POOLING_INT8_PAD_TOP], p[POOLING_INT8_KERNEL_H], 1,
            k.x.h);
        if (rows.end - rows.first > k.x.rows) {
            return NN_BAD_ROWS;
        }
    }
    const int32_t nothing = k.average ? 0 : -128;
    for (int32_t y = sums ? 0 : call->y0; y < (sums ? 1 : call->y1); y++) {
        const nn_span rows = nn_taps(y, p[POOLING_INT8_STRIDE_H], p[POOLING_INT8_PAD_TOP], p[POOLING_INT8_KERNEL_H], 1,
            k.x.h);
        const nn_span taken = sums ? nn_taps_between(rows, 1, call->y0, call->y1) : rows;
        for (int32_t q = 0; q < out->w; q++) {
            const nn_span columns = nn_taps(q, p[POOLING_INT8_STRIDE_W], p[POOLING_INT8_PAD_LEFT],
                p[POOLING_INT8_KERNEL_W], 1, k.x.w);
            const int32_t count = (rows.end - rows.first) * (columns.end - columns.first);
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            int32_t c = 0;
            if (k.average && !sums && k.x.cs == 1) {
                const int joined = k.x.rows == k.x.h && columns.end - columns.first == k.x.w && k.x.rs == k.x.w * k.x.ps;
                for (; c + 4 <= out->c; c += 4) {
                    int32_t four[4];
                    sum_four(&k, c, rows, columns, joined, four);
                    for (int32_t i = 0; i < 4; i++) {
                        to[(ptrdiff_t)(c + i) * out->cs] = result(&k, count, four[i]);
                    }
                }
            }
            for (; c < out->c; c++) {
                const int32_t value = pool(&k, c, taken, columns, r.begins ? nothing : *sums);
                if (sums) {
                    *sums++ = value;
                }
                if (r.ends) {
                    to[(ptrdiff_t)c * out->cs] = result(&k, count, value);
                }
            }
        }
    }
    return NN_OK;
}
