// Depthwise convolution with 3 x 3 taps, four channels that lie next to each other at a time.

#ifndef NN_DEPTHWISE_3X3_H
#define NN_DEPTHWISE_3X3_H

#include "requantise.h"

enum { NN_TAPS = 9 };

#if !NN_DSP && defined(__riscv_mul) && __riscv_xlen == 32
#define NN_DEPTHWISE_RV32 1
#else
#define NN_DEPTHWISE_RV32 0
#endif

// Four filters, laid out once for all of a call's pixels. The zero point of x is part of the start.
#if !NN_DSP && defined(__ARM_ARCH_6M__)
typedef struct {
    struct {
        int32_t start, weights[NN_TAPS];
        int32_t multiplier_low, multiplier_high, offset, right;
    } of[4];
} nn_four_filters;
#elif NN_DEPTHWISE_RV32
typedef struct {
    struct {
        int32_t start, weights[NN_TAPS]; // times four
        int32_t multiplier, offset, right;
    } of[4];
} nn_four_filters;
#else
typedef struct {
    int32_t start[4];
#if NN_DSP
    // Everything doubled, for SMMLAR drops one bit too many. Taps 0 and 1, 2 and 3, 4 and 5, 6 and 7 of a channel share a
    // word; of tap 8, channels 0 and 2, then 1 and 3.
    uint32_t weights[18];
#else
    int32_t weights[4 * NN_TAPS];
#endif
    int32_t multiplier[4], offset[4], right[4];
} nn_four_filters;
#endif

// Whether rows of taps may lie anywhere, as those of a ring do: the Cortex-M0+ has no register left for that.
#if !NN_DSP && defined(__ARM_ARCH_6M__)
#define NN_SECOND_STEP 0
#else
#define NN_SECOND_STEP 1
#endif

// `count` pixels of a row. The order is known to the assembler.
typedef struct {
    const int8_t *x; // the first tap of the first pixel
    const nn_four_filters *filters;
    int32_t pixel_step, row_step; // from tap to tap of x; from the first row of taps to the second
    int32_t step; // from pixel to pixel of x
    int8_t *y; // four channels next to each other
    int32_t y_step;
    int32_t count;
    int32_t second_step; // from the second row of taps to the third: another one only with NN_SECOND_STEP
    // And as many rows of them.
    int32_t rows;
    int32_t x_row, y_row; // from row to row
} nn_four_run;

// Whether output channels [o, o + 4) are of the kind that nn_four_results works out; `w` are the weights in
// [tap, channel] order, `channels` of them for each tap.
int nn_four_of(const nn_channels *k, int32_t o, const int8_t *w, int32_t channels, int32_t zero, nn_four_filters *filters);

// Write the results, kept within int8 only; x and y of the run change. With `away` -1 halves are rounded away from zero, with 0 up.
void nn_four_results(nn_four_run *run, int32_t away);

#endif
