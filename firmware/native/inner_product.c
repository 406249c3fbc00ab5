// Fully connected layer in float32; see nnmicro/reference/inner_product.py. Two outputs at a time share the loads of x.

#include "activate.h"

typedef struct {
    nn_operand x;
    const float *weights;
    const float *bias;
    ptrdiff_t length, channel, row; // weights of an output, of a channel of x, of a row
    nn_activation_t act;
} work;

// Channels [c0, c1) and rows [y0, y1) of x.
typedef struct {
    int32_t c0, c1, y0, y1;
} part;

// Add the products of a part of x with the weights of two outputs. Row by row of all channels, as a reduction does it:
// sums of floats depend on their order.
static void add(const work *k, part p, const float *w, const float *v, float *first, float *second) {
    const nn_operand *x = &k->x;
    const int32_t step = x->ps / 4, width = x->w;
    float a = *first, b = *second;
    for (int32_t y = p.y0; y < p.y1; y++) {
        for (int32_t c = p.c0; c < p.c1; c++) {
            const float *from = (const float *)(const void *)nn_at(x, c, y);
            const ptrdiff_t at = c * k->channel + y * k->row;
            const float *s = w + at, *t = v + at;
            if (step == 1) {
                for (int32_t i = 0; i < width; i++) {
                    a += from[i] * s[i];
                    b += from[i] * t[i];
                }
            } else {
                for (int32_t i = 0; i < width; i++) {
                    a += from[(ptrdiff_t)i * step] * s[i];
                    b += from[(ptrdiff_t)i * step] * t[i];
                }
            }
        }
    }
    *first = a;
    *second = b;
}

// All outputs for a part of x, stored from `to` on.
static void outputs(const work *k, const nn_operand *out, const nn_reduction *r, part p, uint8_t *to) {
    float *sums = r->words;
    for (int32_t o = 0; o < out->w; o += 2) {
        const int two = o + 1 < out->w;
        const float *w = k->weights + o * k->length, *from = r->begins ? k->bias : sums;
        float a = from ? from[o] : 0.0f;
        float b = from && two ? from[o + 1] : 0.0f;
        add(k, p, w, two ? w + k->length : w, &a, &b);
        if (sums) {
            sums[o] = a;
            if (two) {
                sums[o + 1] = b;
            }
        }
        if (r->ends) {
            *(float *)(void *)(to + (ptrdiff_t)o * out->ps) = nn_activate(&k->act, a);
            if (two) {
                *(float *)(void *)(to + (ptrdiff_t)(o + 1) * out->ps) = nn_activate(&k->act, b);
            }
        }
    }
}

int nn_inner_product(const nn_state *call) {
    work k;
    nn_reduction r;
    const nn_operand *out = &call->out;
    if (call->n_in != 2 && call->n_in != 3) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != INNER_PRODUCT_PARAMS || (call->params[INNER_PRODUCT_PER_ROW] & ~1)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_activation_of(call->params + INNER_PRODUCT_ACTIVATION, &k.act));
    NN_TRY(nn_input(call, 0, NN_F32, 0, &k.x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    const int per_row = call->params[INNER_PRODUCT_PER_ROW];
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
    int64_t length = per_row ? k.x.w : nn_count(&k.x);
    if (length >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, length * out->w, &data));
    k.weights = data;
    k.length = (ptrdiff_t)length;
    // Where each row is by itself, all have the same weights.
    k.channel = per_row ? 0 : (ptrdiff_t)k.x.h * k.x.w;
    k.row = per_row ? 0 : k.x.w;
    k.bias = NULL;
    if (call->n_in == 3) {
        NN_TRY(nn_constant(call, 2, NN_F32, out->w, &data));
        k.bias = data;
    }
    if (!per_row) {
        outputs(&k, out, &r, (part){0, k.x.c, r.words ? call->y0 : 0, r.words ? call->y1 : k.x.h}, out->data);
        return NN_OK;
    }
    for (int32_t c = 0; c < k.x.c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            outputs(&k, out, &r, (part){c, c + 1, y, y + 1}, nn_at(out, c, y));
        }
    }
    return NN_OK;
}
