// The instructions of Armv7E-M that work on two halfwords at once. With NN_DSP=1 on another core they are C, so that tests
// and sanitizers see what runs on these.

#ifndef NN_DSP_H
#define NN_DSP_H

#include "kernel.h"

#ifndef NN_DSP
#ifdef __ARM_FEATURE_DSP
#define NN_DSP 1
#else
#define NN_DSP 0
#endif
#endif

#if NN_DSP && defined(__ARM_FEATURE_DSP) && defined(__thumb2__)
#define NN_DSP_ASSEMBLER 1
#else
#define NN_DSP_ASSEMBLER 0
#endif

// RV32 with multiplications, of which none adds.
#if !NN_DSP && defined(__riscv_mul) && __riscv_xlen == 32
#define NN_RV32 1
#else
#define NN_RV32 0
#endif

// Whether a word of a convolution's patch is a lane for each of two pixels (patch_lanes.h), and elements of fully connected
// layers are left out where they are nothing (nonzero_int8.h). With NN_LANES=1 on another core that is C, too.
#ifndef NN_LANES
#define NN_LANES NN_RV32
#endif

// Whether words may lie anywhere.
#if defined(__ARM_FEATURE_UNALIGNED) || defined(__x86_64__) || defined(__aarch64__)
#define NN_UNALIGNED 1
#else
#define NN_UNALIGNED 0
#endif

#if NN_DSP

#if NN_DSP_ASSEMBLER

// SXTAB16 of bytes 0 and 2, and of bytes 1 and 3.
NN_INLINE uint32_t nn_extend_even(uint32_t halves, uint32_t bytes) {
    uint32_t result;
    __asm("sxtab16 %0, %1, %2" : "=r"(result) : "r"(halves), "r"(bytes));
    return result;
}

NN_INLINE uint32_t nn_extend_odd(uint32_t halves, uint32_t bytes) {
    uint32_t result;
    __asm("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(halves), "r"(bytes));
    return result;
}

// The low halves of two words, and the high ones, the first word's below.
NN_INLINE uint32_t nn_low_halves(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

NN_INLINE uint32_t nn_high_halves(uint32_t a, uint32_t b) {
    uint32_t result;
    __asm("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(b), "r"(a));
    return result;
}

// SMLAD: the products of the halves, added up.
NN_INLINE uint32_t nn_dual_mac(uint32_t sum, uint32_t a, uint32_t b) {
    uint32_t result;
    __asm("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
    return result;
}

#else

NN_INLINE uint32_t nn_extend_even(uint32_t halves, uint32_t bytes) {
    const uint32_t low = (halves + (uint32_t)(int8_t)bytes) & 0xffff;
    return low | ((halves >> 16) + (uint32_t)(int8_t)(bytes >> 16)) << 16;
}

NN_INLINE uint32_t nn_extend_odd(uint32_t halves, uint32_t bytes) {
    return nn_extend_even(halves, bytes >> 8);
}

NN_INLINE uint32_t nn_low_halves(uint32_t a, uint32_t b) {
    return (a & 0xffff) | b << 16;
}

NN_INLINE uint32_t nn_high_halves(uint32_t a, uint32_t b) {
    return (b & 0xffff0000u) | a >> 16;
}

NN_INLINE uint32_t nn_dual_mac(uint32_t sum, uint32_t a, uint32_t b) {
    sum = sum + (uint32_t)((int16_t)a * (int16_t)b);
    return sum + (uint32_t)((int16_t)(a >> 16) * (int16_t)(b >> 16));
}

#endif

// Four bytes that lie anywhere.
NN_INLINE uint32_t nn_load_four(const int8_t *x) {
    uint32_t word;
    __builtin_memcpy(&word, x, sizeof word);
    return word;
}

// The same number in both halves.
NN_INLINE uint32_t nn_both_halves(int32_t value) {
    return ((uint32_t)value & 0xffff) * 0x10001u;
}

#endif

#endif
