// Transposed convolution in float32; see nnmicro/reference/deconvolution.py. An element of y is gathered from the
// elements of x that are spread over it. Two output channels of a group share the loads of x.

#include "activate.h"
#include "transposed.h"

typedef struct {
    const nn_state *call;
    nn_operand x;
    const float *weights, *bias;
    nn_transposed rows, columns;
    int32_t inputs; // channels of x for each output channel
    nn_activation_t act;
} work;

// Channels `o` and (where `pair`) o + 1 of one pixel, from the channels of x that lie from byte `group` of a row on.
static void pixel(const work *k, nn_meeting rows, nn_meeting columns, ptrdiff_t group, int32_t o, int pair,
    uint8_t *y) {
    const nn_operand *x = &k->x;
    const int32_t step = x->cs / 4, inputs = k->inputs;
    const ptrdiff_t taps = (ptrdiff_t)k->rows.kernel * k->columns.kernel, next = pair ? inputs * taps : 0;
    float a = k->bias ? k->bias[o] : 0.0f, b = k->bias && pair ? k->bias[o + 1] : 0.0f;
    for (int32_t i = 0; i < rows.count; i++) {
        const uint8_t *row = nn_at(x, 0, rows.start - i * k->rows.back) + group;
        const float *w = k->weights + o * inputs * taps
            + (ptrdiff_t)(rows.first + i * k->rows.tap_step) * k->columns.kernel + columns.first;
        for (int32_t j = 0; j < columns.count; j++) {
            const uint8_t *at = row + (ptrdiff_t)(columns.start - j * k->columns.back) * x->ps;
            const float *p = (const float *)(const void *)at;
            const float *v = w + (ptrdiff_t)j * k->columns.tap_step;
            for (int32_t c = 0; c < inputs; c++) {
                const float item = p[(ptrdiff_t)c * step];
                a += item * v[c * taps];
                b += item * v[c * taps + next];
            }
        }
    }
    *(float *)(void *)y = nn_activate(&k->act, a);
    if (pair) {
        *(float *)(void *)(y + k->call->out.cs) = nn_activate(&k->act, b);
    }
}

static int prepare(const nn_state *call, work *k) {
    const int32_t *p = call->params;
    const nn_operand *out = &call->out;
    if (call->n_in != 2 && call->n_in != 3) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != DECONVOLUTION_PARAMS || p[DECONVOLUTION_GROUP] < 1) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_activation_of(p + DECONVOLUTION_ACTIVATION, &k->act));
    NN_TRY(nn_input(call, 0, NN_F32, 0, &k->x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_transposed_of(p, 0, out->h, k->x.h, &k->rows));
    NN_TRY(nn_transposed_of(p, 1, out->w, k->x.w, &k->columns));
    if (k->x.c % p[DECONVOLUTION_GROUP] || out->c % p[DECONVOLUTION_GROUP]) {
        return NN_BAD_SHAPE;
    }
    k->call = call;
    k->inputs = k->x.c / p[DECONVOLUTION_GROUP];
    // Bounded one after the other, so that no product can overflow.
    const int64_t taps = (int64_t)k->rows.kernel * k->columns.kernel, filters = (int64_t)out->c * k->inputs;
    if (taps >= INT32_MAX || filters >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, taps * filters, &data));
    k->weights = data;
    k->bias = NULL;
    if (call->n_in == 3) {
        NN_TRY(nn_constant(call, 2, NN_F32, out->c, &data));
        k->bias = data;
    }
    return NN_OK;
}

int nn_deconvolution(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const nn_operand *out = &call->out;
    const int32_t outputs = out->c / call->params[DECONVOLUTION_GROUP]; // of a group
    for (int32_t y = call->y0; y < call->y1; y++) {
        const nn_meeting rows = nn_meet(&k.rows, y);
        for (int32_t q = 0; q < out->w; q++) {
            const nn_meeting columns = nn_meet(&k.columns, q);
            uint8_t *to = nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            ptrdiff_t group = 0;
            for (int32_t o = 0; o < out->c; group += (ptrdiff_t)k.inputs * k.x.cs) {
                for (const int32_t end = o + outputs; o < end;) {
                    const int pair = o + 1 < end;
                    pixel(&k, rows, columns, group, o, pair, to + (ptrdiff_t)o * out->cs);
                    o += 1 + pair;
                }
            }
        }
    }
    return NN_OK;
}
