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

NN_INLINE void binary_run(int kind, const int32_t *p, const run *r) {
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
    // The longer of channels and columns is the inner loop: few channels of a wide map, or many of a narrow one.
    const int by_channels = out->c > out->w;
    const int32_t outer = by_channels ? out->w : out->c;
    const ptrdiff_t a_c = a.c > 1 ? a.cs : 0, a_w = a.w > 1 ? a.ps : 0;
    const ptrdiff_t b_c = b.c > 1 ? b.cs : 0, b_w = b.w > 1 ? b.ps : 0;
    r.count = by_channels ? out->c : out->w;
    r.a_step = by_channels ? a_c : a_w;
    r.b_step = by_channels ? b_c : b_w;
    r.y_step = by_channels ? out->cs : out->ps;
    for (int32_t y = call->y0; y < call->y1; y++) {
        for (int32_t i = 0; i < outer; i++) {
            r.a = (const int8_t *)nn_at(&a, 0, a.h > 1 ? y : 0) + i * (by_channels ? a_w : a_c);
            r.b = (const int8_t *)nn_at(&b, 0, b.h > 1 ? y : 0) + i * (by_channels ? b_w : b_c);
            r.y = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)i * (by_channels ? out->ps : out->cs);
            if (p[BINARY_INT8_KIND] == ADD) {
                binary_run(ADD, p, &r);
            } else {
                binary_run(p[BINARY_INT8_KIND], p, &r);
            }
        }
    }
    return NN_OK;
}
