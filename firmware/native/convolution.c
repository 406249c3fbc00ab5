// Convolution in float32; see nnmicro/reference/convolution.py.
//
// Output columns whose windows lie inside x are computed four at a time, and two output channels at a time where both
// read the same input channels, so that one load serves several multiply-accumulates. The columns at the borders are
// computed one by one over the taps that lie inside.

#include "activate.h"

typedef struct {
    const nn_state *call;
    nn_operand x;
    const float *weights;
    const float *bias;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, pad_bits;
    int32_t channels; // of x, for each output channel
    nn_activation_t act;
} work;

// What one row of the output reads: the rows of x for the kernel's rows [first, end).
typedef struct {
    nn_span rows;
    const uint8_t *x; // first channel of the group
    uint8_t *y;
} line;

NN_INLINE const float *row_of(const work *k, const line *l, int32_t tap) {
    int32_t y = l->rows.start + (tap - l->rows.first) * k->dilation_h;
    return (const float *)(const void *)(l->x + (ptrdiff_t)nn_row(&k->x, y) * k->x.rs);
}

// Four columns from column `q` on, for `outputs` channels from `o` on. `step` is the distance of neighbouring windows
// in x and `taps` the kernel's width; constants where the caller knows them.
NN_INLINE void tile(const work *k, const line *l, int32_t o, int32_t q, int outputs, int32_t step, int32_t taps,
    int32_t tap_step) {
    float a0 = k->bias ? k->bias[o] : 0.0f, a1 = a0, a2 = a0, a3 = a0;
    float b0 = outputs > 1 && k->bias ? k->bias[o + 1] : 0.0f, b1 = b0, b2 = b0, b3 = b0;
    const int32_t kernel_h = k->kernel_h, channels = k->channels, channel_step = k->x.cs / 4;
    const float *weights = k->weights + (ptrdiff_t)o * channels * kernel_h * taps;
    const ptrdiff_t next = (ptrdiff_t)channels * kernel_h * taps;
    const ptrdiff_t left = ((ptrdiff_t)q * k->stride_w - k->pad_left) * (k->x.ps / 4);
    for (int32_t tap = l->rows.first; tap < l->rows.end; tap++) {
        const float *x = row_of(k, l, tap) + left;
        const float *w = weights + tap * taps;
        for (int32_t i = 0; i < channels; i++) {
            const float *p = x;
            for (int32_t t = 0; t < taps; t++) {
                float x0 = p[0], x1 = p[step], x2 = p[2 * step], x3 = p[3 * step];
                float f = w[t];
                a0 += x0 * f;
                a1 += x1 * f;
                a2 += x2 * f;
                a3 += x3 * f;
                if (outputs > 1) {
                    f = w[t + next];
                    b0 += x0 * f;
                    b1 += x1 * f;
                    b2 += x2 * f;
                    b3 += x3 * f;
                }
                p += tap_step;
            }
            x += channel_step;
            w += (ptrdiff_t)kernel_h * taps;
        }
    }
    const nn_operand *out = &k->call->out;
    const int32_t y_step = out->ps / 4;
    for (int j = 0; j < outputs; j++) {
        float *y = (float *)(void *)(l->y + (ptrdiff_t)j * out->cs) + (ptrdiff_t)q * y_step;
        y[0] = nn_activate(&k->act, j ? b0 : a0);
        y[y_step] = nn_activate(&k->act, j ? b1 : a1);
        y[2 * y_step] = nn_activate(&k->act, j ? b2 : a2);
        y[3 * y_step] = nn_activate(&k->act, j ? b3 : a3);
    }
}

// One column of one channel, over the taps inside x; with a padding that is not zero, over all taps.
static void element(const work *k, const line *l, int32_t o, int32_t q) {
    float value = k->bias ? k->bias[o] : 0.0f;
    const float *weights = k->weights + (ptrdiff_t)o * k->channels * k->kernel_h * k->kernel_w;
    const int32_t step = k->x.ps / 4, channel_step = k->x.cs / 4;
    nn_span columns = nn_taps(q, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w);
    for (int32_t tap = l->rows.first; tap < l->rows.end; tap++) {
        const float *x = row_of(k, l, tap) + (ptrdiff_t)columns.start * step;
        for (int32_t i = 0; i < k->channels; i++) {
            const float *w = weights + ((ptrdiff_t)i * k->kernel_h + tap) * k->kernel_w;
            const float *p = x + (ptrdiff_t)i * channel_step;
            for (int32_t t = columns.first; t < columns.end; t++) {
                value += *p * w[t];
                // Not behind the last element, where no pointer may be.
                if (t + 1 < columns.end) {
                    p += (ptrdiff_t)k->dilation_w * step;
                }
            }
        }
    }
    if (k->pad_bits) {
        float pad = nn_float(k->pad_bits);
        for (int32_t i = 0; i < k->channels; i++) {
            for (int32_t tap = 0; tap < k->kernel_h; tap++) {
                int inside = tap >= l->rows.first && tap < l->rows.end;
                const float *w = weights + ((ptrdiff_t)i * k->kernel_h + tap) * k->kernel_w;
                for (int32_t t = 0; t < k->kernel_w; t++) {
                    if (!inside || t < columns.first || t >= columns.end) {
                        value += pad * w[t];
                    }
                }
            }
        }
    }
    float *y = (float *)(void *)(l->y + (ptrdiff_t)q * k->call->out.ps);
    *y = nn_activate(&k->act, value);
}

// Columns [first, end) in tiles, for the commonest steps with constants; returns the first column that is left.
static int32_t tiles(const work *k, const line *l, int32_t o, int outputs, int32_t first, int32_t end) {
    // Where four windows lie inside x, the products are small; a step that is never taken may be any size.
    if (end - first < 4) {
        return first;
    }
    const int32_t taps = k->kernel_w;
    const int32_t step = k->stride_w * (k->x.ps / 4), tap_step = taps > 1 ? k->dilation_w * (k->x.ps / 4) : 0;
    int32_t q = first;
    if (outputs > 1) {
        if (step == 1 && taps == 1) {
            for (; q + 4 <= end; q += 4) {
                tile(k, l, o, q, 2, 1, 1, 1);
            }
        } else if (step == 1 && taps == 3 && tap_step == 1) {
            for (; q + 4 <= end; q += 4) {
                tile(k, l, o, q, 2, 1, 3, 1);
            }
        } else {
            for (; q + 4 <= end; q += 4) {
                tile(k, l, o, q, 2, step, taps, tap_step);
            }
        }
    } else if (step == 1 && taps == 3 && tap_step == 1) {
        for (; q + 4 <= end; q += 4) {
            tile(k, l, o, q, 1, 1, 3, 1);
        }
    } else {
        for (; q + 4 <= end; q += 4) {
            tile(k, l, o, q, 1, step, taps, tap_step);
        }
    }
    return q;
}

static int prepare(const nn_state *call, work *k) {
    const int32_t *p = call->params;
    if (call->n_in != 2 && call->n_in != 3) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != CONVOLUTION_PARAMS || p[CONVOLUTION_GROUP] < 1) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &k->x));
    if (call->out.dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    k->call = call;
    k->kernel_h = p[CONVOLUTION_KERNEL_H];
    k->kernel_w = p[CONVOLUTION_KERNEL_W];
    k->stride_h = p[CONVOLUTION_STRIDE_H];
    k->stride_w = p[CONVOLUTION_STRIDE_W];
    k->dilation_h = p[CONVOLUTION_DILATION_H];
    k->dilation_w = p[CONVOLUTION_DILATION_W];
    k->pad_top = p[CONVOLUTION_PAD_TOP];
    k->pad_left = p[CONVOLUTION_PAD_LEFT];
    // Minus zero is no padding either; a NaN is one.
    k->pad_bits = nn_float(p[CONVOLUTION_PAD_VALUE]) == 0.0f ? 0 : p[CONVOLUTION_PAD_VALUE];
    if (!nn_window_fits(call->out.h, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h)
        || !nn_window_fits(call->out.w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w)) {
        return NN_BAD_PARAMS;
    }
    int32_t group = p[CONVOLUTION_GROUP];
    if (k->x.c % group || call->out.c % group) {
        return NN_BAD_SHAPE;
    }
    k->channels = k->x.c / group;
    // Bounded one after the other: none of the products can overflow, and all fit the weights that are there.
    int64_t taps = (int64_t)k->kernel_h * k->kernel_w;
    int64_t filters = (int64_t)call->out.c * k->channels;
    if (taps >= INT32_MAX || filters >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, taps * filters, &data));
    k->weights = data;
    k->bias = NULL;
    if (call->n_in == 3) {
        NN_TRY(nn_constant(call, 2, NN_F32, call->out.c, &data));
        k->bias = data;
    }
    return nn_activation_of(p + CONVOLUTION_ACTIVATION, &k->act);
}

// The rows of channels [o_begin, o_end); columns [first, end) read no padding along w.
static void channels(const work *k, int32_t o_begin, int32_t o_end, int32_t first, int32_t end) {
    const nn_state *call = k->call;
    const nn_operand *out = &call->out;
    const int32_t group_outputs = out->c / (k->x.c / k->channels);
    for (int32_t y = call->y0; y < call->y1; y++) {
        line l;
        l.rows = nn_taps(y, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
        // A tile knows no padding but zero.
        int32_t tiled_end = k->pad_bits && l.rows.end - l.rows.first < k->kernel_h ? first : end;
        int outputs;
        for (int32_t o = o_begin; o < o_end; o += outputs) {
            outputs = (o + 1) % group_outputs ? 2 : 1;
            l.x = k->x.data + (ptrdiff_t)(o / group_outputs) * k->channels * k->x.cs;
            l.y = nn_at(out, o, y);
            int32_t tiled = tiles(k, &l, o, outputs, first, tiled_end);
            for (int j = 0; j < outputs; j++) {
                for (int32_t q = 0; q < first; q++) {
                    element(k, &l, o + j, q);
                }
                for (int32_t q = tiled; q < out->w; q++) {
                    element(k, &l, o + j, q);
                }
                l.y += j + 1 < outputs ? out->cs : 0;
            }
        }
    }
}

int nn_convolution(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const int32_t outputs = call->out.c;
    int32_t first, end;
    nn_inside(call->out.w, k.stride_w, k.pad_left, k.kernel_w, k.dilation_w, k.x.w, &first, &end);
    // An output that is written over x lies over channels of it that are done.
    for (int32_t o = 0, part = call->over ? 1 : outputs; o < outputs; o += part) {
        channels(&k, o, o + part, first, end);
    }
    return NN_OK;
}
