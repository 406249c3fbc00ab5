// Fully connected layer in int8; see nnmicro/reference/inner_product_int8.py.

#include "dense_int8.h"
#include "dot_int8.h"
#if NN_LANES
#include "nonzero_int8.h"
#endif

typedef struct {
    nn_operand x;
    const int8_t *weights;
    ptrdiff_t length; // of an output's weights
    nn_channels channels;
    int32_t zero, weight_zero;
} work;

// A part of x as runs of `width` elements: `outer` times `inner` of them.
typedef struct {
    const uint8_t *data;
    int32_t outer, inner, width;
    int32_t outer_step, inner_step, step;
    ptrdiff_t skip; // weights between the outer parts that are of no element here
} runs;

// The products of a part of x with the weights from `w` on, and with those `next` further on.
static nn_sums sums_of(const work *k, const runs *r, const int8_t *w, ptrdiff_t next) {
    nn_sums sums = {0, 0};
    for (int32_t i = 0; i < r->outer; i++) {
        for (int32_t j = 0; j < r->inner; j++) {
            const int8_t *x = (const int8_t *)r->data + (ptrdiff_t)i * r->outer_step + (ptrdiff_t)j * r->inner_step;
            if (k->weight_zero == 0) {
                sums = r->step == 1 ? nn_dot(sums, x, 1, w, w + next, r->width, k->zero)
                                    : nn_dot(sums, x, r->step, w, w + next, r->width, k->zero);
            } else {
                for (int32_t n = 0; n < r->width; n++) {
                    const int32_t item = x[(ptrdiff_t)n * r->step] - k->zero;
                    sums.a = nn_mac(sums.a, item, w[n] - k->weight_zero);
                    sums.b = nn_mac(sums.b, item, w[next + n] - k->weight_zero);
                }
            }
            w += r->width;
        }
        w += r->skip;
    }
    return sums;
}

enum { TOGETHER = NN_DSP ? 24 : 64 }; // outputs whose sums are kept while the next piece of a long run is widened

// A piece of x that meets the weights of all outputs.
typedef struct {
    nn_dense four;
    const int8_t *x; // the elements that are not widened
    int32_t at, rest; // where their weights are; how many of them
} piece;

static void widen(const work *k, const int8_t *x, int32_t at, int32_t n, uint32_t *widened, piece *p) {
    const int32_t fours = n & ~3;
    nn_dense_widen(x + at, fours, k->zero, widened);
    p->four.x = widened;
    p->four.x_end = widened + fours * NN_WIDENED_WORDS / NN_WIDENED;
#if NN_DENSE_RESULTS
    p->four.left_out = NN_DENSE_CODE * (-(fours / 4) & (NN_DENSE_GROUPS - 1));
#else
    p->four.x_blocks = widened + (n & ~15) * NN_WIDENED_WORDS / NN_WIDENED;
#endif
    p->four.step = (int32_t)k->length;
    p->x = x + at + fours;
    p->at = fours;
    p->rest = n - fours;
}

// Add the piece's products with four outputs to p->four.sums.
NN_INLINE void add_four(const work *k, piece *p, const int8_t *w) {
    uint32_t *const sums = p->four.sums;
    p->four.w = w;
    if (p->at) {
        nn_dense_add(&p->four);
    }
    for (int32_t e = 0; e < p->rest; e++) {
        for (int32_t i = 0; i < NN_OUTPUTS; i++) {
            sums[i] = nn_mac(sums[i], p->x[e] - k->zero, w[i * k->length + p->at + e]);
        }
    }
}

NN_INLINE void load_four(piece *p, const uint32_t *sums) {
    p->four.sums[0] = sums[0];
    p->four.sums[1] = sums[1];
    p->four.sums[2] = sums[2];
    p->four.sums[3] = sums[3];
}

// Add the piece's products to the sums of `count` outputs whose weights begin at w, four at a time.
NN_NOINLINE void add_piece(const work *k, piece *p, const int8_t *w, int32_t count, uint32_t *sums) {
    for (int32_t o = 0; o < count; o += NN_OUTPUTS) {
        const int32_t first = nn_min(o, count - NN_OUTPUTS); // where there are no four left, some once more
        load_four(p, sums + first);
        add_four(k, p, w + first * k->length);
        for (int32_t i = o - first; i < NN_OUTPUTS; i++) {
            sums[first + i] = p->four.sums[i];
        }
    }
}

// The results of outputs [o, o + count), all of the ordinary kind, from their sums without the piece's products.
NN_NOINLINE void quick_results(const work *k, piece *p, const int8_t *w, int32_t o, int32_t count, const uint32_t *sums,
    int8_t *y, int32_t step) {
    const nn_channels *c = &k->channels;
    const int32_t odd = 2 * c->zero + 1;
    int32_t done = 0;
#if NN_DENSE_RESULTS
    if (step == 1 && p->at && !p->rest) {
        nn_dense *const d = &p->four;
        done = count & -NN_OUTPUTS;
        d->w = w;
        d->start = sums;
        d->multiplier = c->multiplier + o;
        d->shift = c->shift + o;
        d->odd = odd;
        d->y = y;
        d->y_end = y + done;
        nn_dense_results(d);
    }
#endif
    for (; done < count; done += NN_OUTPUTS) {
        const int32_t first = nn_min(done, count - NN_OUTPUTS);
        int8_t *to = y + (ptrdiff_t)first * step;
        load_four(p, sums + first);
        add_four(k, p, w + first * k->length);
        const int32_t *m = c->multiplier + o + first, *shift = c->shift + o + first;
#if NN_DENSE_RESULTS
        for (int32_t i = 0; i < NN_OUTPUTS; i++, to += step) {
            to[0] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)p->four.sums[i], m[i], shift[i], odd));
        }
#else
        to[0] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)p->four.sums[0], m[0], shift[0], odd));
        to += step;
        to[0] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)p->four.sums[1], m[1], shift[1], odd));
        to += step;
        to[0] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)p->four.sums[2], m[2], shift[2], odd));
        to += step;
        to[0] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)p->four.sums[3], m[3], shift[3], odd));
#endif
    }
    for (int32_t i = 0; i < count && (c->least != -128 || c->most != 127); i++) {
        y[(ptrdiff_t)i * step] = (int8_t)nn_min(nn_max(y[(ptrdiff_t)i * step], c->least), c->most);
    }
}

// All outputs of one run of `n` elements.
NN_NOINLINE void by_fours(const work *k, const nn_operand *out, const int8_t *x, int32_t n, uint8_t *y) {
    uint32_t widened[NN_WIDENED_WORDS], sums[TOGETHER + NN_OUTPUTS];
    const uint32_t *const bias = (const uint32_t *)k->channels.bias;
    const int quick = k->channels.quick && n <= NN_QUICK_PRODUCTS;
    piece p;
    widen(k, x, 0, nn_min(n, NN_WIDENED), widened, &p);
    if (quick && n <= NN_WIDENED) {
        quick_results(k, &p, k->weights, 0, out->w, bias, (int8_t *)y, out->ps);
        return;
    }
    for (int32_t o = 0, count; o < out->w; o += count) {
        count = nn_min(out->w - o, TOGETHER);
        if (out->w - o - count < NN_OUTPUTS) {
            count = out->w - o; // fewer than four must not be left
        }
        const int8_t *w = k->weights + o * k->length;
        int8_t *to = (int8_t *)y + (ptrdiff_t)o * out->ps;
        for (int32_t i = 0; i < count; i++) {
            sums[i] = quick ? bias[o + i] : 0;
        }
        for (int32_t at = 0, some; at < n; at += some) {
            some = nn_min(n - at, NN_WIDENED);
            if (n > NN_WIDENED) {
                widen(k, x, at, some, widened, &p);
            }
            if (quick && at + some == n) {
                quick_results(k, &p, w + at, o, count, sums, to, out->ps);
            } else {
                add_piece(k, &p, w + at, count, sums);
            }
        }
        for (int32_t i = 0; i < count && !quick; i++) {
            to[(ptrdiff_t)i * out->ps] = nn_channel_result(&k->channels, o + i, sums[i]);
        }
    }
}

#if NN_LANES

// All outputs of one run of `n` elements, if enough of these are at their zero point; else false, and nothing done.
NN_NOINLINE int by_nonzero(const work *k, const nn_operand *out, const int8_t *x, int32_t n, uint8_t *y) {
    nn_nonzero list[NN_WIDENED_WORDS];
    const nn_channels *c = &k->channels;
    if (!c->quick || n > NN_QUICK_PRODUCTS || out->w < NN_NONZERO_OUTPUTS) {
        return 0;
    }
    const int32_t found = nn_find_nonzero(x, n, k->zero, list, NN_WIDENED_WORDS);
    if (found < 0) {
        return 0;
    }
    for (int32_t o = 0; o < out->w; o += NN_NONZERO_OUTPUTS) {
        const int32_t first = nn_min(o, out->w - NN_NONZERO_OUTPUTS); // where fewer are left, some once more
        uint32_t sums[NN_NONZERO_OUTPUTS];
        for (int32_t i = 0; i < NN_NONZERO_OUTPUTS; i++) {
            sums[i] = (uint32_t)c->bias[first + i];
        }
        add_nonzero(list, list + found, k->weights + first * k->length, k->length, sums);
        for (int32_t i = 0; i < NN_NONZERO_OUTPUTS; i++) {
            const int32_t at = first + i, odd = 2 * c->zero + 1;
            const int32_t result = nn_to_int8(nn_quick_scaled((int32_t)sums[i], c->multiplier[at], c->shift[at], odd));
            *(int8_t *)(y + (ptrdiff_t)at * out->ps) = (int8_t)nn_min(nn_max(result, c->least), c->most);
        }
    }
    return 1;
}

#endif

// Two outputs at a time share the loads of x.
static void outputs(const work *k, const nn_operand *out, const runs *r, uint8_t *y) {
    if (r->outer == 1 && r->inner == 1 && r->step == 1 && !k->weight_zero && out->w >= NN_OUTPUTS) {
#if NN_LANES
        if (by_nonzero(k, out, (const int8_t *)r->data, r->width, y)) {
            return;
        }
#endif
        by_fours(k, out, (const int8_t *)r->data, r->width, y);
        return;
    }
    for (int32_t o = 0; o < out->w; o += 2) {
        const int pair = o + 1 < out->w;
        const nn_sums sums = sums_of(k, r, k->weights + o * k->length, pair ? k->length : 0);
        *(int8_t *)(y + (ptrdiff_t)o * out->ps) = nn_channel_result(&k->channels, o, sums.a);
        if (pair) {
            *(int8_t *)(y + (ptrdiff_t)(o + 1) * out->ps) = nn_channel_result(&k->channels, o + 1, sums.b);
        }
    }
}

// All of x in the order of its memory: rows, pixels, channels where its source counts channels fastest, else channels, rows, pixels.
static void all_of(const nn_operand *x, runs *r) {
    r->data = x->data;
    r->skip = 0;
    if (nn_interleaved(x)) {
        r->outer = x->h;
        r->outer_step = x->rs;
        r->inner = x->w;
        r->inner_step = x->ps;
        r->width = x->c;
        r->step = x->cs;
    } else {
        r->outer = x->c;
        r->outer_step = x->cs;
        r->inner = x->h;
        r->inner_step = x->rs;
        r->width = x->w;
        r->step = x->ps;
    }
}

// Row `y` of what all_of has found, and how far into an output's weights it begins.
static ptrdiff_t row_of(const nn_operand *x, int32_t y, runs *r) {
    r->data = nn_at(x, 0, y);
    if (nn_interleaved(x)) {
        r->outer = 1;
        return (ptrdiff_t)y * x->w * x->c;
    }
    r->inner = 1;
    r->skip = (ptrdiff_t)(x->h - 1) * x->w;
    return (ptrdiff_t)y * x->w;
}

// Without gaps it is one run.
static void join(runs *r) {
    if (r->step != 1 || (r->inner > 1 && r->inner_step != r->width)) {
        return;
    }
    r->width *= r->inner;
    r->inner = 1;
    if (r->outer == 1 || (r->outer_step == r->width && !r->skip)) {
        r->width *= r->outer;
        r->outer = 1;
    }
}

// Add rows [y0, y1) of x to the sums; the last of them give the outputs.
static void reduce(const nn_state *call, const work *k, const nn_reduction *r) {
    const nn_operand *out = &call->out;
    uint32_t *sums = r->words;
    for (int32_t y = call->y0; y < call->y1; y++) {
        runs row;
        all_of(&k->x, &row);
        const int8_t *w = k->weights + row_of(&k->x, y, &row);
        join(&row);
        for (int32_t o = 0; o < out->w; o++) {
            sums[o] = (y ? sums[o] : 0) + sums_of(k, &row, w + o * k->length, 0).a;
        }
    }
    for (int32_t o = 0; o < out->w && r->ends; o++) {
        *(int8_t *)(out->data + (ptrdiff_t)o * out->ps) = nn_channel_result(&k->channels, o, sums[o]);
    }
}

int nn_inner_product_int8(const nn_state *call) {
    work k;
    runs part;
    nn_reduction r;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 5) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != INNER_PRODUCT_INT8_PARAMS || (p[INNER_PRODUCT_INT8_PER_ROW] & ~1)
        || !nn_is_int8(p[INNER_PRODUCT_INT8_INPUT_ZERO]) || !nn_is_int8(p[INNER_PRODUCT_INT8_WEIGHT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k.x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    const int per_row = p[INNER_PRODUCT_INT8_PER_ROW];
    if (per_row ? k.x.c != out->c || k.x.h != out->h : out->c != 1 || out->h != 1) {
        return NN_BAD_SHAPE;
    }
    if (call->reduces && per_row) {
        return NN_BAD_ROWS;
    }
    NN_TRY(nn_reduction_of(call, &k.x, out->w, &r));
    if (!per_row && !r.words) {
        NN_TRY(nn_whole(call, &k.x));
    }
    k.zero = p[INNER_PRODUCT_INT8_INPUT_ZERO];
    k.weight_zero = p[INNER_PRODUCT_INT8_WEIGHT_ZERO];
    const int64_t length = per_row ? k.x.w : nn_count(&k.x);
    if (length >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_I8, length * out->w, &data));
    k.weights = data;
    k.length = (ptrdiff_t)length;
    NN_TRY(nn_channels_of(call, out->w, p + INNER_PRODUCT_INT8_OUTPUT_ZERO, &k.channels));
    if (r.words) {
        reduce(call, &k, &r);
        return NN_OK;
    }
    all_of(&k.x, &part);
    if (!per_row) {
        join(&part);
        outputs(&k, out, &part, out->data);
        return NN_OK;
    }
    part.outer = part.inner = 1;
    part.width = k.x.w;
    part.step = k.x.ps;
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            part.data = nn_at(&k.x, c, y);
            outputs(&k, out, &part, nn_at(out, c, y));
        }
    }
    return NN_OK;
}
