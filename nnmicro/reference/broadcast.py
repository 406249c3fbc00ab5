"""An operand whose c, h or w may be 1 where another one's is larger: the element stands for all of that axis."""

from ..errors import ModelError


def check(layer, name, operand, out):
    """Refuse an operand that does not broadcast to the output."""
    if operand.c not in (1, out.c) or operand.h not in (1, out.h) or operand.w not in (1, out.w):
        raise ModelError(
            "%s: the %s is %d x %d x %d; for an output of %d x %d x %d each size must be the same or 1"
            % (layer, name, operand.c, operand.h, operand.w, out.c, out.h, out.w)
        )


def check_pair(call, layer):
    """Refuse two inputs of which neither has the output's size along some axis, or one has neither that nor 1."""
    a = call.input(0)
    b = call.input(1)
    out = call.output()
    if not (_fits(a.c, b.c, out.c) and _fits(a.h, b.h, out.h) and _fits(a.w, b.w, out.w)):
        raise ModelError(
            "%s: %d x %d x %d and %d x %d x %d do not broadcast to an output of %d x %d x %d"
            % (layer, a.c, a.h, a.w, b.c, b.h, b.w, out.c, out.h, out.w)
        )


def _fits(a, b, out):
    return (a == out or a == 1) and (b == out or b == 1) and (a == out or b == out)


def row(operand, c, y):
    """Index of the first element that stands in row `y` of channel `c`."""
    return operand.at(c if operand.c > 1 else 0, y if operand.h > 1 else 0)


def column_step(operand):
    """From one column's element to the next one's."""
    return operand.ps if operand.w > 1 else 0
