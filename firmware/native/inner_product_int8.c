// Fully connected layer in int8; see nnmicro/reference/inner_product_int8.py.

#include "dense_int8.h"
#include "dot_int8.h"

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

enum { TOGETHER = 32 }; // outputs whose sums are kept while the next piece of a long run is widened

// The products of a piece of `n` elements with outputs [o, o + count), four at a time.
static void add_piece(const work *k, const int8_t *x, int32_t at, int32_t n, const uint32_t *widened, int32_t o, int32_t count,
    uint32_t *sums) {
    nn_dense d;
    const int32_t fours = n & ~3, last = o + count - NN_OUTPUTS;
    d.x = widened;
    d.x_end = widened + fours * NN_WIDENED_WORDS / NN_WIDENED;
    d.x_blocks = widened + (n & ~15) * NN_WIDENED_WORDS / NN_WIDENED;
    d.step = (int32_t)k->length;
    for (int32_t i = 0; i < count; i += NN_OUTPUTS) {
        // Where there are no four left, some once more.
        const int32_t first = nn_min(o + i, last), again = o + i - first;
        const int8_t *w = k->weights + first * k->length + at;
        d.w = w;
        d.sums[0] = d.sums[1] = d.sums[2] = d.sums[3] = 0;
        if (fours) {
            nn_dense_add(&d);
        }
        for (int32_t e = fours; e < n; e++) {
            for (int32_t j = 0; j < NN_OUTPUTS; j++) {
                d.sums[j] = nn_mac(d.sums[j], x[at + e] - k->zero, w[j * k->length + e]);
            }
        }
        for (int32_t j = again; j < NN_OUTPUTS; j++) {
            *sums++ += d.sums[j];
        }
    }
}

// The results of outputs [o, o + count) of the ordinary kind.
NN_NOINLINE void quick_results(const nn_channels *k, int32_t o, int32_t count, const uint32_t *sums, int8_t *y, int32_t step) {
    const int32_t *bias = k->bias + o, *multiplier = k->multiplier + o, *shift = k->shift + o;
    const int32_t zero = k->zero, least = k->least, most = k->most;
    for (const uint32_t *const end = sums + count; sums != end; y += sums != end ? step : 0) {
        nn_quick quick;
        nn_quick_of(*multiplier++, *shift++, zero, &quick);
        *y = (int8_t)nn_min(nn_max(nn_quick_result(&quick, (int32_t)(*sums++ + (uint32_t)*bias++), 0), least), most);
    }
}

// All outputs of one run of `n` elements.
NN_NOINLINE void by_fours(const work *k, const nn_operand *out, const int8_t *x, int32_t n, uint8_t *y) {
    uint32_t widened[NN_WIDENED_WORDS], sums[TOGETHER];
    for (int32_t o = 0, count; o < out->w; o += count) {
        int8_t *to = (int8_t *)y + (ptrdiff_t)o * out->ps;
        count = nn_min(out->w - o, TOGETHER);
        for (int32_t i = 0; i < count; i++) {
            sums[i] = 0;
        }
        for (int32_t at = 0, some; at < n; at += some) {
            some = nn_min(n - at, NN_WIDENED);
            if (o == 0 || some < n) {
                nn_dense_widen(x + at, some & ~3, k->zero, widened);
            }
            add_piece(k, x, at, some, widened, o, count, sums);
        }
        if (k->channels.quick && n <= NN_QUICK_PRODUCTS) {
            quick_results(&k->channels, o, count, sums, to, out->ps);
            continue;
        }
        for (int32_t i = 0; i < count; i++) {
            to[(ptrdiff_t)i * out->ps] = nn_channel_result(&k->channels, o + i, sums[i]);
        }
    }
}

// Two outputs at a time share the loads of x.
static void outputs(const work *k, const nn_operand *out, const runs *r, uint8_t *y) {
    if (r->outer == 1 && r->inner == 1 && r->step == 1 && !k->weight_zero && out->w >= NN_OUTPUTS) {
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
