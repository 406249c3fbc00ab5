// Depthwise convolution with 3 x 3 taps; see depthwise_3x3.h.

#include "depthwise_3x3.h"

// Sums of nine products then stay far below NN_QUICK_BELOW.
#define LARGEST_START (1 << 28)

#if NN_DSP

// Twice the elements of two words of halves, which are small.
NN_INLINE uint32_t doubled(uint32_t halves) {
#if NN_DSP_ASSEMBLER
    uint32_t result;
    __asm("sadd16 %0, %1, %1" : "=r"(result) : "r"(halves));
    return result;
#else
    return ((halves << 1) & 0xffff) | (halves & 0xffff0000u) << 1;
#endif
}

// Lay the filters out, and sum each one's weights up.
static void lay_out(const int8_t *w, int32_t channels, nn_four_filters *filters, int32_t *sums) {
    uint32_t *to = filters->weights, even = 0, odd = 0;
    for (int32_t tap = 0; tap + 1 < NN_TAPS; tap += 2, w += 2 * (ptrdiff_t)channels, to += 4) {
        const uint32_t a = nn_load_four(w), b = nn_load_four(w + channels);
        const uint32_t low = nn_low_halves(a, b), high = nn_high_halves(a, b);
        even = nn_extend_even(nn_extend_even(even, a), b);
        odd = nn_extend_odd(nn_extend_odd(odd, a), b);
        to[0] = doubled(nn_extend_even(0, low));
        to[1] = doubled(nn_extend_odd(0, low));
        to[2] = doubled(nn_extend_even(0, high));
        to[3] = doubled(nn_extend_odd(0, high));
    }
    const uint32_t last = nn_load_four(w);
    even = nn_extend_even(even, last);
    odd = nn_extend_odd(odd, last);
    to[0] = doubled(nn_extend_even(0, last));
    to[1] = doubled(nn_extend_odd(0, last));
    sums[0] = (int16_t)even;
    sums[1] = (int16_t)odd;
    sums[2] = (int16_t)(even >> 16);
    sums[3] = (int16_t)(odd >> 16);
}

#else

static void lay_out(const int8_t *w, int32_t channels, nn_four_filters *filters, int32_t *sums) {
    sums[0] = sums[1] = sums[2] = sums[3] = 0;
    for (int32_t tap = 0; tap < NN_TAPS; tap++) {
        for (int32_t i = 0; i < 4; i++) {
            const int32_t weight = w[i];
#if defined(__ARM_ARCH_6M__)
            filters->of[i].weights[tap] = weight;
#elif NN_DEPTHWISE_RV32
            filters->of[i].weights[tap] = 4 * weight;
#else
            filters->weights[4 * tap + i] = weight;
#endif
            sums[i] += weight;
        }
        w += tap + 1 < NN_TAPS ? channels : 0;
    }
}

#endif

int nn_four_of(const nn_channels *k, int32_t o, const int8_t *w, int32_t channels, int32_t zero, nn_four_filters *filters) {
    int32_t sums[4];
    lay_out(w, channels, filters, sums);
    for (int32_t i = 0; i < 4; i++) {
        nn_quick quick;
        const int32_t bias = k->bias[o + i];
        if (!nn_quick_of(k->multiplier[o + i], k->shift[o + i], k->zero, &quick) || quick.multiplier < 0
            || bias >= LARGEST_START || bias <= -LARGEST_START) {
            return 0;
        }
#if !NN_DSP && defined(__ARM_ARCH_6M__)
        filters->of[i].start = bias - zero * sums[i];
        filters->of[i].multiplier_low = quick.multiplier & 0xffff;
        filters->of[i].multiplier_high = quick.multiplier >> 16;
        filters->of[i].offset = quick.offset;
        filters->of[i].right = quick.right;
#elif NN_DEPTHWISE_RV32
        filters->of[i].start = 4 * (bias - zero * sums[i]);
        filters->of[i].multiplier = quick.multiplier;
        filters->of[i].offset = quick.offset;
        filters->of[i].right = quick.right;
#else
        filters->start[i] = (NN_DSP ? 2 : 1) * (bias - zero * sums[i]);
        filters->multiplier[i] = quick.multiplier;
        filters->offset[i] = quick.offset;
        filters->right[i] = quick.right;
#endif
    }
    return 1;
}

#if NN_DSP_ASSEMBLER

// On the stack: x, y, count, step, y_step, filters, pixel_step, row_step, second_step.
// r4 to r7 sums, r2 filters; of taps a (r12) and b (lr) first channels 0 and 1, then 2 and 3.
#define TWO_TAPS                         \
    "ldm r2!, {r8-r11}\n"                \
    "pkhbt r3, r12, lr, lsl #16\n"       \
    "pkhtb lr, lr, r12, asr #16\n"       \
    "sxtb16 r12, r3\n"                   \
    "smlad r4, r12, r8, r4\n"            \
    "sxtb16 r3, r3, ror #8\n"            \
    "smlad r5, r3, r9, r5\n"             \
    "sxtb16 r12, lr\n"                   \
    "smlad r6, r12, r10, r6\n"           \
    "sxtb16 lr, lr, ror #8\n"            \
    "smlad r7, lr, r11, r7\n"

#define UP(sum, result)
#define AWAY(sum, result) "add " result ", " result ", " sum ", asr #31\n"

#define PIXELS(ROUND)                    \
    "push {r4-r11, lr}\n"                \
    "sub sp, #36\n"                      \
    "ldm r0, {r1-r9}\n"                  \
    "strd r1, r6, [sp]\n"                \
    "strd r8, r5, [sp, #8]\n"            \
    "strd r7, r2, [sp, #16]\n"           \
    "strd r3, r4, [sp, #24]\n"           \
    "str r9, [sp, #32]\n"                \
    "mov r0, r1\n"                       \
    "1:\n"                               \
    "ldrd r2, r1, [sp, #20]\n"           \
    "ldm r2!, {r4-r7}\n"                 \
    "ldr r12, [r0]\n"                    \
    "ldr lr, [r0, r1]\n" TWO_TAPS        \
    "ldr r8, [sp, #28]\n"                \
    "ldr r12, [r0, r1, lsl #1]\n"        \
    "add r0, r8\n"                       \
    "ldr lr, [r0]\n" TWO_TAPS            \
    "ldr r8, [sp, #32]\n"                \
    "ldr r12, [r0, r1]\n"                \
    "ldr lr, [r0, r1, lsl #1]\n"         \
    "add r0, r8\n" TWO_TAPS              \
    "ldr r12, [r0]\n"                    \
    "ldr lr, [r0, r1]\n" TWO_TAPS        \
    "ldr r12, [r0, r1, lsl #1]\n"        \
    "ldm r2!, {r8, r9}\n"                \
    "sxtb16 r3, r12\n"                   \
    "sxtb16 r12, r12, ror #8\n"          \
    "smlabb r4, r3, r8, r4\n"            \
    "smlabb r5, r12, r9, r5\n"           \
    "smlatt r6, r3, r8, r6\n"            \
    "smlatt r7, r12, r9, r7\n"           \
    "ldm r2!, {r8-r11}\n"                \
    "ldm r2!, {r0, r1, r3, r12}\n"       \
    "smmlar r8, r4, r8, r0\n"            \
    "smmlar r9, r5, r9, r1\n"            \
    "smmlar r10, r6, r10, r3\n"          \
    "smmlar r11, r7, r11, r12\n"         \
    "ldm r2, {r0, r1, r3, r12}\n"        \
    ROUND("r4", "r8")                    \
    ROUND("r5", "r9")                    \
    ROUND("r6", "r10")                   \
    ROUND("r7", "r11")                   \
    "asr r8, r0\n"                       \
    "asr r9, r1\n"                       \
    "asr r10, r3\n"                      \
    "asr r11, r12\n"                     \
    "ssat r8, #8, r8\n"                  \
    "ssat r9, #8, r9\n"                  \
    "ssat r10, #8, r10\n"                \
    "ssat r11, #8, r11\n"                \
    "bfi r8, r9, #8, #24\n"              \
    "bfi r10, r11, #8, #24\n"            \
    "pkhbt r8, r8, r10, lsl #16\n"       \
    "ldm sp, {r0, r3-r6}\n"              \
    "str r8, [r3]\n"                     \
    "add r0, r5\n"                       \
    "add r3, r6\n"                       \
    "subs r4, #1\n"                      \
    "stm sp, {r0, r3, r4}\n"             \
    "bne 1b\n"                           \
    "add sp, #36\n"                      \
    "pop {r4-r11, pc}\n"

__attribute__((naked, noipa)) static void results_up(nn_four_run *run) {
    (void)run;
    __asm volatile(PIXELS(UP));
}

__attribute__((naked, noipa)) static void results_away(nn_four_run *run) {
    (void)run;
    __asm volatile(PIXELS(AWAY));
}

static void row_of_results(nn_four_run *run, int32_t away) {
    (away ? results_away : results_up)(run);
}

#elif !NN_DSP && defined(__ARM_ARCH_6M__)
#include "depthwise_armv6m.h"
#elif !NN_DSP && defined(__thumb2__)
#include "depthwise_armv7m.h"
#elif NN_DEPTHWISE_RV32
#include "depthwise_rv32.h"

// Halves away from zero: only the last few channels round so.
static void row_of_results(const nn_four_run *run, int32_t away) {
    for (int32_t i = 0; i < 4; i++) {
        const int32_t *w = run->filters->of[i].weights;
        const nn_quick quick = {run->filters->of[i].multiplier, run->filters->of[i].offset, run->filters->of[i].right};
        for (int32_t n = 0; n < run->count; n++) {
            const int8_t *row = run->x + n * run->step + i;
            int32_t sum = run->filters->of[i].start;
            for (int32_t tap = 0; tap < NN_TAPS; tap += 3) {
                sum += row[0] * w[tap] + row[run->pixel_step] * w[tap + 1] + row[2 * run->pixel_step] * w[tap + 2];
                row += tap ? run->second_step : run->row_step;
            }
            run->y[n * run->y_step + i] = (int8_t)nn_to_int8(nn_quick_result(&quick, sum / 4, away));
        }
    }
}
#else

#if NN_DSP

static void add_taps(const nn_four_run *run, const int8_t *x, int32_t *sums) {
    uint32_t bytes[NN_TAPS];
    const ptrdiff_t rows[3] = {0, run->row_step, (ptrdiff_t)run->row_step + run->second_step};
    const uint32_t *w = run->filters->weights;
    for (int32_t tap = 0; tap < NN_TAPS; tap++) {
        bytes[tap] = nn_load_four(x + rows[tap / 3] + (ptrdiff_t)(tap % 3) * run->pixel_step);
    }
    for (int32_t tap = 0; tap + 1 < NN_TAPS; tap += 2, w += 4) {
        for (int32_t i = 0; i < 4; i++) {
            const uint32_t a = (uint32_t)(int8_t)(bytes[tap] >> 8 * i), b = (uint32_t)(int8_t)(bytes[tap + 1] >> 8 * i);
            sums[i] = (int32_t)nn_dual_mac((uint32_t)sums[i], (a & 0xffff) | b << 16, w[i]);
        }
    }
    for (int32_t i = 0; i < 4; i++) {
        sums[i] += (int8_t)(bytes[NN_TAPS - 1] >> 8 * i) * (int16_t)(w[i & 1] >> 8 * (i & 2));
    }
    for (int32_t i = 0; i < 4; i++) {
        sums[i] /= 2;
    }
}

#else

NN_INLINE void add_taps(const nn_four_run *run, const int8_t *x, int32_t *sums) {
    const int32_t step = run->pixel_step;
    const int32_t *w = run->filters->weights;
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
#define ADD_TAP(p, tap)        \
    a += (p)[0] * w[4 * (tap)];     \
    b += (p)[1] * w[4 * (tap) + 1]; \
    c += (p)[2] * w[4 * (tap) + 2]; \
    d += (p)[3] * w[4 * (tap) + 3];
    ADD_TAP(x, 0)
    ADD_TAP(x + step, 1)
    ADD_TAP(x + 2 * step, 2)
    x += run->row_step;
    ADD_TAP(x, 3)
    ADD_TAP(x + step, 4)
    ADD_TAP(x + 2 * step, 5)
    x += run->second_step;
    ADD_TAP(x, 6)
    ADD_TAP(x + step, 7)
    ADD_TAP(x + 2 * step, 8)
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

#endif

NN_INLINE int8_t result(const nn_four_filters *f, int32_t i, int32_t sum, int32_t away) {
    const nn_quick quick = {f->multiplier[i], f->offset[i], f->right[i]};
    return (int8_t)nn_to_int8(nn_quick_result(&quick, sum, away));
}

static void row_of_results(nn_four_run *run, int32_t away) {
    const nn_four_filters *f = run->filters;
    const int8_t *x = run->x;
    int8_t *y = run->y;
    for (int32_t n = run->count; n > 0; n--) {
        int32_t sums[4] = {f->start[0], f->start[1], f->start[2], f->start[3]};
        add_taps(run, x, sums);
        y[0] = result(f, 0, sums[0], away);
        y[1] = result(f, 1, sums[1], away);
        y[2] = result(f, 2, sums[2], away);
        y[3] = result(f, 3, sums[3], away);
        if (n > 1) {
            x += run->step;
            y += run->y_step;
        }
    }
}

#endif

void nn_four_results(nn_four_run *run, int32_t away) {
#if NN_DEPTHWISE_RV32
    if (!away) {
        results_up(run);
        return;
    }
#endif
    for (int32_t row = run->rows; row > 0; row--) {
        row_of_results(run, away);
        if (row > 1) {
            run->x += run->x_row;
            run->y += run->y_row;
        }
    }
}
