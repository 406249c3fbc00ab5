"""ncnn's expressions of sizes, `*(0w,2),0h,-1`: prefix notation, with `0w` the width of the first input.

Of a batch (`0n`) there is one. Values are integers until a fraction comes up, and are cut off to one at the end.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from host_tools.importers.builder import Shape
from host_tools.importers.refusals import Unsupported

_Number = int | float
_SIZE = re.compile(r"([0-9])([whdcn])")
_INTEGER = re.compile(r"[+-]?\d{1,9}", re.ASCII)
_MOST = 2**31


def _quotient(a: _Number, b: _Number) -> _Number:
    """Of integers as C has it, of others rounded down."""
    if isinstance(a, int) and isinstance(b, int):
        return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return float(math.floor(a / b))


_OF_TWO: dict[str, Callable[[_Number, _Number], _Number]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": _quotient,
    "max": max,
    "min": min,
}
_OF_ONE: dict[str, Callable[[_Number], _Number]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "neg": lambda a: -a,
    "square": lambda a: a * a,
    "trunc": math.trunc,
}


def evaluate(text: str, shapes: list[Shape]) -> list[int]:
    """The values of a list of expressions about the inputs' shapes; raises Unsupported."""
    stack: list[_Number] = []
    for token in reversed(re.findall(r"[^(),\"\s]+", text)):
        operands = 2 if token in _OF_TWO else 1 if token in _OF_ONE else 0
        if len(stack) < operands:
            raise Unsupported(f"the expression {text} lacks an operand of {token}")
        try:
            if operands == 2:
                value = _OF_TWO[token](stack.pop(), stack.pop())
            elif operands == 1:
                value = _OF_ONE[token](stack.pop())
            else:
                value = _literal(token, text, shapes)
        except (ArithmeticError, ValueError) as problem:
            raise Unsupported(f"the expression {text} has no value ({problem})") from problem
        if not abs(value) < _MOST:
            raise Unsupported(f"the expression {text} gives {value}")
        stack.append(value)
    return [int(value) for value in reversed(stack)]


def _literal(token: str, text: str, shapes: list[Shape]) -> _Number:
    size = _SIZE.fullmatch(token)
    if size:
        i, letter = int(size[1]), size[2]
        if i >= len(shapes):
            raise Unsupported(f"the expression {text} is about input {i} of {len(shapes)}")
        sizes = dict(zip("whc", shapes[i][::-1], strict=False))
        return sizes.get(letter, 1)
    if _INTEGER.fullmatch(token):
        return int(token)
    try:
        return float(token)
    except ValueError:
        raise Unsupported(f"the expression {text} has the word {token}, which is not supported") from None
