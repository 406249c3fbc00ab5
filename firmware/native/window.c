// The geometry of kernels that slide over x. Nothing here divides 64 bits, which takes small cores hundreds of cycles.

#include "kernel.h"

#define LIMIT (1 << 28)

int nn_window_fits(int32_t positions, int32_t stride, int32_t pad, int32_t kernel, int32_t dilation) {
    return stride >= 1 && kernel >= 1 && dilation >= 1 && pad >= 0 && pad < LIMIT && kernel < LIMIT
        && (int64_t)positions * stride < LIMIT && (int64_t)kernel * dilation < LIMIT;
}

nn_span nn_taps(int32_t position, int32_t stride, int32_t pad, int32_t kernel, int32_t dilation, int32_t size) {
    nn_span s;
    const int32_t left = position * stride - pad;
    int32_t first = left < 0 ? -left : 0;
    int32_t end = size - left;
    if (dilation > 1) {
        first = (first + dilation - 1) / dilation;
        end = end > 0 ? (end - 1) / dilation + 1 : 0;
    }
    end = nn_min(end, kernel);
    if (first >= end) {
        s.start = s.first = s.end = 0;
        return s;
    }
    s.first = first;
    s.end = end;
    s.start = left + first * dilation;
    return s;
}

nn_span nn_taps_between(nn_span taps, int32_t dilation, int32_t y0, int32_t y1) {
    const int32_t count = taps.end - taps.first;
    int32_t first = y0 > taps.start ? (y0 - taps.start + dilation - 1) / dilation : 0;
    int32_t end = y1 > taps.start ? (y1 - taps.start - 1) / dilation + 1 : 0;
    first = nn_min(first, count);
    end = nn_max(nn_min(end, count), first);
    taps.start += first * dilation;
    taps.end = taps.first + end;
    taps.first += first;
    return taps;
}

void nn_inside(int32_t out, int32_t stride, int32_t pad, int32_t kernel, int32_t dilation, int32_t size, int32_t *first,
    int32_t *end) {
    const int32_t reach = size - 1 + pad - (kernel - 1) * dilation; // the last left edge, counted from -pad
    *first = nn_min((pad + stride - 1) / stride, out);
    *end = reach < 0 ? 0 : nn_min(reach / stride + 1, out);
    *end = nn_max(*end, *first);
}
