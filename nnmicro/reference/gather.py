"""Elements along h that indices name: y[c, i, q] = x[c, indices[c, i, q], q].

x: c x n x w of any type. indices: int32, i of them; its c and w are y's or 1 (and are then used for all of them). y: as
many channels and columns as x. An index below 0 counts from the end; one that is outside all the same names the nearest
element, since what an index is cannot be known before.

Source: ONNX operators Gather, GatherElements, TFLite operator GATHER.
"""

from ..errors import ModelError
from ..port import I32
from . import checks, checks_int8


def check(call):
    checks_int8.counts(call, "gather", 2, 0)
    x = call.input(0)
    indices = call.input(1)
    out = call.output()
    dtype = x.dtype if 0 < x.dtype <= I32 else I32
    checks_int8.operands(call, "gather", (dtype, I32, dtype), 0)
    if x.c != out.c or x.w != out.w:
        raise ModelError(
            "gather: the output is %d x %d x %d; it must have the channels and columns of the input, %d x %d x %d"
            % (out.c, out.h, out.w, x.c, x.h, x.w)
        )
    if indices.c not in (1, out.c) or indices.h != out.h or indices.w not in (1, out.w):
        raise ModelError(
            "gather: the indices are %d x %d x %d for an output of %d x %d x %d"
            % (indices.c, indices.h, indices.w, out.c, out.h, out.w)
        )


def run(call):
    checks.whole(call, "gather")
    x = call.input(0)
    indices = call.input(1)
    out = call.output()
    step = indices.ps if indices.w > 1 else 0
    for c in range(out.c):
        for y in range(out.h):
            i = indices.at(c if indices.c > 1 else 0, y)
            to = out.at(c, y)
            for q in range(out.w):
                row = indices.data[i]
                if row < 0:
                    row += x.h
                row = 0 if row < 0 else x.h - 1 if row >= x.h else row
                out.data[to] = x.data[x.at(c, row) + q * x.ps]
                i += step
                to += out.ps
