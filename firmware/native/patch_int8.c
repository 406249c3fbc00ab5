// Patches of two pixels and their products with filters; see patch_int8.h.

#include "patch_int8.h"

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

typedef struct {
    const uint32_t *x;
    const int8_t *w;
    uint32_t *sums;
    int32_t step;
    const uint32_t *x_fours; // where the last whole four of groups ends
    const uint32_t *x_end; // and the last whole group
    uint32_t *sums_end;
    int32_t back; // from there to the weights of the last group, or 0: there is none
} products;

#if NN_DSP_ASSEMBLER

// r0 patch, r1 and r12 weights of the two filters, r8 to r11 sums, lr the patch's end.
#define GROUP                       \
    "ldm r0!, {r2-r5}\n"            \
    "ldr r6, [r1], #4\n"            \
    "sxtb16 r7, r6\n"               \
    "sxtb16 r6, r6, ror #8\n"       \
    "smlad r8, r2, r7, r8\n"        \
    "smlad r9, r4, r7, r9\n"        \
    "smlad r8, r3, r6, r8\n"        \
    "smlad r9, r5, r6, r9\n"        \
    "ldr r6, [r12], #4\n"           \
    "sxtb16 r7, r6\n"               \
    "sxtb16 r6, r6, ror #8\n"       \
    "smlad r10, r2, r7, r10\n"      \
    "smlad r11, r4, r7, r11\n"      \
    "smlad r10, r3, r6, r10\n"      \
    "smlad r11, r5, r6, r11\n"

// 15 instructions for 16 products.
__attribute__((naked, noipa)) static void add_products(products *p) {
    (void)p;
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "1:\n"
        "ldr r2, [sp]\n"
        "ldm r2, {r0, r1, r7, r12, lr}\n"
        "add r12, r1\n"
        "ldm r7, {r8-r11}\n"
        "cmp r0, lr\n"
        "beq 3f\n"
        "2:\n" GROUP GROUP GROUP GROUP
        "cmp r0, lr\n"
        "bne 2b\n"
        "3:\n"
        "ldr r2, [sp]\n"
        "ldr lr, [r2, #20]\n"
        "cmp r0, lr\n"
        "beq 5f\n"
        "4:\n" GROUP
        "cmp r0, lr\n"
        "bne 4b\n"
        "ldr r2, [sp]\n"
        "5:\n"
        "ldr r3, [r2, #28]\n"
        "cbz r3, 6f\n"
        "sub r1, r3\n"
        "sub r12, r3\n" GROUP
        "ldr r2, [sp]\n"
        "6:\n"
        "ldr r1, [r2, #4]\n"
        "ldrd r7, r3, [r2, #8]\n"
        "ldr r4, [r2, #24]\n"
        "stm r7!, {r8-r11}\n"
        "add r1, r1, r3, lsl #1\n"
        "strd r1, r7, [r2, #4]\n"
        "cmp r7, r4\n"
        "bne 1b\n"
        "pop {r0, r4-r11, pc}\n");
}

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
    p.x_fours = p.x + (n & ~15);
    p.x_end = p.x + (n & ~3);
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
    for (int32_t i = 0; i < n; i++, to += NN_PIXELS) {
        *to = x ? x[i] - zero : 0;
    }
}

void nn_patch_end(nn_patch *patch, int32_t pixel, int32_t n, const int8_t *x, int32_t zero) {
    const int32_t whole = n & ~3;
    nn_patch_fill(patch, pixel, whole, x + whole, n - whole, zero);
}

#define ADD_ELEMENT(i)                             \
    {                                              \
        const int32_t p = x[2 * (i)], q = x[2 * (i) + 1]; \
        const int32_t even = v[i], odd = v[(i) + step];   \
        a = nn_mac(a, p, even);                    \
        b = nn_mac(b, q, even);                    \
        c = nn_mac(c, p, odd);                     \
        d = nn_mac(d, q, odd);                     \
    }

void nn_patch_sums(const nn_patch *patch, int32_t n, const int8_t *w, int32_t step, int32_t filters, uint32_t *sums) {
    for (; filters > 0; filters -= 2, w += 2 * (ptrdiff_t)step, sums += 4) {
        const int8_t *v = w, *end = w + n;
        const int32_t *x = patch->words;
        uint32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
        for (; end - v >= 4; v += 4, x += 4 * NN_PIXELS) {
            ADD_ELEMENT(0)
            ADD_ELEMENT(1)
            ADD_ELEMENT(2)
            ADD_ELEMENT(3)
        }
        for (; v != end; v++, x += NN_PIXELS) {
            ADD_ELEMENT(0)
        }
        sums[0] = a;
        sums[1] = b;
        sums[2] = c;
        sums[3] = d;
    }
}

#endif
