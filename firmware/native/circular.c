// See circular.h.

#include "circular.h"
#include "kernel.h"

// 2 / pi behind the point.
static const uint32_t two_by_pi[6] = {0xA2F9836E, 0x4E441529, 0xFC2757D1, 0xF534DDC0, 0xDB629599, 0x3C439041};

// 64 bits of 2 / pi from bit `first` on; those before bit 0 are zero.
static uint64_t bits_from(int32_t first) {
    uint64_t found = 0;
    const int32_t word = first >> 5, shift = first & 31;
    for (int32_t i = word; i < word + 2; i++) {
        uint32_t part = i < 0 ? 0 : two_by_pi[i] << shift;
        if (shift && i + 1 >= 0) {
            part |= two_by_pi[i + 1] >> (32 - shift);
        }
        found = found << 32 | part;
    }
    return found;
}

// x = quarter turns * pi / 2 + rest, with the rest between -pi / 4 and pi / 4; whole turns do not count. x is finite.
//
// The mantissa times those bits of 2 / pi that are not multiples of a turn, in 64 bits of fixed point, 62 of them behind the
// point.
static int32_t quarters(float x, float *rest) {
    const int32_t word = nn_bits(x), exponent = ((word >> 23) & 0xFF) - 150;
    if (exponent < -25) { // below 1/2
        *rest = x;
        return 0;
    }
    const uint64_t turn = bits_from(exponent - 2) * (uint64_t)((word & 0x7FFFFF) | 0x800000);
    const uint32_t nearest = ((uint32_t)(turn >> 61) + 1) >> 1;
    const int32_t behind = (int32_t)((uint32_t)(turn >> 32) - (nearest << 30));
    const float r = (float)behind * 1.46291807926716e-9f; // pi / 2^31
    *rest = word < 0 ? -r : r;
    return word < 0 ? -(int32_t)nearest : (int32_t)nearest;
}

float nn_sine(float x, int quarter_turns) {
    float r;
    if (!(x - x == 0.0f)) {
        return x - x;
    }
    const int32_t n = quarters(x, &r) + quarter_turns;
    const float s = r * r;
    float value;
    // Taylor; the next terms are below 3e-8.
    if (n & 1) {
        value = 1.0f + s * (-0.5f + s * (1.0f / 24 + s * (-1.0f / 720 + s * (1.0f / 40320))));
    } else {
        value = r + r * s * (-1.0f / 6 + s * (1.0f / 120 + s * (-1.0f / 5040 + s * (1.0f / 362880))));
    }
    return n & 2 ? -value : value;
}

float nn_tangent(float x) {
    return nn_sine(x, 0) / nn_sine(x, 1);
}

float nn_arc_tangent(float x) {
    float size = x < 0.0f ? -x : x, added = 0.0f;
    if (size > 2.41421356f) { // tan(3 pi / 8)
        added = 1.57079633f;
        size = -1.0f / size;
    } else if (size > 0.41421356f) {
        added = 0.78539816f;
        size = (size - 1.0f) / (size + 1.0f);
    }
    const float s = size * size;
    // Fitted; below 1e-8.
    size += size * s * (-0.33332756f + s * (0.19971864f + s * (-0.13824295f + s * 0.0790208951f)));
    size += added;
    return x < 0.0f ? -size : size;
}
