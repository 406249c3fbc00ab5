"""Transposed convolution by rows of the output; the formula and the parameters: reference/deconvolution.py.

A tap adds a matrix product of its weights and a row of x to every stride-th column of a row of y.
"""

from ..port import const
from ..reference import deconvolution as reference
from .array import activate, constant, np, planes, row_start

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_GROUP = const(8)
_P_ACTIVATION = const(9)
_P_ACTIVATION_A = const(10)
_P_ACTIVATION_B = const(11)


def run(call):
    x = call.input(0)
    out = call.output()
    source = planes(x)
    result = planes(out)
    if source is None or result is None:
        reference.run(call)
        return
    taps = call.int_param(_P_KERNEL_H) * call.int_param(_P_KERNEL_W)
    weights = constant(call.input(1)).reshape((out.c, x.c // call.int_param(_P_GROUP) * taps))
    bias = constant(call.input(2)).reshape((out.c, 1)) if call.n_in == 3 else 0.0
    for y in range(call.y0, call.y1):
        start = row_start(out, y)
        row = result[:, start : start + out.w]
        row[:, :] = bias
        for k in range(call.int_param(_P_KERNEL_H)):
            line = y + call.int_param(_P_PAD_TOP) - k * call.int_param(_P_DILATION_H)
            if line % call.int_param(_P_STRIDE_H) == 0 and 0 <= line // call.int_param(_P_STRIDE_H) < x.h:
                line = row_start(x, line // call.int_param(_P_STRIDE_H))
                _add_line(call, row, source[:, line : line + x.w], weights, k * call.int_param(_P_KERNEL_W), taps)
        activate(
            call.int_param(_P_ACTIVATION),
            call.float_param(_P_ACTIVATION_A),
            call.float_param(_P_ACTIVATION_B),
            row,
        )


def _add_line(call, row, line, weights, tap, taps):
    """Add a row of x, through the taps of a line of the kernel from `tap` on, to a row of y."""
    group = call.int_param(_P_GROUP)
    stride = call.int_param(_P_STRIDE_W)
    outputs = len(weights) // group
    inputs = len(line) // group
    width = call.output().w
    for column in range(call.int_param(_P_KERNEL_W)):
        # Column s of x goes to column s * stride + shift of y.
        shift = column * call.int_param(_P_DILATION_W) - call.int_param(_P_PAD_LEFT)
        first = 0 if shift >= 0 else (stride - 1 - shift) // stride
        end = min(call.input(0).w, (width - shift + stride - 1) // stride)
        if first < end:
            begin = first * stride + shift
            target = row[:, begin : begin + (end - first - 1) * stride + 1 : stride]
            for g in range(group):
                o = g * outputs
                some = weights[o : o + outputs, tap + column :: taps]
                seen = line[g * inputs : (g + 1) * inputs, first:end]
                if group == 1:
                    target += np.dot(some, seen)
                else:
                    target[o : o + outputs] += np.dot(some, seen)
