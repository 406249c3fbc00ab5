// Where the filters of an int8 convolution look, pixel by pixel: what does not depend on how patches and weights lie.

#ifndef NN_PIXELS_INT8_H
#define NN_PIXELS_INT8_H

#include "dsp.h"

typedef struct nn_filters nn_filters; // each kernel's own

typedef struct {
    const nn_state *call;
    nn_filters *of; // what the kernel knows of its weights
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t inputs; // channels of x for each output channel
    int32_t outputs; // channels that see the same ones
    int32_t filter; // elements that each of them sees
    int32_t piece; // of a filter that is worked on at a time
    int32_t zero; // of x
    uint32_t minus; // what is added to elements to take it away
    int32_t run; // weights of a kernel row
    ptrdiff_t row_step; // from one's elements to the next one's
    ptrdiff_t ring; // from the first row that is held to behind the last
    int merged; // whether the taps of a kernel row lie in one run
    int pointwise; // whether all that a filter sees lies in one run
    int direct; // whether runs of whole pixels can be widened where they belong
    int straight; // whether whole runs can
    nn_operand x; // at the end: small cores reach the first words of a structure more easily
} nn_windows;

// One pixel of the output.
typedef struct {
    const int8_t *x; // the first run, if the whole window is inside of x; or null
    int32_t turn; // runs before the one where the rows that are held begin again
    int8_t *to;
    int32_t row, column; // of the output
} nn_spot;

// All of it but `of`, checked; `*weights`: how many there are. Filters are worked on in pieces of at most `piece` elements, all
// but the last a multiple of `block`.
int nn_windows_of(const nn_state *call, int32_t piece, int32_t block, nn_windows *k, int64_t *weights);

// All pixels, `n` at a time: `work_out` gets so many spots, of which `spots` has room for.
void nn_all_pixels(const nn_windows *k, nn_spot *spots, int32_t n, void (*work_out)(const nn_windows *, const nn_spot *));

#endif
