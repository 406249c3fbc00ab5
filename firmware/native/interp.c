// Resizing of height and width; see nnmicro/reference/interp.py. Nearest takes any type, bilinear float32.

#include "movement.h"

enum { HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, PYTORCH_HALF_PIXEL };
enum { PREFER_FLOOR, PREFER_CEIL, ROUND_DOWN, ROUND_UP };

// A coordinate of x, clamped to x, as an index and the part of the way to the next one.
typedef struct {
    int32_t index;
    float rest;
} place;

static place coordinate(int transform, int32_t i, float scale, int32_t size, int32_t out_size) {
    // Each step is rounded to float32, as on every board: the nearest neighbour must not depend on the compiler.
    volatile float at;
    if (transform == ALIGN_CORNERS) {
        at = out_size > 1 ? (float)i * (float)(size - 1) / (float)(out_size - 1) : 0.0f;
    } else if (transform == ASYMMETRIC) {
        at = (float)i / scale;
    } else if (transform == PYTORCH_HALF_PIXEL && out_size == 1) {
        at = 0.0f;
    } else {
        at = ((float)i + 0.5f) / scale;
        at = at - 0.5f;
    }
    place p;
    float value = at;
    if (!(value > 0.0f)) {
        value = 0.0f;
    }
    if (value >= (float)(size - 1)) {
        p.index = size - 1;
        p.rest = 0.0f;
        return p;
    }
    p.index = (int32_t)value;
    p.rest = value - (float)p.index;
    return p;
}

static int32_t nearest(place p, int rounding) {
    int up = rounding == ROUND_UP ? p.rest > 0.0f
        : rounding == PREFER_CEIL ? p.rest >= 0.5f
        : rounding == PREFER_FLOOR ? p.rest > 0.5f : 0;
    return p.index + up;
}

typedef struct {
    const nn_operand *x, *out;
    int transform, rounding;
    float scale_h, scale_w;
} work;

static void nearest_row(const work *k, int32_t y) {
    const nn_operand *x = k->x, *out = k->out;
    const int32_t item = nn_item_bytes[x->dtype];
    const int32_t row = nearest(coordinate(k->transform, y, k->scale_h, x->h, out->h), k->rounding);
    for (int32_t q = 0; q < out->w; q++) {
        const int32_t column = nearest(coordinate(k->transform, q, k->scale_w, x->w, out->w), k->rounding);
        const uint8_t *from = nn_at(x, 0, row) + (ptrdiff_t)column * x->ps;
        nn_move(nn_at(out, 0, y) + (ptrdiff_t)q * out->ps, out->cs, from, x->cs, x->c, item);
    }
}

NN_INLINE float load(const uint8_t *at, int32_t offset) {
    return *(const float *)(const void *)(at + offset);
}

static void bilinear_row(const work *k, int32_t y) {
    const nn_operand *x = k->x, *out = k->out;
    const place row = coordinate(k->transform, y, k->scale_h, x->h, out->h);
    const uint8_t *above = nn_at(x, 0, row.index), *below = nn_at(x, 0, nn_min(row.index + 1, x->h - 1));
    for (int32_t q = 0; q < out->w; q++) {
        const place column = coordinate(k->transform, q, k->scale_w, x->w, out->w);
        const int32_t left = column.index * x->ps, right = nn_min(column.index + 1, x->w - 1) * x->ps;
        for (int32_t c = 0; c < x->c; c++) {
            const uint8_t *a = above + (ptrdiff_t)c * x->cs, *b = below + (ptrdiff_t)c * x->cs;
            float top = (1.0f - column.rest) * load(a, left) + column.rest * load(a, right);
            float bottom = (1.0f - column.rest) * load(b, left) + column.rest * load(b, right);
            *(float *)(void *)(nn_at(out, c, y) + (ptrdiff_t)q * out->ps) = (1.0f - row.rest) * top + row.rest * bottom;
        }
    }
}

int nn_interp(const nn_state *call) {
    const int32_t *p = call->params;
    nn_operand x;
    work k;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != INTERP_PARAMS || (p[INTERP_MODE] & ~1) || (p[INTERP_TRANSFORM] & ~3)
        || (p[INTERP_ROUNDING] & ~3)) {
        return NN_BAD_PARAMS;
    }
    k.scale_h = nn_float(p[INTERP_SCALE_H]);
    k.scale_w = nn_float(p[INTERP_SCALE_W]);
    // Written so that a NaN is refused; the bounds keep every coordinate finite.
    if (!(k.scale_h > 1e-9f && k.scale_h < 1e9f && k.scale_w > 1e-9f && k.scale_w < 1e9f)) {
        return NN_BAD_PARAMS;
    }
    const int bilinear = p[INTERP_MODE];
    NN_TRY(nn_input(call, 0, bilinear ? NN_F32 : 0, 0, &x));
    if (bilinear && call->out.dtype != NN_F32) {
        return NN_BAD_TYPE;
    }
    if (x.c != call->out.c) {
        return NN_BAD_SHAPE;
    }
    k.x = &x;
    k.out = &call->out;
    k.transform = p[INTERP_TRANSFORM];
    k.rounding = p[INTERP_ROUNDING];
    for (int32_t y = call->y0; y < call->y1; y++) {
        if (bilinear) {
            bilinear_row(&k, y);
        } else {
            nearest_row(&k, y);
        }
    }
    return NN_OK;
}
