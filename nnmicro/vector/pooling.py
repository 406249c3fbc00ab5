"""Pooling by rows of all channels; formula and parameters: reference/pooling.py."""

from ..port import const
from ..reference import pooling as reference
from .array import np, planes, row_start, tap_spans, zeros

_P_KIND = const(0)
_P_KERNEL_H = const(1)
_P_KERNEL_W = const(2)
_P_STRIDE_H = const(3)
_P_STRIDE_W = const(4)
_P_PAD_TOP = const(5)
_P_PAD_LEFT = const(6)
_P_PAD_BOTTOM = const(7)
_P_PAD_RIGHT = const(8)
_P_INCLUDE_PAD = const(9)
_P_DILATION_H = const(10)
_P_DILATION_W = const(11)

_MAX = const(0)


def run(call):
    x = call.input(0)
    out = call.output()
    if call.reduces:
        reference.run(call)
        return
    source = planes(x)
    result = planes(out)
    if source is not None and _covers_all(call):
        _global(call, source)
        return
    if source is None or result is None or out.c != x.c:
        reference.run(call)
        return
    include_pad = call.int_param(_P_INCLUDE_PAD)
    columns = []
    for q in range(out.w):
        _, count, cells = reference.window_columns(call, q)
        columns.append(cells if include_pad and cells > 0 else count)
        if count == 0:  # a window without an element of x
            reference.run(call)
            return
    columns = np.array(columns).reshape((1, out.w))
    spans = tap_spans(
        x.w,
        out.w,
        call.int_param(_P_KERNEL_W),
        call.int_param(_P_STRIDE_W),
        call.int_param(_P_DILATION_W),
        call.int_param(_P_PAD_LEFT),
    )
    for y in range(call.y0, call.y1):
        first, count, cells = reference.window_rows(call, y)
        start = row_start(out, y)
        if count == 0:
            result[:, start : start + out.w] = zeros(out.c, out.w)
        elif call.int_param(_P_KIND) == _MAX:
            result[:, start : start + out.w] = _largest(call, source, first, count, spans)
        else:
            divisor = columns * (cells if include_pad and cells > 0 else count)
            result[:, start : start + out.w] = _sum(call, source, first, count, spans) / divisor


def _covers_all(call):
    """Whether the only window is all of x, and x lies in one piece."""
    x = call.input(0)
    for i in range(_P_PAD_TOP, _P_INCLUDE_PAD):
        if call.int_param(i):
            return False
    return (
        call.output().count == x.c
        and call.int_param(_P_KERNEL_H) == x.h == x.rows
        and call.int_param(_P_KERNEL_W) == x.w == x.rs
        and call.int_param(_P_DILATION_H) == call.int_param(_P_DILATION_W) == 1
    )


def _global(call, source):
    x = call.input(0)
    out = call.output()
    values = source[:, : x.h * x.w]
    if call.int_param(_P_KIND) == _MAX:
        values = np.max(values, axis=1)
    else:
        values = np.sum(values, axis=1) / (x.h * x.w)
    for k in range(x.c):
        row = k // out.w
        out.data[out.at(row // out.h, row % out.h) + k % out.w * out.ps] = values[k]


def _largest(call, source, line, count, spans):
    x = call.input(0)
    stride = call.int_param(_P_STRIDE_W)
    row = zeros(x.c, call.output().w) - float("inf")
    for _ in range(count):
        start = row_start(x, line)
        for first, end, column in spans:
            if first < end:
                begin = start + column
                seen = source[:, begin : begin + (end - first - 1) * stride + 1 : stride]
                row[:, first:end] = np.maximum(row[:, first:end], seen)
        line += call.int_param(_P_DILATION_H)
    return row


def _sum(call, source, line, count, spans):
    x = call.input(0)
    stride = call.int_param(_P_STRIDE_W)
    row = zeros(x.c, call.output().w)
    for _ in range(count):
        start = row_start(x, line)
        for first, end, column in spans:
            if first < end:
                begin = start + column
                row[:, first:end] += source[:, begin : begin + (end - first - 1) * stride + 1 : stride]
        line += 1
    return row
