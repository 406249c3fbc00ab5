// Fully connected layers whose input is for a good part at its zero point, as it is after a ReLU: only the other elements
// meet their weights. A product is three instructions on RV32, so that looking for it may well be one more.

#ifndef NN_NONZERO_INT8_H
#define NN_NONZERO_INT8_H

#include "dsp.h"
#include "requantise.h"

// Outputs that meet an element at a time, and elements whose places fit a list.
enum { NN_NONZERO_OUTPUTS = 16, NN_NONZERO_REACH = 1 << 16 };

// Less its zero point, and its place.
typedef struct {
    int16_t value;
    uint16_t place;
} nn_nonzero;

#if NN_RV32

// a0 list, a1 its end, a2 weights, a3 from one output's to the next one's, a4 sums; t0 the element, t1 where its next weight
// is, t2 that weight: 4 instructions a product.
#define OUTPUT(sum)          \
    "lb t2, 0(t1)\n"         \
    "add t1, t1, a3\n"       \
    "mul t2, t2, t0\n"       \
    "add " sum ", " sum ", t2\n"
#define SAVED(DO) \
    DO(s0, 0) DO(s1, 4) DO(s2, 8) DO(s3, 12) DO(s4, 16) DO(s5, 20) DO(s6, 24) DO(s7, 28) DO(s8, 32) DO(s9, 36) DO(s10, 40) DO(s11, 44)
#define SUMS(DO) SAVED(DO) DO(a5, 48) DO(a6, 52) DO(a7, 56) DO(t3, 60)
#define SAVE(name, at) "sw " #name ", " #at "(sp)\n"
#define RESTORE(name, at) "lw " #name ", " #at "(sp)\n"
#define TAKE(name, at) "lw " #name ", " #at "(a4)\n"
#define GIVE(name, at) "sw " #name ", " #at "(a4)\n"

__attribute__((naked, noipa)) static void add_nonzero(const nn_nonzero *list, const nn_nonzero *end, const int8_t *w,
    ptrdiff_t step, uint32_t *sums) {
    (void)list;
    (void)end;
    (void)w;
    (void)step;
    (void)sums;
    __asm volatile("addi sp, sp, -48\n" SAVED(SAVE) SUMS(TAKE)
        "beq a0, a1, 2f\n"
        "1:\n"
        "lh t0, 0(a0)\n"
        "lhu t1, 2(a0)\n"
        "addi a0, a0, 4\n"
        "add t1, t1, a2\n" OUTPUT("s0") OUTPUT("s1") OUTPUT("s2") OUTPUT("s3") OUTPUT("s4") OUTPUT("s5") OUTPUT("s6")
        OUTPUT("s7") OUTPUT("s8") OUTPUT("s9") OUTPUT("s10") OUTPUT("s11") OUTPUT("a5") OUTPUT("a6") OUTPUT("a7") OUTPUT("t3")
        "bne a0, a1, 1b\n"
        "2:\n" SUMS(GIVE) SAVED(RESTORE)
        "addi sp, sp, 48\n"
        "ret\n");
}

#undef OUTPUT
#undef SAVED
#undef SUMS
#undef SAVE
#undef RESTORE
#undef TAKE
#undef GIVE

#else

static void add_nonzero(const nn_nonzero *list, const nn_nonzero *end, const int8_t *w, ptrdiff_t step, uint32_t *sums) {
    for (; list != end; list++) {
        for (int32_t i = 0; i < NN_NONZERO_OUTPUTS; i++) {
            sums[i] = nn_mac(sums[i], list->value, w[list->place + i * step]);
        }
    }
}

#endif

// The elements that are not `zero`, in `list`: how many, or -1 where they do not fit it or are more than three quarters of all.
static int32_t nn_find_nonzero(const int8_t *x, int32_t n, int32_t zero, nn_nonzero *list, int32_t room) {
    const int32_t most = nn_min(n - (n >> 2), room);
    int32_t count = 0;
    if (n > NN_NONZERO_REACH) {
        return -1;
    }
    for (int32_t i = 0; i < n; i++) {
        const int32_t value = x[i] - zero;
        if (value) {
            if (count == most) {
                return -1;
            }
            list[count].value = (int16_t)value;
            list[count].place = (uint16_t)i;
            count++;
        }
    }
    return count;
}

#endif
