// Layers that only move elements, of any type; see nnmicro/reference/{concat,slice,padding,copy,permute}.py.

#include "movement.h"

// Elements are moved whatever their type.
typedef int32_t __attribute__((may_alias)) word;
typedef int16_t __attribute__((may_alias)) half_word;

void nn_move(uint8_t *y, ptrdiff_t y_step, const uint8_t *x, ptrdiff_t x_step, int32_t count, int32_t item) {
    if (item == 4) {
        for (; count > 0; count--, y += y_step, x += x_step) {
            *(word *)(void *)y = *(const word *)(const void *)x;
        }
    } else if (item == 2) {
        for (; count > 0; count--, y += y_step, x += x_step) {
            *(half_word *)(void *)y = *(const half_word *)(const void *)x;
        }
    } else {
        for (; count > 0; count--, y += y_step, x += x_step) {
            *y = *x;
        }
    }
}

// A row of x to a row of `out`, `x_step` bytes apart. Bytes that follow on are moved as words where they can be.
static void move_row(uint8_t *y, int32_t y_step, const uint8_t *x, int32_t x_step, int32_t count, int32_t item) {
    if (item < 4 && y_step == item && x_step == item && (((uintptr_t)y | (uintptr_t)x) & 3) == 0) {
        int32_t words = (int32_t)((int64_t)count * item / 4);
        nn_move(y, 4, x, 4, words, 4);
        int32_t moved = words * 4 / item;
        y += words * 4;
        x += words * 4;
        count -= moved;
    }
    nn_move(y, y_step, x, x_step, count, item);
}

static int32_t size_along(const nn_operand *x, int axis) {
    return axis == 0 ? x->c : axis == 1 ? x->h : x->w;
}

int nn_concat(const nn_state *call) {
    const nn_operand *out = &call->out;
    nn_operand x;
    if (call->n_in < 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != CONCAT_PARAMS || call->params[CONCAT_AXIS] < 0 || call->params[CONCAT_AXIS] > 2) {
        return NN_BAD_PARAMS;
    }
    const int axis = call->params[CONCAT_AXIS];
    int64_t total = 0;
    int is_there;
    for (int32_t i = 0; i < call->n_in; i++) {
        NN_TRY(nn_part(call, i, axis, (int32_t)total, &x, &is_there));
        for (int other = 0; other < 3; other++) {
            if (other != axis && size_along(&x, other) != size_along(out, other)) {
                return NN_BAD_SHAPE;
            }
        }
        total += size_along(&x, axis);
        if (total > size_along(out, axis)) {
            return NN_BAD_SHAPE;
        }
    }
    if (total != size_along(out, axis)) {
        return NN_BAD_SHAPE;
    }
    const int32_t item = nn_item_bytes[out->dtype];
    int32_t start = 0;
    for (int32_t i = 0; i < call->n_in; i++) {
        NN_TRY(nn_part(call, i, axis, start, &x, &is_there));
        for (int32_t y = is_there ? call->y1 : call->y0; y < call->y1; y++) {
            const int32_t row = axis == 1 ? y - start : y;
            if (row < 0 || row >= x.h) {
                continue;
            }
            if (axis == 0 && x.cs == item && out->cs == item && x.c > x.w) {
                // Interleaved: the channels of a pixel follow on.
                for (int32_t q = 0; q < x.w; q++) {
                    move_row(nn_at(out, start, y) + (ptrdiff_t)q * out->ps, item,
                        nn_at(&x, 0, row) + (ptrdiff_t)q * x.ps, item, x.c, item);
                }
                continue;
            }
            for (int32_t c = 0; c < x.c; c++) {
                uint8_t *to = nn_at(out, axis == 0 ? c + start : c, y) + (axis == 2 ? (ptrdiff_t)start * out->ps : 0);
                move_row(to, out->ps, nn_at(&x, c, row), x.ps, x.w, item);
            }
        }
        start += size_along(&x, axis);
    }
    return NN_OK;
}

int nn_slice(const nn_state *call) {
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    nn_operand x;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != SLICE_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, 0, 0, &x));
    for (int axis = 0; axis < 3; axis++) {
        const int32_t start = p[SLICE_START_C + axis], step = p[SLICE_STEP_C + axis];
        if (start < 0 || step < 1) {
            return NN_BAD_PARAMS;
        }
        if (start + (int64_t)(size_along(out, axis) - 1) * step >= size_along(&x, axis)) {
            return NN_BAD_SHAPE;
        }
    }
    const int32_t item = nn_item_bytes[out->dtype];
    for (int32_t c = 0; c < out->c; c++) {
        for (int32_t y = call->y0; y < call->y1; y++) {
            const uint8_t *from = nn_at(&x, p[SLICE_START_C] + c * p[SLICE_STEP_C], p[SLICE_START_H] + y * p[SLICE_STEP_H]);
            from += (ptrdiff_t)p[SLICE_START_W] * x.ps;
            // A step of one element only may be any size.
            const ptrdiff_t step = out->w > 1 ? (ptrdiff_t)p[SLICE_STEP_W] * x.ps : x.ps;
            nn_move(nn_at(out, c, y), out->ps, from, step, out->w, item);
        }
    }
    return NN_OK;
}

enum { CONSTANT, EDGE, REFLECT, SYMMETRIC };

// Index in x for index `i` counted from x's first element, or -1 for the constant.
static int32_t source(int32_t i, int32_t size, int mode) {
    if (i >= 0 && i < size) {
        return i;
    }
    if (mode == CONSTANT) {
        return -1;
    }
    if (mode == EDGE) {
        return i < 0 ? 0 : size - 1;
    }
    if (mode == SYMMETRIC) {
        return i < 0 ? -1 - i : size - 1 - (i - size);
    }
    return i < 0 ? -i : 2 * (size - 1) - i;
}

// The parameter is a float: as an element of `dtype`. 0 where it is none.
static int value_of(int32_t bits, int32_t dtype, int32_t *value) {
    *value = bits;
    if (dtype == NN_F32) {
        return 1;
    }
    const float real = nn_float(bits);
    if (!(real >= -128.0f && real <= 127.0f)) {
        return 0;
    }
    *value = (int32_t)real;
    return (float)*value == real;
}

// One row of the output; `from` null where all of it is the constant.
static void padded_row(const nn_state *call, const nn_operand *x, const uint8_t *from, uint8_t *to, const int32_t *value) {
    const nn_operand *out = &call->out;
    const int32_t left = call->params[PADDING_LEFT], mode = call->params[PADDING_MODE];
    const int32_t item = nn_item_bytes[out->dtype];
    const uint8_t *constant = (const uint8_t *)value;
    if (!from) {
        nn_move(to, out->ps, constant, 0, out->w, item);
        return;
    }
    for (int32_t q = 0; q < out->w; q++) {
        if (q == left) {
            nn_move(to + (ptrdiff_t)q * out->ps, out->ps, from, x->ps, x->w, item);
            q += x->w - 1;
            continue;
        }
        const int32_t column = source(q - left, x->w, mode);
        nn_move(to + (ptrdiff_t)q * out->ps, 0, column < 0 ? constant : from + (ptrdiff_t)column * x->ps, 0, 1, item);
    }
}

int nn_padding(const nn_state *call) {
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    nn_operand x;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != PADDING_PARAMS || p[PADDING_MODE] < CONSTANT || p[PADDING_MODE] > SYMMETRIC) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, 0, 0, &x));
    int32_t value;
    if (!value_of(p[PADDING_VALUE], out->dtype, &value)) {
        return NN_BAD_PARAMS;
    }
    const int mode = p[PADDING_MODE];
    for (int axis = 0; axis < 3; axis++) {
        const int32_t before = p[PADDING_FRONT + axis], size = size_along(&x, axis);
        if (before < 0) {
            return NN_BAD_PARAMS;
        }
        const int64_t after = (int64_t)size_along(out, axis) - before - size;
        if (after < 0 || (mode == REFLECT && (before >= size || after >= size))
            || (mode == SYMMETRIC && (before > size || after > size))) {
            return NN_BAD_SHAPE;
        }
    }
    int32_t constant = value;
    // Where a word's low bytes lie last, a narrower element is not at its start.
    if (nn_item_bytes[out->dtype] == 2) {
        *(half_word *)(void *)&constant = (int16_t)value;
    } else if (nn_item_bytes[out->dtype] == 1) {
        *(uint8_t *)(void *)&constant = (uint8_t)value;
    }
    for (int32_t c = 0; c < out->c; c++) {
        const int32_t channel = source(c - p[PADDING_FRONT], x.c, mode);
        for (int32_t y = call->y0; y < call->y1; y++) {
            const int32_t row = source(y - p[PADDING_TOP], x.h, mode);
            const uint8_t *from = channel < 0 || row < 0 ? NULL : nn_at(&x, channel, row);
            padded_row(call, &x, from, nn_at(out, c, y), &constant);
        }
    }
    return NN_OK;
}

void nn_move_nested(const nn_operand *out, const uint8_t *x, const int32_t *sizes, const int32_t *steps) {
    const int32_t item = nn_item_bytes[out->dtype];
    int32_t row = 0, c = 0, done = 0; // where the output stands
    uint8_t *to = out->data;
    for (int32_t i0 = 0; i0 < sizes[0]; i0++) {
        for (int32_t i1 = 0; i1 < sizes[1]; i1++) {
            for (int32_t i2 = 0; i2 < sizes[2]; i2++) {
                const uint8_t *from = x + (ptrdiff_t)i0 * steps[0] + (ptrdiff_t)i1 * steps[1] + (ptrdiff_t)i2 * steps[2];
                int32_t left = sizes[3];
                while (left) {
                    const int32_t count = nn_min(left, out->w - done);
                    nn_move(to + (ptrdiff_t)done * out->ps, out->ps, from, steps[3], count, item);
                    left -= count;
                    done += count;
                    if (done == out->w) {
                        done = 0;
                        if (++row == out->h) {
                            row = 0;
                            c++;
                        }
                        if (c == out->c) {
                            return;
                        }
                        to = nn_at(out, c, row);
                    }
                    if (left) {
                        from += (ptrdiff_t)count * steps[3];
                    }
                }
            }
        }
    }
}

int nn_copy(const nn_state *call) {
    nn_operand x;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != COPY_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, 0, 0, &x));
    NN_TRY(nn_whole(call, &x));
    if (nn_count(&x) != nn_count(&call->out)) {
        return NN_BAD_SHAPE;
    }
    const int32_t sizes[4] = {1, x.c, x.h, x.w}, steps[4] = {0, x.cs, x.rs, x.ps};
    nn_move_nested(&call->out, x.data, sizes, steps);
    return NN_OK;
}

int nn_permute(const nn_state *call) {
    const int32_t *p = call->params;
    nn_operand x;
    int32_t steps[4];
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != PERMUTE_PARAMS) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, 0, 0, &x));
    NN_TRY(nn_whole(call, &x));
    const int32_t item = nn_item_bytes[x.dtype];
    int64_t count = 1, farthest = 0;
    const int64_t last = (int64_t)(x.c - 1) * x.cs + (int64_t)(x.h - 1) * x.rs + (int64_t)(x.w - 1) * x.ps;
    for (int i = 0; i < 4; i++) {
        const int32_t size = p[PERMUTE_SIZE0 + i], stride = p[PERMUTE_STRIDE0 + i];
        if (size < 1 || stride < 0) {
            return NN_BAD_PARAMS;
        }
        if (size > nn_count(&call->out)) {
            return NN_BAD_SHAPE;
        }
        count *= size;
        if (count > nn_count(&call->out)) {
            return NN_BAD_SHAPE;
        }
        // Each term is below 2^61, and one that is too large ends it.
        if (size > 1 && (int64_t)stride * item > last) {
            return NN_BAD_SHAPE;
        }
        farthest += (int64_t)(size - 1) * stride * item;
        if (farthest > last) {
            return NN_BAD_SHAPE;
        }
        steps[i] = size > 1 ? stride * item : 0;
    }
    if (count != nn_count(&call->out)) {
        return NN_BAD_SHAPE;
    }
    nn_move_nested(&call->out, x.data, p + PERMUTE_SIZE0, steps);
    return NN_OK;
}
