// Products of four pixels with filters where one multiplication is for two pixels: on RV32, which has none that adds.
//
// A word of the patch is a lane for each of two pixels, x0 + 65536 * x1, elements as they are, zero point included. A weight
// times it is both products; two such words make
//     t = a + 65536 * b, with a = v * x0 + w * y0 and b = v * x1 + w * y1.
// Of int8 each product is from -16256 to 16384, so a and b are from -32512 to 32768. With 32640 - 128 * 65536 added the lower
// part is from 128 to 65408 and the upper one from -32640 to 32640: nothing is carried from one to the other, the word is
// one of int32, and its upper half is b - 128. So the sum of the upper halves, with 128 for each of them, is the second
// pixel's, B; and the sum of all t is A + 65536 * B, modulo 2^32, which leaves the first pixel's.
//
// An odd element comes last, with the one before it, which is 0 in the patch's last pair of words.

#ifndef NN_PATCH_LANES_H
#define NN_PATCH_LANES_H

enum { LANES_ADDED = 32640 - 128 * 65536 };

#if NN_RV32
#include "patch_rv32.h"
#else

// The sums of a filter's four pixels.
NN_INLINE void add_filter(const nn_products *p, const int8_t *w, uint32_t *sums) {
    for (int32_t pair = 0; pair < 2; pair++, sums += 2) {
        const uint32_t *x = p->x + pair;
        uint32_t upper = sums[1] + (uint32_t)p->added, all = sums[0] + (sums[1] << 16);
        for (int32_t i = 0; i < p->n; i += 2, x += 4) {
            const int8_t *const two = w + nn_min(i, p->n - 2);
            const uint32_t t = x[0] * (uint32_t)two[0] + x[2] * (uint32_t)two[1];
            all += t;
            upper += (uint32_t)((int32_t)(t + (uint32_t)LANES_ADDED) >> 16);
        }
        sums[0] = all - (upper << 16);
        sums[1] = upper;
    }
}

static void add_pairs(const nn_products *p, int32_t pairs) {
    const int8_t *w = p->w;
    uint32_t *sums = p->sums;
    for (int32_t i = 0; i < 2 * pairs; i++) {
        uint32_t s[NN_PIXELS];
        for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++) {
            s[pixel] = sums[pixel] + (p->y_end ? (uint32_t)p->bias[i] : 0);
        }
        add_filter(p, w, s);
        for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++) {
            if (p->y_end) {
                p->y[pixel][i] = (int8_t)nn_to_int8(nn_quick_scaled((int32_t)s[pixel], p->multiplier[i], p->shift[i], p->odd));
            } else {
                sums[pixel] = s[pixel];
            }
        }
        sums += p->sums_step / (int32_t)sizeof *sums;
        w += i & 1 ? p->n + p->next : p->filter;
    }
}

#endif

// The last one of an odd number of filters, as a pair of twins.
NN_NOINLINE void add_last(const nn_products *p, int32_t i) {
    nn_products q = *p;
    uint32_t *const sums = p->sums + i * p->sums_step / (int32_t)sizeof *sums;
    uint32_t both[2 * NN_PIXELS];
    int32_t words[3][2] = {{0, 0}, {0, 0}, {0, 0}};
    int8_t y[NN_PIXELS][2];
    for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++) {
        both[pixel] = both[NN_PIXELS + pixel] = sums[pixel];
        q.y[pixel] = y[pixel];
    }
    if (p->y_end) {
        words[0][0] = words[0][1] = p->bias[i];
        words[1][0] = words[1][1] = p->multiplier[i];
        words[2][0] = words[2][1] = p->shift[i];
    }
    q.bias = words[0];
    q.multiplier = words[1];
    q.shift = words[2];
    q.w += i * q.filter;
    q.filter = 0;
    q.sums = both;
    q.sums_step = NN_PIXELS * (int32_t)sizeof *sums;
    add_pairs(&q, 1);
    for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++) {
        if (p->y_end) {
            p->y[pixel][i] = y[pixel][0];
        } else {
            sums[pixel] = both[pixel];
        }
    }
}

// Filters of one weight, which has none before it.
NN_NOINLINE void add_single(const nn_products *p) {
    const int8_t *w = p->w;
    for (uint32_t *sums = p->sums; sums != p->sums_end; sums += NN_PIXELS, w++) {
        for (int32_t pixel = 0; pixel < NN_PIXELS; pixel += 2) {
            const uint32_t word = p->x[2 + pixel / 2];
            const int32_t low = (int16_t)word;
            sums[pixel] = nn_mac(sums[pixel], low, *w);
            sums[pixel + 1] = nn_mac(sums[pixel + 1], (int32_t)(word - (uint32_t)low) >> 16, *w);
        }
    }
}

static void add_all(const nn_products *p, int32_t count) {
    if (count > 1) {
        add_pairs(p, count / 2);
    }
    if (count & 1) {
        add_last(p, count - 1);
    }
}

#endif
