// Where the filters of an int8 convolution look, pixel by pixel; see convolution_int8.c and convolution_int8_dsp.c.

#include "pixels_int8.h"

#include "requantise.h"

// What is added to elements to take their zero point away.
NN_INLINE uint32_t minus_of(int32_t zero) {
#if NN_DSP
    return nn_both_halves(-zero);
#else
    return (uint32_t)-zero;
#endif
}

int nn_windows_of(const nn_state *call, int32_t piece, int32_t block, nn_windows *k, int64_t *weights) {
    const int32_t *p = call->params;
    if (call->n_params != CONVOLUTION_INT8_PARAMS || p[CONVOLUTION_INT8_GROUP] < 1
        || !nn_is_int8(p[CONVOLUTION_INT8_INPUT_ZERO])) {
        return NN_BAD_PARAMS;
    }
    k->kernel_h = p[CONVOLUTION_INT8_KERNEL_H];
    k->kernel_w = p[CONVOLUTION_INT8_KERNEL_W];
    k->stride_h = p[CONVOLUTION_INT8_STRIDE_H];
    k->stride_w = p[CONVOLUTION_INT8_STRIDE_W];
    k->dilation_h = p[CONVOLUTION_INT8_DILATION_H];
    k->dilation_w = p[CONVOLUTION_INT8_DILATION_W];
    k->pad_top = p[CONVOLUTION_INT8_PAD_TOP];
    k->pad_left = p[CONVOLUTION_INT8_PAD_LEFT];
    k->zero = p[CONVOLUTION_INT8_INPUT_ZERO];
    k->minus = minus_of(k->zero);
    if (!nn_window_fits(call->out.h, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h)
        || !nn_window_fits(call->out.w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w)) {
        return NN_BAD_PARAMS;
    }
    NN_TRY(nn_input(call, 0, NN_I8, 0, &k->x));
    if (call->out.dtype != NN_I8) {
        return NN_BAD_TYPE;
    }
    k->call = call;
    const int32_t group = p[CONVOLUTION_INT8_GROUP];
    if (k->x.c % group || call->out.c % group) {
        return NN_BAD_SHAPE;
    }
    k->inputs = k->x.c / group;
    k->outputs = call->out.c / group;
    // Bounded one after the other, so that no product can overflow.
    const int64_t taps = (int64_t)k->kernel_h * k->kernel_w, filters = (int64_t)call->out.c * k->inputs;
    if (taps >= INT32_MAX || filters >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    *weights = taps * filters;
    if (*weights >= INT32_MAX) {
        return NN_BAD_CONSTANT;
    }
    k->filter = (int32_t)taps * k->inputs;
    // Pieces of about the same length.
    const int32_t pieces = (k->filter - 1) / piece + 1;
    k->piece = nn_min(((k->filter - 1) / pieces + block) & -block, piece);
    k->run = k->kernel_w * k->inputs;
    k->row_step = (ptrdiff_t)k->dilation_h * k->x.rs;
    k->ring = (ptrdiff_t)k->x.rows * k->x.rs;
    k->merged = k->x.cs == 1 && ((k->x.ps == k->inputs && k->dilation_w == 1) || k->kernel_w == 1);
    k->direct = (k->x.cs == 1 && k->inputs % 4 == 0) || !NN_DSP;
    k->straight = k->run % 4 == 0 || !NN_DSP;
    k->pointwise = k->straight && k->kernel_h == 1;
    return NN_OK;
}

void nn_all_pixels(const nn_windows *k, nn_spot *spots, int32_t n, void (*work_out)(const nn_windows *, const nn_spot *)) {
    nn_spot *s = spots, *const full = spots + n;
    const nn_operand *out = &k->call->out;
    const int32_t x_step = k->stride_w * k->x.ps, y_step = out->ps, w = out->w, last = k->call->y1 - 1;
    int32_t first = 0, end = 0; // columns whose windows are inside of x
    if (k->merged && (k->straight || k->piece >= k->filter)) {
        nn_inside(w, k->stride_w, k->pad_left, k->kernel_w, k->dilation_w, k->x.w, &first, &end);
    }
    for (int32_t y = k->call->y0; y <= last; y++) {
        const nn_span rows = nn_taps(y, k->stride_h, k->pad_top, k->kernel_h, k->dilation_h, k->x.h);
        const int32_t top = nn_row(&k->x, rows.start), reach = (k->kernel_h - 1) * k->dilation_h;
        const int high = rows.end - rows.first == k->kernel_h && reach < k->x.rows; // rows of taps that all are there
        const int32_t ahead = k->x.rows - top;
        const int32_t turn = reach < ahead ? k->kernel_h : (ahead + k->dilation_h - 1) / k->dilation_h;
        const int32_t from = high ? first : w, to = high ? end : w;
        ptrdiff_t x = (ptrdiff_t)top * k->x.rs + (ptrdiff_t)(first * k->stride_w - k->pad_left) * k->x.ps;
        int8_t *place = (int8_t *)nn_at(out, 0, y);
        for (int32_t q = 0; q < w;) {
            s->row = y;
            s->column = q;
            s->x = NULL;
            s->turn = turn;
            s->to = place;
            if (q >= from && q < to) {
                s->x = (const int8_t *)k->x.data + x;
                x += x_step;
            }
            if (++q < w) {
                place += y_step;
            } else if (y == last) {
                for (; s != full - 1; s++) {
                    s[1] = *s; // the last one several times
                }
            }
            if (++s == full) {
                s = spots;
                work_out(k, s);
            }
        }
    }
}
