// Patches and their products with filters on cores with an FPU of single precision (Cortex-M4F, M7, M33): 39 instructions for
// 32 products.

void nn_patch_row(float *patch, const float *from, int32_t step, int32_t n) {
    if (step == 1 && n == 3) {
        __asm volatile("vldmia %[from], {s0-s5}\n"
            "vstmia %[patch]!, {s0-s3}\n"
            "vstmia %[patch]!, {s1-s4}\n"
            "vstmia %[patch]!, {s2-s5}\n"
            : [patch] "+r"(patch)
            : [from] "r"(from)
            : "s0", "s1", "s2", "s3", "s4", "s5", "memory");
        return;
    }
    for (; n > 0; n--, from++, patch += NN_FOUR) {
        patch[0] = from[0];
        patch[1] = from[step];
        patch[2] = from[2 * step];
        patch[3] = from[3 * step];
    }
}

void nn_patch_channels(float *patch, const uint8_t *from, int32_t cs, int32_t n) {
    __asm volatile("1:\n"
        "vldmia %[from], {s0-s3}\n"
        "add %[from], %[cs]\n"
        "vstmia %[patch]!, {s0-s3}\n"
        "subs %[n], #1\n"
        "bne 1b\n"
        : [patch] "+r"(patch), [from] "+r"(from), [n] "+r"(n)
        : [cs] "r"(cs)
        : "s0", "s1", "s2", "s3", "cc", "memory");
}

// The products of a weight with four pixels' elements.
#define MAC(sum, x, w) "vfma.f32 s" #sum ", s" #x ", s" #w "\n"
#define WEIGHT(s0, s1, s2, s3, x0, x1, x2, x3, w) MAC(s0, x0, w) MAC(s1, x1, w) MAC(s2, x2, w) MAC(s3, x3, w)

// Four filters, two weights of each at a time.
NN_INLINE void four_filters(const float *x, int32_t n, const float *w, int32_t filter, float *sums) {
    const float *w1 = w + filter, *w2 = w1 + filter, *w3 = w2 + filter;
    __asm volatile("vldmia %[sums], {s0-s15}\n"
        "b 2f\n"
        "1:\n"
        "vldmia %[x]!, {s16-s23}\n"
        "vldmia %[w]!, {s24-s25}\n"
        "vldmia %[w1]!, {s26-s27}\n"
        "vldmia %[w2]!, {s28-s29}\n"
        "vldmia %[w3]!, {s30-s31}\n"
        WEIGHT(0, 1, 2, 3, 16, 17, 18, 19, 24)
        WEIGHT(4, 5, 6, 7, 16, 17, 18, 19, 26)
        WEIGHT(8, 9, 10, 11, 16, 17, 18, 19, 28)
        WEIGHT(12, 13, 14, 15, 16, 17, 18, 19, 30)
        WEIGHT(0, 1, 2, 3, 20, 21, 22, 23, 25)
        WEIGHT(4, 5, 6, 7, 20, 21, 22, 23, 27)
        WEIGHT(8, 9, 10, 11, 20, 21, 22, 23, 29)
        WEIGHT(12, 13, 14, 15, 20, 21, 22, 23, 31)
        "2:\n"
        "subs %[n], #2\n"
        "bge 1b\n"
        "adds %[n], #1\n"
        "bne 3f\n"
        "vldmia %[x], {s16-s19}\n"
        "vldr s24, [%[w]]\n"
        "vldr s26, [%[w1]]\n"
        "vldr s28, [%[w2]]\n"
        "vldr s30, [%[w3]]\n"
        WEIGHT(0, 1, 2, 3, 16, 17, 18, 19, 24)
        WEIGHT(4, 5, 6, 7, 16, 17, 18, 19, 26)
        WEIGHT(8, 9, 10, 11, 16, 17, 18, 19, 28)
        WEIGHT(12, 13, 14, 15, 16, 17, 18, 19, 30)
        "3:\n"
        "vstmia %[sums], {s0-s15}\n"
        : [x] "+r"(x), [n] "+r"(n), [w] "+r"(w), [w1] "+r"(w1), [w2] "+r"(w2), [w3] "+r"(w3)
        : [sums] "r"(sums)
        : "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16",
        "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31", "cc",
        "memory");
}

NN_INLINE void one_filter(const float *x, int32_t n, const float *w, float *sums) {
    __asm volatile("vldmia %[sums], {s0-s3}\n"
        "b 2f\n"
        "1:\n"
        "vldmia %[x]!, {s16-s23}\n"
        "vldmia %[w]!, {s24-s25}\n"
        WEIGHT(0, 1, 2, 3, 16, 17, 18, 19, 24)
        WEIGHT(0, 1, 2, 3, 20, 21, 22, 23, 25)
        "2:\n"
        "subs %[n], #2\n"
        "bge 1b\n"
        "adds %[n], #1\n"
        "bne 3f\n"
        "vldmia %[x], {s16-s19}\n"
        "vldr s24, [%[w]]\n"
        WEIGHT(0, 1, 2, 3, 16, 17, 18, 19, 24)
        "3:\n"
        "vstmia %[sums], {s0-s3}\n"
        : [x] "+r"(x), [n] "+r"(n), [w] "+r"(w)
        : [sums] "r"(sums)
        : "s0", "s1", "s2", "s3", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23", "s24", "s25", "cc", "memory");
}

void nn_patch_products(const float *patch, int32_t n, const float *w, int32_t filter, float *sums, int32_t count) {
    for (; count >= 4; count -= 4, w += 4 * (ptrdiff_t)filter, sums += 4 * NN_FOUR) {
        four_filters(patch, n, w, filter, sums);
    }
    for (; count > 0; count--, w += filter, sums += NN_FOUR) {
        one_filter(patch, n, w, sums);
    }
}
