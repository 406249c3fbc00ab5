// Sums of products of one run of elements with four runs of weights: the inner loop of fully connected layers.

#ifndef NN_DENSE_INT8_H
#define NN_DENSE_INT8_H

#include "dsp.h"
#include "requantise.h"

enum { NN_OUTPUTS = 4, NN_WIDENED_WORDS = NN_DSP ? 320 : 280 };

// Elements that are widened at a time, without their zero point: with NN_DSP 0 and 2, and 1 and 3, of each four in a word.
enum { NN_WIDENED = NN_DSP ? 2 * NN_WIDENED_WORDS : NN_WIDENED_WORDS };

// Whether nn_dense_results is there; then how many groups of four elements the unrolled loop has, and the bytes of code of one.
#if !NN_DSP && defined(__thumb2__)
enum { NN_DENSE_GROUPS = 4, NN_DENSE_CODE = 132 };
#define NN_DENSE_RESULTS 1
#elif !NN_DSP && defined(__ARM_ARCH_6M__)
enum { NN_DENSE_GROUPS = 16, NN_DENSE_CODE = 26 };
#define NN_DENSE_RESULTS 1
#else
#define NN_DENSE_RESULTS 0
#endif

// The order is known to the assembler.
typedef struct {
    const uint32_t *x;
    const int8_t *w; // of the first run
    int32_t step; // to the next one
    const uint32_t *x_end;
    uint32_t sums[NN_OUTPUTS];
#if NN_DENSE_RESULTS
    int32_t left_out; // bytes of code that a first round leaves out
    const uint32_t *start; // what is added to the products of the next outputs
    const int32_t *multiplier, *shift;
    int32_t odd; // 2 * the output's zero point + 1
    int8_t *y, *y_end;
#else
    const uint32_t *x_blocks; // where the last four groups of four end
#endif
} nn_dense;

// `n` elements, a multiple of four, in the order that nn_dense_add wants them in.
void nn_dense_widen(const int8_t *x, int32_t n, int32_t zero, uint32_t *to);

// Adds to the sums.
void nn_dense_add(nn_dense *d);

#if NN_DENSE_RESULTS
// Writes the results of outputs that are all quick, four at a time, up to y_end. What `w`, `start`, `multiplier`, `shift`
// and `y` point to moves on.
void nn_dense_results(nn_dense *d);
#endif

#endif
