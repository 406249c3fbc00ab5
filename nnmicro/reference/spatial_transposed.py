"""The geometry of the transposed convolutions: which elements of x an element of y is made of.

Both have the same first eight parameters: kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top,
pad_left.
"""

from ..port import const
from . import spatial_int8

_KERNEL_H = const(0)
_KERNEL_W = const(1)
_STRIDE_H = const(2)
_STRIDE_W = const(3)
_DILATION_H = const(4)
_DILATION_W = const(5)
_PAD_TOP = const(6)
_PAD_LEFT = const(7)

OUTSIDE = const(-1)

# The parameters and what they may be are those of a convolution.
check = spatial_int8.check


def columns(call):
    """For each output column and kernel column: how far into a row of x it reads, or OUTSIDE."""
    x = call.input(0)
    kernel_w = call.int_param(_KERNEL_W)
    stride = call.int_param(_STRIDE_W)
    dilation = call.int_param(_DILATION_W)
    steps = [OUTSIDE] * (call.output().w * kernel_w)
    i = 0
    for q in range(call.output().w):
        place = q + call.int_param(_PAD_LEFT)
        for _ in range(kernel_w):
            if place >= 0 and place % stride == 0 and place // stride < x.w:
                steps[i] = place // stride * x.ps
            place -= dilation
            i += 1
    return steps


def lines(call, y, found):
    """For output row `y` and each kernel row: the index of the row of x's channel 0 that it reads, or OUTSIDE."""
    x = call.input(0)
    stride = call.int_param(_STRIDE_H)
    place = y + call.int_param(_PAD_TOP)
    for k in range(call.int_param(_KERNEL_H)):
        inside = place >= 0 and place % stride == 0 and place // stride < x.h
        found[k] = x.at(0, place // stride) if inside else OUTSIDE
        place -= call.int_param(_DILATION_H)
