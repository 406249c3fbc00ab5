"""Convolution (cross-correlation) of int8 tensors, grouped too.

    acc     = bias[o] + sum over k, l, i of weight[o, k, l, i] *
              (x[g * ci + i, p * stride_h - pad_top + k * dilation_h, q * stride_w - pad_left + l * dilation_w]
               - input_zero)
    y[o, p, q] = clamp(M[o] * acc + output_zero, activation_min, activation_max)

with ci = x.c / group input channels for each output channel, g = o / (y.c / group), and M[o] the quantised
multiplier of `multiplier` and `shift` (halves up, see fixed_point.py). Reads outside x add nothing; what is padded
below and to the right follows from the shape of y.

x: int8, c x h x w. weight: int8, y.c * kernel_h * kernel_w * ci elements in TFLite's order (o, k, l, i). bias,
multiplier, shift: int32, y.c each.

Source: TFLite operator CONV_2D, int8.
"""

from ..errors import ModelError
from ..port import const
from . import checks, checks_int8, spatial_int8
from .fixed_point import multiply_up

_P_KERNEL_H = const(0)
_P_KERNEL_W = const(1)
_P_STRIDE_H = const(2)
_P_STRIDE_W = const(3)
_P_DILATION_H = const(4)
_P_DILATION_W = const(5)
_P_PAD_TOP = const(6)
_P_PAD_LEFT = const(7)
_P_GROUP = const(8)
_P_INPUT_ZERO = const(9)
_P_OUTPUT_ZERO = const(10)
_P_ACTIVATION_MIN = const(11)
_P_ACTIVATION_MAX = const(12)


def check(call):
    checks_int8.weighted(call, "convolution_int8", 13)
    x = call.input(0)
    out = call.output()
    kernel_h, kernel_w = spatial_int8.check(call, "convolution_int8")
    group = checks.within(call, "convolution_int8", _P_GROUP, "group", 1)
    if x.c % group or out.c % group:
        raise ModelError(
            "convolution_int8: %d groups do not divide %d input and %d output channels evenly" % (group, x.c, out.c)
        )
    # This count also bounds the kernel's size, and so the work for an element.
    checks.constant(call, "convolution_int8", 1, "weight", out.c * (x.c // group) * kernel_h * kernel_w)
    checks_int8.rescaling(call, "convolution_int8", out.c)
    checks_int8.int8_param(call, "convolution_int8", _P_INPUT_ZERO, "input_zero")
    checks_int8.int8_param(call, "convolution_int8", _P_OUTPUT_ZERO, "output_zero")
    checks_int8.int8_param(call, "convolution_int8", _P_ACTIVATION_MIN, "activation_min")
    checks_int8.int8_param(call, "convolution_int8", _P_ACTIVATION_MAX, "activation_max")


def run(call):
    x = call.input(0)
    out = call.output()
    kernel_w = call.int_param(_P_KERNEL_W)
    group = call.int_param(_P_GROUP)
    channels = x.c // group
    outputs = out.c // group
    steps = spatial_int8.columns(call)
    lines = [0] * call.int_param(_P_KERNEL_H)
    patch = [0] * (len(lines) * kernel_w * channels)
    for y in range(call.y0, call.y1):
        spatial_int8.lines(call, y, lines)
        for q in range(out.w):
            for g in range(group):
                _gather(call, lines, steps, q * kernel_w, g * channels, patch, channels)
                _outputs(call, patch, g * outputs, outputs, out.at(g * outputs, y) + q * out.ps)


def _gather(call, lines, steps, first_step, first_channel, patch, channels):
    """What one output element sees of a group's channels, in the order of the weights, without the zero point."""
    x = call.input(0)
    data = x.data
    zero = call.int_param(_P_INPUT_ZERO)
    kernel_w = call.int_param(_P_KERNEL_W)
    i = 0
    for line in lines:
        for m in range(first_step, first_step + kernel_w):
            step = steps[m]
            if line < 0 or step < 0:
                for _ in range(channels):
                    patch[i] = 0
                    i += 1
                continue
            source = line + step + first_channel * x.cs
            for _ in range(channels):
                patch[i] = data[source] - zero
                source += x.cs
                i += 1


def _outputs(call, patch, first, count, result):
    """Output channels [first, first + count) at one position, stored from index `result` on."""
    weights = call.input(1).data
    j = call.input(1).base + first * len(patch)
    bias = call.input(2)
    multiplier = call.input(3)
    shift = call.input(4)
    out = call.output()
    zero = call.int_param(_P_OUTPUT_ZERO)
    low = call.int_param(_P_ACTIVATION_MIN)
    high = call.int_param(_P_ACTIVATION_MAX)
    for o in range(first, first + count):
        value = bias.data[bias.base + o]
        for item in patch:
            value += item * weights[j]
            j += 1
        value = multiply_up(value, multiplier.data[multiplier.base + o], shift.data[shift.base + o]) + zero
        out.data[result] = min(max(value, low), high)
        result += out.cs
