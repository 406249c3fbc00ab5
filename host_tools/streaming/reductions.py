"""Layers that take their input's rows one after the other and keep sums in between."""

from __future__ import annotations

import numpy as np

from nnmicro.call import Call
from nnmicro.port import ITEM_BYTES

from ..layout import Program, Step, kernel_module


def state_bytes(program: Program, layer: Step) -> int:
    """Bytes that a layer keeps between rows, or 0 where it cannot work so; its kernel's module knows."""
    if layer.inputs[0] >= len(program.blobs):
        return 0
    module = kernel_module(layer.op, layer.name)
    if not hasattr(module, "state_bytes"):
        return 0
    blobs = program.blobs + program.constants
    operands = [blobs[index] for index in (*layer.inputs, layer.output)]
    call = Call(len(operands))
    call.n_in, call.n_out = len(layer.inputs), 1
    params = np.array(layer.params, np.int32)
    call.params, call.float_params, call.n_params = params, params.view(np.float32), len(params)
    for number, blob in enumerate(operands):
        operand, at, item = call.input(number), blob.storage, ITEM_BYTES[blob.dtype]
        operand.dtype, operand.c, operand.h, operand.w, operand.rows = blob.dtype, at.c, at.h, at.w, at.h
        operand.cs, operand.rs, operand.ps = at.cstep // item, at.rstep // item, at.pstep // item
    return int(module.state_bytes(call))
