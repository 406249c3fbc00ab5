// Sums of products of four pixels with some filters, in float32: the inner loop of convolutions.
//
// A patch holds what the filters see: for each weight four elements, one of each pixel. The sums of a filter lie next to
// each other, too.

#ifndef NN_PATCH_FLOAT_H
#define NN_PATCH_FLOAT_H

#include "convolution.h"

// Weights and pixels one after the other in a row of x: element i of weight j is from[i * step + j].
void nn_patch_row(float *patch, const float *from, int32_t step, int32_t n);

// Four elements of each channel, cs bytes apart.
void nn_patch_channels(float *patch, const uint8_t *from, int32_t cs, int32_t n);

// Add to the sums of `count` filters their products with a patch of n weights; w: those of the first, each `filter` long. Every
// sum takes them one by one in their order. On cores without an FPU elements that are zero are left out.
void nn_patch_products(const float *patch, int32_t n, const float *w, int32_t filter, float *sums, int32_t count);

#endif
