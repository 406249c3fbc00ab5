// Fully connected layer in float32; see nnmicro/reference/inner_product.py. Two outputs at a time share the loads of x.

#include "activate.h"

typedef struct {
    nn_operand x;
    const float *weights;
    const float *bias;
    nn_activation_t act;
} work;

// Outputs for channels [c0, c1) and rows [y0, y1) of x, stored from `y` on.
static void outputs(const work *k, const nn_operand *out, int32_t c0, int32_t c1, int32_t y0, int32_t y1, uint8_t *y) {
    const nn_operand *x = &k->x;
    const int32_t step = x->ps / 4, width = x->w;
    const ptrdiff_t length = (ptrdiff_t)(c1 - c0) * (y1 - y0) * width;
    for (int32_t o = 0; o < out->w; o += 2) {
        const int two = o + 1 < out->w;
        const float *w = k->weights + (ptrdiff_t)o * length;
        const float *v = two ? w + length : w;
        float a = k->bias ? k->bias[o] : 0.0f;
        float b = k->bias && two ? k->bias[o + 1] : 0.0f;
        for (int32_t c = c0; c < c1; c++) {
            for (int32_t row = y0; row < y1; row++) {
                const float *p = (const float *)(const void *)nn_at(x, c, row);
                if (step == 1) {
                    for (int32_t i = 0; i < width; i++) {
                        a += p[i] * w[i];
                        b += p[i] * v[i];
                    }
                } else {
                    for (int32_t i = 0; i < width; i++) {
                        a += p[(ptrdiff_t)i * step] * w[i];
                        b += p[(ptrdiff_t)i * step] * v[i];
                    }
                }
                w += width;
                v += width;
            }
        }
        *(float *)(void *)(y + (ptrdiff_t)o * out->ps) = nn_activate(&k->act, a);
        if (two) {
            *(float *)(void *)(y + (ptrdiff_t)(o + 1) * out->ps) = nn_activate(&k->act, b);
        }
    }
}

int nn_inner_product(const nn_state *call) {
    work k;
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
    if (!per_row) {
        NN_TRY(nn_whole(call, &k.x));
    }
    int64_t length = per_row ? k.x.w : nn_count(&k.x);
    if (length >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, length * out->w, &data));
    k.weights = data;
    k.bias = NULL;
    if (call->n_in == 3) {
        NN_TRY(nn_constant(call, 2, NN_F32, out->w, &data));
        k.bias = data;
    }
    if (!per_row) {
        outputs(&k, out, 0, k.x.c, 0, k.x.h, out->data);
        return NN_OK;
    }
    for (int32_t c = 0; c < k.x.c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            outputs(&k, out, c, c + 1, y, y + 1, nn_at(out, c, y));
        }
    }
    return NN_OK;
}
