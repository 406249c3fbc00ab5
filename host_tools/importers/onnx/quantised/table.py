"""The table of quantised operators: the float operator's name in ONNX -> the function that adds its int8
layers.
"""

from __future__ import annotations

from typing import NamedTuple

from host_tools.importers.onnx.quantised import dense, elementwise, moving, windows
from host_tools.importers.onnx.quantised.emission import QuantisedHandler


class Entry(NamedTuple):
    handler: QuantisedHandler
    clamps: bool  # whether a Relu or Clip behind it becomes bounds of its result


_TABLES = (
    "Abs Ceil Celu Clip Elu Erf Exp Floor Gelu HardSigmoid HardSwish LeakyRelu Log Mish Neg PRelu Reciprocal "
    "Relu Round Selu Sigmoid Sign Softplus Softsign Sqrt Tanh ThresholdedRelu"
).split()
_MOVING = "Dropout Flatten Reshape Slice Split Squeeze Transpose Unsqueeze".split()

TABLE: dict[str, Entry] = {
    **{name: Entry(elementwise.table, clamps=True) for name in [*_TABLES, "Div", "Pow"]},
    **{name: Entry(moving.move, clamps=False) for name in _MOVING},
    "Add": Entry(elementwise.binary, clamps=True),
    "AveragePool": Entry(windows.average_pool, clamps=True),
    "BatchNormalization": Entry(windows.batch_normalization, clamps=True),
    "Concat": Entry(moving.concat, clamps=False),
    "Conv": Entry(windows.conv, clamps=True),
    "Gemm": Entry(dense.gemm, clamps=True),
    "GlobalAveragePool": Entry(windows.global_mean, clamps=False),
    "GlobalMaxPool": Entry(windows.global_max, clamps=True),
    "Identity": Entry(moving.identity, clamps=False),
    "MatMul": Entry(dense.mat_mul, clamps=True),
    "Max": Entry(elementwise.binary, clamps=True),
    "MaxPool": Entry(windows.max_pool, clamps=True),
    "Min": Entry(elementwise.binary, clamps=True),
    "Mul": Entry(elementwise.binary, clamps=True),
    "Pad": Entry(moving.pad, clamps=False),
    "ReduceMax": Entry(windows.reduce_max, clamps=True),
    "ReduceMean": Entry(windows.reduce_mean, clamps=False),
    "Resize": Entry(moving.resize, clamps=False),
    "Softmax": Entry(elementwise.softmax, clamps=False),
    "Sub": Entry(elementwise.binary, clamps=True),
    "Sum": Entry(elementwise.total, clamps=True),
}
