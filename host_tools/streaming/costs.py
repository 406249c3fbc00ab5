"""What calls cost: instructions of the kernels in C on a Cortex-M4F.

What a call costs is fitted to differences between streamed and whole runs of three networks
(`tests/bench/test_streaming.py`), which it explains to about a twelfth, but for a constant of each network. They weigh
choices against each other and against the work that has to be done in any case; for that they need not be exact.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..layout import Program
from .rows import RowModel, Work
from .schedule import Do

_CALL = 1100  # record, operands, window
_ROW_TAKEN = 500  # of an input that is fed
_DEPTHWISE_CHANNEL = 210  # filters are laid out anew, and rows of the window are looked at twice
_REDUCED_CHANNEL = 40  # sums are loaded and stored
_MULTIPLICATION, _OUTPUT, _DEPTHWISE_OUTPUT, _ELEMENT = 0.85, 14, 30, 10
_PIXELS = 4  # that a convolution works on at a time


class Costs:
    """Of one model's calls."""

    def __init__(self, model: RowModel) -> None:
        self._of = [_call_and_pixel(model.program, work) for work in model.work]
        self._fewest = sum(self._step(Do(index, 0, work.units)) for index, work in enumerate(model.work))
        self.work = max(1, sum(_work(model.program, work) for work in model.work))  # of the inference, calls aside

    def extra(self, steps: Sequence[Do]) -> int:
        """Instructions that these steps take more than a call for each layer."""
        return sum(map(self._step, steps)) - self._fewest

    def _step(self, step: Do) -> int:
        call, width, pixel = self._of[step.work]
        return call + pixel * (-step.units * width % _PIXELS)


def _call_and_pixel(program: Program, work: Work) -> tuple[int, int, int]:
    """Instructions of a call, pixels of a row, and instructions of one that is worked out for nothing."""
    if work.layer < 0:
        return _ROW_TAKEN, 0, 0
    layer = program.layers[work.layer]
    out = program.blobs[layer.output].storage
    call = _CALL
    if work.state >= 0:
        call += _REDUCED_CHANNEL * program.blobs[layer.inputs[0]].storage.c
    if layer.op == "depthwise_int8":
        call += _DEPTHWISE_CHANNEL * out.c
    if layer.op == "convolution_int8":
        return call, out.w, int(out.c * (_MULTIPLICATION * _filter(program, work) + _OUTPUT))
    return call, 0, 0


def _filter(program: Program, work: Work) -> int:
    """Weights for each output channel of a layer whose operand 1 they are; 0 where it has none."""
    layer = program.layers[work.layer]
    number = layer.inputs[1] - len(program.blobs) if len(layer.inputs) > 1 else -1
    if number < 0:
        return 0
    out, weights = program.blobs[layer.output].storage, program.constants[number].storage
    return weights.c * weights.h * weights.w // (out.w if out.c == 1 else out.c)


def _work(program: Program, work: Work) -> int:
    if work.layer < 0:
        return 0
    layer = program.layers[work.layer]
    out = program.blobs[layer.output].storage
    outputs = out.c * out.h * out.w
    if layer.op == "depthwise_int8":
        return _DEPTHWISE_OUTPUT * outputs
    if layer.op in ("convolution_int8", "convolution", "inner_product", "inner_product_int8"):
        return int(outputs * (_MULTIPLICATION * _filter(program, work) + _OUTPUT))
    return _ELEMENT * outputs
