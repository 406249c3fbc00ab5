// Comparisons, and one of two operands, in float32; see nnmicro/reference/{compare,where}.py.

#include "kernel.h"

enum { EQUAL, GREATER, AT_LEAST };

static const float *row_of(const nn_operand *x, int32_t c, int32_t y) {
    return (const float *)(const void *)nn_at(x, x->c > 1 ? c : 0, x->h > 1 ? y : 0);
}

static ptrdiff_t step_of(const nn_operand *x) {
    return x->w > 1 ? x->ps / 4 : 0;
}

static int fits(int32_t a, int32_t b, int32_t out) {
    return (a == out || a == 1) && (b == out || b == 1) && (a == out || b == out);
}

int nn_compare(const nn_state *call) {
    nn_operand a, b;
    const nn_operand *out = &call->out;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != COMPARE_PARAMS || call->params[COMPARE_KIND] < EQUAL || call->params[COMPARE_KIND] > AT_LEAST) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &a));
    NN_TRY(nn_input(call, 1, NN_F32, 0, &b));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!fits(a.c, b.c, out->c) || !fits(a.h, b.h, out->h) || !fits(a.w, b.w, out->w)) {
        return NN_BAD_SHAPE;
    }
    const int32_t kind = call->params[COMPARE_KIND];
    const ptrdiff_t a_step = step_of(&a), b_step = step_of(&b), step = out->ps / 4;
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const float *p = row_of(&a, c, y), *q = row_of(&b, c, y);
            float *to = (float *)(void *)nn_at(out, c, y);
            for (int32_t i = 0; i < out->w; i++) {
                const float left = p[i * a_step], right = q[i * b_step];
                const int holds = kind == EQUAL ? left == right : kind == GREATER ? left > right : left >= right;
                to[i * step] = holds ? 1.0f : 0.0f;
            }
        }
    }
    return NN_OK;
}

int nn_where(const nn_state *call) {
    nn_operand x[3];
    const nn_operand *out = &call->out;
    if (call->n_in != 3) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != WHERE_PARAMS) {
        return NN_BAD_PARAMS;
    }
    for (int32_t i = 0; i < 3; i++) {
        NN_TRY(nn_input(call, i, NN_F32, 0, &x[i]));
        if (!nn_broadcasts(&x[i], out)) {
            return NN_BAD_SHAPE;
        }
    }
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    const ptrdiff_t condition_step = step_of(&x[0]), a_step = step_of(&x[1]), b_step = step_of(&x[2]);
    const ptrdiff_t step = out->ps / 4;
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const float *condition = row_of(&x[0], c, y), *a = row_of(&x[1], c, y), *b = row_of(&x[2], c, y);
            float *to = (float *)(void *)nn_at(out, c, y);
            for (int32_t i = 0; i < out->w; i++) {
                to[i * step] = condition[i * condition_step] == 0.0f ? b[i * b_step] : a[i * a_step];
            }
        }
    }
    return NN_OK;
}
