// The integer arithmetic of TFLite's int8 kernels; see nnmicro/reference/fixed_point.py. A multiplier is a 31-bit
// fraction and a shift; the product is rounded, then shifted with a rounding of its own.

#ifndef NN_REQUANTISE_H
#define NN_REQUANTISE_H

#include "dsp.h"
#include "kernel.h"

enum { NN_SHIFT_LEAST = -31, NN_SHIFT_MOST = 31 };

NN_INLINE int32_t nn_saturate(int64_t v) {
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

// A value times 2^shift, as far as an int32 goes.
int32_t nn_shift_left(int32_t value, int32_t shift);

// The first step: halves go up. Right shifts of negative numbers keep the sign with every compiler this is built by.
NN_INLINE int32_t nn_high_product(int32_t value, int32_t multiplier, int32_t shift) {
    if (shift > 0) {
        value = nn_shift_left(value, shift);
    }
    const int64_t high = ((int64_t)value * multiplier + ((int64_t)1 << 30)) >> 31;
    return high > INT32_MAX ? INT32_MAX : (int32_t)high; // both are the least negative number there is
}

// Halves of the second step go up.
NN_INLINE int32_t nn_multiply_up(int32_t value, int32_t multiplier, int32_t shift) {
    const int32_t high = nn_high_product(value, multiplier, shift);
    return shift >= 0 ? high : (high >> -shift) + ((high >> (-shift - 1)) & 1);
}

// Halves of the second step go away from zero.
NN_INLINE int32_t nn_multiply_away(int32_t value, int32_t multiplier, int32_t shift) {
    int32_t high = nn_high_product(value, multiplier, shift);
    if (shift >= 0) {
        return high;
    }
    high -= high < 0 && high > INT32_MIN;
    return (high >> -shift) + ((high >> (-shift - 1)) & 1);
}

NN_INLINE int8_t nn_clamp(int32_t value, int32_t zero, int32_t least, int32_t most) {
    int64_t v = (int64_t)value + zero;
    v = v < least ? least : v;
    return (int8_t)(v > most ? most : v);
}

NN_INLINE int nn_is_int8(int32_t value) {
    return value >= -128 && value <= 127;
}

NN_INLINE int nn_is_multiplier(int32_t multiplier, int32_t shift) {
    return multiplier >= 0 && shift >= NN_SHIFT_LEAST && shift <= NN_SHIFT_MOST;
}

// Sums may wrap where a model's weights are not what a converter makes; signed overflow would be undefined.
NN_INLINE uint32_t nn_mac(uint32_t sum, int32_t a, int32_t b) {
    return sum + (uint32_t)(a * b);
}

// What is added to each output channel and how it is scaled.
typedef struct {
    const int32_t *bias, *multiplier, *shift;
    int32_t zero, least, most;
    int quick; // whether nn_is_quick says so of all of them
} nn_channels;

// Inputs 2, 3, 4: bias, multiplier, shift of `count` channels; `words`: zero point and bounds of the output.
int nn_channels_of(const nn_state *call, int64_t count, const int32_t *words, nn_channels *channels);

// The output of a channel for the sum of its products.
int8_t nn_channel_result(const nn_channels *k, int32_t channel, uint32_t sum);
int8_t nn_channel_result_away(const nn_channels *k, int32_t channel, uint32_t sum);

// A channel whose results take one multiplication, an addition and a shift, as nearly all of them do.
typedef struct {
    int32_t multiplier;
    int32_t offset; // half of what the shift drops, and the output's zero point
    int32_t right; // the shift
} nn_quick;

enum { NN_QUICK_BELOW = 1 << 29, NN_QUICK_RIGHT = 22 };

// Whether a channel with this shift is one, if halves go up; if they go away from zero, its multiplier must not be negative.
NN_INLINE int nn_quick_of(int32_t multiplier, int32_t shift, int32_t zero, nn_quick *quick) {
    const uint32_t less = ~(uint32_t)shift; // one less than to the right
    quick->multiplier = multiplier;
    quick->offset = (int32_t)((uint32_t)(2 * zero + 1) << (less & 31));
    quick->right = (int32_t)less + 1;
    return less < NN_QUICK_RIGHT;
}

// A channel that is quick for every sum of at most NN_QUICK_PRODUCTS products of an element less its zero point with a weight.
enum { NN_QUICK_BIAS = 1 << 28, NN_QUICK_PRODUCTS = NN_QUICK_BIAS / (255 * 128) };

NN_INLINE int nn_is_quick(int32_t bias, int32_t shift) {
    return (~(uint32_t)shift < NN_QUICK_RIGHT) & ((uint32_t)bias + NN_QUICK_BIAS < 2u * NN_QUICK_BIAS);
}

// Whether two values are: then no step of the calculation leaves 32 bits.
NN_INLINE int nn_are_quick(int32_t a, int32_t b) {
    return (((uint32_t)a + NN_QUICK_BELOW) | ((uint32_t)b + NN_QUICK_BELOW)) < 2u * NN_QUICK_BELOW;
}

// offset + ((value * multiplier + 2^30) >> 31).
NN_INLINE int32_t nn_quick_product(int32_t value, int32_t multiplier, int32_t offset) {
#if NN_DSP_ASSEMBLER
    int32_t result;
    __asm("smmlar %0, %1, %2, %3" : "=r"(result) : "r"(2 * value), "r"(multiplier), "r"(offset));
    return result;
#elif defined(__ARM_ARCH_6M__)
    // No 64-bit products. The low halves' product counts only by what it carries.
    const int32_t low = (int16_t)value, high = (value - low) >> 16;
    const int32_t m_low = multiplier & 0xffff, m_high = multiplier >> 16;
    const int32_t middle = ((low * m_low) >> 16) + low * m_high + high * m_low + (1 << 14);
    return offset + 2 * (high * m_high) + (middle >> 15);
#elif defined(__riscv)
    // The upper word of four times the value is enough: the floor of a floor is the floor of the whole.
    return offset + (((int32_t)(((int64_t)(4 * value) * multiplier) >> 32) + 1) >> 1);
#else
    return offset + (int32_t)((2 * (int64_t)value * multiplier + ((int64_t)1 << 31)) >> 32);
#endif
}

NN_INLINE int32_t nn_to_int8(int32_t value) {
#ifdef __thumb2__
    int32_t result;
    __asm("ssat %0, #8, %1" : "=r"(result) : "r"(value));
    return result;
#elif defined(__riscv)
    int32_t above;
    __asm("addi %1, %0, 128\n"
        "bltu %1, %2, 1f\n"
        "srai %0, %0, 31\n"
        "xori %0, %0, 127\n"
        "1:"
        : "+r"(value), "=&r"(above)
        : "r"(256));
    return value;
#else
    return (uint32_t)value + 128 < 256 ? value : (value >> 31) ^ 127;
#endif
}

// What nn_channel_result gives, and, with `away` -1 and not 0, nn_channel_result_away, before it is clamped.
NN_INLINE int32_t nn_quick_result(const nn_quick *quick, int32_t value, int32_t away) {
    return (nn_quick_product(value, quick->multiplier, quick->offset) + ((value >> 31) & away)) >> quick->right;
}

// The same of a channel that is quick, halves up; `odd` is 2 * zero + 1.
NN_INLINE int32_t nn_quick_scaled(int32_t value, int32_t multiplier, int32_t shift, int32_t odd) {
    const uint32_t right = -(uint32_t)shift;
#if NN_DSP_ASSEMBLER || defined(__ARM_ARCH_6M__)
    return nn_quick_product(value, multiplier, (int32_t)((uint32_t)odd << (right - 1))) >> right;
#else
    // The upper word of four times the value is enough: the floor of a floor is the floor of the whole.
    const int32_t twice = (int32_t)(((int64_t)(4 * value) * multiplier) >> 32);
    return (twice + (int32_t)((uint32_t)odd << right) + 1) >> (right + 1);
#endif
}

// Single precision, every operation rounded: a value that has passed through memory cannot be fused into the next one.
NN_INLINE float nn_single(float value) {
    volatile float kept = value;
    return kept;
}

// The integer nearest to a float, halves away from zero or to the even one, kept between `least` and `most` (both within
// 2^30); a NaN gives `least`.
int32_t nn_round(float value, int32_t least, int32_t most, int to_even);

// Whether the source counts an operand's channels fastest; see nnmicro/reference/order_int8.py.
NN_INLINE int nn_interleaved(const nn_operand *x) {
    return x->cs < x->ps;
}

#endif
