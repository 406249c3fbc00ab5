"""Transposed convolution, grouped too: every element of x is spread over y by the kernel.

    y[o, p, q] = ACT(bias[o] + sum over i, k, l of weight[o, i, k, l] * x[g * ci + i, r, s])
    with r * stride_h = p + pad_top - k * dilation_h and s * stride_w = q + pad_left - l * dilation_w,

over those k and l for which r and s are whole numbers inside x; ci = x.c / group, and g = o / (y.c / group) is the
group of output o. pad_top and pad_left are cut off y; its shape says what is cut off (or added) at the other ends.

x: c x h x w. weight: y.c * ci * kernel_h * kernel_w elements (o, i, k, l). bias (optional): y.c.

Source: TFLite operator TRANSPOSE_CONV, ONNX operator ConvTranspose (whose weights are (i, o, k, l)).
"""

from ..port import const
from . import activate, checks, spatial_transposed

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


def check(call):
    checks.operands(call, "deconvolution", 2, 3, 12)
    kernel_h, kernel_w = spatial_transposed.check(call, "deconvolution")
    group = checks.within(call, "deconvolution", _P_GROUP, "group", 1)
    checks.grouped_weights(call, "deconvolution", group, kernel_h, kernel_w)
    activate.check(call, "deconvolution", _P_ACTIVATION)


def run(call):
    x = call.input(0)
    out = call.output()
    steps = spatial_transposed.columns(call)
    lines = [0] * call.int_param(_P_KERNEL_H)
    inputs = x.c // call.int_param(_P_GROUP)
    outputs = out.c // call.int_param(_P_GROUP)
    biases = call.input(2) if call.n_in == 3 else None
    for y in range(call.y0, call.y1):
        spatial_transposed.lines(call, y, lines)
        for o in range(out.c):
            bias = 0.0 if biases is None else biases.data[biases.base + o]
            first = call.input(1).base + o * inputs * len(lines) * call.int_param(_P_KERNEL_W)
            _row(call, lines, steps, bias, first, o // outputs * inputs, inputs, out.at(o, y))


def _row(call, lines, steps, bias, first_weight, channel, inputs, result):
    """One row of an output channel that reads `inputs` channels of x from `channel` on, stored from `result` on."""
    x = call.input(0)
    data = x.data
    weights = call.input(1).data
    results = call.output().data
    kernel_w = call.int_param(_P_KERNEL_W)
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    for first_step in range(0, len(steps), kernel_w):
        value = bias
        j = first_weight
        for i in range(channel, channel + inputs):
            offset = i * x.cs
            for line in lines:
                if line >= 0:
                    for m in range(first_step, first_step + kernel_w):
                        if steps[m] >= 0:
                            value += data[line + steps[m] + offset] * weights[j]
                        j += 1
                else:
                    j += kernel_w
        results[result] = activate.apply(kind, a, b, value) if kind else value
        result += call.output().ps
