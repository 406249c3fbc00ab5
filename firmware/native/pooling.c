// Largest or average value of a window in float32; see nnmicro/reference/pooling.py.

#include "kernel.h"

typedef struct {
    nn_span taps;
    int32_t cells; // of the window that lie inside x with its padding; not above zero where there is none
} window;

typedef struct {
    nn_operand x;
    int32_t average, dilation_h, dilation_w, include_pad;
} work;

// Filled in, not returned: small cores would copy it by memcpy, which a native module does not have.
static void window_at(window *w, int32_t position, int32_t stride, int32_t pad, int32_t pad_after, int32_t kernel,
    int32_t dilation, int32_t size) {
    w->taps = nn_taps(position, stride, pad, kernel, dilation, size);
    const int32_t start = position * stride - pad;
    w->cells = nn_min(start + kernel, size + pad_after) - start;
}

static int32_t size_of(const nn_span *taps) {
    return taps->end - taps->first;
}

// What `rows` of a window give together with `value`, which is of the rows before; they may start with its first one.
static float pool(const work *k, int32_t c, const nn_span *rows, int first, const nn_span *columns, float value) {
    const int32_t n = size_of(columns);
    if (!n) {
        return value;
    }
    const ptrdiff_t step = (ptrdiff_t)k->dilation_w * (k->x.ps / 4);
    for (int32_t r = 0; r < size_of(rows); r++) {
        const uint8_t *row = nn_at(&k->x, c, rows->start + r * k->dilation_h);
        const float *p = (const float *)(const void *)(row + (ptrdiff_t)columns->start * k->x.ps);
        if (k->average) {
            for (int32_t i = 0; i < n; i++) {
                value += p[i * step];
            }
            continue;
        }
        if (first && r == 0) {
            value = p[0];
        }
        for (int32_t i = 0; i < n; i++) {
            if (p[i * step] > value) {
                value = p[i * step];
            }
        }
    }
    return value;
}

static float result(const work *k, const window *rows, const window *columns, float value) {
    const int32_t n = size_of(&columns->taps), row_count = size_of(&rows->taps);
    if (!n || !row_count) {
        return 0.0f;
    }
    if (!k->average) {
        return value;
    }
    if (k->include_pad && rows->cells > 0 && columns->cells > 0) {
        return value / ((float)rows->cells * (float)columns->cells);
    }
    return value / ((float)row_count * (float)n);
}

// A ring that holds fewer rows than a window reads would be read more than once.
static int rows_held(const nn_state *call, const work *k, int one_window) {
    const int32_t *p = call->params;
    for (int32_t y = call->y0; y < call->y1; y++) {
        nn_span taps = nn_taps(one_window ? 0 : y, p[POOLING_STRIDE_H], p[POOLING_PAD_TOP], p[POOLING_KERNEL_H],
            p[POOLING_DILATION_H], k->x.h);
        if (taps.end - taps.first > k->x.rows) {
            return NN_BAD_ROWS;
        }
    }
    return NN_OK;
}

int nn_pooling(const nn_state *call) {
    const int32_t *p = call->params;
    const nn_operand *out = &call->out;
    work k;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != POOLING_PARAMS || (p[POOLING_KIND] & ~1) || (p[POOLING_INCLUDE_PAD] & ~1)) {
        return NN_BAD_PARAMS;
    }
    // The pads behind x by the same rule as those before it.
    if (!nn_window_fits(out->h, p[POOLING_STRIDE_H], p[POOLING_PAD_TOP], p[POOLING_KERNEL_H], p[POOLING_DILATION_H])
        || !nn_window_fits(out->w, p[POOLING_STRIDE_W], p[POOLING_PAD_LEFT], p[POOLING_KERNEL_W], p[POOLING_DILATION_W])
        || !nn_window_fits(1, 1, p[POOLING_PAD_BOTTOM], 1, 1) || !nn_window_fits(1, 1, p[POOLING_PAD_RIGHT], 1, 1)) {
        return NN_BAD_PARAMS;
    }
    k.average = p[POOLING_KIND];
    k.include_pad = p[POOLING_INCLUDE_PAD];
    k.dilation_h = p[POOLING_DILATION_H];
    k.dilation_w = p[POOLING_DILATION_W];
    if (k.average && (k.dilation_h > 1 || k.dilation_w > 1)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &k.x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    // Global pooling may have its channels in any shape.
    const int one_window = out->c != k.x.c;
    if (one_window) {
        int covers = (int64_t)p[POOLING_KERNEL_H] - p[POOLING_PAD_TOP] >= k.x.h
            && (int64_t)p[POOLING_KERNEL_W] - p[POOLING_PAD_LEFT] >= k.x.w && k.dilation_h == 1 && k.dilation_w == 1;
        if (!covers || nn_count(out) != k.x.c) {
            return NN_BAD_SHAPE;
        }
    }
    nn_reduction r;
    if (call->reduces && out->h != 1 && !one_window) {
        return NN_BAD_ROWS;
    }
    NN_TRY(nn_reduction_of(call, &k.x, nn_count(out), &r));
    float *sums = r.words; // of the windows, or their largest so far
    if (!sums) {
        NN_TRY(rows_held(call, &k, one_window));
    }
    for (int32_t y = sums ? 0 : call->y0; y < (sums ? out->h : call->y1); y++) {
        window rows;
        window_at(&rows, one_window ? 0 : y, p[POOLING_STRIDE_H], p[POOLING_PAD_TOP], p[POOLING_PAD_BOTTOM],
            p[POOLING_KERNEL_H], k.dilation_h, k.x.h);
        const nn_span taken = nn_taps_between(rows.taps, k.dilation_h, sums ? call->y0 : 0, sums ? call->y1 : k.x.h);
        const int first = taken.first == rows.taps.first;
        for (int32_t q = 0; q < out->w; q++) {
            window columns;
            window_at(&columns, one_window ? 0 : q, p[POOLING_STRIDE_W], p[POOLING_PAD_LEFT], p[POOLING_PAD_RIGHT],
                p[POOLING_KERNEL_W], k.dilation_w, k.x.w);
            for (int32_t c = 0; c < out->c; c++) {
                int32_t channel = one_window ? (c * out->h + y) * out->w + q : c;
                const float value = pool(&k, channel, &taken, first, &columns.taps, r.begins ? 0.0f : *sums);
                if (sums) {
                    *sums++ = value;
                }
                if (r.ends) {
                    *(float *)(void *)(nn_at(out, c, y) + (ptrdiff_t)q * out->ps) = result(&k, &rows, &columns, value);
                }
            }
        }
    }
    return NN_OK;
}
