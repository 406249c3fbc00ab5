// Sums of products of four pixels with some filters: the inner loop of convolutions.
//
// What the filters see of a pixel, its patch, is widened once, with the zero point subtracted, and used for all of them:
// one filter at a time meets four pixels, so that its weights are loaded and widened once for them. A patch that does not
// fit comes piece by piece; then the sums wait in memory, and as many filters meet a piece as have room for theirs.

#ifndef NN_PATCH_INT8_H
#define NN_PATCH_INT8_H

#include "dsp.h"
#include "requantise.h"

enum { NN_PIXELS = 4, NN_SCRATCH_WORDS = 320 };

#if NN_DSP
// Elements 0 and 2, and 1 and 3, of each group of four share a word, as SXTB16 leaves them: two words for each pixel. The
// last group is the last four elements of the piece; those that another group has, too, are 0 in it.
enum { NN_ELEMENT_WORDS = 2, NN_BLOCK = 16 };
#else
// A word for each element: those of the four pixels lie next to each other.
enum { NN_ELEMENT_WORDS = 4, NN_BLOCK = 8 };
#endif

// Whether nn_patch_results needs no memory for sums: small cores have not enough registers.
#if !NN_DSP && defined(__ARM_ARCH_6M__)
#define NN_IN_REGISTERS 0
#else
#define NN_IN_REGISTERS 1
#endif

// Filters that have room for their sums at once, and the longest piece that leaves it. Filters of at most NN_ALONE elements
// need none.
enum {
    NN_FILTERS = NN_IN_REGISTERS ? 32 : 16,
    NN_PIECE = (NN_SCRATCH_WORDS - NN_FILTERS * NN_PIXELS) / NN_ELEMENT_WORDS,
    NN_ALONE = NN_IN_REGISTERS ? NN_SCRATCH_WORDS / NN_ELEMENT_WORDS : 0,
    NN_PATCH = NN_IN_REGISTERS ? NN_ALONE : NN_PIECE // the longest of both
};

// Elements [at, at + n) of pixel `pixel` of the piece are those of x, or 0 where x is null; `at` and n are multiples of 4.
void nn_patch_fill(uint32_t *patch, int32_t pixel, int32_t at, const int8_t *x, int32_t n, int32_t zero);

// Likewise the last elements of a piece of `n`, any number.
void nn_patch_end(uint32_t *patch, int32_t pixel, int32_t n, const int8_t *x, int32_t zero);

// What is left to do. The order is known to the assembler.
typedef struct {
    const uint32_t *x;
    const uint32_t *x_blocks; // where the last whole block of the patch ends
    const uint32_t *x_end; // and the last whole group of four, or the last element
    const int32_t *bias, *multiplier, *shift; // of the next filter
    int32_t odd; // 2 * the output's zero point + 1
    int8_t *y[NN_PIXELS];
    int8_t *y_end; // of pixel 0
    const int8_t *w;
    int32_t next; // from the end of a filter's piece to that of the next filter
    int32_t back; // from there to the weights of the last group, or 0: there is none
    uint32_t *sums; // a filter's pixels lie next to each other
    int32_t sums_step; // in bytes, from a filter's to the next one's
    uint32_t *sums_end;
    int32_t n; // elements of the piece
} nn_products;

// The piece is of `n` elements, of filters `filter` long.
void nn_patch_piece(nn_products *p, const uint32_t *patch, int32_t n, int32_t filter);

// Add the products to the sums, up to sums_end.
void nn_patch_sums(nn_products *p);

// Add them to the sums and write the results, up to y_end: for channels that are all quick, and pieces of at least four
// elements. Sums in memory may change where NN_IN_REGISTERS is 0.
void nn_patch_results(nn_products *p);

#endif
