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
    int32_t outputs; // channels that see the same ones
    int32_t filter; // weights of an output channel
    int32_t piece; // of a filter that is worked on at a time
    int32_t zero; // of x
    uint32_t minus; // what takes it away: nn_patch_minus
    int32_t run; // weights of a kernel row
    ptrdiff_t row_step; // from one's elements to the next one's
    ptrdiff_t ring; // from the first row that is held to behind the last
    int merged; // whether the taps of a kernel row lie in one run
    int pointwise; // whether all that a filter sees lies in one run
    int direct; // whether runs of whole pixels can be widened where they belong
    int straight; // whether whole runs can
    int quick; // whether all channels are
    int fused; // whether nn_patch_results can finish those that are
    int clamped; // whether not all that fits a byte is a result
    int alone; // whether it can finish all of them without sums in memory
} work;

// One pixel of the output.
typedef struct {
    const int8_t *x; // the first run, if the whole window is inside of x; or null
    int32_t turn; // runs before the one where the rows that are held begin again
    int8_t *to;
    int32_t row, column; // of the output
} spot;

#if NN_DSP

// Elements [at, at + n) of a pixel's piece are those of x: they go into the patch or, where groups of four lie across runs,
// into bytes, which are widened when they are complete.
NN_INLINE void put(const work *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
    if (k->direct) {
        nn_patch_fill(patch, at, x, n, k->minus);
    } else if (k->x.cs == 1) {
        nn_copy_bytes(bytes + at, x, n);
    } else {
        for (int32_t i = 0; i < n; i++) {
            bytes[at + i] = x[(ptrdiff_t)i * k->x.cs];
        }
    }
}

static void clear(const work *k, int32_t n, uint32_t *patch, int8_t *bytes) {
    if (k->direct) {
        for (uint32_t *const end = patch + NN_ELEMENT_WORDS * n; patch != end; patch += 2 * NN_PIXELS) {
            patch[0] = patch[1] = 0;
        }
        return;
    }
    const uint32_t zeros = (uint32_t)(uint8_t)k->zero * 0x01010101u;
    for (int32_t i = 0; i < n; i += 4) {
        __builtin_memcpy(bytes + i, &zeros, 4);
    }
}

#else

NN_INLINE void put(const work *k, const int8_t *x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
    (void)bytes;
    if (k->x.cs == 1) {
        nn_patch_fill(patch, at, x, n, k->minus);
        return;
    }
    for (int32_t i = 0; i < n; i++) {
        patch[NN_PIXELS * (at + i)] = (uint32_t)x[(ptrdiff_t)i * k->x.cs] + k->minus;
    }
}

static void clear(const work *k, int32_t n, uint32_t *patch, int8_t *bytes) {
    (void)k;
    (void)bytes;
    for (uint32_t *const end = patch + NN_ELEMENT_WORDS * n; patch != end; patch += NN_PIXELS) {
        *patch = 0;
    }
}

#endif

// Elements [at, at + n) of a window that is not inside of x; `x` is from the first channel to the group's.
NN_NOINLINE void put_some(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch, int8_t *bytes) {
    const nn_span rows = nn_taps(s->row, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
    const nn_span columns = nn_taps(s->column, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w);
    const int32_t taps = columns.end - columns.first;
    const int32_t parts = k->merged ? 1 : taps, length = k->merged ? taps * k->inputs : k->inputs;
    clear(k, n, patch, bytes);
    for (int32_t tap = rows.first; tap < rows.end; tap++) {
        const int32_t row = nn_row(&k->x, rows.start + (tap - rows.first) * k->dilation_h);
        const int8_t *from = (const int8_t *)k->x.data + x + (ptrdiff_t)row * k->x.rs + (ptrdiff_t)columns.start * k->x.ps;
        int32_t begin = tap * k->run + columns.first * k->inputs - at;
        for (int32_t part = 0; part < parts; part++, begin += k->inputs) {
            const int32_t first = nn_max(begin, 0), end = nn_min(begin + length, n);
            if (first < end) {
                const ptrdiff_t place = (ptrdiff_t)part * k->dilation_w * k->x.ps + (ptrdiff_t)(first - begin) * k->x.cs;
                put(k, from + place, first, end - first, patch, bytes);
            }
        }
    }
}

// Put weights' elements [at, at + n) of a pixel into its part of the patch.
NN_NOINLINE void fill(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
#if NN_DSP
    int8_t room[4 + NN_PATCH], *const bytes = room + 4;
#else
    int8_t *const bytes = NULL;
#endif
    if (!s->x) {
        put_some(k, s, x, at, n, patch, bytes);
        if (k->direct) {
            return;
        }
    } else {
        const int32_t run = k->run;
        const int8_t *from = s->x + x;
        int32_t skipped = 0, done = 0, tap = 0;
        if (at) { // only where all is straight
            skipped = at % run;
            tap = at / run;
            from += tap * k->row_step - (tap >= s->turn ? k->ring : 0);
        }
        for (; done < n; from += k->row_step - (++tap == s->turn ? k->ring : 0)) {
#if NN_DSP
            if (!k->straight) {
                nn_copy_bytes(bytes + done, from, run);
                done += run;
                continue;
            }
#endif
            const int32_t length = nn_min(run - skipped, n - done);
            nn_patch_fill(patch, done, from + skipped, length, k->minus);
            done += length;
            skipped = 0;
        }
        if (k->straight) {
            return;
        }
    }
#if NN_DSP
    nn_patch_end(bytes, n, k->zero);
    nn_patch_fill(patch, 0, bytes, (n + 3) & ~3, k->minus);
#endif
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
NN_NOINLINE void clamp(const work *k, const spot *s, int32_t o, int32_t n) {
    const int32_t least = k->channels.least, most = k->channels.most;
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

// What the filters from channel `x` on see of the pixels, elements [at, at + n).
static void fill_all(const work *k, const spot *s, ptrdiff_t x, int32_t at, int32_t n, uint32_t *patch) {
    for (const spot *const end = s + NN_PIXELS; s != end; s++, patch += NN_PIXEL_WORDS) {
        if (s->x && k->pointwise) {
            nn_patch_fill(patch, 0, s->x + x + at, n, k->minus);
        } else {
            fill(k, s, x, at, n, patch);
        }
    }
}

// The results of channels [o, o + n): the last piece's products with their filters are still to be added.
static void finish(const work *k, nn_products *p, const spot *s, int32_t o, int32_t n) {
    p->bias = k->channels.bias + o;
    p->multiplier = k->channels.multiplier + o;
    p->shift = k->channels.shift + o;
    for (int32_t i = 0; i < NN_PIXELS; i++) {
        p->y[i] = s[i].to + o;
    }
    p->y_end = p->y[0] + n;
    nn_patch_results(p);
    if (k->clamped) {
        clamp(k, s, o, n);
    }
}

// All output channels of the pixels, where no sums have to lie in memory.
NN_NOINLINE void at_once(const work *k, nn_products *p, const spot *s, uint32_t *patch) {
    static const uint32_t nothing[NN_PIXELS] = {0, 0, 0, 0};
    ptrdiff_t x = 0;
    p->sums = (uint32_t *)(uintptr_t)nothing; // read only
    for (int32_t o = 0; o < k->call->out.c; o += k->outputs, x += (ptrdiff_t)k->inputs * k->x.cs) {
        fill_all(k, s, x, 0, k->filter, patch);
        p->w = k->weights + (ptrdiff_t)o * k->filter;
        finish(k, p, s, o, k->outputs);
    }
}

// All output channels of the pixels, piece by piece: the sums of some channels lie behind the patch.
NN_NOINLINE void by_pieces(const work *k, nn_products *p, const spot *s, uint32_t *patch) {
    uint32_t *const sums = patch + NN_PIECE * NN_ELEMENT_WORDS;
    ptrdiff_t x = 0;
    for (int32_t o = 0, first = 0, n; o < k->call->out.c; o += n) {
        if (o == first + k->outputs) {
            first = o;
            x += (ptrdiff_t)k->inputs * k->x.cs;
        }
        int fused = k->fused;
        n = nn_min(first + k->outputs - o, NN_FILTERS);
        if (fused && !k->quick) {
            n = alike(&k->channels, o, n, &fused);
        }
        for (int32_t i = 0; i < NN_PIXELS * n; i++) {
            sums[i] = 0;
        }
        for (int32_t at = 0, length; at < k->filter; at += length) {
            length = nn_min(k->piece, k->filter - at);
            if (length < k->filter || o == first) {
                fill_all(k, s, x, at, length, patch);
            }
            nn_patch_piece(p, patch, length, k->filter);
            p->w = k->weights + (ptrdiff_t)o * k->filter + at;
            p->sums = sums;
            p->sums_end = sums + NN_PIXELS * n;
            if (!fused || at + length < k->filter) {
                nn_patch_sums(p);
            } else {
                finish(k, p, s, o, n);
            }
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
    k->minus = nn_patch_minus(k->zero);
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
    k->outputs = call->out.c / group;
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
    k->run = k->kernel_w * k->inputs;
    k->row_step = (ptrdiff_t)k->dilation_h * k->x.rs;
    k->ring = (ptrdiff_t)k->x.rows * k->x.rs;
    k->merged = k->x.cs == 1 && ((k->x.ps == k->inputs && k->dilation_w == 1) || k->kernel_w == 1);
    k->direct = (k->x.cs == 1 && k->inputs % 4 == 0) || !NN_DSP;
    k->straight = k->run % 4 == 0 || !NN_DSP;
    k->pointwise = k->straight && k->kernel_h == 1;
    NN_TRY(nn_channels_of(call, call->out.c, p + CONVOLUTION_INT8_OUTPUT_ZERO, &k->channels));
    k->clamped = k->channels.least != -128 || k->channels.most != 127;
    k->quick = k->channels.quick && k->filter <= NN_QUICK_PRODUCTS;
    k->fused = k->filter >= 4 && k->filter <= NN_QUICK_PRODUCTS && call->out.cs == 1;
    k->alone = k->fused && k->quick && k->filter <= NN_ALONE;
    k->piece = k->alone ? k->filter : k->piece;
    return NN_OK;
}

// All pixels, four at a time.
NN_NOINLINE void all(const work *k, nn_products *p) {
    spot spots[NN_PIXELS], *s = spots;
    uint32_t scratch[NN_SCRATCH_WORDS]; // the patch, then sums
    const nn_operand *out = &k->call->out;
    const int32_t x_step = k->stride_w * k->x.ps, y_step = out->ps, w = out->w, last = k->call->y1 - 1;
    int32_t first = 0, end = 0; // columns whose windows are inside of x
    p->odd = 2 * k->channels.zero + 1;
    p->sums_step = k->alone ? 0 : NN_PIXELS * (int32_t)sizeof *p->sums;
    nn_patch_piece(p, scratch, k->piece, k->filter);
    if (k->merged && (k->straight || k->piece >= k->filter)) {
        nn_inside(w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w, &first, &end);
    }
    for (int32_t y = k->call->y0; y <= last; y++) {
        const nn_span rows = nn_taps(y, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
        const int32_t top = nn_row(&k->x, rows.start), reach = (k->kernel_h - 1) * k->dilation_h;
        const int high = rows.end - rows.first == k->kernel_h && reach < k->x.rows; // rows of taps that all are there
        const int32_t ahead = k->x.rows - top;
        const int32_t turn = reach < ahead ? k->kernel_h : (ahead + k->dilation_h - 1) / k->dilation_h;
        const int32_t from = high ? first : w, to = high ? end : w;
        ptrdiff_t x = (ptrdiff_t)top * k->x.rs + (ptrdiff_t)(first * k->stride_w - k->pad_left) * k->x.ps;
        int8_t *place = (int8_t *)nn_at(out, 0, y);
        for (int32_t q = 0; q < w;) {
            s->row = y;
            s->column = q;
            s->x = NULL;
            s->turn = turn;
            s->to = place;
            if (q >= from && q < to) {
                s->x = (const int8_t *)k->x.data + x;
                x += x_step;
            }
            if (++q < w) {
                place += y_step;
            } else if (y == last) {
                for (; s != spots + NN_PIXELS - 1; s++) {
                    s[1] = *s; // the last one several times
                }
            }
            if (++s == spots + NN_PIXELS) {
                s = spots;
                (k->alone ? at_once : by_pieces)(k, p, s, scratch);
            }
        }
    }
}

int nn_convolution_int8(const nn_state *call) {
    work k;
    nn_products p;
    NN_TRY(prepare(call, &k));
    all(&k, &p);
    return NN_OK;
}
