// Filters over features and time, with a memory, in float32; see nnmicro/reference/svdf.py.

#include "activate.h"

typedef struct {
    nn_operand x;
    float *state;
    const float *feature, *time, *bias;
    int32_t rank, memory;
    nn_activation_t act;
} work;

static int prepare(const nn_state *call, work *k) {
    const nn_operand *out = &call->out;
    const void *data;
    void *kept;
    int32_t count;
    if (call->n_in != 4 && call->n_in != 5) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != SVDF_PARAMS || call->params[SVDF_RANK] < 1) {
        return NN_BAD_PARAMS;
    }
    k->rank = call->params[SVDF_RANK];
    NN_TRY(nn_activation_of(call->params + SVDF_ACTIVATION, &k->act));
    NN_TRY(nn_input(call, 0, NN_F32, 0, &k->x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_whole(call, &k->x));
    NN_TRY(nn_kept(call, 1, NN_F32, &count, &kept));
    k->state = kept;
    const int64_t filters = (int64_t)out->w * k->rank;
    if (k->x.c != 1 || k->x.h != 1 || out->c != 1 || out->h != 1 || filters > count || count % (int32_t)filters) {
        return NN_BAD_SHAPE;
    }
    k->memory = count / (int32_t)filters;
    NN_TRY(nn_constant(call, 2, NN_F32, filters * k->x.w, &data));
    k->feature = data;
    NN_TRY(nn_constant(call, 3, NN_F32, count, &data));
    k->time = data;
    k->bias = NULL;
    if (call->n_in == 5) {
        NN_TRY(nn_constant(call, 4, NN_F32, out->w, &data));
        k->bias = data;
    }
    return NN_OK;
}

int nn_svdf(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const nn_operand *out = &call->out;
    const float *x = (const float *)(const void *)k.x.data, *w = k.feature, *time = k.time;
    const ptrdiff_t step = k.x.ps / 4;
    float *state = k.state;
    for (int32_t o = 0; o < out->w; o++) {
        float value = k.bias ? k.bias[o] : 0.0f;
        for (int32_t r = 0; r < k.rank; r++) {
            float newest = 0.0f;
            for (int32_t i = 0; i < k.x.w; i++) {
                newest += x[i * step] * w[i];
            }
            w += k.x.w;
            // The oldest is forgotten.
            for (int32_t t = 0; t < k.memory; t++) {
                state[t] = t + 1 < k.memory ? state[t + 1] : newest;
                value += state[t] * time[t];
            }
            state += k.memory;
            time += k.memory;
        }
        *(float *)(void *)(out->data + (ptrdiff_t)o * out->ps) = nn_activate(&k.act, value);
    }
    return NN_OK;
}
