// See functions.h.

#include "functions.h"
#include "activate.h"
#include "circular.h"
#include "logarithm.h"

#define INFINITE nn_float(0x7F800000)
#define NOT_A_NUMBER nn_float(0x7FC00000)
#define LOG_2 0.69314718f
#define LOWEST (-104.0f) // below it the exponential is 0

static float absolute(float x) {
    return nn_float(nn_bits(x) & 0x7FFFFFFF);
}

static float truncated(float x) {
    return absolute(x) < 8388608.0f ? (float)(int32_t)x : x;
}

static float floored(float x) {
    const float whole = truncated(x);
    return whole > x ? whole - 1.0f : whole;
}

static float nearest(float x) {
    const float whole = floored(x), rest = x - whole;
    return rest > 0.5f || (rest == 0.5f && ((int32_t)whole & 1)) ? whole + 1.0f : whole;
}

static float root(float x) {
    return x < 0.0f ? NOT_A_NUMBER : nn_sqrt(x);
}

static float logarithm(float x) {
    return x > 0.0f ? nn_log(x) : x == 0.0f ? -INFINITE : x < 0.0f ? NOT_A_NUMBER : x;
}

// exp(x) / 2, also where only the half is finite.
static float half_exp(float x) {
    const float half = nn_exp(0.5f * x);
    return 0.5f * half * half;
}

static float hyperbolic_tangent(float x) {
    return 1.0f - 2.0f / (nn_exp(2.0f * x) + 1.0f);
}

static float softplus(float x) {
    return (x < 0.0f ? 0.0f : x) + nn_log(1.0f + nn_exp(-absolute(x)));
}

static float error_function(float x) {
    float s = absolute(x);
    if (s < 1.0f) {
        s *= s;
        s = ((((-5.4629345e-4f * s + 4.8707053e-3f) * s - 2.6663812e-2f) * s + 0.11278065f) * s - 0.3761194f) * s;
        return x * (s + 1.1283789f);
    }
    if (s < 4.0f) {
        s = ((((1.1504234e-3f * s - 1.4778130e-2f) * s + 8.86342e-2f) * s + 0.65448892f) * s + 1.1174386f) * s;
        s = 1.0f - nn_exp(-2.6716948e-3f - s);
    } else if (s == s) {
        s = 1.0f;
    }
    return x < 0.0f ? -s : s;
}

static float gated(float x, float gate) {
    return gate == 0.0f ? 0.0f : x * gate;
}

// x tanh(log(1 + e)) with e = exp(x), which is x n / (n + 2) with n = e * e + 2 * e.
static float mish(float x) {
    float n = nn_exp(x);
    n *= n + 2.0f;
    return x > 20.0f ? x : gated(x, n / (n + 2.0f));
}

static float hard_sigmoid(float x) {
    return x < 0.0f ? 0.0f : x > 1.0f ? 1.0f : x;
}

float nn_function(int kind, float x, float a, float b) {
    float size = absolute(x);
    switch (kind) {
        case NN_ABSOLUTE:
            return size;
        case NN_NEGATIVE:
            return -x;
        case NN_FLOOR:
            return floored(x);
        case NN_CEIL:
            return -floored(-x);
        case NN_NEAREST:
            return nearest(x);
        case NN_SIGN:
            return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
        case NN_SQUARE:
            return x * x;
        case NN_TRUNCATED:
            return truncated(x);
        case NN_ROOT:
            return root(x);
        case NN_INVERSE_ROOT:
            return 1.0f / root(x);
        case NN_EXPONENTIAL:
            return nn_exp(x);
        case NN_LOGARITHM:
            return logarithm(x);
        case NN_LOGARITHM_10:
            return 0.43429448f * logarithm(x);
        case NN_SINE:
        case NN_COSINE:
            return nn_sine(x, kind - NN_SINE);
        case NN_TANGENT:
            return nn_tangent(x);
        case NN_ARC_SINE:
        case NN_ARC_COSINE:
            if (size > 1.0f) {
                return NOT_A_NUMBER;
            }
            if (kind == NN_ARC_SINE) {
                return nn_arc_tangent(x / nn_sqrt((1.0f - x) * (1.0f + x)));
            }
            return 2.0f * nn_arc_tangent(nn_sqrt((1.0f - x) / (1.0f + x)));
        case NN_ARC_TANGENT:
            return nn_arc_tangent(x);
        case NN_SINH:
            return half_exp(x) - half_exp(-x);
        case NN_COSH:
            return half_exp(x) + half_exp(-x);
        case NN_TANH:
            return x < 0.0f ? -hyperbolic_tangent(size) : hyperbolic_tangent(x);
        case NN_ASINH:
            size = size > 1e9f ? nn_log(size) + LOG_2 : logarithm(size + nn_sqrt(size * size + 1.0f));
            return x < 0.0f ? -size : size;
        case NN_ACOSH:
            if (x > 1e9f) {
                return nn_log(x) + LOG_2;
            }
            return x < 1.0f ? NOT_A_NUMBER : logarithm(x + nn_sqrt((x - 1.0f) * (x + 1.0f)));
        case NN_ATANH:
            return 0.5f * logarithm((1.0f + x) / (1.0f - x));
        case NN_RECIPROCAL:
            return 1.0f / x;
        case NN_ERROR:
            return error_function(x);
        case NN_ELU:
            return b * (x < 0.0f ? a * (nn_exp(x) - 1.0f) : x);
        case NN_CELU:
            return x < 0.0f ? a * (nn_exp(x / a) - 1.0f) : x;
        case NN_SOFTPLUS:
            return softplus(x);
        case NN_LOG_SIGMOID:
            return -softplus(-x);
        case NN_MISH:
            return mish(x);
        case NN_SOFTSIGN:
            return x / (1.0f + size);
        case NN_GELU:
            return x < LOWEST ? 0.0f : x * (0.5f + 0.5f * error_function(0.70710678f * x));
        case NN_GELU_BY_TANH:
            return x < LOWEST ? 0.0f : x * nn_sigmoid(1.59576912f * (x + 0.044715f * x * x * x));
        case NN_SWISH:
            return gated(x, nn_sigmoid(a * x));
        case NN_HARD_SIGMOID:
            return hard_sigmoid(a * x + b);
        case NN_HARD_SWISH:
            return gated(x, hard_sigmoid(a * x + b));
        case NN_THRESHOLDED:
            return x > a ? x : 0.0f;
        default: // NN_SHRINK
            return x < -a ? x + b : x > a ? x - b : 0.0f;
    }
}
