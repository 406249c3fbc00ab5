// Convolution in int8; see nnmicro/reference/convolution_int8.py.
//
// A kernel row over an interleaved x is one run of bytes where neighbouring taps are neighbouring pixels: then it is one
// dot product with the same run of the weights. Two output channels share the loads of x.

#include "dot_int8.h"

typedef struct {
    const nn_state *call;
    nn_operand x;
    const int8_t *weights;
    nn_channels channels;
    int32_t kernel_h, kernel_w, stride_w, dilation_h, dilation_w, pad_left;
    int32_t inputs; // channels of x for each output channel
    int32_t zero; // of x
    int merged; // whether the taps of a kernel row lie in one run
} work;

// Channels `o` and (where `pair`) o + 1 of one pixel.
static void pixel(const work *k, const uint8_t *x, nn_span rows, nn_span columns, int32_t o, int pair, int8_t *y) {
    const int32_t line = k->kernel_w * k->inputs; // weights of one kernel row
    const ptrdiff_t next = pair ? (ptrdiff_t)k->kernel_h * line : 0;
    const int8_t *filter = k->weights + (ptrdiff_t)o * k->kernel_h * line + (ptrdiff_t)columns.first * k->inputs;
    const int32_t taps = columns.end - columns.first;
    nn_sums s = {0, 0};
    for (int32_t tap = rows.first; tap < rows.end; tap++) {
        const int8_t *w = filter + (ptrdiff_t)tap * line;
        const int32_t row = nn_row(&k->x, rows.start + (tap - rows.first) * k->dilation_h);
        const int8_t *p = (const int8_t *)x + (ptrdiff_t)row * k->x.rs + (ptrdiff_t)columns.start * k->x.ps;
        if (k->merged) {
            s = nn_dot(s, p, 1, w, w + next, taps * k->inputs, k->zero);
            continue;
        }
        for (int32_t t = 0; t < taps; t++) {
            if (k->x.cs == 1) {
                s = nn_dot(s, p, 1, w, w + next, k->inputs, k->zero);
            } else {
                s = nn_dot(s, p, k->x.cs, w, w + next, k->inputs, k->zero);
            }
            w += k->inputs;
            if (t + 1 < taps) {
                p += (ptrdiff_t)k->dilation_w * k->x.ps;
            }
        }
    }
    y[0] = nn_channel_result(&k->channels, o, s.a);
    if (pair) {
        y[k->call->out.cs] = nn_channel_result(&k->channels, o + 1, s.b);
    }
}

static int prepare(const nn_state *call, work *k) {
    const int32_t *p = call->params;
    if (call->n_in != 5) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != CONVOLUTION_INT8_PARAMS || p[CONVOLUTION_INT8_GROUP] < 1
        || !nn_is_int8(p[CONVOLUTION_INT8_INPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    if (!nn_window_fits(call->out.h, p[CONVOLUTION_INT8_STRIDE_H], p[CONVOLUTION_INT8_PAD_TOP], p[CONVOLUTION_INT8_KERNEL_H], p[CONVOLUTION_INT8_DILATION_H])
        || !nn_window_fits(call->out.w, p[CONVOLUTION_INT8_STRIDE_W], p[CONVOLUTION_INT8_PAD_LEFT], p[CONVOLUTION_INT8_KERNEL_W], p[CONVOLUTION_INT8_DILATION_W])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (call->out.dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    k->call = call;
    k->kernel_h = p[CONVOLUTION_INT8_KERNEL_H];
    k->kernel_w = p[CONVOLUTION_INT8_KERNEL_W];
    k->stride_w = p[CONVOLUTION_INT8_STRIDE_W];
    k->dilation_h = p[CONVOLUTION_INT8_DILATION_H];
    k->dilation_w = p[CONVOLUTION_INT8_DILATION_W];
    k->pad_left = p[CONVOLUTION_INT8_PAD_LEFT];
    k->zero = p[CONVOLUTION_INT8_INPUT_ZERO];
    const int32_t group = p[CONVOLUTION_INT8_GROUP];
    if (k->x.c % group || call->out.c % group) {
        return NN_BAD_SHAPE;
    }
    k->inputs = k->x.c / group;
    // Bounded one after the other, so that no product can overflow.
    const int64_t taps = (int64_t)k->kernel_h * k->kernel_w, filters = (int64_t)call->out.c * k->inputs;
    if (taps >= INT32_MAX || filters >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_I8, taps * filters, &data));
    k->weights = data;
    k->merged = k->x.cs == 1 && k->x.ps == k->inputs && (k->dilation_w == 1 || k->kernel_w == 1);
    return nn_channels_of(call, call->out.c, p + CONVOLUTION_INT8_OUTPUT_ZERO, &k->channels);
}

int nn_convolution_int8(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const int32_t *p = call->params;
    const nn_operand *out = &call->out;
    const int32_t group_outputs = out->c / (k.x.c / k.inputs);
    for (int32_t y = call->y0; y < call->y1; y++) {
        const nn_span rows = nn_taps(y, p[CONVOLUTION_INT8_STRIDE_H], p[CONVOLUTION_INT8_PAD_TOP], k.kernel_h,
            k.dilation_h, k.x.h);
        for (int32_t q = 0; q < out->w; q++) {
            const nn_span columns = nn_taps(q, k.stride_w, k.pad_left, k.kernel_w, k.dilation_w, k.x.w);
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            const uint8_t *x = k.x.data;
            for (int32_t o = 0; o < out->c;) {
                // Channels of one group, two at a time.
                for (const int32_t end = o + group_outputs; o < end;) {
                    const int pair = o + 1 < end;
                    pixel(&k, x, rows, columns, o, pair, to + (ptrdiff_t)o * out->cs);
                    o += 1 + pair;
                }
                if (o < out->c) {
                    x += (ptrdiff_t)k.inputs * k.x.cs;
                }
            }
        }
    }
    return NN_OK;
}
