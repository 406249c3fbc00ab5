// Products of three pixels with pairs of filters: the inner loop of convolutions with packed weights (packed_int8.h).

#ifndef NN_PAIRS_INT8_H
#define NN_PAIRS_INT8_H

#include "packed_int8.h"

// A group of four elements is six words of a patch: of each pixel elements 0 and 2, then of each pixel elements 1 and 3.
enum { NN_PIXELS = 3, NN_PIXEL_WORDS = 1, NN_GROUP_WORDS = 2 * NN_PIXELS };

// Pairs that have room for their sums at once, and the longest piece that leaves it. Filters of at most NN_ALONE elements
// need none.
enum {
    NN_SCRATCH_WORDS = 320,
    NN_PAIRS = 16,
    NN_PAIR_SUMS = 2 * NN_PIXELS,
    NN_BLOCK = 4,
    NN_PIECE = (NN_SCRATCH_WORDS - NN_PAIRS * NN_PAIR_SUMS) / NN_GROUP_WORDS * 4,
    NN_ALONE = NN_SCRATCH_WORDS / NN_GROUP_WORDS * 4,
    NN_PATCH = NN_ALONE
};

// What is left to do. The order is known to the assembler.
typedef struct {
    int8_t *y[NN_PIXELS];
    int8_t *y_end; // of pixel 0
    const int32_t *channels; // of the next pair
    uint32_t *sums; // a pair's: the first filter's of each pixel, then both
    int32_t sums_step; // in bytes, from a pair's to the next one's
    const uint32_t *x, *x_end;
    int32_t next; // from the end of a pair's piece to that of the next pair, in bytes
    int32_t left_out; // bytes of code: the groups that the first round of four leaves out
    const int8_t *w;
    uint32_t *sums_end;
} nn_products;

// Elements [at, at + n) of a pixel's part of the patch are those of x; `at` and n are multiples of 4.
NN_INLINE void nn_patch_fill(uint32_t *patch, int32_t at, const int8_t *x, int32_t n, uint32_t minus) {
    uint32_t *to = patch + NN_GROUP_WORDS * (at >> 2);
#if NN_DSP_ASSEMBLER
#define WIDEN                            \
    "ldr r3, [%[x]], #4\n"              \
    "sxtab16 r2, %[minus], r3\n"        \
    "sxtab16 r3, %[minus], r3, ror #8\n" \
    "str r3, [%[to], #12]\n"            \
    "str r2, [%[to]], #24\n"
    __asm volatile("b 2f\n"
        "1:\n" WIDEN WIDEN
        "2:\n"
        "subs %[n], #8\n"
        "bge 1b\n"
        "lsls %[n], #29\n"
        "beq 3f\n" WIDEN
        "3:\n"
        : [x] "+r"(x), [to] "+r"(to), [n] "+r"(n)
        : [minus] "r"(minus)
        : "r2", "r3", "cc", "memory");
#undef WIDEN
#else
    for (; n > 0; n -= 4, x += 4, to += NN_GROUP_WORDS) {
        const uint32_t bytes = nn_load_four(x);
        to[0] = nn_extend_even(minus, bytes);
        to[NN_PIXELS] = nn_extend_odd(minus, bytes);
    }
#endif
}

NN_INLINE void nn_patch_clear(uint32_t *patch, int32_t n) {
    for (uint32_t *const end = patch + NN_GROUP_WORDS * (n >> 2); patch != end; patch += NN_GROUP_WORDS) {
        patch[0] = patch[NN_PIXELS] = 0;
    }
}

// Fill up the last group, for which there is room: its weights are 0.
NN_INLINE void nn_patch_end(int8_t *bytes, int32_t n, int32_t zero) {
    for (; n & 3; n++) {
        bytes[n] = (int8_t)zero;
    }
}

// The patch at `x` is of `n` elements, of filters `filter` long.
void nn_pairs_piece(nn_products *p, int32_t n, int32_t filter);

// Add the products to the sums, up to sums_end.
void nn_pairs_sums(nn_products *p);

// Add them to the sums, which stay as they are, and write the results, up to y_end.
void nn_pairs_results(nn_products *p);

#endif
