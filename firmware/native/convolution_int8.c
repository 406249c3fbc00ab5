// Convolution in int8; see nnmicro/reference/convolution_int8.py.
//
// Four pixels at a time: what the filters see of them is widened once into a patch (patch_int8.h), taps outside of x as
// zeros, and used for all filters of a group, or as many of them as have room for their sums.

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
    int quick; // whether all channels are
    int fused; // whether nn_patch_results can finish those that are
    int alone; // whether it can finish all of them without sums in memory
} work;

// One pixel of the output.
typedef struct {
    nn_span rows, columns;
    const int8_t *x; // all that a filter sees, in one run; or null
    int inside; // whether the whole window is inside of x
    int8_t *to;
} spot;

// `count` elements of a patch that x holds, or zero points where it is null.
NN_INLINE void copy(const work *k, const int8_t *x, int32_t count, int8_t *to) {
    int32_t i = 0;
    if (!x) {
        for (; i < count; i++) {
            to[i] = (int8_t)k->zero;
        }
    } else if (k->x.cs == 1) {
        for (; NN_UNALIGNED && i + 4 <= count; i += 4) {
            __builtin_memcpy(to + i, x + i, 4);
        }
        for (; i < count; i++) {
            to[i] = x[i];
        }
    } else {
        for (; i < count; i++) {
            to[i] = x[(ptrdiff_t)i * k->x.cs];
        }
    }
}

// Put weights' elements [at, at + n) of a pixel into the patch; `x` is the first channel of the group.
NN_NOINLINE void fill(const work *k, const spot *s, const uint8_t *x, int32_t at, int32_t n, int32_t pixel, uint32_t *patch) {
    int8_t bytes[NN_PATCH];
    int32_t tap = 0, column = 0, channel = 0, done = 0;
    if (s->inside && n == k->filter) {
        const int32_t run = k->kernel_w * k->inputs;
        const int8_t *from = (const int8_t *)x + (ptrdiff_t)s->columns.start * k->x.ps;
        for (; done < n; done += run, tap += k->dilation_h) {
            const int8_t *row = from + (ptrdiff_t)nn_row(&k->x, s->rows.start + tap) * k->x.rs;
            if (k->by_fours) {
                nn_patch_fill(patch, pixel, done, row, run, k->zero);
            } else {
                copy(k, row, run, bytes + done);
            }
        }
    } else if (at) {
        column = at / k->inputs;
        channel = at % k->inputs;
        tap = column / k->kernel_w;
        column %= k->kernel_w;
    }
    for (; done < n; channel = 0) {
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

// A channel of all pixels that is not of the ordinary kind.
NN_NOINLINE void unusual(const work *k, const spot *s, int32_t o, const uint32_t *sums) {
    for (int32_t i = 0; i < NN_PIXELS; i++) {
        s[i].to[(ptrdiff_t)o * k->call->out.cs] = nn_channel_result(&k->channels, o, sums[i]);
    }
}

// All pixels' channels [o, o + n). What is of one pixel only goes to the same place several times.
NN_NOINLINE void results(const work *k, const spot *s, int32_t o, int32_t n, const uint32_t *sums) {
    const nn_channels *c = &k->channels;
    const ptrdiff_t step = k->call->out.cs;
    for (int32_t end = o + n; o < end; o++, sums += NN_PIXELS) {
        const uint32_t bias = (uint32_t)c->bias[o];
        nn_quick quick;
        if (!nn_quick_of(c->multiplier[o], c->shift[o], c->zero, &quick)) {
            unusual(k, s, o, sums);
            continue;
        }
        const int32_t v[NN_PIXELS] = {(int32_t)(sums[0] + bias), (int32_t)(sums[1] + bias), (int32_t)(sums[2] + bias),
            (int32_t)(sums[3] + bias)};
        if (!k->quick && !(nn_are_quick(v[0], v[1]) && nn_are_quick(v[2], v[3]))) {
            unusual(k, s, o, sums);
            continue;
        }
        for (int32_t i = 0; i < NN_PIXELS; i++) {
            s[i].to[o * step] = (int8_t)nn_min(nn_max(nn_quick_result(&quick, v[i], 0), c->least), c->most);
        }
    }
}

// What nn_patch_results has written, kept within the bounds.
static void clamp(const work *k, const spot *s, int32_t o, int32_t n) {
    const int32_t least = k->channels.least, most = k->channels.most;
    if (least == -128 && most == 127) {
        return;
    }
    for (int32_t i = 0; i < NN_PIXELS; i++) {
        int8_t *y = s[i].to + o;
        for (int32_t j = 0; j < n; j++) {
            y[j] = (int8_t)nn_min(nn_max(y[j], least), most);
        }
    }
}

// How many channels from o on, at most n, are quick like it, or are not.
static int32_t alike(const nn_channels *c, int32_t o, int32_t n, int *quick) {
    int32_t count = 1;
    *quick = nn_is_quick(c->bias[o], c->shift[o]);
    while (count < n && nn_is_quick(c->bias[o + count], c->shift[o + count]) == *quick) {
        count++;
    }
    return count;
}

// All output channels of the pixels. `scratch` holds the patch, then the sums.
NN_NOINLINE void four_pixels(const work *k, const spot *s, int32_t group_outputs) {
    static const uint32_t nothing[NN_PIXELS] = {0, 0, 0, 0};
    uint32_t scratch[NN_SCRATCH_WORDS];
    uint32_t *const sums = scratch + NN_PIECE * NN_ELEMENT_WORDS;
    const uint8_t *x = k->x.data;
    nn_products p;
    p.odd = 2 * k->channels.zero + 1;
    for (int32_t o = 0, first = 0, n; o < k->call->out.c; o += n) {
        if (o == first + group_outputs) {
            first = o;
            x += (ptrdiff_t)k->inputs * k->x.cs;
        }
        n = first + group_outputs - o;
        int fused = k->fused;
        if (!k->alone) {
            n = nn_min(n, NN_FILTERS);
            if (fused && !k->quick) {
                n = alike(&k->channels, o, n, &fused);
            }
            for (int32_t i = 0; i < NN_PIXELS * n; i++) {
                sums[i] = 0;
            }
        }
        for (int32_t at = 0, length; at < k->filter; at += length) {
            length = nn_min(k->piece, k->filter - at);
            if (length < k->filter || o == first) {
                for (int32_t i = 0; i < NN_PIXELS; i++) {
                    if (s[i].x) {
                        nn_patch_fill(scratch, i, 0, s[i].x + (x - k->x.data) + at, length, k->zero);
                    } else {
                        fill(k, s + i, x, at, length, i, scratch);
                    }
                }
            }
            nn_patch_piece(&p, scratch, length, k->filter);
            p.w = k->weights + (ptrdiff_t)o * k->filter + at;
            p.sums = k->alone ? (uint32_t *)(uintptr_t)nothing : sums; // read only, if it is
            p.sums_step = k->alone ? 0 : (int32_t)sizeof nothing;
            p.sums_end = sums + NN_PIXELS * n;
            if (fused && at + length == k->filter) {
                p.bias = k->channels.bias + o;
                p.multiplier = k->channels.multiplier + o;
                p.shift = k->channels.shift + o;
                for (int32_t i = 0; i < NN_PIXELS; i++) {
                    p.y[i] = s[i].to + o;
                }
                p.y_end = p.y[0] + n;
                nn_patch_results(&p);
                clamp(k, s, o, n);
                break;
            }
            nn_patch_sums(&p);
        }
        if (!fused) {
            results(k, s, o, n, sums);
        }
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
    k->piece = nn_min(((k->filter + pieces - 1) / pieces + NN_BLOCK - 1) & -NN_BLOCK, NN_PIECE);
    k->merged = k->x.cs == 1 && k->x.ps == k->inputs && (k->dilation_w == 1 || k->kernel_w == 1);
    k->by_fours = k->x.cs == 1 && k->inputs % 4 == 0;
    k->pointwise = k->by_fours && k->kernel_h == 1 && k->kernel_w == 1;
    NN_TRY(nn_channels_of(call, call->out.c, p + CONVOLUTION_INT8_OUTPUT_ZERO, &k->channels));
    k->quick = k->channels.quick && k->filter <= NN_QUICK_PRODUCTS;
    k->fused = k->filter >= 4 && k->filter <= NN_QUICK_PRODUCTS && call->out.cs == 1;
    k->alone = k->fused && k->quick && k->filter <= NN_ALONE;
    k->piece = k->alone ? k->filter : k->piece;
    return NN_OK;
}

int nn_convolution_int8(const nn_state *call) {
    work k;
    spot spots[NN_PIXELS];
    int32_t found = 0;
    NN_TRY(prepare(call, &k));
    const int32_t group_outputs = call->out.c / (k.x.c / k.inputs), w = call->out.w;
    for (int32_t y = call->y0; y < call->y1; y++) {
        const nn_span rows = nn_taps(y, k.stride_h, k.pad_top, k.kernel_h, k.dilation_h, k.x.h);
        const int high = k.merged && rows.end - rows.first == k.kernel_h;
        const int inside = k.pointwise && rows.first < rows.end;
        const int8_t *row = inside ? (const int8_t *)nn_at(&k.x, 0, rows.start) : NULL;
        int8_t *to = (int8_t *)nn_at(&call->out, 0, y);
        for (int32_t q = 0; q < w; q++) {
            spot *s = spots + found++;
            const int32_t column = q * k.stride_w - k.pad_left;
            s->to = to + (ptrdiff_t)q * call->out.ps;
            s->x = inside && column >= 0 && column < k.x.w ? row + (ptrdiff_t)column * k.x.ps : NULL;
            if (!s->x) {
                s->rows = rows;
                s->columns = nn_taps(q, k.stride_w, k.pad_left, k.kernel_w, k.dilation_w, k.x.w);
                s->inside = high && s->columns.end - s->columns.first == k.kernel_w;
            }
            if (y + 1 == call->y1 && q + 1 == w) {
                for (; found < NN_PIXELS; found++) {
                    spots[found] = *s; // the last one several times
                }
            }
            if (found == NN_PIXELS) {
                four_pixels(&k, spots, group_outputs);
                found = 0;
            }
        }
    }
    return NN_OK;
}
