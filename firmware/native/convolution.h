// A convolution in float32 whose call has been checked.

#ifndef NN_CONVOLUTION_H
#define NN_CONVOLUTION_H

#include "activate.h"

enum { NN_FOUR = 4 }; // pixels at a time

typedef struct {
    nn_operand x, out;
    int32_t y0, y1;
    const float *weights;
    const float *bias; // or null
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t inputs; // channels of x for each output channel
    int32_t outputs; // channels that see the same ones
    int32_t filter; // weights of an output channel
    int32_t piece; // of a filter that is worked on at a time
    int32_t reach; // elements of a row of x that four neighbouring windows read, or 0 where they do not lie in one run
    int pointwise; // whether each output pixel is made of the one at its place in x
    float pad;
    nn_activation_t act;
} nn_filters;

// Cores without an FPU leave out products with elements that are zero: after a ReLU they are many.
#if defined(__SOFTFP__) || (defined(__riscv) && !defined(__riscv_flen))
#define NN_LEFT_OUT(x) (!((uint32_t)nn_bits(x) << 1))
#else
#define NN_LEFT_OUT(x) 0
#endif

#if defined(__thumb2__) && defined(__ARM_FEATURE_FMA) && defined(__ARM_FP)
#define NN_FPV4 1 // an FPU of single precision, as Cortex-M4F, M7 and M33 have it
#else
#define NN_FPV4 0
#endif

// Channel o of a depthwise convolution whose padding is zero.
void nn_depthwise(const nn_filters *k, int32_t o);

#endif
