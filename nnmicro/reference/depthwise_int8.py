"""Depthwise convolution of int8 tensors: each output channel sees one input channel.

    acc     = bias[o] + sum over k, l of weight[k, l, o] *
              (x[o / depth_multiplier, p * stride_h - pad_top + k * dilation_h,
                 q * stride_w - pad_left + l * dilation_w] - input_zero)
    y[o, p, q] = clamp(M[o] * acc + output_zero, activation_min, activation_max)

M[o] is the quantised multiplier of `multiplier` and `shift`. Output channels [0, half_up) round halves up, the
others away from zero (fixed_point.py): LiteRT's vector code takes eight channels at once, y.c // 8 * 8 in all.
Reads outside x add nothing; what is padded below and to the right follows from the shape of y.

x: int8, c x h x w. weight: int8, kernel_h * kernel_w * y.c elements in TFLite's order (k, l, o). bias, multiplier,
shift: int32, y.c each.

Source: TFLite operator DEPTHWISE_CONV_2D, int8.
"""

from ..errors import ModelError
from ..port import const
from . import checks, checks_int8, spatial_int8
from .fixed_point import multiply_away, multiply_up

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_DEPTH_MULTIPLIER = const(8)
_P_INPUT_ZERO = const(9)
_P_OUTPUT_ZERO = const(10)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)
_P_HALF_UP = const(13)


def check(call):
    checks_int8.weighted(call, "depthwise_int8", 14)
    x = call.input(0)
    out = call.output()
    kernel_h, kernel_w = spatial_int8.check(call, "depthwise_int8")
    depth_multiplier = checks.within(call, "depthwise_int8", _P_DEPTH_MULTIPLIER, "depth_multiplier", 1)
    if x.c * depth_multiplier != out.c:
        raise ModelError(
            "depthwise_int8: %d channels with a depth_multiplier of %d cannot become %d"
            % (x.c, depth_multiplier, out.c)
        )
    # This count also bounds the kernel's size, and so the work for an element.
    checks.constant(call, "depthwise_int8", 1, "weight", out.c * kernel_h * kernel_w)
    checks_int8.rescaling(call, "depthwise_int8", out.c)
    checks_int8.int8_param(call, "depthwise_int8", _P_INPUT_ZERO, "input_zero")
    checks_int8.int8_param(call, "depthwise_int8", _P_OUTPUT_ZERO, "output_zero")
    checks_int8.int8_param(call, "depthwise_int8", _P_ACTIVATION_MIN, "activation_min")
    checks_int8.int8_param(call, "depthwise_int8", _P_ACTIVATION_MAX, "activation_max")
    checks.within(call, "depthwise_int8", _P_HALF_UP, "half_up", 0)


def run(call):
    out = call.output()
    depth_multiplier = call.int_param(_P_DEPTH_MULTIPLIER)
    steps = spatial_int8.columns(call)
    lines = [0] * call.int_param(_P_KERNEL_H)
    taps = [0] * (len(lines) * call.int_param(_P_KERNEL_W))
    for y in range(call.y0, call.y1):
        spatial_int8.lines(call, y, lines)
        for o in range(out.c):
            _take_weights(call, o, taps)
            _row(call, lines, steps, taps, o, o // depth_multiplier, out.at(o, y))


def _take_weights(call, o, taps):
    weight = call.input(1)
    i = weight.base + o
    for k in range(len(taps)):
        taps[k] = weight.data[i]
        i += call.output().c


def _row(call, lines, steps, taps, o, channel, result):
    """One row of output channel `o`, which reads `channel` of x, stored from index `result` on."""
    data = call.input(0).data
    offset = channel * call.input(0).cs
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
    for first_step in range(0, len(steps), kernel_w):
        value = bias
        i = 0
        for line in lines:
            for m in range(first_step, first_step + kernel_w):
                if line >= 0 and steps[m] >= 0:
                    value += (data[line + steps[m] + offset] - input_zero) * taps[i]
                i += 1
        out.data[result] = min(max(multiply(value, multiplier, shift) + output_zero, low), high)
        result += out.ps
