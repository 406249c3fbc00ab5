// Relative error of nn_exp below 2e-7, of nn_pow below 1e-6 over the whole range (a test measures both).

#include "kernel.h"
#include "float_math.h"

#define INFINITY_BITS 0x7F800000

// 2 to the power n, for -126 <= n <= 127.
static float power_of_two(int32_t n) {
    return nn_float((n + 127) << 23);
}

// (1 + low) * 2^n * e^r for |r| <= 0.35, where n may lead into the denormal numbers.
static float scaled_exp(float r, int32_t n) {
    // Taylor; the next term is below 2e-8 of the result.
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r * r + r + 1.0f;
    if (n > 127) {
        return p * power_of_two(127) * power_of_two(n - 127);
    }
    if (n < -126) {
        return p * power_of_two(-126) * power_of_two(nn_max(n + 126, -126));
    }
    return p * power_of_two(n);
}

float nn_exp(float x) {
    if (x != x) {
        return x;
    }
    if (x > 88.8f) {
        return nn_float(INFINITY_BITS);
    }
    if (x < -104.0f) {
        return 0.0f;
    }
    int32_t n = (int32_t)(x * 1.44269504f + (x < 0.0f ? -0.5f : 0.5f));
    // log(2) in two parts; the first has so few bits that its product with n is exact.
    float r = x - (float)n * 0.693359375f;
    r += (float)n * 2.12194440e-4f;
    return scaled_exp(r, n);
}

// A value to about 45 bits.
typedef struct {
    float high, low;
} pair;

// The compiler must not keep more bits than a float has, nor fuse the product into a sum, where the error is worked out.
static float rounded(float x) {
    volatile float kept = x;
    return kept;
}

static float upper_half(float x) {
    return nn_float((int32_t)((uint32_t)nn_bits(x) & 0xFFFFF000u));
}

static pair product(float a, float b) {
    float ah = upper_half(a), bh = upper_half(b);
    float al = a - ah, bl = b - bh;
    pair p;
    p.high = rounded(a * b);
    p.low = ((ah * bh - p.high) + ah * bl + al * bh) + al * bl;
    return p;
}

static pair sum(float a, float b) {
    pair s;
    s.high = rounded(a + b);
    float back = rounded(s.high - a);
    s.low = rounded(a - rounded(s.high - back)) + rounded(b - back);
    return s;
}

// The natural logarithm of a normal or denormal a > 0 as a pair, without the part that is a power of two.
static pair logarithm(float a, int32_t *exponent) {
    int32_t e = 0;
    if (a < 1.17549435e-38f) {
        a *= 16777216.0f;
        e = -24;
    }
    int32_t bits = nn_bits(a);
    e += (bits >> 23) - 127;
    float m = nn_float((bits & 0x7FFFFF) | 0x3F800000);
    if (m > 1.41421356f) {
        m *= 0.5f;
        e++;
    }
    *exponent = e;
    // log(m) = 2 atanh(s), s = (m - 1) / (m + 1)
    float top = m - 1.0f;
    pair bottom = sum(m, 1.0f);
    float s = rounded(top / bottom.high);
    pair check = product(s, bottom.high);
    float rest = ((top - check.high) - check.low - s * bottom.low) / bottom.high;
    float q = s * s;
    float series = q * s * (2.0f / 3 + q * (2.0f / 5 + q * (2.0f / 7 + q * (2.0f / 9 + q * (2.0f / 11)))));
    pair l = sum(2.0f * s, series + 2.0f * rest);
    return l;
}

static int is_whole(float x) {
    float size = x < 0.0f ? -x : x;
    return size >= 8388608.0f || (float)(int32_t)x == x;
}

static int is_odd(float x) {
    float size = x < 0.0f ? -x : x;
    return size < 16777216.0f && ((int32_t)x & 1);
}

// a to the power b for finite a > 0 and finite b != 0.
static float positive_power(float a, float b) {
    int32_t e;
    pair l = logarithm(a, &e);
    // Far outside the range the pairs below would overflow.
    float estimate = b * (l.high + (float)e * 0.69314718f);
    if (estimate > 89.0f) {
        return nn_float(INFINITY_BITS);
    }
    if (estimate < -105.0f) {
        return 0.0f;
    }
    // b * log(a) = b * (e * log(2) + l), all in pairs; log(2) in three parts, the first two with few bits.
    pair whole = sum((float)e * 0.693359375f, l.high);
    whole.low += (float)e * -2.12192535e-4f + l.low + (float)e * -1.90465421e-9f;
    pair y = product(whole.high, b);
    y.low += whole.low * b;
    int32_t n = (int32_t)(y.high * 1.44269504f + (y.high < 0.0f ? -0.5f : 0.5f));
    float r = y.high - (float)n * 0.693359375f;
    r += y.low + (float)n * 2.12194440e-4f;
    return scaled_exp(r, n);
}

float nn_pow(float a, float b) {
    float infinity = nn_float(INFINITY_BITS);
    if (b == 0.0f || a == 1.0f) {
        return 1.0f;
    }
    if (a != a || b != b) {
        return a + b;
    }
    float size = a < 0.0f ? -a : a;
    if (b == infinity || b == -infinity) {
        if (size == 1.0f) {
            return 1.0f;
        }
        return (size > 1.0f) == (b > 0.0f) ? infinity : 0.0f;
    }
    int odd = is_whole(b) && is_odd(b);
    float result;
    if (a == 0.0f || size == infinity) {
        result = (a == 0.0f) == (b > 0.0f) ? 0.0f : infinity;
    } else if (a < 0.0f && !is_whole(b)) {
        return nn_float(0x7FC00000);
    } else {
        result = positive_power(size, b);
    }
    return odd && nn_bits(a) < 0 ? -result : result;
}

float nn_sqrt(float x) {
    if (!(x > 0.0f && x <= 3.40282347e38f)) {
        return x;
    }
    const int is_small = x < 1e-30f;
    if (is_small) {
        x *= 1.15292150e18f; // 2^60
    }
    // Half the exponent gives 4 bits, and each step of Newton's method twice as many.
    float y = nn_float((nn_bits(x) >> 1) + 0x1FBB4F2E);
    for (int i = 0; i < 3; i++) {
        y = 0.5f * (y + x / y);
    }
    return is_small ? y * 9.31322575e-10f : y; // 2^-30
}
