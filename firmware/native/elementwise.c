// Activation, scale and binary operations in float32; see nnmicro/reference/{activation,scale,binary_op}.py.

#include "activate.h"

#define AT(pointer) (*(float *)(void *)(pointer))

int nn_activation(const nn_state *call) {
    nn_operand x;
    nn_activation_t act;
    const nn_operand *out = &call->out;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != ACTIVATION_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_activation_of(call->params + ACTIVATION_ACTIVATION, &act));
    NN_TRY(nn_input(call, 0, NN_F32, 1, &x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            uint8_t *i = nn_at(&x, c, y), *j = nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q++) {
                AT(j + (ptrdiff_t)q * out->ps) = nn_activate(&act, AT(i + (ptrdiff_t)q * x.ps));
            }
        }
    }
    return NN_OK;
}

int nn_scale(const nn_state *call) {
    nn_operand x;
    nn_activation_t act;
    const nn_operand *out = &call->out;
    if (call->n_in != 3) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != SCALE_PARAMS || call->params[SCALE_AXIS] < 0 || call->params[SCALE_AXIS] > 2) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_activation_of(call->params + SCALE_ACTIVATION, &act));
    NN_TRY(nn_input(call, 0, NN_F32, 1, &x));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!nn_same_shape(&x, out)) {
        return NN_BAD_SHAPE;
    }
    const int axis = call->params[SCALE_AXIS];
    const int32_t size = axis == 0 ? x.c : axis == 1 ? x.h : x.w;
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_F32, size, &data));
    const float *factors = data;
    NN_TRY(nn_constant(call, 2, NN_F32, size, &data));
    const float *terms = data;
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const int32_t k = axis == 0 ? c : axis == 1 ? y : 0;
            const int32_t k_step = axis == 2;
            uint8_t *i = nn_at(&x, c, y), *j = nn_at(out, c, y);
            for (int32_t q = 0; q < out->w; q++) {
                float value = AT(i + (ptrdiff_t)q * x.ps) * factors[k + q * k_step] + terms[k + q * k_step];
                AT(j + (ptrdiff_t)q * out->ps) = nn_activate(&act, value);
            }
        }
    }
    return NN_OK;
}

enum { ADD, SUB, MUL, DIV, MAX, MIN, POW, REVERSE_SUB, REVERSE_DIV };

NN_INLINE float combine(int kind, float a, float b) {
    switch (kind) {
        case ADD:
            return a + b;
        case SUB:
            return a - b;
        case MUL:
            return a * b;
        case DIV:
            return a / b;
        // A NaN on either side is the result, as in ONNX.
        case MAX:
            return a > b || a != a ? a : b;
        case MIN:
            return a < b || a != a ? a : b;
        case POW:
            return nn_pow(a, b);
        case REVERSE_SUB:
            return b - a;
        default:
            return b / a;
    }
}

typedef struct {
    const uint8_t *a, *b;
    uint8_t *y;
    int32_t a_step, b_step, y_step, count;
} row;

NN_INLINE void binary_row(int kind, const row *r, const nn_activation_t *act) {
    for (int32_t q = 0; q < r->count; q++) {
        float a = *(const float *)(const void *)(r->a + (ptrdiff_t)q * r->a_step);
        float b = *(const float *)(const void *)(r->b + (ptrdiff_t)q * r->b_step);
        AT(r->y + (ptrdiff_t)q * r->y_step) = nn_activate(act, combine(kind, a, b));
    }
}

static int fits(int32_t a, int32_t b, int32_t out) {
    return (a == out || a == 1) && (b == out || b == 1) && (a == out || b == out);
}

int nn_binary_op(const nn_state *call) {
    nn_operand a, b;
    nn_activation_t act;
    const nn_operand *out = &call->out;
    if (call->n_in != 2) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != BINARY_OP_PARAMS) {
        return NN_BAD_PARAMS;
    }
    const int32_t kind = call->params[BINARY_OP_KIND];
    if (kind < ADD || kind > REVERSE_DIV) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_activation_of(call->params + BINARY_OP_ACTIVATION, &act));
    NN_TRY(nn_input(call, 0, NN_F32, 1, &a));
    NN_TRY(nn_input(call, 1, NN_F32, 0, &b));
    if (out->dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (!fits(a.c, b.c, out->c) || !fits(a.h, b.h, out->h) || !fits(a.w, b.w, out->w)) {
        return NN_BAD_SHAPE;
    }
    row r;
    r.a_step = a.w > 1 ? a.ps : 0;
    r.b_step = b.w > 1 ? b.ps : 0;
    r.y_step = out->ps;
    r.count = out->w;
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            r.a = nn_at(&a, a.c > 1 ? c : 0, a.h > 1 ? y : 0);
            r.b = nn_at(&b, b.c > 1 ? c : 0, b.h > 1 ? y : 0);
            r.y = nn_at(out, c, y);
            if (kind == ADD) {
                binary_row(ADD, &r, &act);
            } else {
                binary_row(kind, &r, &act);
            }
        }
    }
    return NN_OK;
}
