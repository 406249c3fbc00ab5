"""A recurrent layer over the rows of each channel of x, which begins anew with every inference.

With W, R and b, b' the layer's weights for x and for its own last output h, and their biases, for each gate:

| kind | | h of the next step |
|---|---|---|
| 0 | plain | tanh(W x + b + R h + b') |
| 1 | GRU | z * h + (1 - z) * tanh(W x + b + R (r * h) + b'), z, r = sigmoid(W x + b + R h + b') |
| 2 | GRU, reset after the product | z * h + (1 - z) * tanh(W x + b + r * (R h + b')) |
| 3 | LSTM | o * tanh(c), c = f * c + i * tanh(...), i, o, f = sigmoid(...), each of W x + b + R h + b' |

x: batch x steps x width. y: batch x steps x cells, with `with_cell` 1 (kind 3) twice as many columns: h, then c. h at
first (input 1): batch x 1 x cells. scratch (input 2): a state of batch x cells numbers, whatever it holds. weight:
gates x cells x width, recurrent: gates x cells x cells, bias: the gates' b, then their b'; the gates in the order z, r,
h and i, o, f, c. c at first (input 6): as h, of kind 3 only. `reverse` 1: from the last row to the first one.

Source: ONNX operators RNN, GRU, LSTM; ncnn layers of these names.
"""

from math import exp

from ..errors import ModelError
from ..port import const
from . import checks

_P_KIND = const(0)
_P_REVERSE = const(1)
_P_WITH_CELL = const(2)

_PLAIN = const(0)
_GRU = const(1)
_GRU_AFTER = const(2)
_LSTM = const(3)

# Written, too; only so that it lies where nothing else does.
_STATES = (2,)


def check(call):
    checks.operands(call, "recurrent", 6, 7, 3)
    kind = checks.within(call, "recurrent", _P_KIND, "kind", 0, _LSTM)
    checks.within(call, "recurrent", _P_REVERSE, "reverse", 0, 1)
    both = 1 + checks.within(call, "recurrent", _P_WITH_CELL, "with_cell", 0, int(kind == _LSTM))
    if call.n_in != (7 if kind == _LSTM else 6):
        raise ModelError("recurrent: %d inputs for kind %d" % (call.n_in, kind))
    x = call.input(0)
    out = call.output()
    if x.c != out.c or x.h != out.h or out.w % both:
        raise ModelError(
            "recurrent: x is %d x %d x %d and the output %d x %d x %d; as many channels and rows are expected"
            % (x.c, x.h, x.w, out.c, out.h, out.w)
        )
    cells = out.w // both
    gates = 4 if kind == _LSTM else 1 if kind == _PLAIN else 3
    for i in (1, 6) if kind == _LSTM else (1,):
        first = call.input(i)
        if first.c != x.c or first.h != 1 or first.w != cells:
            raise ModelError(
                "recurrent: input %d is %d x %d x %d, expected %d x 1 x %d" % (i, first.c, first.h, first.w, x.c, cells)
            )
    checks.constant(call, "recurrent", 2, "scratch", x.c * cells)
    if call.input(2).c != 1 or call.input(2).h != 1:
        raise ModelError("recurrent: the scratch is no single row")
    checks.constant(call, "recurrent", 3, "weight", gates * cells * x.w)
    checks.constant(call, "recurrent", 4, "recurrent", gates * cells * cells)
    checks.constant(call, "recurrent", 5, "bias", 2 * gates * cells)


def run(call):
    checks.whole(call, "recurrent")
    x = call.input(0)
    out = call.output()
    kind = call.int_param(_P_KIND)
    cells = call.input(1).w
    reverse = call.int_param(_P_REVERSE)
    for c in range(x.c):
        scratch = call.input(2).base + c * cells
        last = call.input(1)
        h = last.at(c, 0)
        if kind == _LSTM:
            cell = call.input(6)
            for k in range(cells):
                call.input(2).data[scratch + k] = cell.data[cell.at(c, 0) + k * cell.ps]
        for n in range(x.h):
            y = x.h - 1 - n if reverse else n
            _step(call, kind, x.at(c, y), last, h, scratch, out.at(c, y))
            last = out
            h = out.at(c, y)


def _step(call, kind, x, last, h, scratch, to):
    """One row of the output, from index `to` on; `last` has the last output, from index `h` on."""
    out = call.output()
    cells = call.input(1).w
    kept = call.input(2).data
    if kind == _GRU:
        for k in range(cells):
            gate = _sigmoid(_products(call, 3, x, 0, cells + k) + _products(call, 4, h, last, cells + k))
            kept[scratch + k] = gate * last.data[h + k * last.ps]
    for k in range(cells):
        if kind == _PLAIN:
            value = _tanh(_gate(call, x, h, last, k))
        elif kind == _LSTM:
            value = _sigmoid(_gate(call, x, h, last, 2 * cells + k)) * kept[scratch + k]
            value += _sigmoid(_gate(call, x, h, last, k)) * _tanh(_gate(call, x, h, last, 3 * cells + k))
            kept[scratch + k] = value
            value = _sigmoid(_gate(call, x, h, last, cells + k)) * _tanh(value)
        else:
            value = _products(call, 3, x, 0, 2 * cells + k)
            if kind == _GRU:
                value += _products(call, 4, scratch, 0, 2 * cells + k)
            else:
                value += _sigmoid(_gate(call, x, h, last, cells + k)) * _products(call, 4, h, last, 2 * cells + k)
            update = _sigmoid(_gate(call, x, h, last, k))
            value = update * last.data[h + k * last.ps] + (1.0 - update) * _tanh(value)
        out.data[to + k * out.ps] = value
    if call.int_param(_P_WITH_CELL):
        for k in range(cells):
            out.data[to + (cells + k) * out.ps] = kept[scratch + k]


def _gate(call, x, h, last, row):
    return _products(call, 3, x, 0, row) + _products(call, 4, h, last, row)


def _products(call, which, i, source, row):
    """Row `row` of operand `which`, the weights (3) or the recurrent ones (4), times a vector that starts at index `i`:
    of x, of the operand `source`, or of the scratch where that is 0; and the bias that belongs to it."""
    weights = call.input(which)
    bias = call.input(5)
    if which == 3:
        source = call.input(0)
        count = source.w
        j = bias.base + row
    else:
        count = call.input(1).w
        j = bias.base + bias.count // 2 + row
    data = source.data if source else call.input(2).data
    step = source.ps if source else 1
    value = bias.data[j]
    j = weights.base + row * count
    for _ in range(count):
        value += data[i] * weights.data[j]
        i += step
        j += 1
    return value


def _sigmoid(x):
    # Never the exponential of a positive number: it overflows, which raises.
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    x = exp(x)
    return x / (1.0 + x)


def _tanh(x):
    return 2.0 * _sigmoid(2.0 * x) - 1.0
