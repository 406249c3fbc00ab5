"""Transposed convolution of int8 tensors: every element of x is spread over y by the kernel.

    acc     = bias[o] + sum over k, l, i of weight[o, k, l, i] * (x[i, r, s] - input_zero)
    with r * stride_h = p + pad_top - k * dilation_h and s * stride_w = q + pad_left - l * dilation_w,
    y[o, p, q] = clamp(M[o] * acc + output_zero, activation_min, activation_max)

over those k and l for which r and s are whole numbers inside x. M[o] is the quantised multiplier of `multiplier` and
`shift`. Output channels [0, half_up) round halves up, the others away from zero (fixed_point.py).

x: int8, c x h x w. weight: int8, y.c * kernel_h * kernel_w * x.c elements in TFLite's order (o, k, l, i). bias,
multiplier, shift: int32, y.c each.

Source: TFLite operator TRANSPOSE_CONV, int8.
"""

from ..port import const
from . import checks, checks_int8, spatial_transposed
from .fixed_point import multiply_away, multiply_up

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_INPUT_ZERO = const(8)
_P_OUTPUT_ZERO = const(9)
_P_ACTIVATION_MIN = const(10)
_P_ACTIVATION_MAX = const(11)
_P_HALF_UP = const(12)


def check(call):
    checks_int8.weighted(call, "deconvolution_int8", 13)
    x = call.input(0)
    out = call.output()
    kernel_h, kernel_w = spatial_transposed.check(call, "deconvolution_int8")
    # This count also bounds the kernel's size, and so the work for an element.
    checks.constant(call, "deconvolution_int8", 1, "weight", out.c * kernel_h * kernel_w * x.c)
    checks_int8.rescaling(call, "deconvolution_int8", out.c)
    checks_int8.int8_param(call, "deconvolution_int8", _P_INPUT_ZERO, "input_zero")
    checks_int8.int8_param(call, "deconvolution_int8", _P_OUTPUT_ZERO, "output_zero")
    checks_int8.int8_param(call, "deconvolution_int8", _P_ACTIVATION_MIN, "activation_min")
    checks_int8.int8_param(call, "deconvolution_int8", _P_ACTIVATION_MAX, "activation_max")
    checks.within(call, "deconvolution_int8", _P_HALF_UP, "half_up", 0)


def run(call):
    out = call.output()
    steps = spatial_transposed.columns(call)
    lines = [0] * call.int_param(_P_KERNEL_H)
    for y in range(call.y0, call.y1):
        spatial_transposed.lines(call, y, lines)
        for o in range(out.c):
            _row(call, lines, steps, o, out.at(o, y))


def _row(call, lines, steps, o, result):
    """One row of output channel `o`, stored from index `result` on."""
    channels = call.input(0).c
    channel_step = call.input(0).cs
    data = call.input(0).data
    weights = call.input(1).data
    out = call.output()
    bias = call.input(2).data[call.input(2).base + o]
    multiplier = call.input(3).data[call.input(3).base + o]
    shift = call.input(4).data[call.input(4).base + o]
    multiply = multiply_up if o < call.int_param(_P_HALF_UP) else multiply_away
    kernel_w = call.int_param(_P_KERNEL_W)
    input_zero = call.int_param(_P_INPUT_ZERO)
    output_zero = call.int_param(_P_OUTPUT_ZERO)
    low = call.int_param(_P_ACTIVATION_MIN)
    high = call.int_param(_P_ACTIVATION_MAX)
    first_weight = call.input(1).base + o * len(lines) * kernel_w * channels
    for first_step in range(0, len(steps), kernel_w):
        value = bias
        j = first_weight
        for line in lines:
            for m in range(first_step, first_step + kernel_w):
                if line >= 0 and steps[m] >= 0:
                    i = line + steps[m]
                    for k in range(j, j + channels):
                        value += (data[i] - input_zero) * weights[k]
                        i += channel_step
                j += channels
        out.data[result] = min(max(multiply(value, multiplier, shift) + output_zero, low), high)
        result += out.ps
