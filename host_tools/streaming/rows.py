"""Which rows of its inputs each row of a layer's output needs: all that streaming knows about a network.

Work is counted in *units*. A unit of most layers is a row of the output. A layer that cannot work by rows has all its
rows in one step. A reduction (global pooling, a fully connected layer) takes the rows of its input one after the other,
keeps a state between them, and its output is there after the last; its units are the input's rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from nnmicro import format as f

from ..layout import Blob, Program, Step, kernel_module
from .reductions import state_bytes

_WINDOWS = ("convolution", "convolution_int8", "depthwise_int8", "pooling", "pooling_int8")
_SAME_ROW = ("activation", "binary_op", "binary_int8", "quantize", "dequantize", "scale", "prelu", "prelu_int8",
             "table_int8")  # fmt: skip
_ALONG_AXIS = ("softmax", "softmax_int8", "log_softmax", "log_softmax_int8", "l2_normalize", "l2_normalize_int8",
               "arg_max")  # fmt: skip
_ALONG_H = 1
_BROADCAST = ("binary_op", "binary_int8")


@dataclass(frozen=True)
class Tensor:
    """Memory for a blob and those that share it: rows of equal size, one after the other."""

    rows: int
    row_bytes: int

    @property
    def nbytes(self) -> int:
        return self.rows * self.row_bytes


@dataclass(frozen=True)
class Read:
    """What a layer reads of one tensor: for unit u rows [first[u], end[u]). Both lists ascend."""

    tensor: int
    first: list[int]
    end: list[int]


@dataclass
class Work:
    """A layer as streaming sees it, or an input that is fed by rows (`layer` is -1 minus its number)."""

    layer: int
    units: int
    tensor: int  # what it writes
    rows: int  # of that tensor
    reads: list[Read] = field(default_factory=list)
    whole: bool = False  # all units in one step
    state: int = -1  # the tensor that a reduction keeps its sums in; then the output comes with the last unit

    def written(self, first: int, count: int) -> range:
        """The rows of its tensor that a step writes."""
        if self.state < 0:
            return range(first, first + count)
        return range(self.rows if first + count == self.units else 0)


@dataclass
class RowModel:
    """A program as work on rows. `tensors` are numbered; `tensor_of` says which one holds a blob."""

    program: Program
    tensors: list[Tensor] = field(default_factory=list)
    tensor_of: list[int] = field(default_factory=list)
    work: list[Work] = field(default_factory=list)
    producer: dict[int, int] = field(default_factory=dict)  # of a tensor: index in `work`
    given: list[int] = field(default_factory=list)  # tensors that are there before the first step
    kept: list[int] = field(default_factory=list)  # tensors that must be there after the last: outputs, states

    @property
    def outputs(self) -> list[int]:
        return list(dict.fromkeys(self.tensor_of[blob] for blob in self.program.outputs))


def row_model(program: Program, fed: Collection[int] = (), reductions: bool = True) -> RowModel:
    """The rows of a program; the inputs with these numbers are fed by rows, the others given as a whole."""
    model = RowModel(program)
    roots = list(range(len(program.blobs)))
    for layer in program.layers:
        if layer.flags & f.SHARE:
            roots[layer.output] = roots[layer.inputs[0]]
    numbers: dict[int, int] = {}
    for root in roots:
        if root not in numbers:
            numbers[root] = len(model.tensors)
            model.tensors.append(_tensor(program.blobs[root]))
        model.tensor_of.append(numbers[root])
    for number, blob in enumerate(program.inputs):
        tensor = model.tensor_of[blob]
        if number in fed:
            model.producer[tensor] = len(model.work)
            model.work.append(Work(-1 - number, model.tensors[tensor].rows, tensor, model.tensors[tensor].rows))
        else:
            model.given.append(tensor)
    states = [model.tensor_of[blob] for blob in program.states]
    model.given += states
    model.kept = [*model.outputs, *states]
    for index, layer in enumerate(program.layers):
        if not layer.flags & f.SHARE:
            work = _work(model, index, layer, reductions)
            model.producer[work.tensor] = len(model.work)
            model.work.append(work)
    return model


def _tensor(blob: Blob) -> Tensor:
    """Rows one after the other where memory has them so, else one row of everything."""
    at = blob.storage
    if at.nbytes == at.h * at.rstep:
        return Tensor(at.h, at.rstep)
    return Tensor(1, at.nbytes)


def _work(model: RowModel, index: int, layer: Step, reductions: bool) -> Work:
    program = model.program
    n = len(program.blobs)
    output = model.tensor_of[layer.output]
    operands = [(position, blob) for position, blob in enumerate(layer.inputs) if blob < n]
    state = state_bytes(program, layer) if reductions else 0
    if state:
        source = layer.inputs[0]
        rows = program.blobs[source].storage.h
        if rows > 1 and model.tensors[model.tensor_of[source]].rows == rows:
            model.tensors.append(Tensor(1, state))
            read = Read(model.tensor_of[source], list(range(rows)), list(range(1, rows + 1)))
            others = [_all_of(model, blob, rows) for position, blob in operands if position]
            return Work(index, rows, output, model.tensors[output].rows, [read, *others], state=len(model.tensors) - 1)
    by_rows = model.tensors[output].rows == program.blobs[layer.output].storage.h
    needs = [_needs(program, layer, position, blob) if by_rows else None for position, blob in operands]
    rows = model.tensors[output].rows
    if all(need is None for need in needs):
        return Work(index, rows, output, rows, [_all_of(model, blob, rows) for _, blob in operands], whole=True)
    return Work(
        index,
        rows,
        output,
        rows,
        [
            _all_of(model, blob, rows) if need is None else _read(model, blob, need)
            for (_, blob), need in zip(operands, needs, strict=True)
        ],
    )


def _all_of(model: RowModel, blob: int, units: int) -> Read:
    tensor = model.tensor_of[blob]
    return Read(tensor, [0] * units, [model.tensors[tensor].rows] * units)


def _read(model: RowModel, blob: int, need: list[tuple[int, int]]) -> Read:
    """Rows of a blob as rows of its tensor, which may have another shape or no rows of its own."""
    tensor = model.tensor_of[blob]
    at = model.program.blobs[blob].storage
    if model.tensors[tensor] != Tensor(at.h, at.rstep):
        return _all_of(model, blob, len(need))
    return Read(tensor, [first for first, _ in need], [end for _, end in need])


def _needs(program: Program, layer: Step, position: int, blob: int) -> list[tuple[int, int]] | None:
    """For each output row the rows [first, end) of an operand, or None where it needs the whole operand."""
    x, y = program.blobs[blob].storage, program.blobs[layer.output].storage
    if layer.op == "concat":
        axis = _parameter(layer, "axis")
        before = sum(program.blobs[i].storage.h for i in layer.inputs[:position]) if axis == _ALONG_H else 0
        return [_clipped(row - before, row - before + 1, x.h) for row in range(y.h)]
    if layer.op in _BROADCAST:
        return [(row, row + 1) if x.h == y.h else (0, 1) for row in range(y.h)]
    if position:
        return None
    if layer.op in _WINDOWS:
        stride, pad = _parameter(layer, "stride_h"), _parameter(layer, "pad_top")
        dilation = _parameter(layer, "dilation_h", 1)
        reach = (_parameter(layer, "kernel_h") - 1) * dilation + 1
        if y.c != x.c and layer.op == "pooling":
            return None  # global pooling into another shape
        return [_clipped(row * stride - pad, row * stride - pad + reach, x.h) for row in range(y.h)]
    if layer.op in _SAME_ROW or (layer.op in _ALONG_AXIS and _parameter(layer, "axis") != _ALONG_H):
        return [(row, row + 1) for row in range(y.h)] if x.h == y.h else None
    if layer.op == "padding" and _parameter(layer, "mode") == 0:
        top = _parameter(layer, "top")
        return [_clipped(row - top, row - top + 1, x.h) for row in range(y.h)]
    if layer.op == "slice":
        start, step = _parameter(layer, "start_h"), _parameter(layer, "step_h")
        return [(start + row * step, start + row * step + 1) for row in range(y.h)]
    return None


def _clipped(first: int, end: int, rows: int) -> tuple[int, int]:
    first = min(max(first, 0), rows)
    return first, max(first, min(end, rows))


def _parameter(layer: Step, name: str, default: int | None = None) -> int:
    """A parameter word by the name that the layer's kernel gives it."""
    module = kernel_module(layer.op, layer.name)
    at = getattr(module, f"_P_{name.upper()}", None)
    if at is None:
        assert default is not None, f"{layer.op} has no parameter {name}"
        return default
    return int(layer.params[at])
