"""A recurrent layer, a row of all gates at a time; formula, kinds and parameters: reference/recurrent.py."""

from ..port import const
from ..reference import checks
from ..reference import recurrent as reference
from .array import constant, np, quiet

_P_KIND = const(0)
_P_REVERSE = const(1)
_P_WITH_CELL = const(2)

_PLAIN = const(0)
_GRU = const(1)
_LSTM = const(3)


def run(call):
    checks.whole(call, "recurrent")
    x = call.input(0)
    out = call.output()
    if x.ps != 1 or out.ps != 1 or call.input(1).ps != 1 or x.array is None or out.array is None:
        reference.run(call)
        return
    kind = call.int_param(_P_KIND)
    cells = call.input(1).w
    rows = call.input(3).count // x.w
    weights = constant(call.input(3)).reshape((rows, x.w))
    recurrent = constant(call.input(4)).reshape((rows, cells))
    biases = constant(call.input(5))
    with quiet():
        for c in range(x.c):
            h = _vector(call.input(1), c, 0, cells)
            cell = _vector(call.input(6), c, 0, cells) if kind == _LSTM else None
            for n in range(x.h):
                y = x.h - 1 - n if call.int_param(_P_REVERSE) else n
                given = np.dot(weights, _vector(x, c, y, x.w)) + biases[:rows]
                if kind == _LSTM:
                    cell, h = _lstm(given + np.dot(recurrent, h) + biases[rows:], cell, cells)
                elif kind == _PLAIN:
                    h = np.tanh(given + np.dot(recurrent, h) + biases[rows:])
                else:
                    h = _gru(kind, given, recurrent, biases[rows:], h, cells)
                to = out.at(c, y)
                out.array[to : to + cells] = h
                if call.int_param(_P_WITH_CELL):
                    out.array[to + cells : to + 2 * cells] = cell


def _vector(operand, c, y, count):
    start = operand.at(c, y)
    return operand.array[start : start + count]


def _sigmoid(x):
    return 1.0 / (np.exp(-np.maximum(x, -87.0)) + 1.0)


def _lstm(gates, cell, cells):
    """The next cell and output."""
    i, o, f = _sigmoid(gates[:cells]), _sigmoid(gates[cells : 2 * cells]), _sigmoid(gates[2 * cells : 3 * cells])
    cell = f * cell + i * np.tanh(gates[3 * cells :])
    return cell, o * np.tanh(cell)


def _gru(kind, given, recurrent, biases, h, cells):
    """The next output."""
    two = 2 * cells
    if kind == _GRU:
        gates = _sigmoid(given[:two] + np.dot(recurrent[:two], h) + biases[:two])
        kept = np.dot(recurrent[two:], gates[cells:] * h) + biases[two:]
    else:
        products = np.dot(recurrent, h) + biases
        gates = _sigmoid(given[:two] + products[:two])
        kept = gates[cells:] * products[two:]
    update = gates[:cells]
    return update * h + (1.0 - update) * np.tanh(given[two:] + kept)
