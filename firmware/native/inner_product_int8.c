// Fully connected layer in int8; see nnmicro/reference/inner_product_int8.py.

#include "requantise.h"

typedef struct {
    nn_operand x;
    const int8_t *weights;
    nn_channels channels;
    int32_t zero, weight_zero;
} work;

// A part of x as runs of `width` elements: `outer` times `inner` of them.
typedef struct {
    const uint8_t *data;
    int32_t outer, inner, width;
    int32_t outer_step, inner_step, step;
} runs;

static void outputs(const work *k, const nn_operand *out, const runs *r, uint8_t *y) {
    const int8_t *w = k->weights;
    for (int32_t o = 0; o < out->w; o++) {
        uint32_t sum = 0;
        for (int32_t i = 0; i < r->outer; i++) {
            for (int32_t j = 0; j < r->inner; j++) {
                const int8_t *x = (const int8_t *)r->data + (ptrdiff_t)i * r->outer_step + (ptrdiff_t)j * r->inner_step;
                if (r->step == 1 && k->weight_zero == 0) {
                    for (int32_t n = 0; n < r->width; n++) {
                        sum = nn_mac(sum, x[n] - k->zero, w[n]);
                    }
                } else {
                    for (int32_t n = 0; n < r->width; n++) {
                        sum = nn_mac(sum, x[(ptrdiff_t)n * r->step] - k->zero, w[n] - k->weight_zero);
                    }
                }
                w += r->width;
            }
        }
        *(int8_t *)(y + (ptrdiff_t)o * out->ps) = nn_channel_result(&k->channels, o, sum);
    }
}

// All of x in the order of its memory: rows, pixels, channels where its source counts channels fastest, else channels, rows, pixels.
static void all_of(const nn_operand *x, runs *r) {
    r->data = x->data;
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
    // Without gaps it is one run.
    if (r->step == 1 && r->inner_step == r->width && (r->outer == 1 || r->outer_step == r->inner * r->width)) {
        r->width *= r->inner * r->outer;
        r->inner = r->outer = 1;
    }
}

int nn_inner_product_int8(const nn_state *call) {
    work k;
    runs r;
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
    if (!per_row) {
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
    NN_TRY(nn_channels_of(call, out->w, p + INNER_PRODUCT_INT8_OUTPUT_ZERO, &k.channels));
    if (!per_row) {
        all_of(&k.x, &r);
        outputs(&k, out, &r, out->data);
        return NN_OK;
    }
    r.outer = r.inner = 1;
    r.outer_step = r.inner_step = 0;
    r.width = k.x.w;
    r.step = k.x.ps;
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            r.data = nn_at(&k.x, c, y);
            outputs(&k, out, &r, nn_at(out, c, y));
        }
    }
    return NN_OK;
}
