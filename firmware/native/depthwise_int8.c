// Depthwise convolution in int8; see nnmicro/reference/depthwise_int8.py.
//
// Four channels at a time: over an interleaved x and the weights in [kh, kw, channel] order the four lie next to each
// other, and the address arithmetic of a tap serves all of them.

#include "requantise.h"

typedef struct {
    const nn_state *call;
    nn_operand x;
    const int8_t *weights;
    nn_channels channels;
    int32_t kernel_w, stride_w, dilation_h, dilation_w, pad_left, multiplier, zero, half_up;
} work;

NN_INLINE const int8_t *row_of(const work *k, nn_span rows, int32_t tap) {
    const int32_t row = nn_row(&k->x, rows.start + (tap - rows.first) * k->dilation_h);
    return (const int8_t *)k->x.data + (ptrdiff_t)row * k->x.rs;
}

// LiteRT rounds the first channels, which fill its vectors, another way than the rest.
NN_INLINE int8_t result(const work *k, int32_t o, uint32_t sum) {
    return o < k->half_up ? nn_channel_result(&k->channels, o, sum) : nn_channel_result_away(&k->channels, o, sum);
}

// Output channels o to o + 3 of one pixel, with as many channels of x next to each other.
static void four(const work *k, nn_span rows, nn_span columns, int32_t o, int8_t *y) {
    const int32_t channels = k->call->out.c, zero = k->zero;
    const ptrdiff_t step = columns.end - columns.first > 1 ? (ptrdiff_t)k->dilation_w * k->x.ps : 0;
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (int32_t tap = rows.first; tap < rows.end; tap++) {
        const int8_t *x = row_of(k, rows, tap) + (ptrdiff_t)columns.start * k->x.ps + o;
        const int8_t *w = k->weights + ((ptrdiff_t)tap * k->kernel_w + columns.first) * channels + o;
        for (int32_t t = columns.first; t < columns.end; t++, w += channels) {
            a = nn_mac(a, x[0] - zero, w[0]);
            b = nn_mac(b, x[1] - zero, w[1]);
            c = nn_mac(c, x[2] - zero, w[2]);
            d = nn_mac(d, x[3] - zero, w[3]);
            x += step;
        }
    }
    const ptrdiff_t out_step = k->call->out.cs;
    y[0] = result(k, o, a);
    y[out_step] = result(k, o + 1, b);
    y[2 * out_step] = result(k, o + 2, c);
    y[3 * out_step] = result(k, o + 3, d);
}

static int8_t one(const work *k, nn_span rows, nn_span columns, int32_t o) {
    const int32_t channels = k->call->out.c;
    const ptrdiff_t step = columns.end - columns.first > 1 ? (ptrdiff_t)k->dilation_w * k->x.ps : 0;
    const ptrdiff_t channel = (ptrdiff_t)(o / k->multiplier) * k->x.cs;
    uint32_t sum = 0;
    for (int32_t tap = rows.first; tap < rows.end; tap++) {
        const int8_t *x = row_of(k, rows, tap) + (ptrdiff_t)columns.start * k->x.ps + channel;
        const int8_t *w = k->weights + ((ptrdiff_t)tap * k->kernel_w + columns.first) * channels + o;
        for (int32_t t = columns.first; t < columns.end; t++, w += channels) {
            sum = nn_mac(sum, *x - k->zero, *w);
            x += step;
        }
    }
    return result(k, o, sum);
}

static int prepare(const nn_state *call, work *k) {
    const int32_t *p = call->params;
    if (call->n_in != 5) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != DEPTHWISE_INT8_PARAMS || p[DEPTHWISE_INT8_DEPTH_MULTIPLIER] < 1
        || p[DEPTHWISE_INT8_HALF_UP] < 0 || !nn_is_int8(p[DEPTHWISE_INT8_INPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    if (!nn_window_fits(call->out.h, p[DEPTHWISE_INT8_STRIDE_H], p[DEPTHWISE_INT8_PAD_TOP], p[DEPTHWISE_INT8_KERNEL_H], p[DEPTHWISE_INT8_DILATION_H])
        || !nn_window_fits(call->out.w, p[DEPTHWISE_INT8_STRIDE_W], p[DEPTHWISE_INT8_PAD_LEFT], p[DEPTHWISE_INT8_KERNEL_W], p[DEPTHWISE_INT8_DILATION_W])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (call->out.dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    k->call = call;
    k->kernel_w = p[DEPTHWISE_INT8_KERNEL_W];
    k->stride_w = p[DEPTHWISE_INT8_STRIDE_W];
    k->dilation_h = p[DEPTHWISE_INT8_DILATION_H];
    k->dilation_w = p[DEPTHWISE_INT8_DILATION_W];
    k->pad_left = p[DEPTHWISE_INT8_PAD_LEFT];
    k->multiplier = p[DEPTHWISE_INT8_DEPTH_MULTIPLIER];
    k->zero = p[DEPTHWISE_INT8_INPUT_ZERO];
    k->half_up = p[DEPTHWISE_INT8_HALF_UP];
    if ((int64_t)k->x.c * k->multiplier != call->out.c) {
        return NN_BAD_SHAPE;
    }
    const int64_t taps = (int64_t)p[DEPTHWISE_INT8_KERNEL_H] * k->kernel_w;
    if (taps >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_I8, taps * call->out.c, &data));
    k->weights = data;
    return nn_channels_of(call, call->out.c, p + DEPTHWISE_INT8_OUTPUT_ZERO, &k->channels);
}

int nn_depthwise_int8(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const int32_t *p = call->params;
    const nn_operand *out = &call->out;
    const int by_four = k.multiplier == 1 && k.x.cs == 1;
    for (int32_t y = call->y0; y < call->y1; y++) {
        const nn_span rows = nn_taps(y, p[DEPTHWISE_INT8_STRIDE_H], p[DEPTHWISE_INT8_PAD_TOP],
            p[DEPTHWISE_INT8_KERNEL_H], k.dilation_h, k.x.h);
        for (int32_t q = 0; q < out->w; q++) {
            const nn_span columns = nn_taps(q, k.stride_w, k.pad_left, k.kernel_w, k.dilation_w, k.x.w);
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            int32_t o = 0;
            if (by_four) {
                for (; o + 4 <= out->c; o += 4) {
                    four(&k, rows, columns, o, to + (ptrdiff_t)o * out->cs);
                }
            }
            for (; o < out->c; o++) {
                to[(ptrdiff_t)o * out->cs] = one(&k, rows, columns, o);
            }
        }
    }
    return NN_OK;
}
