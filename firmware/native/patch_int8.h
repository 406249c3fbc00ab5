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

// With NN_LANES: channels whose sums' starts are worked out at a time.
enum { NN_STARTS = 64 };

#if NN_LANES
// The words of pixels 0 and 1, and of 2 and 3, of an element lie next to each other.
enum { NN_ELEMENT_WORDS = 2, NN_PIXEL_WORDS = 1, NN_BLOCK = 8 };
#elif NN_DSP
// Elements 0 and 2, and 1 and 3, of each group of four share a word, as SXTB16 leaves them: two words for each pixel. The
// last group is the last four elements of the piece; those that another group has, too, are 0 in it.
enum { NN_ELEMENT_WORDS = 2, NN_PIXEL_WORDS = 2, NN_BLOCK = 16 };
#else
// A word for each element: those of the four pixels lie next to each other.
enum { NN_ELEMENT_WORDS = 4, NN_PIXEL_WORDS = 1, NN_BLOCK = 8 };
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
    NN_PATCH = NN_IN_REGISTERS ? NN_ALONE : NN_PIECE, // the longest of both
    // Where there are pieces and filters enough: more filters at once, and shorter pieces, so that fewer patches are filled.
    NN_MORE_FILTERS = 32,
    NN_SHORT_PIECE = (NN_SCRATCH_WORDS - NN_MORE_FILTERS * NN_PIXELS) / NN_ELEMENT_WORDS
};

#if NN_LANES

// Elements [at, at + n) of two pixels' part of the patch are those of x and y.
NN_INLINE void nn_patch_fill(uint32_t *patch, int32_t at, const int8_t *x, const int8_t *y, int32_t n) {
    uint32_t *to = patch + NN_ELEMENT_WORDS * at, *const end = to + NN_ELEMENT_WORDS * n;
#define LANES(i) to[NN_ELEMENT_WORDS * (i)] = (uint32_t)x[i] + ((uint32_t)y[i] << 16)
    for (uint32_t *const fours = end - NN_ELEMENT_WORDS * (n & 3); to != fours; to += 4 * NN_ELEMENT_WORDS, x += 4, y += 4) {
        LANES(0);
        LANES(1);
        LANES(2);
        LANES(3);
    }
    for (; to != end; to += NN_ELEMENT_WORDS, x++, y++) {
        LANES(0);
    }
#undef LANES
}

#elif NN_DSP

// Elements [at, at + n) of a pixel's part of the patch are those of x; `at` and n are multiples of 4.
NN_INLINE void nn_patch_fill(uint32_t *patch, int32_t at, const int8_t *x, int32_t n, uint32_t minus) {
    uint32_t *to = patch + NN_ELEMENT_WORDS * at;
#if NN_DSP_ASSEMBLER
#define WIDEN                            \
    "ldr r3, [%[x]], #4\n"              \
    "sxtab16 r2, %[minus], r3\n"        \
    "sxtab16 r3, %[minus], r3, ror #8\n" \
    "strd r2, r3, [%[to]], #32\n"
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
    for (; n > 0; n -= 4, x += 4, to += 2 * NN_PIXELS) {
        const uint32_t bytes = nn_load_four(x);
        to[0] = nn_extend_even(minus, bytes);
        to[1] = nn_extend_odd(minus, bytes);
    }
#endif
}

NN_INLINE void nn_patch_clear(uint32_t *patch, int32_t n) {
    for (uint32_t *const end = patch + NN_ELEMENT_WORDS * n; patch != end; patch += 2 * NN_PIXELS) {
        patch[0] = patch[1] = 0;
    }
}

// Elements in bytes, as a piece has them, to which nn_patch_fill is to be applied: `n` of them, then the last group. There is
// room for four before and after them.
NN_INLINE void nn_patch_end(int8_t *bytes, int32_t n, int32_t zero) {
    const int32_t rest = n & 3;
    if (rest) {
        const uint32_t kept = 0xffffffffu << (32 - 8 * rest), zeros = (uint32_t)(uint8_t)zero * 0x01010101u;
        const uint32_t word = (nn_load_four(bytes + n - 4) & kept) | (zeros & ~kept);
        __builtin_memcpy(bytes + (n & ~3), &word, sizeof word);
    }
}

#else

// Elements [at, at + n) of a pixel's part of the patch are those of x.
NN_INLINE void nn_patch_fill(uint32_t *patch, int32_t at, const int8_t *x, int32_t n, uint32_t minus) {
    uint32_t *to = patch + NN_PIXELS * at, *const end = to + NN_PIXELS * n;
    for (uint32_t *const fours = end - NN_PIXELS * (n & 3); to != fours; to += 4 * NN_PIXELS, x += 4) {
        to[0] = (uint32_t)x[0] + minus;
        to[NN_PIXELS] = (uint32_t)x[1] + minus;
        to[2 * NN_PIXELS] = (uint32_t)x[2] + minus;
        to[3 * NN_PIXELS] = (uint32_t)x[3] + minus;
    }
    for (; to != end; to += NN_PIXELS) {
        *to = (uint32_t)*x++ + minus;
    }
}

NN_INLINE void nn_patch_clear(uint32_t *patch, int32_t n) {
    for (uint32_t *const end = patch + NN_ELEMENT_WORDS * n; patch != end; patch += NN_PIXELS) {
        *patch = 0;
    }
}

#endif

// What is left to do. The order is known to the assembler.
typedef struct {
    int8_t *y[NN_PIXELS];
    int8_t *y_end; // of pixel 0
    const int32_t *bias, *multiplier, *shift; // of the next filter
    int32_t odd; // 2 * the output's zero point + 1
    const uint32_t *x;
    const uint32_t *x_end; // where the last whole group of four of the patch ends, or the last element
    const uint32_t *x_blocks; // and the last whole block
    const int8_t *w;
    int32_t next; // from the end of a filter's piece to that of the next filter
#if NN_LANES
    int32_t filter; // from a pair's first filter to its second
    int32_t added; // 128 for each two elements
#else
    int32_t back; // from there to the weights of the last group, or 0: there is none
#endif
    uint32_t *sums; // a filter's pixels lie next to each other
    int32_t sums_step; // in bytes, from a filter's to the next one's
    uint32_t *sums_end;
    int32_t n; // elements of the piece
} nn_products;

// The piece is of `n` elements, of filters `filter` long.
void nn_patch_piece(nn_products *p, uint32_t *patch, int32_t n, int32_t filter);

// Add the products to the sums, up to sums_end.
void nn_patch_sums(nn_products *p);

// Add them to the sums and write the results, up to y_end: for channels that are all quick, and pieces of at least four
// elements. Sums in memory may change where NN_IN_REGISTERS is 0.
void nn_patch_results(nn_products *p);

#endif
