// Exponential, power and square root in single precision: native modules cannot link those of the C library.

#ifndef NN_FLOAT_MATH_H
#define NN_FLOAT_MATH_H

float nn_exp(float x);
float nn_pow(float a, float b);
float nn_sqrt(float x); // of x >= 0, or a NaN

#endif
