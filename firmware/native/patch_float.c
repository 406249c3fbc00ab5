// Patches of four pixels and their products with filters, in float32; see patch_float.h.

#include "patch_float.h"

#if NN_FPV4
#include "patch_fpv4.h"
#else

void nn_patch_row(float *patch, const float *from, int32_t step, int32_t n) {
    for (; n > 0; n--, from++, patch += NN_FOUR) {
        patch[0] = from[0];
        patch[1] = from[step];
        patch[2] = from[2 * step];
        patch[3] = from[3 * step];
    }
}

void nn_patch_channels(float *patch, const uint8_t *from, int32_t cs, int32_t n) {
    for (; n > 0; n--, from += cs) {
        nn_patch_row(patch, (const float *)(const void *)from, 1, 1);
        patch += NN_FOUR;
    }
}

NN_INLINE void some_filters(const float *x, int32_t n, const float *w, int32_t filter, float *sums, int32_t count) {
    for (const float *const end = x + NN_FOUR * n; x != end; x += NN_FOUR, w++) {
        for (int32_t i = 0; i < NN_FOUR; i++) {
            if (NN_LEFT_OUT(x[i])) {
                continue;
            }
            for (int32_t j = 0; j < count; j++) {
                sums[NN_FOUR * j + i] += x[i] * w[(ptrdiff_t)j * filter];
            }
        }
    }
}

void nn_patch_products(const float *patch, int32_t n, const float *w, int32_t filter, float *sums, int32_t count) {
    for (; count >= 4; count -= 4, w += 4 * (ptrdiff_t)filter, sums += 4 * NN_FOUR) {
        some_filters(patch, n, w, filter, sums, 4);
    }
    for (; count > 0; count--, w += filter, sums += NN_FOUR) {
        some_filters(patch, n, w, filter, sums, 1);
    }
}

#endif
