// Activations: what a layer asks for, and those that are more than a comparison.

#include "activate.h"

int nn_activation_of(const int32_t *words, nn_activation_t *act) {
    act->kind = words[0];
    act->a = nn_float(words[1]);
    act->b = nn_float(words[2]);
    return act->kind < NN_ACT_NONE || act->kind > NN_ACT_SIGMOID ? NN_BAD_PARAMS : NN_OK;
}

float nn_sigmoid(float x) {
    // Never the exponential of a positive number: it overflows.
    if (x >= 0.0f) {
        return 1.0f / (1.0f + nn_exp(-x));
    }
    x = nn_exp(x);
    return x / (1.0f + x);
}

float nn_activate_otherwise(const nn_activation_t *act, float x) {
    if (act->kind == NN_ACT_LEAKY) {
        return x < 0.0f ? act->a * x : x;
    }
    if (act->kind == NN_ACT_SIGMOID) {
        return nn_sigmoid(x);
    }
    // In this order a lower bound above the upper one gives the upper one, as in ONNX.
    if (x < act->a) {
        x = act->a;
    }
    return x > act->b ? act->b : x;
}
