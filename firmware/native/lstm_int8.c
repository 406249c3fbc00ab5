// A long short-term memory in int8 with states of sixteen bits; see nnmicro/reference/lstm_int8.py. The four gates of a
// cell share the loads.

#include "fixed_functions.h"
#include "requantise.h"

enum { INPUT, FORGET, CELL, OUTPUT, GATES };
enum { GATE_BITS = 3 }; // integer bits of what a gate's function is taken of

typedef struct {
    nn_operand x;
    int8_t *hidden;
    int16_t *cell;
    const int8_t *weight, *recurrent;
    const int32_t *bias, *scales, *params;
    int32_t cells;
} work;

static int32_t to_16(int64_t value) {
    return (int32_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

// Adds the products of `n` elements of x with four runs of weights, `next` apart.
static void dot(uint32_t *sums, const int8_t *x, ptrdiff_t step, int32_t zero, const int8_t *w, ptrdiff_t next,
    int32_t n) {
    uint32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    for (int32_t i = 0; i < n; i++) {
        const int32_t item = x[i * step] - zero;
        a = nn_mac(a, item, w[i]);
        b = nn_mac(b, item, w[next + i]);
        c = nn_mac(c, item, w[2 * next + i]);
        d = nn_mac(d, item, w[3 * next + i]);
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

// The new output of cell `i`, whose state is renewed.
static int8_t renew(const work *k, const int8_t *x, int32_t i) {
    const ptrdiff_t cells = k->cells;
    const int32_t *p = k->params;
    uint32_t of_x[GATES], of_hidden[GATES];
    int32_t gates[GATES];
    for (int gate = 0; gate < GATES; gate++) {
        of_x[gate] = (uint32_t)k->bias[gate * cells + i];
        of_hidden[gate] = 0;
    }
    dot(of_x, x, k->x.ps, p[LSTM_INT8_INPUT_ZERO], k->weight + (ptrdiff_t)i * k->x.w, cells * k->x.w, k->x.w);
    dot(of_hidden, k->hidden, 1, p[LSTM_INT8_HIDDEN_ZERO], k->recurrent + i * cells, cells * cells, k->cells);
    for (int gate = 0; gate < GATES; gate++) {
        const int32_t *scale = k->scales + 4 * gate;
        const int64_t first = to_16(nn_multiply_away((int32_t)of_x[gate], scale[0], scale[1]));
        const int32_t value = to_16(first + nn_multiply_away((int32_t)of_hidden[gate], scale[2], scale[3]));
        gates[gate] = gate == CELL ? nn_fixed_tanh(value, GATE_BITS) : nn_fixed_logistic(value);
    }
    const int32_t shift = p[LSTM_INT8_CELL_SHIFT], clip = p[LSTM_INT8_CELL_CLIP];
    int32_t value = nn_divide_by_power(gates[INPUT] * gates[CELL], 30 - shift);
    value = to_16(value + nn_divide_by_power(gates[FORGET] * k->cell[i], 15));
    if (clip) {
        value = nn_min(nn_max(value, -clip), clip);
    }
    k->cell[i] = (int16_t)value;
    value = gates[OUTPUT] * nn_fixed_tanh(value, 15 - shift);
    value = nn_multiply_away(value, p[LSTM_INT8_OUTPUT_MULTIPLIER], p[LSTM_INT8_OUTPUT_SHIFT]);
    return nn_clamp(value, p[LSTM_INT8_OUTPUT_ZERO], -128, 127);
}

static int params_fit(const int32_t *p) {
    return nn_is_int8(p[LSTM_INT8_INPUT_ZERO]) && nn_is_int8(p[LSTM_INT8_HIDDEN_ZERO])
        && nn_is_int8(p[LSTM_INT8_OUTPUT_ZERO]) && p[LSTM_INT8_CELL_SHIFT] >= 9 && p[LSTM_INT8_CELL_SHIFT] <= 15
        && p[LSTM_INT8_CELL_CLIP] >= 0 && p[LSTM_INT8_CELL_CLIP] <= INT16_MAX
        && nn_is_multiplier(p[LSTM_INT8_OUTPUT_MULTIPLIER], p[LSTM_INT8_OUTPUT_SHIFT]);
}

static int prepare(const nn_state *call, work *k) {
    const nn_operand *out = &call->out;
    const void *data;
    void *kept;
    int32_t hidden, cells;
    if (call->n_in != 7) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != LSTM_INT8_PARAMS || !params_fit(call->params)) {
        return NN_BAD_PARAMS;
    }
    k->params = call->params;
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_whole(call, &k->x));
    NN_TRY(nn_kept(call, 1, NN_I8, &hidden, &kept));
    k->hidden = kept;
    NN_TRY(nn_kept(call, 2, NN_I16, &cells, &kept));
    k->cell = kept;
    if (k->x.c != 1 || out->c != 1 || k->x.h != out->h || hidden != out->w || cells != out->w) {
        return NN_BAD_SHAPE;
    }
    k->cells = cells;
    NN_TRY(nn_constant(call, 3, NN_I8, (int64_t)GATES * cells * k->x.w, &data));
    k->weight = data;
    NN_TRY(nn_constant(call, 4, NN_I8, (int64_t)GATES * cells * cells, &data));
    k->recurrent = data;
    NN_TRY(nn_constant(call, 5, NN_I32, (int64_t)GATES * cells, &data));
    k->bias = data;
    NN_TRY(nn_constant(call, 6, NN_I32, 4 * GATES, &data));
    k->scales = data;
    for (int i = 1; i < 4 * GATES; i += 2) {
        if (k->scales[i] < NN_SHIFT_LEAST || k->scales[i] > NN_SHIFT_MOST) {
            return NN_BAD_DATA;
        }
    }
    return NN_OK;
}

int nn_lstm_int8(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const nn_operand *out = &call->out;
    for (int32_t y = 0; y < out->h; y++) {
        const int8_t *x = (const int8_t *)nn_at(&k.x, 0, y);
        int8_t *to = (int8_t *)nn_at(out, 0, y);
        for (int32_t i = 0; i < k.cells; i++) {
            to[(ptrdiff_t)i * out->ps] = renew(&k, x, i);
        }
        // Only now, as every cell sees all of the last step's.
        for (int32_t i = 0; i < k.cells; i++) {
            k.hidden[i] = to[(ptrdiff_t)i * out->ps];
        }
    }
    return NN_OK;
}
