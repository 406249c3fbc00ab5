"""The geometry of kernels that slide over x, shared by the int8 convolutions.

Both have the same first eight parameters: kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top,
pad_left.
"""

from ..port import const
from . import checks

_KERNEL_H = const(0)
_KERNEL_W = const(1)
_STRIDE_H = const(2)
_STRIDE_W = const(3)
_DILATION_H = const(4)
_DILATION_W = const(5)
_PAD_TOP = const(6)
_PAD_LEFT = const(7)

OUTSIDE = const(-1)


def check(call, layer):
    """Refuse sizes and steps below 1 and pads below 0; the kernel's size."""
    kernel_h = checks.within(call, layer, _KERNEL_H, "kernel_h", 1)
    kernel_w = checks.within(call, layer, _KERNEL_W, "kernel_w", 1)
    checks.within(call, layer, _STRIDE_H, "stride_h", 1)
    checks.within(call, layer, _STRIDE_W, "stride_w", 1)
    checks.within(call, layer, _DILATION_H, "dilation_h", 1)
    checks.within(call, layer, _DILATION_W, "dilation_w", 1)
    checks.within(call, layer, _PAD_TOP, "pad_top", 0)
    checks.within(call, layer, _PAD_LEFT, "pad_left", 0)
    return kernel_h, kernel_w


def columns(call):
    """For each output column and kernel column: how far into a row of x it reads, or OUTSIDE."""
    x = call.input(0)
    kernel_w = call.int_param(_KERNEL_W)
    dilation = call.int_param(_DILATION_W)
    steps = [OUTSIDE] * (call.output().w * kernel_w)
    i = 0
    for q in range(call.output().w):
        column = q * call.int_param(_STRIDE_W) - call.int_param(_PAD_LEFT)
        for _ in range(kernel_w):
            if 0 <= column < x.w:
                steps[i] = column * x.ps
            column += dilation
            i += 1
    return steps


def lines(call, y, found):
    """For output row `y` and each kernel row: the index of the row of x's channel 0 that it reads, or OUTSIDE."""
    x = call.input(0)
    row = y * call.int_param(_STRIDE_H) - call.int_param(_PAD_TOP)
    for k in range(call.int_param(_KERNEL_H)):
        found[k] = x.at(0, row) if 0 <= row < x.h else OUTSIDE
        row += call.int_param(_DILATION_H)
