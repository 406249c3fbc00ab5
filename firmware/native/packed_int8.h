// Weights that the converter has packed for cores with the DSP extension, two filters in one; see "Packed weights" in
// nnmicro/FORMAT.md.
//
// A halfword of weights is the first filter's plus 256 times the second's. SMLAD with it gives both sums in one, `both`;
// once SXTB16 has left the first filter's, SMLAD gives that one's alone. The second's is what is between them, over 256:
// the converter has proven that nothing of it is lost.

#ifndef NN_PACKED_INT8_H
#define NN_PACKED_INT8_H

#include "dsp.h"
#include "requantise.h"

// What the results of a pair take: of each channel twice its bias, its multiplier, what is added to the product (half of
// what the shift drops, and the output's zero point), and the shift to the right.
enum { NN_PAIR_BIAS, NN_PAIR_MULTIPLIER, NN_PAIR_OFFSET, NN_PAIR_RIGHT, NN_CHANNEL_WORDS, NN_PAIR_WORDS = 2 * NN_CHANNEL_WORDS };

// Four elements' weights of a pair: two words, of elements 0 and 2, and of elements 1 and 3.
enum { NN_PAIR_WEIGHTS = 8 };

// A layer's constants, inputs 1 and 2, and the bounds of its output, which follow its zero point in `bounds`.
typedef struct {
    const int8_t *weights;
    const int32_t *channels;
    int32_t least, most;
    int clamped; // whether not all that fits a byte is a result
} nn_packed;

NN_INLINE int nn_packed_of(const nn_state *call, int64_t weights, int64_t channels, const int32_t *bounds, nn_packed *packed) {
    const void *data, *words;
    NN_TRY(nn_constant(call, 1, NN_I8, weights, &data));
    NN_TRY(nn_constant(call, 2, NN_I32, NN_CHANNEL_WORDS * channels, &words));
    if ((uintptr_t)data % 4) {
        return NN_BAD_CONSTANT; // words of them are loaded
    }
    if (!nn_is_int8(bounds[0]) || !nn_is_int8(bounds[1]) || !nn_is_int8(bounds[2])) {
        return NN_BAD_PARAMS;
    }
    packed->weights = data;
    packed->channels = words;
    packed->least = bounds[1];
    packed->most = bounds[2];
    packed->clamped = bounds[1] != -128 || bounds[2] != 127;
    return NN_OK;
}

// `n` results kept within the bounds.
NN_INLINE void nn_packed_clamp(const nn_packed *packed, int8_t *y, int32_t n) {
    const int32_t least = packed->least, most = packed->most;
    for (int8_t *const end = y + n; y != end; y++) {
        *y = (int8_t)nn_min(nn_max(*y, least), most);
    }
}

#if !NN_DSP_ASSEMBLER

// What SMMLAR, ASR and SSAT make of twice a sum of products.
NN_INLINE int8_t nn_packed_result(const int32_t *channel, uint32_t twice) {
    const uint32_t value = (uint32_t)channel[NN_PAIR_BIAS] + twice;
    const int64_t product = (int64_t)(int32_t)value * channel[NN_PAIR_MULTIPLIER] + ((int64_t)1 << 31);
    const int32_t sum = (int32_t)((uint32_t)(product >> 32) + (uint32_t)channel[NN_PAIR_OFFSET]);
    return (int8_t)nn_to_int8(sum >> (channel[NN_PAIR_RIGHT] & 31));
}

// The pair's results for its two sums.
NN_INLINE void nn_packed_results(const int32_t *channels, uint32_t first, uint32_t both, int8_t *y) {
    const int32_t second = (int32_t)(both - first); // times 256
    y[0] = nn_packed_result(channels, 2 * first);
    y[1] = nn_packed_result(channels + NN_CHANNEL_WORDS, (uint32_t)(second >> 7));
}

#endif

#endif
