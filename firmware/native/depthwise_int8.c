// Depthwise convolution in int8; see nnmicro/reference/depthwise_int8.py.
//
// Four channels at a time: over an interleaved x and the weights in [kh, kw, channel] order the four lie next to each
// other. With 3 x 3 taps their filters are laid out once and then slide over all pixels; where a part of the window is
// outside of x, it is put together with zero points first.

#include "depthwise_3x3.h"

enum { WINDOW = 56 }; // groups of four channels that are put together at a time, borders included

typedef struct {
    const nn_state *call;
    nn_operand x;
    const int8_t *weights;
    nn_channels channels;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, multiplier, zero, half_up;
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
    k->kernel_h = p[DEPTHWISE_INT8_KERNEL_H];
    k->kernel_w = p[DEPTHWISE_INT8_KERNEL_W];
    k->stride_h = p[DEPTHWISE_INT8_STRIDE_H];
    k->stride_w = p[DEPTHWISE_INT8_STRIDE_W];
    k->dilation_h = p[DEPTHWISE_INT8_DILATION_H];
    k->dilation_w = p[DEPTHWISE_INT8_DILATION_W];
    k->pad_top = p[DEPTHWISE_INT8_PAD_TOP];
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

// All pixels of channels [first, end), whatever the kernel.
NN_NOINLINE void any(const work *k, int32_t first, int32_t end) {
    const nn_state *call = k->call;
    const nn_operand *out = &call->out;
    const int by_four = k->multiplier == 1 && k->x.cs == 1;
    for (int32_t y = call->y0; y < call->y1 && first < end; y++) {
        const nn_span rows = nn_taps(y, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
        for (int32_t q = 0; q < out->w; q++) {
            const nn_span columns = nn_taps(q, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w);
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            int32_t o = first;
            for (; by_four && o + 4 <= end; o += 4) {
                four(k, rows, columns, o, to + (ptrdiff_t)o * out->cs);
            }
            for (; o < end; o++) {
                to[(ptrdiff_t)o * out->cs] = one(k, rows, columns, o);
            }
        }
    }
}

// Groups of four bytes, `step` apart, wherever they lie.
NN_INLINE void copy_fours(uint32_t *to, const uint32_t *stop, const int8_t *from, ptrdiff_t step) {
#if !NN_UNALIGNED
    if (((uintptr_t)from | (uintptr_t)step) & 3) {
        for (;; from += step) {
            int8_t *const bytes = (int8_t *)to;
            for (int32_t i = 0; i < 4; i++) {
                bytes[i] = from[i];
            }
            if (++to == stop) {
                return;
            }
        }
    }
#endif
    for (;; from += step) {
#if NN_UNALIGNED
        __builtin_memcpy(to, from, 4);
#else
        __builtin_memcpy(to, __builtin_assume_aligned(from, 4), 4);
#endif
        if (++to == stop) {
            return;
        }
    }
}

// Where a window lies in x: the same for all channels.
typedef struct {
    int32_t top, left, rows, columns; // no rows: nowhere yet
    nn_span along; // columns that are inside of x
    ptrdiff_t row[WINDOW / 3]; // from x on, or -1: outside
} view;

static void look(const work *k, int32_t top, int32_t left, int32_t rows, int32_t columns, view *v) {
    const nn_operand *x = &k->x;
    if (v->top == top && v->left == left && v->rows == rows && v->columns == columns) {
        return;
    }
    const nn_span down = nn_taps(top, 1, 0, rows, k->dilation_h, x->h);
    v->along = nn_taps(left, 1, 0, columns, k->dilation_w, x->w);
    v->top = top;
    v->left = left;
    v->rows = rows;
    v->columns = columns;
    const int outside = v->along.first >= v->along.end;
    int32_t y = down.start;
    for (int32_t row = 0; row < rows; row++) {
        v->row[row] = -1;
        if (!outside && row >= down.first && row < down.end) {
            v->row[row] = (ptrdiff_t)nn_row(x, y) * x->rs + (ptrdiff_t)v->along.start * x->ps;
            y += k->dilation_h;
        }
    }
}

// Channels [o, o + 4) of what is seen, zero points where there is none.
static void gather(const work *k, int32_t o, const view *v, uint32_t *window) {
    const int8_t *x = (const int8_t *)k->x.data + o;
    const ptrdiff_t step = (ptrdiff_t)k->dilation_w * k->x.ps;
    const uint32_t zeros = (uint32_t)(uint8_t)k->zero * 0x01010101u;
    const int32_t first = v->along.first, inside = v->along.end - first;
    for (const ptrdiff_t *row = v->row, *last = row + v->rows; row != last; row++) {
        uint32_t *const end = window + v->columns;
        if (*row >= 0) {
            for (uint32_t *const stop = window + first; window != stop; window++) {
                *window = zeros;
            }
            copy_fours(window, window + inside, x + *row, step);
            window += inside;
        }
        for (; window != end; window++) {
            *window = zeros;
        }
    }
}

// Work out `rows` runs of `count` pixels, the first of which is (y, q).
static void finish(const work *k, nn_four_run *run, int32_t away, int32_t o, int32_t y, int32_t q, int32_t count, int32_t rows) {
    const nn_channels *c = &k->channels;
    int8_t *to = (int8_t *)nn_at(&k->call->out, o, y) + (ptrdiff_t)q * k->call->out.ps;
    run->y = to;
    run->count = count;
    run->rows = rows;
    run->y_row = rows > 1 ? k->call->out.rs : 0;
    nn_four_results(run, away);
    if (c->least == -128 && c->most == 127) {
        return;
    }
    for (int32_t n = 0; n < 4 * count * rows; n++) {
        const int32_t pixel = n >> 2;
        int8_t *item = to + (ptrdiff_t)(pixel / count) * run->y_row + (ptrdiff_t)(pixel % count) * run->y_step + (n & 3);
        *item = (int8_t)nn_min(nn_max(*item, c->least), c->most);
    }
}

// Pixels [y, end) x [q, q + count) of four channels by way of the window: as many rows at once as it holds.
static void by_windows(const work *k, nn_four_run *run, int32_t away, int32_t o, int32_t y, int32_t end, int32_t q,
    int32_t count, view *v, uint32_t *window) {
    const nn_operand *out = &k->call->out;
    const int32_t columns = (count - 1) * k->stride_w + 3;
    const int32_t most = k->dilation_h == 1 ? (WINDOW / columns - 3) / k->stride_h + 1 : 1; // rows of the output
    run->pixel_step = 4;
    run->row_step = run->second_step = 4 * columns;
    run->x_row = k->stride_h * run->row_step;
    // A column is a run, too.
    const int down = count == 1;
    run->step = down ? run->x_row : 4 * k->stride_w;
    run->y_step = down ? out->rs : out->ps;
    for (int32_t n; y < end; y += n) {
        n = nn_min(most, end - y);
        look(k, y * k->stride_h - k->pad_top, q * k->stride_w - k->pad_left, (n - 1) * k->stride_h + 3, columns, v);
        gather(k, o, v, window);
        for (int32_t i = 0, m; i < n; i += m) {
            m = nn_min(n - i, out->rows - nn_row(out, y + i)); // up to the end of a ring
            run->x = (const int8_t *)window + i * run->x_row;
            finish(k, run, away, o, y + i, q, down ? m : count, down ? 1 : m);
        }
    }
}

// All pixels of four channels: as many as a window holds, or, inside of x, without one.
static void by_rows(const work *k, nn_four_run *run, int32_t away, int32_t o, view *v, uint32_t *window) {
    const nn_state *call = k->call;
    const nn_operand *out = &call->out;
    const int32_t w = out->w, reach = 2 * k->dilation_h;
    const int32_t strip = k->dilation_w == 1 ? (WINDOW / 3 - 3) / k->stride_w + 1 : 1;
    int32_t first, end;
    nn_inside(w, k->stride_w, k->pad_left, 3, k->dilation_w, k->x.w, &first, &end);
    if (first >= end) {
        first = end = w;
    }
    for (int32_t q = 0; q < w; q++) {
        q = q == first ? end : q;
        if (q < w) {
            by_windows(k, run, away, o, call->y0, call->y1, q, 1, v, window);
        }
    }
    for (int32_t y = call->y0, n; y < call->y1 && first < end; y += n) {
        const int32_t top = y * k->stride_h - k->pad_top;
        n = 1;
        const int around = nn_row(&k->x, nn_max(top, 0)) + reach >= k->x.rows; // the end of a ring
        if (top < 0 || top + reach >= k->x.h || (around && !NN_SECOND_STEP)) {
            for (int32_t q = first; q < end; q += strip) {
                by_windows(k, run, away, o, y, y + 1, q, nn_min(strip, end - q), v, window);
            }
            continue;
        }
        const int32_t last = nn_row(&k->x, top) + reach, to = nn_row(out, y); // rows that follow one another
        while (y + n < call->y1 && top + n * k->stride_h + reach < k->x.h && last + n * k->stride_h < k->x.rows
            && to + n < out->rows) {
            n++;
        }
        const int8_t *x = (const int8_t *)nn_at(&k->x, o, top), *second = (const int8_t *)nn_at(&k->x, o, top + k->dilation_h);
        run->x = x + (ptrdiff_t)(first * k->stride_w - k->pad_left) * k->x.ps;
        run->pixel_step = k->dilation_w * k->x.ps;
        run->row_step = (int32_t)(second - x);
        run->second_step = (int32_t)((const int8_t *)nn_at(&k->x, o, top + reach) - second);
        run->step = k->stride_w * k->x.ps;
        run->x_row = n > 1 ? k->stride_h * k->x.rs : 0;
        run->y_step = out->ps;
        finish(k, run, away, o, y, first, end - first, n);
    }
}

NN_NOINLINE void nine_taps(const work *k, int32_t o, int32_t away, const nn_four_filters *filters, view *v) {
    uint32_t window[WINDOW];
    nn_four_run run;
    run.filters = filters;
    const int32_t columns = (k->call->out.w - 1) * k->stride_w + 3;
    // Of a few rows windows for all cost less than runs and windows for the borders.
    const int32_t widest = k->call->y1 - k->call->y0 <= 4 ? WINDOW / 3 : WINDOW / 7;
    if (columns <= widest && k->dilation_h == 1 && k->dilation_w == 1) {
        by_windows(k, &run, away, o, k->call->y0, k->call->y1, 0, k->call->out.w, v, window);
    } else {
        by_rows(k, &run, away, o, v, window);
    }
}

int nn_depthwise_int8(const nn_state *call) {
    work k;
    nn_four_filters filters;
    view seen;
    NN_TRY(prepare(call, &k));
    int32_t o = 0;
    seen.rows = 0;
    if (k.kernel_h == 3 && k.kernel_w == 3 && k.multiplier == 1 && k.x.cs == 1 && call->out.cs == 1) {
        for (; o + 4 <= call->out.c; o += 4) {
            const int alike = o + 4 <= k.half_up || o >= k.half_up;
            if (alike && nn_four_of(&k.channels, o, k.weights + o, call->out.c, k.zero, &filters)) {
                nine_taps(&k, o, o < k.half_up ? 0 : -1, &filters, &seen);
            } else {
                any(&k, o, o + 4);
            }
        }
    }
    if (o < call->out.c) {
        any(&k, o, call->out.c);
    }
    return NN_OK;
}
