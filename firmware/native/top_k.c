// The largest or smallest elements along an axis, or where they lie; see nnmicro/reference/top_k.py.

#include "along_axis.h"

typedef struct {
    const uint8_t *data;
    ptrdiff_t step;
    int smallest;
} line;

static float item(const line *l, int32_t i) {
    return *(const float *)(const void *)(l->data + i * l->step);
}

// Whether element i comes before element j: what is no number comes last.
static int before(const line *l, int32_t i, int32_t j) {
    const float a = item(l, i), b = item(l, j);
    if (a == b) {
        return i < j;
    }
    if (a != a || b != b) {
        return a != a && b != b ? i < j : b != b;
    }
    return l->smallest ? a < b : a > b;
}

// The next element behind `last`, which is -1 at first.
static int32_t next(const line *l, int32_t count, int32_t last) {
    int32_t found = -1;
    for (int32_t i = 0; i < count; i++) {
        if ((last < 0 || before(l, last, i)) && (found < 0 || before(l, i, found))) {
            found = i;
        }
    }
    return found;
}

int nn_top_k(const nn_state *call) {
    nn_operand x;
    nn_lines l;
    const nn_operand *out = &call->out;
    const int32_t *p = call->params;
    if (call->n_in != 1) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != TOP_K_PARAMS || (p[TOP_K_SMALLEST] & ~1) || p[TOP_K_AXIS] < 0 || p[TOP_K_AXIS] > 2) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_F32, 0, &x));
    if (out->dtype != NN_F32 && out->dtype != NN_I32) {
        return NN_BAD_TYPE;
    }
    const int32_t axis = p[TOP_K_AXIS], k = axis == 0 ? out->c : axis == 1 ? out->h : out->w;
    const int32_t size = axis == 0 ? x.c : axis == 1 ? x.h : x.w;
    if ((axis != 0 && out->c != x.c) || (axis != 1 && out->h != x.h) || (axis != 2 && out->w != x.w) || k > size) {
        return NN_BAD_SHAPE;
    }
    NN_TRY(nn_lines_of(call, &x, axis, &l));
    for (int32_t o = l.first; o < l.end; o++) {
        for (int32_t i = 0; i < l.inner; i++) {
            const line from = {nn_line(&x, axis, o, i), l.x_step, p[TOP_K_SMALLEST]};
            uint8_t *to = nn_line(out, axis, o, i);
            int32_t last = -1;
            for (int32_t n = 0; n < k; n++) {
                last = next(&from, l.count, last);
                if (out->dtype == NN_I32) {
                    *(int32_t *)(void *)(to + n * (ptrdiff_t)l.y_step) = last;
                } else {
                    *(float *)(void *)(to + n * (ptrdiff_t)l.y_step) = item(&from, last);
                }
            }
        }
    }
    return NN_OK;
}
