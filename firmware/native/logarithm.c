// The natural logarithm in single precision by shifts and sums in 64 bits: int8 layers need the very float that is
// nearest, which logarithms in single precision do not give, and a native module has no others.
//
// A number between 1 and 2 is taken apart into factors 1 + 2^-k, each at most once; the logarithms of these, in fixed
// point with 60 bits behind the point, add up to its own.

#include "kernel.h"
#include "logarithm.h"

enum { POINT = 60, COARSE = 56, LISTED = 20, LAST = 50 };

// log(1 + 2^-k) for k = 1 .. LISTED
static const uint64_t logarithms[LISTED] = {
    0x067CC8FB2FE612FD, 0x0391FEF8F3534436, 0x01E27076E2AF2E5F, 0x00F85186008B1533, 0x007E0A6C39E0CC01,
    0x003F815161F807C8, 0x001FE02A6B106789, 0x000FF805515885E0, 0x0007FE00AA6AC43A, 0x0003FF8015515622,
    0x0001FFE002AA6AB1, 0x0000FFF800555156, 0x00007FFE000AAA6B, 0x00003FFF80015551, 0x00001FFFE0002AAA,
    0x00000FFFF8000555, 0x000007FFFE0000AB, 0x000003FFFF800015, 0x000001FFFFE00003, 0x000000FFFFF80000,
};

// log(2) with COARSE bits behind the point
#define LOG_2 49946518145322874LL

static uint64_t fraction_log(uint64_t number) {
    uint64_t product = (uint64_t)1 << POINT, sum = 0;
    for (int k = 1; k <= LAST; k++) {
        const uint64_t more = product + (product >> k);
        if (more <= number) {
            product = more;
            // From k = 21 on the third term of the series is below the last bit.
            sum += k <= LISTED ? logarithms[k - 1]
                : ((uint64_t)1 << (POINT - k)) - (2 * k + 1 <= POINT ? (uint64_t)1 << (POINT - 2 * k - 1) : 0);
        }
    }
    return sum;
}

// The float nearest to value / 2^point, halves to the even one.
static float nearest(int64_t value, int point) {
    uint64_t size = value < 0 ? (uint64_t)-value : (uint64_t)value;
    uint32_t lost = 0; // the last bit that went, and whether any went before it
    while (size >= (uint64_t)1 << 24) {
        lost = (uint32_t)(size & 1) << 1 | (lost != 0);
        size >>= 1;
        point--;
    }
    int32_t whole = (int32_t)size;
    whole += lost > 2 || (lost == 2 && (whole & 1));
    const float result = (float)whole * nn_float((127 - point) << 23);
    return value < 0 ? -result : result;
}

float nn_log(float x) {
    if (!(x <= 3.40282347e38f)) {
        return x;
    }
    int32_t exponent = 0;
    if (x < 1.17549435e-38f) {
        x *= 16777216.0f;
        exponent = -24;
    }
    const int32_t bits = nn_bits(x);
    exponent += (bits >> 23) - 127;
    const uint64_t log = fraction_log((uint64_t)((bits & 0x7FFFFF) | 0x800000) << (POINT - 23));
    if (!exponent) {
        return nearest((int64_t)log, POINT);
    }
    return nearest(exponent * LOG_2 + (int64_t)(log >> (POINT - COARSE)), COARSE);
}
