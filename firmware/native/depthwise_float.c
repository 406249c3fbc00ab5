// Depthwise convolution in float32, a channel at a time.
//
// Columns whose windows lie inside x are computed four at a time, the others one by one over the taps that lie inside. Which
// is which depends on nothing but the layer, so that a result does not depend on how the rows are split.

#include "convolution.h"

// What a row of the output reads: rows of x for the filter's rows [first, end).
typedef struct {
    nn_span rows;
    const uint8_t *x;
    const float *weights;
    float bias;
    float *y;
} line;

NN_INLINE const float *row_of(const nn_filters *k, const line *l, int32_t tap) {
    const int32_t y = l->rows.start + (tap - l->rows.first) * k->dilation_h;
    return (const float *)(const void *)(l->x + (ptrdiff_t)nn_row(&k->x, y) * k->x.rs);
}

static void element(const nn_filters *k, const line *l, int32_t q) {
    const nn_span columns = nn_taps(q, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w);
    const ptrdiff_t step = k->x.ps / 4, tap_step = k->dilation_w * step;
    const int32_t count = columns.end - columns.first;
    float value = l->bias;
    for (int32_t tap = l->rows.first; tap < l->rows.end; tap++) {
        const float *x = row_of(k, l, tap) + columns.start * step, *w = l->weights + tap * k->kernel_w + columns.first;
        for (int32_t t = 0; t < count; t++) {
            const float factor = x[t * tap_step];
            if (!NN_LEFT_OUT(factor)) {
                value += factor * w[t];
            }
        }
    }
    l->y[(ptrdiff_t)q * (k->out.ps / 4)] = nn_activate(&k->act, value);
}

// Four columns from q on.
static void four(const nn_filters *k, const line *l, int32_t q) {
    const ptrdiff_t step = k->stride_w * (k->x.ps / 4), y_step = k->out.ps / 4;
    const ptrdiff_t tap_step = k->kernel_w > 1 ? k->dilation_w * (k->x.ps / 4) : 0; // any size where it is not taken
    const ptrdiff_t left = ((ptrdiff_t)q * k->stride_w - k->pad_left) * (k->x.ps / 4);
    float *y = l->y + q * y_step, s[NN_FOUR] = {l->bias, l->bias, l->bias, l->bias};
    for (int32_t tap = l->rows.first; tap < l->rows.end; tap++) {
        const float *x = row_of(k, l, tap) + left, *w = l->weights + tap * k->kernel_w;
        for (int32_t t = 0; t < k->kernel_w; t++) {
            for (int32_t i = 0; i < NN_FOUR; i++) {
                const float factor = x[t * tap_step + i * step];
                if (!NN_LEFT_OUT(factor)) {
                    s[i] += factor * w[t];
                }
            }
        }
    }
    for (int32_t i = 0; i < NN_FOUR; i++) {
        y[i * y_step] = nn_activate(&k->act, s[i]);
    }
}

#if NN_FPV4
#include "depthwise_fpv4.h"
#endif

void nn_depthwise(const nn_filters *k, int32_t o) {
    int32_t first, end;
    line l;
    nn_inside(k->out.w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w, &first, &end);
    l.x = k->x.data + (ptrdiff_t)o * k->x.cs;
    l.weights = k->weights + (ptrdiff_t)o * k->filter;
    l.bias = k->bias ? k->bias[o] : 0.0f;
#if NN_FPV4
    const int is_3x3 = k->kernel_h == 3 && k->kernel_w == 3 && k->stride_w <= 2 && k->reach && k->out.ps == 4;
#endif
    for (int32_t y = k->y0; y < k->y1; y++) {
        int32_t q = first;
        l.rows = nn_taps(y, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
        l.y = (float *)(void *)nn_at(&k->out, o, y);
        if (end - first >= NN_FOUR) {
#if NN_FPV4
            if (is_3x3) {
                fours_3x3(k, &l, q, (end - q) / NN_FOUR);
                q = end - (end - q) % NN_FOUR;
            }
#endif
            for (; q + NN_FOUR <= end; q += NN_FOUR) {
                four(k, &l, q);
            }
        }
        for (int32_t i = 0; i < first; i++) {
            element(k, &l, i);
        }
        for (; q < k->out.w; q++) {
            element(k, &l, q);
        }
    }
}
