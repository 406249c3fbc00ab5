// The activation that a layer applies to each result: see nnmicro/reference/activate.py. A NaN stays a NaN.

#ifndef NN_ACTIVATE_H
#define NN_ACTIVATE_H

#include "float_math.h"
#include "kernel.h"

enum { NN_ACT_NONE, NN_ACT_RELU, NN_ACT_LEAKY, NN_ACT_CLIP, NN_ACT_SIGMOID };

typedef struct {
    int32_t kind;
    float a, b;
} nn_activation_t;

// From three parameter words.
int nn_activation_of(const int32_t *words, nn_activation_t *act);

float nn_sigmoid(float x);

// The rarer kinds.
float nn_activate_otherwise(const nn_activation_t *act, float x);

NN_INLINE float nn_activate(const nn_activation_t *act, float x) {
    if (act->kind == NN_ACT_NONE) {
        return x;
    }
    if (act->kind == NN_ACT_RELU) {
        return x < 0.0f ? 0.0f : x;
    }
    return nn_activate_otherwise(act, x);
}

#endif
