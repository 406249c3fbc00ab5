"""Sums of the elements up to each one along an axis.

y[i] = x[0] + ... + x[i], without x[i] where `exclusive` is 1; with `reverse` 1 from the last element backwards.

x and y: c x h x w. `axis`: 0 c, 1 h (whole tensors only), 2 w.

Source: ONNX operator CumSum, TFLite operator CUMSUM, ncnn layer CumulativeSum.
"""

from ..port import const
from . import along_axis, checks

_P_AXIS = const(0)
_P_EXCLUSIVE = const(1)
_P_REVERSE = const(2)


def check(call):
    checks.operands(call, "cumsum", 1, 1, 3)
    checks.within(call, "cumsum", _P_EXCLUSIVE, "exclusive", 0, 1)
    checks.within(call, "cumsum", _P_REVERSE, "reverse", 0, 1)
    along_axis.check(call, "cumsum", _P_AXIS)


def run(call):
    along_axis.each(call, "cumsum", call.int_param(_P_AXIS), _line)


def _line(call, i, step, j, result_step, count):
    data = call.input(0).data
    results = call.output().data
    exclusive = call.int_param(_P_EXCLUSIVE)
    if call.int_param(_P_REVERSE):
        i += (count - 1) * step
        j += (count - 1) * result_step
        step = -step
        result_step = -result_step
    total = 0.0
    for _ in range(count):
        if exclusive:
            results[j] = total
        total += data[i]
        if not exclusive:
            results[j] = total
        i += step
        j += result_step
