// See transposed.h. What is divided here has 32 bits, and that once for each row or column of y.

#include "transposed.h"

#define LIMIT (1 << 28)

int nn_transposed_of(const int32_t *params, int axis, int32_t positions, int32_t size, nn_transposed *t) {
    t->kernel = params[axis];
    t->stride = params[2 + axis];
    t->dilation = params[4 + axis];
    t->pad = params[6 + axis];
    t->size = size;
    if (t->stride < 1 || t->stride >= LIMIT || t->kernel < 1 || t->dilation < 1 || t->pad < 0 || t->pad >= LIMIT
        || positions >= LIMIT || (int64_t)t->kernel * t->dilation >= LIMIT) {
        return NN_BAD_PARAMS;
    }
    int32_t a = t->stride, b = t->dilation;
    while (b) {
        const int32_t rest = a % b;
        a = b;
        b = rest;
    }
    t->tap_step = t->stride / a;
    t->back = t->dilation / a;
    return NN_OK;
}

nn_meeting nn_meet(const nn_transposed *t, int32_t position) {
    nn_meeting m = {0, 0, 0};
    const int32_t place = position + t->pad;
    // The first tap that falls on an element of x, be it inside or not. Only the first `tap_step` ones can be it.
    int32_t tap = 0, rest = place % t->stride;
    const int32_t end = nn_min(t->kernel, t->tap_step), less = t->dilation % t->stride;
    while (rest && tap < end) {
        tap++;
        rest -= less;
        rest += rest < 0 ? t->stride : 0;
    }
    if (rest || tap >= t->kernel || place < tap * t->dilation) {
        return m;
    }
    int32_t element = (place - tap * t->dilation) / t->stride;
    if (element >= t->size) {
        const int32_t skipped = (element - t->size) / t->back + 1;
        // As many taps may not be there; a tap of the kernel is below 2^28, as is a step.
        if (skipped > (t->kernel - 1 - tap) / t->tap_step) {
            return m;
        }
        tap += skipped * t->tap_step;
        element -= skipped * t->back;
        if (element < 0) {
            return m;
        }
    }
    m.first = tap;
    m.start = element;
    m.count = nn_min((t->kernel - 1 - tap) / t->tap_step, element / t->back) + 1;
    return m;
}
