// Two int8 operands, element by element; see nnmicro/reference/binary_int8.py.

#include "requantise.h"

enum { ADD, SUB, MUL, MAX, MIN };

// One operand of a sum, brought to the scale that both have in common.
NN_INLINE int32_t scaled(int32_t item, const int32_t *p, int zero_word, int32_t left_shift) {
    const int32_t shifted = (item - p[zero_word]) * (int32_t)((uint32_t)1 << left_shift);
    return nn_multiply_away(shifted, p[zero_word + 1], p[zero_word + 2]);
}

NN_INLINE int8_t combine(int kind, const int32_t *p, int32_t a, int32_t b) {
    int32_t value;
    if (kind == MAX) {
        value = nn_max(a, b);
    } else if (kind == MIN) {
        value = nn_min(a, b);
    } else {
        if (kind == MUL) {
            value = (a - p[BINARY_INT8_A_ZERO]) * (b - p[BINARY_INT8_B_ZERO]);
        } else {
            const int64_t left = scaled(a, p, BINARY_INT8_A_ZERO, p[BINARY_INT8_LEFT_SHIFT]);
            const int64_t right = scaled(b, p, BINARY_INT8_B_ZERO, p[BINARY_INT8_LEFT_SHIFT]);
            value = nn_saturate(kind == ADD ? left + right : left - right);
        }
        value = nn_multiply_away(value, p[BINARY_INT8_OUTPUT_MULTIPLIER], p[BINARY_INT8_OUTPUT_SHIFT]);
        return nn_clamp(value, p[BINARY_INT8_OUTPUT_ZERO], p[BINARY_INT8_ACTIVATION_MIN], p[BINARY_INT8_ACTIVATION_MAX]);
    }
    return nn_clamp(value, 0, p[BINARY_INT8_ACTIVATION_MIN], p[BINARY_INT8_ACTIVATION_MAX]);
}

typedef struct {
    const int8_t *a, *b;
    int8_t *y;
    ptrdiff_t a_step, b_step, y_step;
    int32_t count;
} run;

NN_SELDOM static void binary_run(int kind, const int32_t *p, const run *r) {
    const int8_t *a = r->a, *b = r->b;
    int8_t *y = r->y;
    for (int32_t i = 0; i < r->count; i++) {
        *y = combine(kind, p, *a, *b);
        if (i + 1 < r->count) {
            a += r->a_step;
            b += r->b_step;
            y += r->y_step;
        }
    }
}

// A sum of which one operand has half the scale that both have in common, exactly, as the one with the larger scale has:
// then rescaling it is a shift.
typedef struct {
    int32_t even_zero; // of that operand
    int32_t zero, multiplier, half, right, away; // of the other one
    nn_quick quick; // of the sum
} quick_sum;

enum { LEFT = 20, HALF_SCALE = 1 << 30 };

// Whether the operand whose words begin at `even` is the one that is shifted only.
static int quick_sum_of(const int32_t *p, int even, int other, quick_sum *s) {
    s->even_zero = p[even];
    s->zero = p[other];
    s->multiplier = p[other + 1];
    s->right = -p[other + 2];
    s->half = s->right > 0 ? (int32_t)((uint32_t)1 << (s->right - 1)) : 0;
    s->away = s->right > 0 ? -1 : 0;
    return p[BINARY_INT8_KIND] == ADD && p[BINARY_INT8_LEFT_SHIFT] == LEFT && p[even + 1] == HALF_SCALE && !p[even + 2]
        && s->right >= 0 && s->right < NN_QUICK_RIGHT && p[BINARY_INT8_ACTIVATION_MIN] == -128
        && p[BINARY_INT8_ACTIVATION_MAX] == 127
        && nn_quick_of(p[BINARY_INT8_OUTPUT_MULTIPLIER], p[BINARY_INT8_OUTPUT_SHIFT], p[BINARY_INT8_OUTPUT_ZERO], &s->quick);
}

// The operand that is rescaled, less than 2^28.
NN_INLINE int32_t rescaled(const quick_sum *s, int32_t item) {
#ifdef __ARM_ARCH_6M__
    // A difference has 9 bits, so that two products of 32 bits will do.
    const int32_t difference = item - s->zero;
    int32_t value = difference * (s->multiplier >> 16) * (1 << (LEFT + 16 - 31))
        + ((difference * (s->multiplier & 0xffff) + (1 << (30 - LEFT))) >> (31 - LEFT));
#else
    int32_t value = nn_quick_product((item - s->zero) * (1 << LEFT), s->multiplier, 0);
#endif
    return (value + ((value >> 31) & s->away) + s->half) >> s->right;
}

// The same as combine, for both operands are less than 2^28.
NN_INLINE int8_t quick_result(const quick_sum *s, int32_t even, int32_t value) {
    return (int8_t)nn_to_int8(nn_quick_result(&s->quick, value + (even - s->even_zero) * (1 << (LEFT - 1)), -1));
}

#ifdef __ARM_ARCH_6M__

enum { WORTH_A_TABLE = 512 };

// The same, with a table of what the other operand gives.
NN_NOINLINE void run_by_table(const quick_sum *sum, const int8_t *even, const int8_t *other, int8_t *y, int32_t count) {
    int32_t table[256];
    const quick_sum s = *sum; // so that nothing is read again after a result has been written
    for (int32_t item = -128; item < 128; item++) {
        table[(uint8_t)item] = rescaled(&s, item);
    }
    for (const int8_t *const end = y + count; y != end;) {
        *y++ = quick_result(&s, *even++, table[(uint8_t)*other++]);
    }
}

#endif

// Elements that lie next to each other.
static void quick_run(const quick_sum *sum, const int8_t *even, const int8_t *other, int8_t *y, int32_t count) {
#ifdef __ARM_ARCH_6M__
    if (count >= WORTH_A_TABLE) {
        run_by_table(sum, even, other, y, count);
        return;
    }
#endif
    const quick_sum s = *sum; // so that nothing is read again after a result has been written
    int32_t i = 0;
    for (; i + 4 <= count; i += 4, even += 4, other += 4, y += 4) {
        y[0] = quick_result(&s, even[0], rescaled(&s, other[0]));
        y[1] = quick_result(&s, even[1], rescaled(&s, other[1]));
        y[2] = quick_result(&s, even[2], rescaled(&s, other[2]));
        y[3] = quick_result(&s, even[3], rescaled(&s, other[3]));
    }
    for (; i < count; i++) {
        *y++ = quick_result(&s, *even++, rescaled(&s, *other++));
    }
}

static int fits(int32_t a, int32_t b, int32_t out) {
    return (a == out || a == 1) && (b == out || b == 1) && (a == out || b == out);
}

static int params_fit(const int32_t *p) {
    static const uint8_t bytes[] = {BINARY_INT8_A_ZERO, BINARY_INT8_B_ZERO, BINARY_INT8_OUTPUT_ZERO,
        BINARY_INT8_ACTIVATION_MIN, BINARY_INT8_ACTIVATION_MAX};
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (!nn_is_int8(p[bytes[i]])) {
            return 0;
        }
    }
    // A difference of two int8 has 9 bits; 22 more and the sign fill an int32.
    return p[BINARY_INT8_KIND] >= ADD && p[BINARY_INT8_KIND] <= MIN && p[BINARY_INT8_LEFT_SHIFT] >= 0
        && p[BINARY_INT8_LEFT_SHIFT] <= 22 && nn_is_multiplier(p[BINARY_INT8_A_MULTIPLIER], p[BINARY_INT8_A_SHIFT])
        && nn_is_multiplier(p[BINARY_INT8_B_MULTIPLIER], p[BINARY_INT8_B_SHIFT])
        && nn_is_multiplier(p[BINARY_INT8_OUTPUT_MULTIPLIER], p[BINARY_INT8_OUTPUT_SHIFT]);
}

int nn_binary_int8(const nn_state *call) {
    nn_operand a, b;
    run r;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != BINARY_INT8_PARAMS || !params_fit(p)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 1, &a));
    NN_TRY(nn_input(call, 1, NN_I8, 0, &b));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    if (!fits(a.c, b.c, out->c) || !fits(a.h, b.h, out->h) || !fits(a.w, b.w, out->w)) {
        return NN_BAD_SHAPE;
    }
    // The inner loop is over channels where they lie next to each other, else over the more of channels and columns: few
    // channels of a wide map, or many of a narrow one.
    const int interleaved = (out->cs == 1) & (a.c > 1) & (a.cs == 1) & (b.c > 1) & (b.cs == 1);
    const int by_channels = interleaved || out->c > out->w;
    int32_t outer = by_channels ? out->w : out->c;
    const ptrdiff_t a_c = a.c > 1 ? a.cs : 0, a_w = a.w > 1 ? a.ps : 0;
    const ptrdiff_t b_c = b.c > 1 ? b.cs : 0, b_w = b.w > 1 ? b.ps : 0;
    r.count = by_channels ? out->c : out->w;
    r.a_step = by_channels ? a_c : a_w;
    r.b_step = by_channels ? b_c : b_w;
    r.y_step = by_channels ? out->cs : out->ps;
    quick_sum sum;
    const int runs = (r.a_step == 1) & (r.b_step == 1) & (r.y_step == 1);
    const int a_is_even = quick_sum_of(p, BINARY_INT8_A_ZERO, BINARY_INT8_B_ZERO, &sum);
    const int quick = runs && (a_is_even || quick_sum_of(p, BINARY_INT8_B_ZERO, BINARY_INT8_A_ZERO, &sum));
    if (runs && by_channels && a_w == out->c && b_w == out->c && out->ps == out->c) {
        r.count *= outer; // a row is one run
        outer = 1;
    }
    for (int32_t y = call->y0; y < call->y1; y++) {
        for (int32_t i = 0; i < outer; i++) {
            r.a = (const int8_t *)nn_at(&a, 0, a.h > 1 ? y : 0) + i * (by_channels ? a_w : a_c);
            r.b = (const int8_t *)nn_at(&b, 0, b.h > 1 ? y : 0) + i * (by_channels ? b_w : b_c);
            r.y = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)i * (by_channels ? out->ps : out->cs);
            if (quick) {
                quick_run(&sum, a_is_even ? r.a : r.b, a_is_even ? r.b : r.a, r.y, r.count);
            } else {
                binary_run(p[BINARY_INT8_KIND], p, &r);
            }
        }
    }
    return NN_OK;
}
