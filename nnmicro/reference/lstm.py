"""A long short-term memory over the rows of x, with states.

    i, f, o = sigmoid(weight[G] x + recurrent[G] h + bias[G]) for the gates G = 0 (i), 1 (f) and 3 (o)
    g       = tanh(the same for G = 2)
    c       = f * c + i * g, kept between -cell_clip and cell_clip where that is above 0
    h       = o * tanh(c), one row of y

x: steps rows of x.w. y: as many rows of y.w. h and c (inputs 1 and 2): y.w each, read and written: the last ones of an
inference are the first ones of the next. weight: 4 * y.w * x.w elements (gate, cell, k), recurrent: 4 * y.w * y.w,
bias: 4 * y.w.

Source: TFLite operator UNIDIRECTIONAL_SEQUENCE_LSTM; Hochreiter and Schmidhuber 1997, with Gers' forget gate.
"""

from math import exp

from ..errors import ModelError
from ..port import const
from . import checks, lstm_shapes

_P_CELL_CLIP = const(0)

# Inputs that the layer writes, too: they have to be blobs that are kept between inferences.
_STATES = (1, 2)


def check(call):
    checks.operands(call, "lstm", 6, 6, 1)
    lstm_shapes.check(call, "lstm")
    if not 0.0 <= call.float_param(_P_CELL_CLIP) < float("inf"):
        raise ModelError("lstm: cell_clip is %s, expected a number of at least 0" % call.float_param(_P_CELL_CLIP))


def run(call):
    checks.whole(call, "lstm")
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


def _sigmoid(x):
    # Never the exponential of a positive number: it overflows, which raises.
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    x = exp(x)
    return x / (1.0 + x)


def _tanh(x):
    return 2.0 * _sigmoid(2.0 * x) - 1.0


def _cell(call, first, k):
    """The new output of cell `k`, whose state is renewed; x's row starts at index `first`."""
    cells = call.output().w
    cell = call.input(2)
    value = _tanh(_gate(call, first, 2 * cells + k)) * _sigmoid(_gate(call, first, k))
    value += cell.data[cell.base + k] * _sigmoid(_gate(call, first, cells + k))
    clip = call.float_param(_P_CELL_CLIP)
    if clip > 0.0:
        value = min(max(value, -clip), clip)
    cell.data[cell.base + k] = value
    return _sigmoid(_gate(call, first, 3 * cells + k)) * _tanh(value)


def _gate(call, i, row):
    """Row `row` of the weights times x (from index `i` on) and the last step's output, and the bias."""
    x = call.input(0)
    hidden = call.input(1)
    weights = call.input(3)
    recurrent = call.input(4)
    value = call.input(5).data[call.input(5).base + row]
    j = weights.base + row * x.w
    for _ in range(x.w):
        value += x.data[i] * weights.data[j]
        i += x.ps
        j += 1
    j = recurrent.base + row * hidden.w
    for i in range(hidden.base, hidden.base + hidden.w):
        value += hidden.data[i] * recurrent.data[j]
        j += 1
    return value
