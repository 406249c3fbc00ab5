"""The same elements in another shape: element k of x in c, y, x order becomes element k of y in that order.

For a reshape whose two storages differ in their gaps (the channel step is padded to 16 bytes).

Source: ONNX operators Reshape and Flatten.
"""

from ..errors import ModelError
from . import checks
from .permute import move


def check(call):
    checks.operands(call, "copy", 1, 1, 0, dtype=0)
    if call.input(0).count != call.output().count:
        raise ModelError("copy: %d elements cannot become %d" % (call.input(0).count, call.output().count))


def run(call):
    checks.whole(call, "copy")
    x = call.input(0)
    move(x, (1, x.c, x.h, x.w), (0, x.cs, x.rs, x.ps), call.output())
