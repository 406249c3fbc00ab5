"""The memory of lstm.py with int8 inputs and outputs, gates and cell states of sixteen bits.

For the gates G = 0 (input), 1 (forget), 2 (cell), 3 (output), with clamp16 to -32768 .. 32767:

    pre  = clamp16(clamp16(W[G] * (bias[G] + sum of weight[G] * (x - input_zero)))
                   + R[G] * (sum of recurrent[G] * (h - hidden_zero)))
    i, f, o = logistic(pre), g = tanh(pre)                                 from three integer bits to none
    c    = clamp16((f * c) / 2**15 + (i * g) / 2**(30 - cell_shift)),      between -cell_clip and cell_clip if above 0
    h    = clamp8(H * (o * tanh(c)) + output_zero), one row of y

W[G], R[G] and H are quantised multipliers, halves away from zero (fixed_point.py); so are the quotients' halves. The
cell state's scale is 2**-cell_shift. logistic and tanh: fixed_functions.py.

x, y, h (input 1): int8; c (input 2): int16. weight, recurrent: int8, bias: int32, as in lstm.py. scales: int32, 16
elements: for each gate W's multiplier and shift, then R's.

Source: TFLite operator UNIDIRECTIONAL_SEQUENCE_LSTM, int8 with a cell state of int16.
"""

from ..port import I8, I16, I32, const
from . import checks, checks_int8, lstm_shapes
from .fixed_functions import divide_by_power, logistic, tanh
from .fixed_point import multiply_away

_P_INPUT_ZERO = const(0)
_P_HIDDEN_ZERO = const(1)
_P_CELL_SHIFT = const(2)
_P_CELL_CLIP = const(3)
_P_OUTPUT_MULTIPLIER = const(4)
_P_OUTPUT_SHIFT = const(5)
_P_OUTPUT_ZERO = const(6)

# Inputs that the layer writes, too: they have to be blobs that are kept between inferences.
_STATES = (1, 2)

_GATE_BITS = const(3)  # integer bits of what a gate's function is taken of
_CELL_GATE = const(2)


def check(call):
    checks_int8.operands(call, "lstm_int8", (I8, I8, I16, I8, I8, I32, I32, I8), 7)
    lstm_shapes.check(call, "lstm_int8")
    checks.constant(call, "lstm_int8", 6, "scales", 16)
    checks_int8.int8_param(call, "lstm_int8", _P_INPUT_ZERO, "input_zero")
    checks_int8.int8_param(call, "lstm_int8", _P_HIDDEN_ZERO, "hidden_zero")
    checks.within(call, "lstm_int8", _P_CELL_SHIFT, "cell_shift", 9, 15)
    checks.within(call, "lstm_int8", _P_CELL_CLIP, "cell_clip", 0, 32767)
    checks_int8.multiplier(call, "lstm_int8", _P_OUTPUT_MULTIPLIER, "output_")
    checks_int8.int8_param(call, "lstm_int8", _P_OUTPUT_ZERO, "output_zero")


def run(call):
    checks.whole(call, "lstm_int8")
    x = call.input(0)
    hidden = call.input(1)
    out = call.output()
    for y in range(out.h):
        first = x.at(0, y)
        result = out.at(0, y)
        for k in range(out.w):
            out.data[result + k * out.ps] = _cell(call, first, k)
        # Only now, as every cell sees all of the last step's.
        for k in range(out.w):
            hidden.data[hidden.base + k] = out.data[result + k * out.ps]


def _cell(call, first, k):
    """The new output of cell `k`, whose state is renewed; x's row starts at index `first`."""
    cell = call.input(2)
    shift = call.int_param(_P_CELL_SHIFT)
    value = divide_by_power(_gate(call, first, 0, k) * _gate(call, first, _CELL_GATE, k), 30 - shift)
    value += divide_by_power(_gate(call, first, 1, k) * cell.data[cell.base + k], 15)
    value = min(max(value, -32768), 32767)
    clip = call.int_param(_P_CELL_CLIP)
    if clip:
        value = min(max(value, -clip), clip)
    cell.data[cell.base + k] = value
    value = _gate(call, first, 3, k) * tanh(value, 15 - shift)
    value = multiply_away(value, call.int_param(_P_OUTPUT_MULTIPLIER), call.int_param(_P_OUTPUT_SHIFT))
    return min(max(value + call.int_param(_P_OUTPUT_ZERO), -128), 127)


def _gate(call, i, gate, k):
    """The gate of cell `k` for the row of x from index `i` on and the last step's output."""
    x = call.input(0)
    hidden = call.input(1)
    weights = call.input(3)
    recurrent = call.input(4)
    scales = call.input(6)
    row = gate * call.output().w + k
    zero = call.int_param(_P_INPUT_ZERO)
    total = call.input(5).data[call.input(5).base + row]
    j = weights.base + row * x.w
    for _ in range(x.w):
        total += (x.data[i] - zero) * weights.data[j]
        i += x.ps
        j += 1
    s = scales.base + 4 * gate
    value = min(max(multiply_away(total, scales.data[s], scales.data[s + 1]), -32768), 32767)
    zero = call.int_param(_P_HIDDEN_ZERO)
    total = 0
    j = recurrent.base + row * hidden.w
    for i in range(hidden.base, hidden.base + hidden.w):
        total += (hidden.data[i] - zero) * recurrent.data[j]
        j += 1
    value += multiply_away(total, scales.data[s + 2], scales.data[s + 3])
    value = min(max(value, -32768), 32767)
    return tanh(value, _GATE_BITS) if gate == _CELL_GATE else logistic(value)
