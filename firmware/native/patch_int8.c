// Patches of two pixels and their products with filters; see patch_int8.h.

#include "patch_int8.h"

// What is left to do. The order is known to the assembler.
typedef struct {
    const void *x;
    const int8_t *w;
    uint32_t *sums;
    int32_t step;
    const void *x_fours; // where the last whole block of the patch ends that the inner loop takes at once
    const void *x_end;
    uint32_t *sums_end;
    int32_t whole, rest; // elements in such blocks, and after them
    int32_t back; // from there to the weights of the last group, or 0: there is none
} products;

#if NN_DSP

void nn_patch_fill(nn_patch *patch, int32_t pixel, int32_t at, const int8_t *x, int32_t n, int32_t zero) {
    const uint32_t minus = nn_both_halves(-zero);
    uint32_t *to = patch->words + at + 2 * pixel;
    if (!x) {
        for (; n > 0; n -= 4, to += 2 * NN_PIXELS) {
            to[0] = to[1] = 0;
        }
        return;
    }
    for (; n > 0; n -= 4, x += 4, to += 2 * NN_PIXELS) {
        const uint32_t bytes = nn_load_four(x);
        to[0] = nn_extend_even(minus, bytes);
        to[1] = nn_extend_odd(minus, bytes);
    }
}

void nn_patch_end(nn_patch *patch, int32_t pixel, int32_t n, const int8_t *x, int32_t zero) {
    const int32_t rest = n & 3;
    uint32_t *to = patch->words + (n & ~3) + 2 * pixel;
    int32_t items[4];
    if (!rest) {
        return;
    }
    for (int32_t i = 0; i < 4; i++) {
        items[i] = i < 4 - rest ? 0 : x[n - 4 + i] - zero;
    }
    to[0] = ((uint32_t)items[0] & 0xffff) | (uint32_t)items[2] << 16;
    to[1] = ((uint32_t)items[1] & 0xffff) | (uint32_t)items[3] << 16;
}

#if NN_DSP_ASSEMBLER
#include "patch_armv7em.h"
#else

static void add_group(uint32_t *sums, const uint32_t *x, const int8_t *v, const int8_t *w) {
    const uint32_t a = nn_load_four(v), b = nn_load_four(w);
    for (int32_t pixel = 0; pixel < NN_PIXELS; pixel++, x += 2) {
        sums[pixel] = nn_dual_mac(sums[pixel], x[0], nn_extend_even(0, a));
        sums[pixel] = nn_dual_mac(sums[pixel], x[1], nn_extend_odd(0, a));
        sums[NN_PIXELS + pixel] = nn_dual_mac(sums[NN_PIXELS + pixel], x[0], nn_extend_even(0, b));
        sums[NN_PIXELS + pixel] = nn_dual_mac(sums[NN_PIXELS + pixel], x[1], nn_extend_odd(0, b));
    }
}

static void add_products(products *p) {
    for (; p->sums != p->sums_end; p->sums += 2 * NN_PIXELS, p->w += 2 * (ptrdiff_t)p->step) {
        const int8_t *w = p->w;
        const uint32_t *x = p->x;
        for (; x != p->x_end; x += 2 * NN_PIXELS, w += 4) {
            add_group(p->sums, x, w, w + p->step);
        }
        if (p->back) {
            add_group(p->sums, x, w - p->back, w + p->step - p->back);
        }
    }
}

#endif

void nn_patch_sums(const nn_patch *patch, int32_t n, const int8_t *w, int32_t step, int32_t filters, uint32_t *sums) {
    products p;
    if (n < 4) { // no four weights to load
        const uint32_t *x = patch->words;
        for (; filters > 0; filters--, w += step, sums += NN_PIXELS) {
            for (int32_t i = 0; i < n; i++) {
                const int32_t at = 4 - n + i;
                sums[0] = nn_mac(sums[0], (int16_t)(x[at & 1] >> 8 * (at & 2)), w[i]);
                sums[1] = nn_mac(sums[1], (int16_t)(x[2 + (at & 1)] >> 8 * (at & 2)), w[i]);
            }
        }
        return;
    }
    p.x = patch->words;
    p.x_fours = patch->words + (n & ~15);
    p.x_end = patch->words + (n & ~3);
    p.w = w;
    p.step = step;
    p.sums = sums;
    p.sums_end = sums + NN_PIXELS * filters;
    p.back = n & 3 ? 4 - (n & 3) : 0;
    add_products(&p);
}

#else

void nn_patch_fill(nn_patch *patch, int32_t pixel, int32_t at, const int8_t *x, int32_t n, int32_t zero) {
    int32_t *to = patch->words + at * NN_PIXELS + pixel;
    int32_t *const end = to + NN_PIXELS * n;
    if (!x) {
        for (; to != end; to += NN_PIXELS) {
            *to = 0;
        }
        return;
    }
    for (int32_t *const fours = end - NN_PIXELS * (n & 3); to != fours; to += 4 * NN_PIXELS, x += 4) {
        to[0] = x[0] - zero;
        to[NN_PIXELS] = x[1] - zero;
        to[2 * NN_PIXELS] = x[2] - zero;
        to[3 * NN_PIXELS] = x[3] - zero;
    }
    for (; to != end; to += NN_PIXELS) {
        *to = *x++ - zero;
    }
}

void nn_patch_end(nn_patch *patch, int32_t pixel, int32_t n, const int8_t *x, int32_t zero) {
    const int32_t whole = n & ~3;
    nn_patch_fill(patch, pixel, whole, x + whole, n - whole, zero);
}

#if defined(__thumb2__)
#include "patch_armv7m.h"
#elif defined(__ARM_ARCH_6M__)
#include "patch_armv6m.h"
#else

#define ADD_ELEMENT(i)                                    \
    {                                                     \
        const int32_t p = x[2 * (i)], q = x[2 * (i) + 1]; \
        const int32_t even = v[i], odd = w[i];            \
        a = nn_mac(a, p, even);                           \
        b = nn_mac(b, q, even);                           \
        c = nn_mac(c, p, odd);                            \
        d = nn_mac(d, q, odd);                            \
    }

static void add_products(products *p) {
    for (; p->sums != p->sums_end; p->sums += 2 * NN_PIXELS, p->w += 2 * (ptrdiff_t)p->step) {
        const int8_t *v = p->w, *w = v + p->step;
        const int32_t *x = p->x;
        uint32_t a = p->sums[0], b = p->sums[1], c = p->sums[2], d = p->sums[3];
        for (; x != p->x_fours; x += 4 * NN_PIXELS, v += 4, w += 4) {
            ADD_ELEMENT(0)
            ADD_ELEMENT(1)
            ADD_ELEMENT(2)
            ADD_ELEMENT(3)
        }
        for (; x != p->x_end; x += NN_PIXELS, v++, w++) {
            ADD_ELEMENT(0)
        }
        p->sums[0] = a;
        p->sums[1] = b;
        p->sums[2] = c;
        p->sums[3] = d;
    }
}

#endif

void nn_patch_sums(const nn_patch *patch, int32_t n, const int8_t *w, int32_t step, int32_t filters, uint32_t *sums) {
    products p;
    p.x = patch->words;
    p.x_fours = patch->words + NN_PIXELS * (n & ~3);
    p.x_end = patch->words + NN_PIXELS * n;
    p.w = w;
    p.step = step;
    p.sums = sums;
    p.sums_end = sums + NN_PIXELS * filters;
    p.whole = n & ~3;
    p.rest = n & 3;
    add_products(&p);
}

#endif
