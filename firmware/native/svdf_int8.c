// Filters over features and time, with a memory of sixteen bits, in int8; see nnmicro/reference/svdf_int8.py.

#include "requantise.h"

typedef struct {
    nn_operand x;
    int16_t *state;
    const int8_t *feature;
    const int16_t *time;
    const int32_t *bias;
    int32_t rank, memory;
} work;

static int params_fit(const int32_t *p) {
    return p[SVDF_INT8_RANK] >= 1 && nn_is_int8(p[SVDF_INT8_INPUT_ZERO]) && nn_is_int8(p[SVDF_INT8_OUTPUT_ZERO])
        && nn_is_multiplier(p[SVDF_INT8_FEATURE_MULTIPLIER], p[SVDF_INT8_FEATURE_SHIFT])
        && nn_is_multiplier(p[SVDF_INT8_OUTPUT_MULTIPLIER], p[SVDF_INT8_OUTPUT_SHIFT])
        && nn_is_int8(p[SVDF_INT8_ACTIVATION_MIN]) && nn_is_int8(p[SVDF_INT8_ACTIVATION_MAX]);
}

static int prepare(const nn_state *call, work *k) {
    const nn_operand *out = &call->out;
    const void *data;
    void *kept;
    int32_t count;
    if (call->n_in != 5) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != SVDF_INT8_PARAMS || !params_fit(call->params)) {
        return NN_BAD_PARAMS;
    }
    k->rank = call->params[SVDF_INT8_RANK];
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_whole(call, &k->x));
    NN_TRY(nn_kept(call, 1, NN_I16, &count, &kept));
    k->state = kept;
    const int64_t filters = (int64_t)out->w * k->rank;
    if (k->x.c != 1 || k->x.h != 1 || out->c != 1 || out->h != 1 || filters > count || count % (int32_t)filters) {
        return NN_BAD_SHAPE;
    }
    k->memory = count / (int32_t)filters;
    NN_TRY(nn_constant(call, 2, NN_I8, filters * k->x.w, &data));
    k->feature = data;
    NN_TRY(nn_constant(call, 3, NN_I16, count, &data));
    k->time = data;
    NN_TRY(nn_constant(call, 4, NN_I32, out->w, &data));
    k->bias = data;
    return NN_OK;
}

// What the filter with weights `w` makes of x, in the state's sixteen bits.
static int16_t filtered(const work *k, const int32_t *p, const int8_t *w) {
    const int8_t *x = (const int8_t *)k->x.data;
    const int32_t zero = p[SVDF_INT8_INPUT_ZERO];
    const ptrdiff_t step = k->x.ps;
    uint32_t sum = 0;
    for (int32_t i = 0; i < k->x.w; i++) {
        sum = nn_mac(sum, x[i * step] - zero, w[i]);
    }
    const int32_t value = nn_multiply_away((int32_t)sum, p[SVDF_INT8_FEATURE_MULTIPLIER], p[SVDF_INT8_FEATURE_SHIFT]);
    return (int16_t)nn_min(nn_max(value, INT16_MIN), INT16_MAX);
}

int nn_svdf_int8(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    const int8_t *w = k.feature;
    const int16_t *time = k.time;
    int16_t *state = k.state;
    for (int32_t o = 0; o < out->w; o++) {
        uint32_t sum = (uint32_t)k.bias[o];
        for (int32_t r = 0; r < k.rank; r++) {
            const int16_t newest = filtered(&k, p, w);
            w += k.x.w;
            // The oldest is forgotten.
            for (int32_t t = 0; t < k.memory; t++) {
                state[t] = t + 1 < k.memory ? state[t + 1] : newest;
                sum = nn_mac(sum, state[t], time[t]);
            }
            state += k.memory;
            time += k.memory;
        }
        const int32_t value = nn_multiply_away((int32_t)sum, p[SVDF_INT8_OUTPUT_MULTIPLIER], p[SVDF_INT8_OUTPUT_SHIFT]);
        ((int8_t *)out->data)[(ptrdiff_t)o * out->ps]
            = nn_clamp(value, p[SVDF_INT8_OUTPUT_ZERO], p[SVDF_INT8_ACTIVATION_MIN], p[SVDF_INT8_ACTIVATION_MAX]);
    }
    return NN_OK;
}
