// Transposed convolution in int8; see nnmicro/reference/deconvolution_int8.py. An element of y is gathered from the
// elements of x that are spread over it, so that no sums have to be kept. Two output channels share the loads of x.

#include "dot_int8.h"
#include "transposed.h"

typedef struct {
    const nn_state *call;
    nn_operand x;
    const int8_t *weights;
    nn_channels channels;
    nn_transposed rows, columns;
    int32_t zero, half_up;
} work;

// LiteRT rounds the first channels, which fill its vectors, another way than the rest.
NN_INLINE int8_t result(const work *k, int32_t o, uint32_t sum) {
    return o < k->half_up ? nn_channel_result(&k->channels, o, sum) : nn_channel_result_away(&k->channels, o, sum);
}

// Channels `o` and (where `pair`) o + 1 of one pixel.
static void pixel(const work *k, nn_meeting rows, nn_meeting columns, int32_t o, int pair, int8_t *y) {
    const nn_operand *x = &k->x;
    const int32_t line = k->columns.kernel * x->c; // weights of one kernel row
    const ptrdiff_t filter = (ptrdiff_t)k->rows.kernel * line, next = pair ? filter : 0;
    nn_sums s = {0, 0};
    for (int32_t i = 0; i < rows.count; i++) {
        const int8_t *row = (const int8_t *)nn_at(x, 0, rows.start - i * k->rows.back);
        const int8_t *w = k->weights + o * filter + (ptrdiff_t)(rows.first + i * k->rows.tap_step) * line;
        for (int32_t j = 0; j < columns.count; j++) {
            const int8_t *p = row + (ptrdiff_t)(columns.start - j * k->columns.back) * x->ps;
            const int8_t *v = w + (ptrdiff_t)(columns.first + j * k->columns.tap_step) * x->c;
            if (x->cs == 1) {
                s = nn_dot(s, p, 1, v, v + next, x->c, k->zero);
            } else {
                s = nn_dot(s, p, x->cs, v, v + next, x->c, k->zero);
            }
        }
    }
    y[0] = result(k, o, s.a);
    if (pair) {
        y[k->call->out.cs] = result(k, o + 1, s.b);
    }
}

static int prepare(const nn_state *call, work *k) {
    const int32_t *p = call->params;
    const nn_operand *out = &call->out;
    if (call->n_in != 5) {
        return NN_BAD_COUNT;
    }
    if (call->n_params != DECONVOLUTION_INT8_PARAMS || p[DECONVOLUTION_INT8_HALF_UP] < 0
        || !nn_is_int8(p[DECONVOLUTION_INT8_INPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (out->dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    NN_TRY(nn_transposed_of(p, 0, out->h, k->x.h, &k->rows));
    NN_TRY(nn_transposed_of(p, 1, out->w, k->x.w, &k->columns));
    k->call = call;
    k->zero = p[DECONVOLUTION_INT8_INPUT_ZERO];
    k->half_up = p[DECONVOLUTION_INT8_HALF_UP];
    // Bounded one after the other, so that no product can overflow.
    const int64_t taps = (int64_t)k->rows.kernel * k->columns.kernel, filters = (int64_t)out->c * k->x.c;
    if (taps >= INT32_MAX || filters >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    const void *data;
    NN_TRY(nn_constant(call, 1, NN_I8, taps * filters, &data));
    k->weights = data;
    return nn_channels_of(call, out->c, p + DECONVOLUTION_INT8_OUTPUT_ZERO, &k->channels);
}

int nn_deconvolution_int8(const nn_state *call) {
    work k;
    NN_TRY(prepare(call, &k));
    const nn_operand *out = &call->out;
    for (int32_t y = call->y0; y < call->y1; y++) {
        const nn_meeting rows = nn_meet(&k.rows, y);
        for (int32_t q = 0; q < out->w; q++) {
            const nn_meeting columns = nn_meet(&k.columns, q);
            int8_t *to = (int8_t *)nn_at(out, 0, y) + (ptrdiff_t)q * out->ps;
            for (int32_t o = 0; o < out->c; o += 2) {
                pixel(&k, rows, columns, o, o + 1 < out->c, to + (ptrdiff_t)o * out->cs);
            }
        }
    }
    return NN_OK;
}
