// Sums of products of one run of elements with four runs of weights: the inner loop of fully connected layers.

#ifndef NN_DENSE_INT8_H
#define NN_DENSE_INT8_H

#include "dsp.h"
#include "requantise.h"

enum { NN_OUTPUTS = 4, NN_WIDENED_WORDS = 320 };

// Elements that are widened at a time, without their zero point: with NN_DSP 0 and 2, and 1 and 3, of each four in a word.
enum { NN_WIDENED = NN_DSP ? 2 * NN_WIDENED_WORDS : NN_WIDENED_WORDS };

// The order is known to the assembler.
typedef struct {
    const uint32_t *x;
    const int8_t *w; // of the first run
    int32_t step; // to the next one
    const uint32_t *x_end;
    uint32_t sums[NN_OUTPUTS];
    const uint32_t *x_blocks; // where the last four groups of four end
} nn_dense;

// `n` elements, a multiple of four.
void nn_dense_widen(const int8_t *x, int32_t n, int32_t zero, uint32_t *to);

// Adds to the sums.
void nn_dense_add(nn_dense *d);

#endif
