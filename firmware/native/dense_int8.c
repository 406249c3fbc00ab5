// Products of one run of elements with four runs of weights; see dense_int8.h.

#include "dense_int8.h"

void nn_dense_widen(const int8_t *x, int32_t n, int32_t zero, uint32_t *to) {
#if NN_DSP
    const uint32_t minus = nn_both_halves(-zero);
    for (; n > 0; n -= 4, x += 4, to += 2) {
        const uint32_t bytes = nn_load_four(x);
        to[0] = nn_extend_even(minus, bytes);
        to[1] = nn_extend_odd(minus, bytes);
    }
#elif defined(__ARM_ARCH_6M__)
    // Every fourth element, four times.
    for (int32_t first = 0; first < 4 && n; first++) {
        const int8_t *from = x + first;
        for (uint32_t *const blocks = to + (n >> 4) * 4; to != blocks; to += 4, from += 16) {
            to[0] = (uint32_t)(from[0] - zero);
            to[1] = (uint32_t)(from[4] - zero);
            to[2] = (uint32_t)(from[8] - zero);
            to[3] = (uint32_t)(from[12] - zero);
        }
        for (const int8_t *const end = x + n; from < end; from += 4) {
            *to++ = (uint32_t)(*from - zero);
        }
    }
#else
    for (; n > 0; n--) {
        *to++ = (uint32_t)(*x++ - zero);
    }
#endif
}

#if NN_DSP_ASSEMBLER

// r0 x, r1 to r4 weights, r5 to r8 sums, lr the end of x.
#define OUTPUT(w, sum)                \
    "ldr r11, [" w "], #4\n"          \
    "sxtb16 r12, r11\n"               \
    "sxtb16 r11, r11, ror #8\n"       \
    "smlad " sum ", r9, r12, " sum "\n" \
    "smlad " sum ", r10, r11, " sum "\n"
#define GROUP "ldm r0!, {r9, r10}\n" OUTPUT("r1", "r5") OUTPUT("r2", "r6") OUTPUT("r3", "r7") OUTPUT("r4", "r8")
#define BLOCK GROUP GROUP GROUP GROUP

__attribute__((naked, noipa)) void nn_dense_add(nn_dense *d) {
    (void)d;
    __asm volatile(
        "push {r0, r4-r11, lr}\n"
        "ldr lr, [r0, #32]\n"
        "ldm r0, {r0-r2, r4-r8}\n" // r4: the end of x, not needed yet
        "add r3, r1, r2, lsl #1\n"
        "add r4, r3, r2\n"
        "add r2, r1\n"
        "cmp r0, lr\n"
        "beq 2f\n"
        "1:\n" BLOCK
        "cmp r0, lr\n"
        "bne 1b\n"
        "2:\n"
        "ldr lr, [sp]\n"
        "ldr lr, [lr, #12]\n"
        "cmp r0, lr\n"
        "beq 4f\n"
        "3:\n" GROUP
        "cmp r0, lr\n"
        "bne 3b\n"
        "4:\n"
        "pop {r0}\n"
        "add r0, #16\n"
        "stm r0, {r5-r8}\n"
        "pop {r4-r11, pc}\n");
}

#elif !NN_DSP && defined(__thumb2__)
#include "dense_armv7m.h"

#elif !NN_DSP && defined(__ARM_ARCH_6M__)
#include "dense_armv6m.h"

#else

void nn_dense_add(nn_dense *d) {
    const int8_t *p = d->w, *q = p + d->step, *r = q + d->step, *s = r + d->step;
    uint32_t a = d->sums[0], b = d->sums[1], c = d->sums[2], e = d->sums[3];
#if NN_DSP
#define ADD(sum, w) \
    sum = nn_dual_mac(nn_dual_mac(sum, x[0], nn_extend_even(0, nn_load_four(w))), x[1], nn_extend_odd(0, nn_load_four(w)))
    for (const uint32_t *x = d->x; x != d->x_end; x += 2, p += 4, q += 4, r += 4, s += 4) {
        ADD(a, p);
        ADD(b, q);
        ADD(c, r);
        ADD(e, s);
    }
#elif defined(__riscv)
    // In C the compiler loads too far ahead, and spills.
#define OUTPUT(at, w, sum)     \
    "lb t1, " at "(" w ")\n"   \
    "mul t1, t0, t1\n"         \
    "add " sum ", " sum ", t1\n"
#define ELEMENT(x_at, at)                                                                           \
    "lw t0, " x_at "(%[x])\n" OUTPUT(at, "%[p]", "%[a]") OUTPUT(at, "%[q]", "%[b]") OUTPUT(at, "%[r]", "%[c]") \
        OUTPUT(at, "%[s]", "%[e]")
#define FOUR(x_at, at) \
    ELEMENT(x_at, at) ELEMENT(x_at "+4", at "+1") ELEMENT(x_at "+8", at "+2") ELEMENT(x_at "+12", at "+3")
#define ADD(elements, bytes, count, to)                                                                                  \
    __asm volatile("1:\n" elements                                                                                      \
        "addi %[x], %[x], " bytes "\n"                                                                                  \
        "addi %[p], %[p], " count "\n"                                                                                  \
        "addi %[q], %[q], " count "\n"                                                                                  \
        "addi %[r], %[r], " count "\n"                                                                                  \
        "addi %[s], %[s], " count "\n"                                                                                  \
        "bne %[x], %[end], 1b\n"                                                                                        \
        : [x] "+r"(x), [p] "+r"(p), [q] "+r"(q), [r] "+r"(r), [s] "+r"(s), [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [e] "+r"(e) \
        : [end] "r"(to)                                                                                                  \
        : "t0", "t1", "memory")
    const uint32_t *x = d->x;
    if (x != d->x_blocks) {
        ADD(FOUR("0", "0") FOUR("16", "4") FOUR("32", "8") FOUR("48", "12"), "64", "16", d->x_blocks);
    }
    if (x != d->x_end) {
        ADD(FOUR("0", "0"), "16", "4", d->x_end);
    }
#else
    for (const uint32_t *x = d->x; x != d->x_end; x += 4, p += 4, q += 4, r += 4, s += 4) {
        for (int32_t i = 0; i < 4; i++) {
            const int32_t item = (int32_t)x[i];
            a = nn_mac(a, item, p[i]);
            b = nn_mac(b, item, q[i]);
            c = nn_mac(c, item, r[i]);
            e = nn_mac(e, item, s[i]);
        }
    }
#endif
    d->sums[0] = a;
    d->sums[1] = b;
    d->sums[2] = c;
    d->sums[3] = e;
}

#endif
