"""Blobs that lie in another blob's block, so that a layer has nothing to copy.

A slice can be a part of its input's block. What a concatenation reads can be made where the concatenation wants it: its
block is then there from the first of them on. Neither is always less memory, so `planner.py` chooses among `choices`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from nnmicro import format as f
from nnmicro.port import F32, ITEM_BYTES

from .layout import Program, Step, Storage, kernel_module

# Layers that take integers with gaps between the pixels, in every backend. (A gather by strides, for one, does not: its
# parameters say where its input's elements lie.)
_TAKE_GAPS = frozenset(
    (
        "binary_int8",
        "concat",
        "convolution_int8",
        "depthwise_int8",
        "dequantize",
        "mean_int8",
        "padding",
        "pooling_int8",
    )
    + ("prelu_int8", "quantize", "slice", "table_int8")
)
_NOTHING_DONE = (-1, 0)


# The output of a layer, and the blob that it reads and need not copy.
View = tuple[int, int]


def compatible(program: Program) -> list[View]:
    """What need not be copied, all at the same time: inputs of slices, and what concatenations can gather."""
    found: list[View] = []
    for step in program.layers:
        for blob in dict.fromkeys(step.inputs) if step.op in ("slice", "concat") else ():
            trial = _Views(program.copy(), {*found, (step.output, blob)})
            trial.choose()
            if not trial.clash() and trial.shares_block(blob, step.output):
                found.append((step.output, blob))
    return found


def use_views(program: Program, chosen: Collection[View]) -> bool:
    """Copy none of these, which are some of those that `compatible` gave, as far as can be. Written into the program;
    False (and it is of no use any more) where two of them exclude each other."""
    views = _Views(program, set(chosen))
    views.choose()
    return not views.clash()


def without_views(program: Program) -> Program:
    """A copy in which every blob has a block of its own."""
    program = program.copy()
    views = [blob for blob in program.blobs if blob.owner >= 0]
    for blob in views:
        blob.owner, blob.inside = _NOTHING_DONE
        blob.storage = _without_gaps(blob.storage, ITEM_BYTES[blob.dtype], len(blob.shape), blob.dtype)
    for blob in program.blobs:
        blob.reach = 0
    for step in program.layers:
        if step.op == "slice" or step.flags & f.OVER:
            step.flags = 0
        if step.op != "share" and step.inputs[0] < len(program.blobs):
            source, out = program.blobs[step.inputs[0]], program.blobs[step.output]
            alike = source.storage == out.storage and source.dtype == out.dtype
            if alike and bool(getattr(kernel_module(step.op, step.name), "_IN_PLACE", 0)):
                step.flags |= f.IN_PLACE
    return program


def nested(program: Program) -> Program | None:
    """A copy in which a concatenation reads another one instead of all that this one reads; None where none can.

    Networks that concatenate all earlier results again and again then gather them in one block.
    """
    program = program.copy()
    changed = False
    earlier: dict[tuple[int, ...], int] = {}  # outputs by axis and inputs
    for step in program.layers:
        if step.op == "concat":
            inputs = step.inputs
            for many in range(len(inputs) - 1, 1, -1):
                other = earlier.get((*step.params, *inputs[:many]))
                if other is not None:
                    step.inputs = [other, *inputs[many:]]
                    changed = True
                    break
            earlier.setdefault((*step.params, *inputs), step.output)
    return program if changed else None


class _Views:
    """Chooses owners for a program's blobs."""

    def __init__(self, program: Program, chosen: set[View]) -> None:
        self.program = program
        self.chosen = chosen
        self.given = {*program.inputs, *program.states}
        count = len(program.blobs)
        self.maker: list[Step | None] = [None] * count
        self.readers: list[list[Step]] = [[] for _ in range(count)]
        for step in program.layers:
            self.maker[step.output] = step
            for blob in {*step.inputs}:
                if blob < count:
                    self.readers[blob].append(step)

    def choose(self) -> None:
        # From the last on: what is gathered may itself have gathered.
        for step in reversed(self.program.layers):
            if step.op == "concat":
                self._gather(step)
        for step in self.program.layers:
            if step.op == "slice" and (step.output, step.inputs[0]) in self.chosen:
                self._part(step)
        for step in self.program.layers:
            if step.flags & f.IN_PLACE and (
                self.program.blobs[step.output].owner >= 0 or self.program.blobs[step.inputs[0]].owner >= 0
            ):
                step.flags &= ~f.IN_PLACE

    def clash(self) -> bool:
        """Whether a concatenation would have to copy within the memory that it writes."""
        for step in self.program.layers:
            if step.op == "concat":
                block, at = self._home(step.output)
                for blob, start in zip(step.inputs, self._starts(step), strict=False):
                    there = self._home(blob) == (block, at + start) and self._lies_as(blob, step.output)
                    if self._home(blob)[0] == block and not there:
                        return True
        return False

    def shares_block(self, a: int, b: int) -> bool:
        return self._home(a)[0] == self._home(b)[0]

    # Concatenations

    def _gather(self, step: Step) -> None:
        blobs = self.program.blobs
        starts = self._starts(step)
        at, axis = blobs[step.output].storage, step.params[0]
        one_run = at.c == 1 or at.cstep < at.pstep
        if not starts or (axis == 1 and not one_run) or (axis == 2 and not (one_run and at.h == 1)):
            return  # what is copied would lie between the elements of what is gathered
        root, begin = self._home(step.output)
        for blob, start in zip(step.inputs, starts, strict=True):
            if (step.output, blob) not in self.chosen or blob >= len(blobs) or step.inputs.count(blob) > 1:
                continue
            if blobs[blob].dtype != blobs[step.output].dtype:
                continue
            group = self._group(blob)
            maker = self.maker[group[0]]
            if maker is None or blobs[group[0]].owner >= 0 or group[0] in self.given or root in group:
                continue
            if maker.op == "slice" and (maker.output, maker.inputs[0]) in self.chosen:
                continue  # it is a part of something else
            if self._fits(group, blobs[step.output].storage, root, begin + start):
                self._put(group, blobs[step.output].storage, root, begin + start)

    def _starts(self, step: Step) -> list[int]:
        """Bytes from the output's first element to those of each input; empty where the sizes do not add up."""
        blobs, constants = self.program.blobs, self.program.constants
        out = blobs[step.output].storage
        axis = step.params[0]
        sizes = [_sizes(blobs[i].storage if i < len(blobs) else constants[i - len(blobs)].storage) for i in step.inputs]
        wanted = _sizes(out)
        others = [k for k in range(3) if k != axis]
        if sum(size[axis] for size in sizes) != wanted[axis]:
            return []
        if any(size[k] != wanted[k] for size in sizes for k in others):
            return []
        return [sum(size[axis] for size in sizes[:i]) * _steps(out)[axis] for i in range(len(sizes))]

    # Slices

    def _part(self, step: Step) -> None:
        blobs = self.program.blobs
        source, out = step.inputs[0], step.output
        if source >= len(blobs) or blobs[out].owner >= 0 or blobs[source].dtype != blobs[out].dtype:
            return
        root, at = self._home(source)
        if root in self.program.states:
            return
        at += sum(start * size for start, size in zip(step.params, _steps(blobs[source].storage), strict=False))
        steps = [size * by for size, by in zip(_steps(blobs[source].storage), step.params[3:], strict=True)]
        lies = replace(blobs[out].storage, cstep=steps[0], rstep=steps[1], pstep=steps[2])
        group = self._group(out)
        if self._fits(group, lies, root, at):
            self._put(group, lies, root, at)
            step.flags = f.SHARE

    # Both

    def _home(self, blob: int) -> tuple[int, int]:
        """In whose block a blob lies, and where."""
        if blob >= len(self.program.blobs):
            return -1, 0  # a constant
        at = self.program.blobs[blob]
        if at.owner >= 0:
            return at.owner, at.inside
        maker = self.maker[blob]
        return self._home(maker.inputs[0]) if maker is not None and maker.flags & f.SHARE else (blob, 0)

    def _group(self, blob: int) -> list[int]:
        """A blob and those that are the same memory under another shape; first the one that is computed."""
        maker = self.maker[blob]
        while maker is not None and maker.op == "share":
            blob = maker.inputs[0]
            maker = self.maker[blob]
        group = [blob]
        for one in group:
            group += [reader.output for reader in self.readers[one] if reader.op == "share"]
        return group

    def _lies_as(self, blob: int, whole: int) -> bool:
        a, b = self.program.blobs[blob].storage, self.program.blobs[whole].storage
        return _lies_as(a, _steps(b))

    def _fits(self, group: list[int], lies: Storage, root: int, at: int) -> bool:
        """Whether a group of blobs can lie at a place of a block, with the steps of `lies`."""
        blob = group[0]
        one = self.program.blobs[blob]
        storage = _spread(one.storage, lies, one.dtype)
        if storage != one.storage:
            maker = self.maker[blob]
            ops = {step.op for step in self.readers[blob]} | ({maker.op} if maker is not None else set())
            if len(group) > 1 or one.dtype == F32 or blob in self.program.outputs or not ops <= _TAKE_GAPS:
                return False
            if not _nests(storage):
                return False
        return at + storage.nbytes <= self.program.blobs[root].storage.nbytes

    def _put(self, group: list[int], lies: Storage, root: int, at: int) -> None:
        first = self.program.blobs[group[0]]
        first.storage = _spread(first.storage, lies, first.dtype)
        for blob in group:
            self.program.blobs[blob].owner, self.program.blobs[blob].inside = root, at


def _sizes(at: Storage) -> tuple[int, int, int]:
    return at.c, at.h, at.w


def _steps(at: Storage) -> tuple[int, int, int]:
    return at.cstep, at.rstep, at.pstep


def _lies_as(at: Storage, steps: tuple[int, int, int]) -> bool:
    """Whether elements lie with these steps, along axes that have more than one."""
    return all(size == 1 or own == step for size, own, step in zip(_sizes(at), _steps(at), steps, strict=True))


def _spread(at: Storage, lies: Storage, dtype: int) -> Storage:
    """The storage with the steps of another one; as it is, where elements lie so already."""
    if _lies_as(at, _steps(lies)):
        return at
    at = replace(at, cstep=lies.cstep, rstep=lies.rstep, pstep=lies.pstep)
    return replace(at, nbytes=_span(at, dtype))


def _nests(at: Storage) -> bool:
    """Whether each step is at least as long as all that the smaller ones span, as the format demands."""
    span = 0
    for step, size in sorted(zip(_steps(at), _sizes(at), strict=True)):
        if size > 1 and step < span:
            return False
        span = max(span, step * size) if size > 1 else span
    return True


def _span(at: Storage, dtype: int) -> int:
    """Bytes from the first element to the end of the last."""
    return sum((size - 1) * step for size, step in zip(_sizes(at), _steps(at), strict=True)) + ITEM_BYTES[dtype]


def _without_gaps(at: Storage, item: int, rank: int, dtype: int) -> Storage:
    """As `layout.py` lays out a blob of its own; views of float32 have no gaps."""
    if dtype == F32:
        return at
    nbytes = at.c * at.h * at.w * item
    if rank < 4:
        return Storage(at.c, at.h, at.w, at.h * at.w * item, at.w * item, item, nbytes)
    return Storage(at.c, at.h, at.w, item, at.w * at.c * item, at.c * item, nbytes)
