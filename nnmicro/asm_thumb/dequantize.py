"""int8 to float32, where there is an FPU. Formula and parameters: reference/dequantize.py."""

from ..port import const
from ..reference import dequantize as reference
from ..viper import record as operands
from . import core, crossing, record

_I8 = const(2)
_IN_TYPE = const(2)


def run(call):
    d = record.of(call)
    blocks = crossing.in_blocks(d)
    if not core.to_float32 or d[_IN_TYPE] != _I8 or blocks == 1:
        record.otherwise(call, reference.run)
        return
    memory = operands.memory(call, crossing.WORDS)
    crossing.rows(memory, d, memory, core.to_float32, blocks)
