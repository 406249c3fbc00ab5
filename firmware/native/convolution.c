// Convolution in float32; see nnmicro/reference/convolution.py.
//
// Four pixels at a time (a depthwise one: depthwise_float.c): what the filters see of them is copied into a patch (patch_float.h), with the padding around x, and
// used for all filters of a group. Each sum starts with the bias and goes on in the order of the weights, however many
// pixels, filters and pieces of a patch there are at a time: so it does not depend on how the rows are split.

#include "convolution.h"
#include "patch_float.h"

enum {
    FILTERS = 32, // that have room for their sums
    PIECE = 60, // the longest part of a filter that is worked on at a time
    REACH = 12 // the widest row of x under four windows that is copied with its padding
};

// Pixels of the output, one after the other; y: of the first channel.
typedef struct {
    int32_t count;
    int32_t row[NN_FOUR], column[NN_FOUR];
    uint8_t *y[NN_FOUR];
} quad;

// Where in the filter a run of weights of one of its rows begins.
typedef struct {
    int32_t channel, row, column;
} place;

static place place_of(const nn_filters *k, int32_t at) {
    place p;
    p.column = at % k->kernel_w;
    p.channel = at / k->kernel_w;
    p.row = p.channel % k->kernel_h;
    p.channel /= k->kernel_h;
    return p;
}

NN_INLINE void next_run(const nn_filters *k, place *p) {
    p->column = 0;
    if (++p->row == k->kernel_h) {
        p->row = 0;
        p->channel++;
    }
}

NN_INLINE const float *row_of(const nn_filters *k, const uint8_t *x, const nn_span *rows, const place *p) {
    const int32_t y = rows->start + (p->row - rows->first) * k->dilation_h;
    return (const float *)(const void *)(x + (ptrdiff_t)p->channel * k->x.cs + (ptrdiff_t)nn_row(&k->x, y) * k->x.rs);
}

// Elements [at, at + n) of a pixel; x: of the first channel.
NN_NOINLINE void fill_pixel(const nn_filters *k, const uint8_t *x, int32_t row, int32_t column, int32_t at, int32_t n,
    float *patch) {
    const nn_span rows = nn_taps(row, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
    const nn_span columns = nn_taps(column, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w);
    const ptrdiff_t step = (ptrdiff_t)k->dilation_w * (k->x.ps / 4);
    place p = place_of(k, at);
    for (int32_t end; n > 0; next_run(k, &p)) {
        end = nn_min(k->kernel_w, p.column + n);
        n -= end - p.column;
        const int there = p.row >= rows.first && p.row < rows.end;
        const float *from = there ? row_of(k, x, &rows, &p) + (ptrdiff_t)columns.start * (k->x.ps / 4) : NULL;
        for (; p.column < end; p.column++, patch += NN_FOUR) {
            const int inside = there && p.column >= columns.first && p.column < columns.end;
            *patch = inside ? from[(p.column - columns.first) * step] : k->pad;
        }
    }
}

// Those of four neighbours in a row, which share what is read.
NN_NOINLINE void fill_row(const nn_filters *k, const uint8_t *x, int32_t row, int32_t column, int32_t at, int32_t n,
    float *patch) {
    const nn_span rows = nn_taps(row, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
    const int32_t left = column * k->stride_w - k->pad_left;
    const int32_t first = nn_max(-left, 0), end = nn_min(k->x.w - left, k->reach); // of the reach, inside of x
    const int whole = first == 0 && end == k->reach;
    float around[REACH], outside[REACH];
    for (int32_t i = 0; i < k->reach; i++) {
        around[i] = outside[i] = k->pad;
    }
    place p = place_of(k, at);
    for (int32_t length; n > 0; n -= length, patch += NN_FOUR * length, next_run(k, &p)) {
        length = nn_min(k->kernel_w - p.column, n);
        const float *from = outside;
        if (p.row >= rows.first && p.row < rows.end) {
            from = row_of(k, x, &rows, &p);
            if (whole) {
                from += left;
            } else {
                for (int32_t i = first; i < end; i++) {
                    around[i] = from[left + i];
                }
                from = around;
            }
        }
        nn_patch_row(patch, from + p.column, k->stride_w, length);
    }
}

static void fill(const nn_filters *k, const quad *q, const uint8_t *x, int32_t at, int32_t n, float *patch) {
    const int32_t row = q->row[0], column = q->column[0];
    if (k->reach && q->count == NN_FOUR && q->row[NN_FOUR - 1] == row) {
        if (k->pointwise && column + NN_FOUR <= k->x.w && row < k->x.h) {
            nn_patch_channels(patch, nn_at(&k->x, 0, row) - k->x.data + x + (ptrdiff_t)at * k->x.cs + 4 * column, k->x.cs, n);
        } else {
            fill_row(k, x, row, column, at, n, patch);
        }
        return;
    }
    for (int32_t i = 0; i < NN_FOUR; i++) {
        if (i < q->count) {
            fill_pixel(k, x, q->row[i], q->column[i], at, n, patch + i);
        } else {
            for (int32_t j = 0; j < n; j++) {
                patch[i + j * NN_FOUR] = 0.0f;
            }
        }
    }
}

// The results of channels [o, o + n).
static void finish(const nn_filters *k, const quad *q, int32_t o, int32_t n, const float *sums) {
    const ptrdiff_t step = k->out.cs;
    const nn_activation_t act = k->act;
    for (int32_t i = 0; i < q->count; i++) {
        uint8_t *y = q->y[i] + o * step;
        for (const float *s = sums + i, *const end = s + NN_FOUR * n; s != end; s += NN_FOUR, y += step) {
            *(float *)(void *)y = nn_activate(&act, *s);
        }
    }
}

// All channels of a group, from channel o on.
NN_NOINLINE void outputs(const nn_filters *k, const quad *q, int32_t o, const uint8_t *x) {
    float patch[NN_FOUR * PIECE], sums[NN_FOUR * FILTERS];
    for (int32_t done = 0, n; done < k->outputs; done += n, o += n) {
        n = nn_min(k->outputs - done, FILTERS);
        for (int32_t i = 0; i < n; i++) {
            float *s = sums + NN_FOUR * i;
            s[0] = s[1] = s[2] = s[3] = k->bias ? k->bias[o + i] : 0.0f;
        }
        for (int32_t at = 0, length; at < k->filter; at += length) {
            length = nn_min(k->piece, k->filter - at);
            if (length < k->filter || !done) {
                fill(k, q, x, at, length, patch);
            }
            nn_patch_products(patch, length, k->weights + (ptrdiff_t)o * k->filter + at, k->filter, sums, n);
        }
        finish(k, q, o, n, sums);
    }
}

// All pixels of the group of output channel o, four at a time.
static void group(const nn_filters *k, int32_t o) {
    quad q;
    const uint8_t *x = k->x.data + (ptrdiff_t)(o / k->outputs) * k->inputs * k->x.cs;
    q.count = 0;
    for (int32_t row = k->y0; row < k->y1; row++) {
        uint8_t *y = nn_at(&k->out, 0, row);
        for (int32_t column = 0; column < k->out.w; column++, y += k->out.ps) {
            q.row[q.count] = row;
            q.column[q.count] = column;
            q.y[q.count] = y;
            if (++q.count == NN_FOUR) {
                outputs(k, &q, o, x);
                q.count = 0;
            }
        }
    }
    if (q.count) {
        outputs(k, &q, o, x);
    }
}

static int prepare(const nn_state *call, nn_filters *k) {
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
    k->out = call->out;
    k->y0 = call->y0;
    k->y1 = call->y1;
    k->kernel_h = p[CONVOLUTION_KERNEL_H];
    k->kernel_w = p[CONVOLUTION_KERNEL_W];
    k->stride_h = p[CONVOLUTION_STRIDE_H];
    k->stride_w = p[CONVOLUTION_STRIDE_W];
    k->dilation_h = p[CONVOLUTION_DILATION_H];
    k->dilation_w = p[CONVOLUTION_DILATION_W];
    k->pad_top = p[CONVOLUTION_PAD_TOP];
    k->pad_left = p[CONVOLUTION_PAD_LEFT];
    k->pad = nn_float(p[CONVOLUTION_PAD_VALUE]);
    if (!nn_window_fits(call->out.h, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h)
        || !nn_window_fits(call->out.w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w)) {
        return NN_BAD_PARAMS;
    }
    int32_t group = p[CONVOLUTION_GROUP];
    if (k->x.c % group || call->out.c % group) {
        return NN_BAD_SHAPE;
    }
    k->inputs = k->x.c / group;
    k->outputs = call->out.c / group;
    // Bounded one after the other: none of the products can overflow, and all fit the weights that are there.
    int64_t taps = (int64_t)k->kernel_h * k->kernel_w;
    int64_t filters = (int64_t)call->out.c * k->inputs;
    if (taps >= INT32_MAX || filters >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, taps * filters, &data));
    k->weights = data;
    k->filter = (int32_t)taps * k->inputs; // the weights are there: it fits
    // Pieces of about the same length.
    const int32_t pieces = (k->filter + PIECE - 1) / PIECE;
    k->piece = (k->filter + pieces - 1) / pieces;
    k->pointwise = taps == 1 && k->stride_h == 1 && k->stride_w == 1 && !k->pad_top && !k->pad_left;
    const int64_t reach = (NN_FOUR - 1) * (int64_t)k->stride_w + k->kernel_w;
    k->reach = reach <= REACH && k->x.ps == 4 && (k->dilation_w == 1 || k->kernel_w == 1) ? (int32_t)reach : 0;
    k->bias = NULL;
    if (call->n_in == 3) {
        NN_TRY(nn_constant(call, 2, NN_F32, call->out.c, &data));
        k->bias = data;
    }
    return nn_activation_of(p + CONVOLUTION_ACTIVATION, &k->act);
}

// Whether rows [y0, y1) lie one behind the other without gaps.
static int is_flat(const nn_operand *x, int32_t y0, int32_t y1) {
    return x->rs == x->w * x->ps && y1 <= x->h && nn_row(x, y1 - 1) - nn_row(x, y0) == y1 - 1 - y0;
}

static void flatten(nn_operand *x, int32_t y0, int32_t y1) {
    x->data = nn_at(x, 0, y0);
    x->w *= y1 - y0;
    x->h = x->rows = 1;
}

int nn_convolution(const nn_state *call) {
    nn_filters k;
    NN_TRY(prepare(call, &k));
    if (k.pointwise && k.x.w == k.out.w && k.y0 < k.y1 && is_flat(&k.x, k.y0, k.y1) && is_flat(&k.out, k.y0, k.y1)) {
        flatten(&k.x, k.y0, k.y1);
        flatten(&k.out, k.y0, k.y1);
        k.y0 = 0;
        k.y1 = 1;
    }
    // Group by group: an output that is written over x lies over channels of it that are done.
    const int depthwise = k.inputs == 1 && k.outputs == 1 && k.pad == 0.0f;
    for (int32_t o = 0; o < k.out.c; o += k.outputs) {
        if (depthwise) {
            nn_depthwise(&k, o);
        } else {
            group(&k, o);
        }
    }
    return NN_OK;
}
