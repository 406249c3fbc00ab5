// Depthwise 3 x 3 on cores with an FPU of single precision: 60 instructions for 36 products, with bias, activation and all.

// s0 to s3 sums, s4 on elements of x, s13 to s21 weights, s22 bias. A row of x that is null is left out.
#define MAC(sum, x, w) "vfma.f32 s" #sum ", s" #x ", s" #w "\n"
#define TAP(x0, x1, x2, x3, w) MAC(0, x0, w) MAC(1, x1, w) MAC(2, x2, w) MAC(3, x3, w)
#define ROW_1(x, w0, w1, w2)                 \
    "cbz %[" x "], 2f\n"                     \
    "vldmia %[" x "], {s4-s9}\n"             \
    "adds %[" x "], #16\n"                   \
    TAP(4, 5, 6, 7, w0) TAP(5, 6, 7, 8, w1) TAP(6, 7, 8, 9, w2) \
    "2:\n"
#define ROW_2(x, w0, w1, w2)                 \
    "cbz %[" x "], 2f\n"                     \
    "vldmia %[" x "], {s4-s12}\n"            \
    "adds %[" x "], #32\n"                   \
    TAP(4, 6, 8, 10, w0) TAP(5, 7, 9, 11, w1) TAP(6, 8, 10, 12, w2) \
    "2:\n"
// What lies below the bound as an integer becomes 0: negative numbers that are no NaN, or nothing.
#define BOUND(r) "cmp " r ", %[bound]\nit lt\nmovlt " r ", #0\n"
#define FOURS(ROW)                                                                                          \
    __asm volatile("vldmia %[w], {s13-s21}\n"                                                              \
        "vldr s22, [%[bias]]\n"                                                                            \
        "1:\n"                                                                                             \
        "vmov.f32 s0, s22\nvmov.f32 s1, s22\nvmov.f32 s2, s22\nvmov.f32 s3, s22\n"                         \
        ROW("a", 13, 14, 15) ROW("b", 16, 17, 18) ROW("c", 19, 20, 21)                                      \
        "vmov r8, r9, s0, s1\n"                                                                            \
        "vmov r10, r11, s2, s3\n" BOUND("r8") BOUND("r9") BOUND("r10") BOUND("r11")                        \
        "stmia %[y]!, {r8-r11}\n"                                                                          \
        "subs %[n], #1\n"                                                                                  \
        "bne 1b\n"                                                                                         \
        : [a] "+l"(rows[0]), [b] "+l"(rows[1]), [c] "+l"(rows[2]), [y] "+r"(y), [n] "+l"(n)                 \
        : [w] "r"(l->weights), [bias] "r"(&l->bias), [bound] "r"(bound)                                     \
        : "r8", "r9", "r10", "r11", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", \
        "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "cc", "memory")

// Columns [q, q + 4n).
static void fours_3x3(const nn_filters *k, const line *l, int32_t q, int32_t n) {
    const float *rows[3] = {NULL, NULL, NULL};
    const int32_t bound = k->act.kind == NN_ACT_RELU ? -0x7fffff : INT32_MIN, columns = NN_FOUR * n;
    float *y = l->y + q;
    for (int32_t tap = l->rows.first; tap < l->rows.end; tap++) {
        rows[tap] = row_of(k, l, tap) + (ptrdiff_t)q * k->stride_w - k->pad_left;
    }
    if (k->stride_w == 1) {
        FOURS(ROW_1);
    } else {
        FOURS(ROW_2);
    }
    if (k->act.kind > NN_ACT_RELU) {
        for (float *const begin = y - columns; y-- != begin;) {
            *y = nn_activate(&k->act, *y);
        }
    }
}
