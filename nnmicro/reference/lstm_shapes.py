"""The sizes of the operands that the LSTM layers share: x, hidden state, cell state, weight, recurrent, bias."""

from ..errors import ModelError
from . import checks


def check(call, layer):
    x = call.input(0)
    out = call.output()
    if x.c != 1 or out.c != 1 or x.h != out.h:
        raise ModelError(
            "%s: x is %d x %d x %d and the output %d x %d x %d; one channel and as many rows are expected"
            % (layer, x.c, x.h, x.w, out.c, out.h, out.w)
        )
    cells = out.w
    for i in (1, 2):
        checks.constant(call, layer, i, "state", cells)
        if call.input(i).h != 1 or call.input(i).c != 1:
            raise ModelError("%s: state %d is no single row" % (layer, i))
    checks.constant(call, layer, 3, "weight", 4 * cells * x.w)
    checks.constant(call, layer, 4, "recurrent", 4 * cells * cells)
    checks.constant(call, layer, 5, "bias", 4 * cells)
