"""Depthwise convolutions whose output is written over their input: the two together take little more than one of them.

The output begins some bytes before the input, so that what is written are elements that nothing reads any more. float32
is computed row after row in one channel after the other there, int8 row after row (`nnmicro/call.py`). Both lie in the
output's block, which is as large as both together need and there from the input on.
"""

from __future__ import annotations

from nnmicro import format as f
from nnmicro.port import F32, I8, ITEM_BYTES

from .layout import Blob, Program, Step, align, kernel_module


def candidates(program: Program) -> list[int]:
    """Blobs whose layer could be written over its input, in whatever order the layers run."""
    return [step.output for step in program.layers if _is_candidate(program, step)]


def write_over(program: Program, blob: int) -> None:
    """Have the layer that makes a blob, one of `candidates`, write it over its input. The program is changed."""
    step = program.layers[program.blobs[blob].producer]
    source = step.inputs[0]
    step.flags = f.OVER
    program.blobs[source].owner, program.blobs[source].inside = blob, distance(program, step)
    program.blobs[blob].reach = program.blobs[source].inside + program.blobs[source].storage.nbytes
    for other in program.layers:
        # No layer works in place inside another blob, or where its own output would keep the larger block.
        if other.flags & f.IN_PLACE and (other.output == source or other.inputs[0] == blob):
            other.flags &= ~f.IN_PLACE


def written_over(program: Program) -> list[tuple[str, Blob, Blob]]:
    """Of each layer that writes over its input: name, input and output."""
    over = [step for step in program.layers if step.flags & f.OVER]
    return [(step.name, program.blobs[step.inputs[0]], program.blobs[step.output]) for step in over]


def distance(program: Program, step: Step) -> int:
    """Bytes from a depthwise layer's output to its input, a multiple of 16: no less will do in steps of 16."""
    x, y = program.blobs[step.inputs[0]].storage, program.blobs[step.output].storage
    dtype = program.blobs[step.output].dtype
    module = kernel_module(step.op, step.name)
    stride, pad = step.params[module._P_STRIDE_H], step.params[module._P_PAD_TOP]
    # What is written with each row, and the first byte that is still to be read then or later.
    written = [row * y.rstep + (y.w - 1) * y.pstep + ITEM_BYTES[dtype] for row in range(y.h)]
    read = [max(0, row * stride - pad) * x.rstep for row in range(y.h)]
    if dtype == F32:
        needed = max(end - min(begin, x.cstep) for end, begin in zip(written, read, strict=True))
        return align(max(0, needed, needed + (y.c - 1) * (y.cstep - x.cstep)))
    across = (y.c - 1) * y.cstep
    return align(max(0, *(end + across - begin for end, begin in zip(written, read, strict=True))))


def _is_candidate(program: Program, step: Step) -> bool:
    blobs = program.blobs
    source, out = step.inputs[0], step.output
    if not _is_depthwise(program, step) or source >= len(blobs):
        return False
    if source in (*program.inputs, *program.states, *program.outputs) or out in program.outputs:
        return False
    owners = {blob.owner for blob in blobs}
    if any(blobs[b].owner >= 0 or b in owners or blobs[b].dtype != blobs[out].dtype for b in (source, out)):
        return False
    maker = program.layers[blobs[source].producer]
    shared = [layer for layer in program.layers if layer.flags & f.SHARE and layer.inputs[0] in (source, out)]
    readers = [layer for layer in program.layers if source in layer.inputs]
    return not maker.flags & f.SHARE and not shared and readers == [step] and step.inputs.count(source) == 1


def _is_depthwise(program: Program, step: Step) -> bool:
    """And of a kind that can be written over its input."""
    if step.op == "depthwise_int8":
        return bool(program.blobs[step.output].dtype == I8)
    if step.op != "convolution":
        return False
    group = int(step.params[kernel_module(step.op, step.name)._P_GROUP])
    channels = [program.blobs[blob].storage.c for blob in (step.inputs[0], step.output) if blob < len(program.blobs)]
    return channels == [group, group]
