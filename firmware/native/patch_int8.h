// Sums of products of two pixels with some filters: the inner loop of convolutions.
//
// What the filters see of a pixel, its patch, is widened once, with the zero point subtracted, and used for all of them. A
// long patch comes piece by piece, of at most NN_PIECE elements, and meets at most NN_FILTERS filters at a time, so that
// half a kilobyte of stack will do.

#ifndef NN_PATCH_INT8_H
#define NN_PATCH_INT8_H

#include "dsp.h"
#include "requantise.h"

enum { NN_PIXELS = 2 };

#if NN_DSP

// Elements 0 and 2, and 1 and 3, of each group of four share a word, as SXTB16 leaves them: the first pixel's two words,
// then the second's. The last group is the last four elements of the piece; those that another group has, too, are 0 in it.
enum { NN_PIECE = 72, NN_FILTERS = 16 };

typedef struct {
    uint32_t words[NN_PIECE / 4 * 2 * NN_PIXELS];
} nn_patch;

#else

// A word for each element, pixel by pixel.
enum { NN_PIECE = 32, NN_FILTERS = 24 };

typedef struct {
    int32_t words[NN_PIECE * NN_PIXELS];
} nn_patch;

#endif

// Elements [at, at + n) of pixel `pixel` of the piece are those of x, or 0 where x is null; `at` and n are multiples of 4.
void nn_patch_fill(nn_patch *patch, int32_t pixel, int32_t at, const int8_t *x, int32_t n, int32_t zero);

// Likewise the last elements of a piece of `n`, any number.
void nn_patch_end(nn_patch *patch, int32_t pixel, int32_t n, const int8_t *x, int32_t zero);

// Adds the products of a piece of `n` elements with `filters` filters, an even number, `step` weights apart, to the sums:
// a filter's pixels lie next to each other.
void nn_patch_sums(const nn_patch *patch, int32_t n, const int8_t *w, int32_t step, int32_t filters, uint32_t *sums);

#endif
