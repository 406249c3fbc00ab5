// Recurrent layers that begin anew with every inference, in float32; see nnmicro/reference/recurrent.py.

#include "activate.h"

enum { PLAIN, GRU, GRU_AFTER, LSTM_LAYER };

typedef struct {
    const float *data; // elements `step` apart
    ptrdiff_t step;
} vector;

typedef struct {
    nn_operand x, first_h, first_c;
    float *scratch;
    const float *weight, *recurrent, *bias, *second_bias;
    int32_t kind, cells, gates;
} work;

static float hyperbolic_tangent(float x) {
    return 2.0f * nn_sigmoid(2.0f * x) - 1.0f;
}

static float products(const float *w, float bias, vector v, int32_t n) {
    for (int32_t i = 0; i < n; i++) {
        bias += v.data[i * v.step] * w[i];
    }
    return bias;
}

static float of_x(const work *k, vector x, int32_t row) {
    return products(k->weight + (ptrdiff_t)row * k->x.w, k->bias[row], x, k->x.w);
}

static float of_h(const work *k, vector h, int32_t row) {
    return products(k->recurrent + (ptrdiff_t)row * k->cells, k->second_bias[row], h, k->cells);
}

static float gate(const work *k, vector x, vector h, int32_t row) {
    return of_x(k, x, row) + of_h(k, h, row);
}

// One row of the output; `kept` is this channel's part of the scratch.
static void step(const work *k, vector x, vector h, float *kept, float *to, ptrdiff_t to_step) {
    const int32_t n = k->cells;
    const vector gated = {kept, 1};
    if (k->kind == GRU) {
        for (int32_t i = 0; i < n; i++) {
            kept[i] = nn_sigmoid(gate(k, x, h, n + i)) * h.data[i * h.step];
        }
    }
    for (int32_t i = 0; i < n; i++) {
        float value;
        if (k->kind == PLAIN) {
            value = hyperbolic_tangent(gate(k, x, h, i));
        } else if (k->kind == LSTM_LAYER) {
            value = nn_sigmoid(gate(k, x, h, 2 * n + i)) * kept[i];
            value += nn_sigmoid(gate(k, x, h, i)) * hyperbolic_tangent(gate(k, x, h, 3 * n + i));
            kept[i] = value;
            value = nn_sigmoid(gate(k, x, h, n + i)) * hyperbolic_tangent(value);
        } else {
            value = of_x(k, x, 2 * n + i);
            if (k->kind == GRU) {
                value += of_h(k, gated, 2 * n + i);
            } else {
                value += nn_sigmoid(gate(k, x, h, n + i)) * of_h(k, h, 2 * n + i);
            }
            const float update = nn_sigmoid(gate(k, x, h, i));
            value = update * h.data[i * h.step] + (1.0f - update) * hyperbolic_tangent(value);
        }
        to[i * to_step] = value;
    }
}

static int first_of(const nn_state *call, int32_t i, const work *k, nn_operand *x) {
    NN_TRY(nn_input(call, i, NN_F32, 0, x));
    return x->c != k->x.c || x->h != 1 || x->w != k->cells ? NN_BAD_SHAPE : NN_OK;
}

static int prepare(const nn_state *call, work *k) {
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    const void *data;
    void *kept;
    int32_t scratch;
    if (call->n_in != 6 && call->n_in != 7) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != RECURRENT_PARAMS || p[RECURRENT_KIND] < PLAIN || p[RECURRENT_KIND] > LSTM_LAYER
        || (p[RECURRENT_REVERSE] & ~1) || (p[RECURRENT_WITH_CELL] & ~1)
        || (p[RECURRENT_WITH_CELL] && p[RECURRENT_KIND] != LSTM_LAYER)) {
        return NN_BAD_PARAMS;
    }
    k->kind = p[RECURRENT_KIND];
    k->gates = k->kind == LSTM_LAYER ? 4 : k->kind == PLAIN ? 1 : 3;
    if (call->n_in != (k->kind == LSTM_LAYER ? 7 : 6)) {
        return NN_BAD_COUNT;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &k->x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_whole(call, &k->x));
    k->cells = out->w / (1 + p[RECURRENT_WITH_CELL]);
    if (k->x.c != out->c || k->x.h != out->h || k->cells * (1 + p[RECURRENT_WITH_CELL]) != out->w) {
        return NN_BAD_SHAPE;
    }
    NN_TRY(first_of(call, 1, k, &k->first_h));
    if (k->kind == LSTM_LAYER) {
        NN_TRY(first_of(call, 6, k, &k->first_c));
    }
    NN_TRY(nn_kept(call, 2, NN_F32, &scratch, &kept));
    k->scratch = kept;
    if (scratch != (int64_t)k->x.c * k->cells) {
        return NN_BAD_SHAPE;
    }
    const int64_t rows = (int64_t)k->gates * k->cells;
    NN_TRY(nn_constant(call, 3, NN_F32, rows * k->x.w, &data));
    k->weight = data;
    NN_TRY(nn_constant(call, 4, NN_F32, rows * k->cells, &data));
    k->recurrent = data;
    NN_TRY(nn_constant(call, 5, NN_F32, 2 * rows, &data));
    k->bias = data;
    k->second_bias = k->bias + rows;
    return NN_OK;
}

int nn_recurrent(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const nn_operand *out = &call->out;
    const ptrdiff_t to_step = out->ps / 4;
    for (int32_t c = 0; c < out->c; c++) {
        float *kept = k.scratch + (ptrdiff_t)c * k.cells;
        vector h = {(const float *)(const void *)nn_at(&k.first_h, c, 0), k.first_h.ps / 4};
        if (k.kind == LSTM_LAYER) {
            const float *from = (const float *)(const void *)nn_at(&k.first_c, c, 0);
            for (int32_t i = 0; i < k.cells; i++) {
                kept[i] = from[i * (ptrdiff_t)(k.first_c.ps / 4)];
            }
        }
        for (int32_t n = 0; n < out->h; n++) {
            const int32_t y = call->params[RECURRENT_REVERSE] ? out->h - 1 - n : n;
            const vector x = {(const float *)(const void *)nn_at(&k.x, c, y), k.x.ps / 4};
            float *to = (float *)(void *)nn_at(out, c, y);
            step(&k, x, h, kept, to, to_step);
            for (int32_t i = 0; call->params[RECURRENT_WITH_CELL] && i < k.cells; i++) {
                to[(k.cells + i) * to_step] = kept[i];
            }
            h = (vector){to, to_step};
        }
    }
    return NN_OK;
}
