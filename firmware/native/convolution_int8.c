// Convolution in int8; see nnmicro/reference/convolution_int8.py.
//
// Two pixels at a time: what the filters see of them is widened once into a patch (patch_int8.h), taps outside of x as
// zeros, and used for all filters of a group, some of them at a time.

#include "patch_int8.h"

typedef struct {
    const nn_state *call;
    nn_operand x;
    const int8_t *weights;
    nn_channels channels;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t inputs; // channels of x for each output channel
    int32_t filter; // weights of an output channel
    int32_t piece; // of a filter that is worked on at a time
    int32_t zero; // of x
    int merged; // whether the taps of a kernel row lie in one run
    int pointwise; // whether a filter sees a run of one pixel
    int by_fours; // whether all runs of x are multiples of 4 long
} work;

// One pixel of the output.
typedef struct {
    nn_span rows, columns;
    const int8_t *x; // all that a filter sees, in one run; or null
    int8_t *to;
} spot;

static void find(const work *k, int32_t y, int32_t q, spot *s) {
    s->to = (int8_t *)nn_at(&k->call->out, 0, y) + (ptrdiff_t)q * k->call->out.ps;
    s->x = NULL;
    if (k->pointwise) {
        const int32_t row = y * k->stride_h - k->pad_top, column = q * k->stride_w - k->pad_left;
        if (row >= 0 && row < k->x.h && column >= 0 && column < k->x.w) {
            s->x = (const int8_t *)nn_at(&k->x, 0, row) + (ptrdiff_t)column * k->x.ps;
            return;
        }
    }
    s->rows = nn_taps(y, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
    s->columns = nn_taps(q, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w);
}

// Elements of a patch that x holds, or zeros where it is null.
static void copy(const work *k, const int8_t *x, int32_t n, int8_t *to) {
    for (int32_t i = 0; i < n; i++) {
        to[i] = (int8_t)(x ? x[(ptrdiff_t)i * k->x.cs] : k->zero);
    }
}

// Put weights' elements [at, at + n) of a pixel into the patch; `x` is the first channel of the group.
NN_NOINLINE void fill(const work *k, const spot *s, const uint8_t *x, int32_t at, int32_t n, int32_t pixel, nn_patch *patch) {
    int8_t bytes[NN_PIECE];
    if (s->x) {
        nn_patch_fill(patch, pixel, 0, s->x + (x - k->x.data) + at, n, k->zero);
        return;
    }
    int32_t tap = 0, column = 0, channel = 0;
    if (at) {
        column = at / k->inputs;
        channel = at % k->inputs;
        tap = column / k->kernel_w;
        column %= k->kernel_w;
    }
    for (int32_t done = 0; done < n; channel = 0) {
        const int8_t *from = NULL;
        int32_t end = k->kernel_w; // of the taps of one run
        if (tap >= s->rows.first && tap < s->rows.end) {
            if (column < s->columns.first) {
                end = s->columns.first;
            } else if (column < s->columns.end) {
                end = k->merged ? s->columns.end : column + 1;
                const int32_t row = nn_row(&k->x, s->rows.start + (tap - s->rows.first) * k->dilation_h);
                const int32_t place = s->columns.start + (column - s->columns.first) * k->dilation_w;
                from = (const int8_t *)x + (ptrdiff_t)row * k->x.rs + (ptrdiff_t)place * k->x.ps
                    + (ptrdiff_t)channel * k->x.cs;
            }
        }
        const int32_t run = nn_min((end - column) * k->inputs - channel, n - done);
        if (k->by_fours) {
            nn_patch_fill(patch, pixel, done, from, run, k->zero);
        } else {
            copy(k, from, run, bytes + done);
        }
        done += run;
        column = end;
        if (column == k->kernel_w) {
            column = 0;
            tap++;
        }
    }
    if (!k->by_fours) {
        nn_patch_fill(patch, pixel, 0, bytes, n & ~3, k->zero);
        nn_patch_end(patch, pixel, n, bytes, k->zero);
    }
}

// A channel of both pixels that is not of the ordinary kind.
NN_NOINLINE void unusual(const nn_channels *k, int32_t o, const uint32_t *sums, int8_t *p, int8_t *q) {
    const uint32_t bias = (uint32_t)k->bias[o];
    *p = nn_channel_result(k, o, sums[0] - bias);
    *q = nn_channel_result(k, o, sums[1] - bias);
}

NN_INLINE void results_within(const nn_channels *k, int32_t o, int32_t n, const uint32_t *sums, int8_t *p, int8_t *q,
    ptrdiff_t step, int all_of_int8) {
    const int32_t *multiplier = k->multiplier + o, *shift = k->shift + o;
    const int32_t zero = k->zero, least = k->least, most = k->most;
    ptrdiff_t at = 0;
    for (const int32_t *end = shift + n; shift != end; sums += NN_PIXELS, at += step) {
        const int32_t a = (int32_t)sums[0], b = (int32_t)sums[1];
        nn_quick quick;
        if (nn_quick_of(*multiplier++, *shift++, zero, &quick) && nn_are_quick(a, b)) {
            const int32_t c = nn_quick_result(&quick, a, 0), d = nn_quick_result(&quick, b, 0);
            p[at] = (int8_t)(all_of_int8 ? nn_to_int8(c) : nn_min(nn_max(c, least), most));
            q[at] = (int8_t)(all_of_int8 ? nn_to_int8(d) : nn_min(nn_max(d, least), most));
        } else {
            unusual(k, o + n - (int32_t)(end - shift) - 1, sums, p + at, q + at);
        }
    }
}

// Both pixels' channels [o, o + n). What is of one pixel only goes to the same place twice.
NN_NOINLINE void results(const work *k, const spot *s, int32_t o, int32_t n, const uint32_t *sums) {
    const ptrdiff_t step = k->call->out.cs;
    int8_t *p = s[0].to + o * step, *q = s[1].to + o * step;
    if (k->channels.least == -128 && k->channels.most == 127) {
        results_within(&k->channels, o, n, sums, p, q, step, 1);
    } else {
        results_within(&k->channels, o, n, sums, p, q, step, 0);
    }
}

NN_NOINLINE void two_pixels(const work *k, const spot *s, int32_t group_outputs) {
    nn_patch patch;
    uint32_t sums[NN_FILTERS * NN_PIXELS];
    const uint8_t *x = k->x.data;
    for (int32_t o = 0, end = group_outputs, n; o < k->call->out.c; o += n) {
        if (o == end) {
            end += group_outputs;
            x += (ptrdiff_t)k->inputs * k->x.cs;
        }
        n = nn_min(end - o, NN_FILTERS);
        for (int32_t i = 0; i < n; i++) {
            sums[NN_PIXELS * i] = sums[NN_PIXELS * i + 1] = (uint32_t)k->channels.bias[o + i];
        }
        const int8_t *w = k->weights + (ptrdiff_t)o * k->filter;
        for (int32_t at = 0, length; at < k->filter; at += length) {
            length = nn_min(k->piece, k->filter - at);
            if (length < k->filter || o == end - group_outputs) {
                fill(k, s, x, at, length, 0, &patch);
                fill(k, s + 1, x, at, length, 1, &patch);
            }
            if (n > 1) {
                nn_patch_sums(&patch, length, w + at, k->filter, n & ~1, sums);
            }
            if (n & 1) {
                uint32_t last[2 * NN_PIXELS] = {sums[NN_PIXELS * (n - 1)], sums[NN_PIXELS * (n - 1) + 1], 0, 0};
                nn_patch_sums(&patch, length, w + at + (ptrdiff_t)(n - 1) * k->filter, 0, 2, last);
                sums[NN_PIXELS * (n - 1)] = last[0];
                sums[NN_PIXELS * (n - 1) + 1] = last[1];
            }
        }
        results(k, s, o, n, sums);
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
    k->kernel_h = p[CONVOLUTION_INT8_KERNEL_H];
    k->kernel_w = p[CONVOLUTION_INT8_KERNEL_W];
    k->stride_h = p[CONVOLUTION_INT8_STRIDE_H];
    k->stride_w = p[CONVOLUTION_INT8_STRIDE_W];
    k->dilation_h = p[CONVOLUTION_INT8_DILATION_H];
    k->dilation_w = p[CONVOLUTION_INT8_DILATION_W];
    k->pad_top = p[CONVOLUTION_INT8_PAD_TOP];
    k->pad_left = p[CONVOLUTION_INT8_PAD_LEFT];
    k->zero = p[CONVOLUTION_INT8_INPUT_ZERO];
    if (!nn_window_fits(call->out.h, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h)
        || !nn_window_fits(call->out.w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (call->out.dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    k->call = call;
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
    k->filter = (int32_t)taps * k->inputs; // the weights are there: it fits
    // Pieces of about the same length.
    const int32_t pieces = (k->filter + NN_PIECE - 1) / NN_PIECE;
    k->piece = ((k->filter + pieces - 1) / pieces + 3) & ~3;
    k->merged = k->x.cs == 1 && k->x.ps == k->inputs && (k->dilation_w == 1 || k->kernel_w == 1);
    k->by_fours = k->x.cs == 1 && k->inputs % 4 == 0;
    k->pointwise = k->by_fours && k->kernel_h == 1 && k->kernel_w == 1;
    return nn_channels_of(call, call->out.c, p + CONVOLUTION_INT8_OUTPUT_ZERO, &k->channels);
}

int nn_convolution_int8(const nn_state *call) {
    work k;
    spot spots[NN_PIXELS];
    int32_t found = 0;
    NN_TRY(prepare(call, &k));
    const int32_t group_outputs = call->out.c / (k.x.c / k.inputs);
    for (int32_t y = call->y0; y < call->y1; y++) {
        for (int32_t q = 0; q < call->out.w; q++) {
            find(&k, y, q, spots + found);
            found++;
            if (found < NN_PIXELS && (y + 1 < call->y1 || q + 1 < call->out.w)) {
                continue;
            }
            for (; found < NN_PIXELS; found++) {
                find(&k, y, q, spots + found); // an odd one at the end, twice
            }
            two_pixels(&k, spots, group_outputs);
            found = 0;
        }
    }
    return NN_OK;
}
