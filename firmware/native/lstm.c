// A long short-term memory in float32; see nnmicro/reference/lstm.py. The four gates of a cell share the loads.

#include "activate.h"

enum { INPUT, FORGET, CELL, OUTPUT, GATES };

typedef struct {
    nn_operand x;
    float *hidden, *cell;
    const float *weight, *recurrent, *bias;
    int32_t cells;
    float clip;
} work;

static float hyperbolic_tangent(float x) {
    return 2.0f * nn_sigmoid(2.0f * x) - 1.0f;
}

// Adds the products of `n` elements of x with four runs of weights, `next` apart.
static void dot(float *sums, const float *x, ptrdiff_t step, const float *w, ptrdiff_t next, int32_t n) {
    float a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    for (int32_t i = 0; i < n; i++) {
        const float item = x[i * step];
        a += item * w[i];
        b += item * w[next + i];
        c += item * w[2 * next + i];
        d += item * w[3 * next + i];
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

// The new output of cell `i`, whose state is renewed.
static float renew(const work *k, const float *x, int32_t i) {
    const ptrdiff_t cells = k->cells;
    float sums[GATES];
    for (int gate = 0; gate < GATES; gate++) {
        sums[gate] = k->bias[gate * cells + i];
    }
    dot(sums, x, k->x.ps / 4, k->weight + (ptrdiff_t)i * k->x.w, cells * k->x.w, k->x.w);
    dot(sums, k->hidden, 1, k->recurrent + i * cells, cells * cells, k->cells);
    float value = hyperbolic_tangent(sums[CELL]) * nn_sigmoid(sums[INPUT]);
    value += k->cell[i] * nn_sigmoid(sums[FORGET]);
    if (k->clip > 0.0f) {
        value = value < -k->clip ? -k->clip : value;
        value = value > k->clip ? k->clip : value;
    }
    k->cell[i] = value;
    return nn_sigmoid(sums[OUTPUT]) * hyperbolic_tangent(value);
}

static int prepare(const nn_state *call, work *k) {
    const nn_operand *out = &call->out;
    const void *data;
    void *kept;
    int32_t hidden, cells;
    if (call->n_in != 6) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != LSTM_PARAMS) {
        return NN_BAD_PARAMS;
    }
    k->clip = nn_float(call->params[LSTM_CELL_CLIP]);
    if (!(k->clip >= 0.0f && k->clip <= 3.40282347e38f)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &k->x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_whole(call, &k->x));
    NN_TRY(nn_kept(call, 1, NN_F32, &hidden, &kept));
    k->hidden = kept;
    NN_TRY(nn_kept(call, 2, NN_F32, &cells, &kept));
    k->cell = kept;
    if (k->x.c != 1 || out->c != 1 || k->x.h != out->h || hidden != out->w || cells != out->w) {
        return NN_BAD_SHAPE;
    }
    k->cells = cells;
    NN_TRY(nn_constant(call, 3, NN_F32, (int64_t)GATES * cells * k->x.w, &data));
    k->weight = data;
    NN_TRY(nn_constant(call, 4, NN_F32, (int64_t)GATES * cells * cells, &data));
    k->recurrent = data;
    NN_TRY(nn_constant(call, 5, NN_F32, (int64_t)GATES * cells, &data));
    k->bias = data;
    return NN_OK;
}

int nn_lstm(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const nn_operand *out = &call->out;
    const ptrdiff_t step = out->ps / 4;
    for (int32_t y = 0; y < out->h; y++) {
        const float *x = (const float *)(const void *)nn_at(&k.x, 0, y);
        float *to = (float *)(void *)nn_at(out, 0, y);
        for (int32_t i = 0; i < k.cells; i++) {
            to[i * step] = renew(&k, x, i);
        }
        // Only now, as every cell sees all of the last step's.
        for (int32_t i = 0; i < k.cells; i++) {
            k.hidden[i] = to[i * step];
        }
    }
    return NN_OK;
}
