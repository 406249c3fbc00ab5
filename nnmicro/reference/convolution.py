"""Convolution (cross-correlation), grouped and depthwise too.

    y[o, p, q] = ACT(bias[o] + sum over i, k, l of weight[o, i, k, l] *
                     x[g * ci + i,
                       p * stride_h - pad_top + k * dilation_h,
                       q * stride_w - pad_left + l * dilation_w])

with ci = x.c / group input channels for each output channel, and g = o / (y.c / group) the group of output o.
Reads outside x give `pad_value`; what is padded below and to the right follows from the shape of y.

x: c x h x w. weight: y.c * ci * kernel_h * kernel_w elements in the order of ONNX (o, i, k, l). bias
(optional): y.c.

Source: ONNX operator Conv. Heap while it runs: a list of ci * kernel_h * kernel_w floats, and small lists of
integers.
"""

from ..port import const
from . import activate, checks

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
_P_PAD_VALUE = const(12)

# Added to an index of x, once or twice, it gives a negative number that MicroPython needs no heap for.
_OUTSIDE = const(-0x20000000)


def check(call):
    checks.operands(call, "convolution", 2, 3, 13)
    kernel_h = checks.within(call, "convolution", _P_KERNEL_H, "kernel_h", 1)
    kernel_w = checks.within(call, "convolution", _P_KERNEL_W, "kernel_w", 1)
    checks.within(call, "convolution", _P_STRIDE_H, "stride_h", 1)
    checks.within(call, "convolution", _P_STRIDE_W, "stride_w", 1)
    checks.within(call, "convolution", _P_DILATION_H, "dilation_h", 1)
    checks.within(call, "convolution", _P_DILATION_W, "dilation_w", 1)
    checks.within(call, "convolution", _P_PAD_TOP, "pad_top", 0)
    checks.within(call, "convolution", _P_PAD_LEFT, "pad_left", 0)
    group = checks.within(call, "convolution", _P_GROUP, "group", 1)
    checks.grouped_weights(call, "convolution", group, kernel_h, kernel_w)
    activate.check(call, "convolution", _P_ACTIVATION)


def run(call):
    x = call.input(0)
    out = call.output()
    kernel_h = call.int_param(_P_KERNEL_H)
    kernel_w = call.int_param(_P_KERNEL_W)
    dilation_h = call.int_param(_P_DILATION_H)
    dilation_w = call.int_param(_P_DILATION_W)
    lines = [_OUTSIDE] * (x.c * kernel_h)
    inner = [0] * kernel_w
    for k in range(kernel_w):
        inner[k] = k * dilation_w * x.ps
    edge = [_OUTSIDE] * kernel_w
    floats = [0.0] * (x.c // call.int_param(_P_GROUP) * kernel_h * kernel_w)
    depthwise = out.c == call.int_param(_P_GROUP)
    # An output that is written over x lies over channels of it that are done.
    part = 1 if call.over and depthwise else out.c
    for first in range(0, out.c, part):
        for y in range(call.y0, call.y1):
            top = y * call.int_param(_P_STRIDE_H) - call.int_param(_P_PAD_TOP)
            _find_lines(lines, x, kernel_h, dilation_h, top)
            if depthwise:
                _depthwise_row(call, y, lines, inner, edge, floats, first, first + part)
            else:
                _row(call, y, lines, inner, edge, floats)


def _find_lines(lines, x, kernel_h, dilation, top):
    """For each channel and kernel row: the index of the row of x that it reads, or _OUTSIDE."""
    channel_step = x.cs
    for k in range(kernel_h):
        row = top + k * dilation
        line = x.at(0, row) if 0 <= row < x.h else _OUTSIDE
        for i in range(k, len(lines), kernel_h):
            lines[i] = line
            if line >= 0:
                line += channel_step


def _find_edge(call, edge, column):
    """For each kernel column, the first at `column`: how far into a row of x it reads, or _OUTSIDE."""
    x = call.input(0)
    for k in range(len(edge)):
        edge[k] = column * x.ps if 0 <= column < x.w else _OUTSIDE
        column += call.int_param(_P_DILATION_W)


def _row(call, y, lines, inner, edge, patch):
    """One row of the output.

    What an output element sees of x is gathered once, as floats in a list, and used for every output channel
    of the group: so a multiply-accumulate makes three float objects and not four, and needs neither a test
    for the padding nor an index into x.
    """
    x = call.input(0)
    data = x.data
    weights = call.input(1).data
    biases = call.input(2).data if call.n_in == 3 else None
    out = call.output()
    results = out.data
    channel_step = out.cs
    outputs = out.c // call.int_param(_P_GROUP)
    lines_in_group = len(lines) // call.int_param(_P_GROUP)
    pad_value = call.float_param(_P_PAD_VALUE)
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    activated = activate.apply
    left = -call.int_param(_P_PAD_LEFT)
    last = x.w - (len(inner) - 1) * call.int_param(_P_DILATION_W)
    row_start = out.at(0, y)
    for _ in range(out.w):
        steps = inner
        origin = left * x.ps
        if left < 0 or left >= last:
            steps = edge
            origin = 0
            _find_edge(call, edge, left)
        left += call.int_param(_P_STRIDE_W)
        j = call.input(1).base
        bias = call.input(2).base if biases is not None else 0
        result = row_start
        row_start += out.ps
        for first_line in range(0, len(lines), lines_in_group):
            i = 0
            for k in range(first_line, first_line + lines_in_group):
                line = lines[k] + origin
                for step in steps:
                    source = line + step
                    patch[i] = data[source] if source >= 0 else pad_value
                    i += 1
            for k in range(outputs):
                value = 0.0
                if biases is not None:
                    value = biases[bias]
                    bias += 1
                for item in patch:
                    value += item * weights[j]
                    j += 1
                results[result] = activated(kind, a, b, value) if kind else value
                result += channel_step


def _depthwise_row(call, y, lines, inner, edge, taps, first, end):
    """One row of output channels [first, end) where each output channel has a group of its own.

    No other output channel uses what an element sees of x, so here the channel's weights are kept as floats.
    """
    x = call.input(0)
    data = x.data
    weights = call.input(1).data
    j = call.input(1).base + first * len(taps)
    biases = call.input(2) if call.n_in == 3 else None
    out = call.output()
    kernel_h = len(lines) // out.c
    stride = call.int_param(_P_STRIDE_W)
    last = x.w - (len(inner) - 1) * call.int_param(_P_DILATION_W)
    pad_value = call.float_param(_P_PAD_VALUE)
    kind = call.int_param(_P_ACTIVATION)
    a = call.float_param(_P_ACTIVATION_A)
    b = call.float_param(_P_ACTIVATION_B)
    for c in range(first, end):
        for i in range(len(taps)):
            taps[i] = weights[j]
            j += 1
        bias = 0.0 if biases is None else biases.data[biases.base + c]
        result = out.at(c, y)
        left = -call.int_param(_P_PAD_LEFT)
        for _ in range(out.w):
            steps = inner
            origin = left * x.ps
            if left < 0 or left >= last:
                steps = edge
                origin = 0
                _find_edge(call, edge, left)
            left += stride
            value = bias
            i = 0
            for k in range(c * kernel_h, (c + 1) * kernel_h):
                line = lines[k] + origin
                for step in steps:
                    source = line + step
                    value += (data[source] if source >= 0 else pad_value) * taps[i]
                    i += 1
            out.data[result] = activate.apply(kind, a, b, value) if kind else value
            result += out.ps
