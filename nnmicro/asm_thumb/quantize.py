"""float32 to int8, where there is an FPU. Formula and parameters: reference/quantize.py."""

from ..port import const
from ..reference import quantize as reference
from ..viper import record as operands
from . import core, crossing, record

_I8 = const(2)
_OUT_TYPE = const(3)


def run(call):
    d = record.of(call)
    if not core.to_int8 or d[_OUT_TYPE] != _I8 or crossing.in_blocks(d) < 2:
        record.otherwise(call, reference.run)
        return
    memory = operands.memory(call, crossing.WORDS)
    crossing.rows(memory, d, memory, core.to_int8, 2)
