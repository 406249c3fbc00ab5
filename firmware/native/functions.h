// The functions of nnmicro/reference/functions.py in single precision, by their numbers in unary.py.

#ifndef NN_FUNCTIONS_H
#define NN_FUNCTIONS_H

enum {
    NN_ABSOLUTE, NN_NEGATIVE, NN_FLOOR, NN_CEIL, NN_NEAREST, NN_SIGN, NN_SQUARE, NN_TRUNCATED,
    NN_ROOT, NN_INVERSE_ROOT, NN_EXPONENTIAL, NN_LOGARITHM, NN_LOGARITHM_10,
    NN_SINE, NN_COSINE, NN_TANGENT, NN_ARC_SINE, NN_ARC_COSINE, NN_ARC_TANGENT,
    NN_SINH, NN_COSH, NN_TANH, NN_ASINH, NN_ACOSH, NN_ATANH,
    NN_RECIPROCAL, NN_ERROR, NN_ELU, NN_CELU, NN_SOFTPLUS, NN_LOG_SIGMOID, NN_MISH, NN_SOFTSIGN,
    NN_GELU, NN_GELU_BY_TANH, NN_SWISH, NN_HARD_SIGMOID, NN_HARD_SWISH, NN_THRESHOLDED, NN_SHRINK,
    NN_FUNCTIONS
};

// a and b are the function's parameters. A test measures every function: what differs from the exact one is below
// 1e-6 * max(1, abs(y)).
float nn_function(int kind, float x, float a, float b);

#endif
