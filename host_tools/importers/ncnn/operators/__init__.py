"""The table of ncnn layers: its type in the `.param` file -> how it is imported. `Input` is the loader's."""

from __future__ import annotations

from host_tools.importers.ncnn.context import Operator
from host_tools.importers.ncnn.operators import (
    dense,
    elementwise,
    moving,
    normalizing,
    reshaping,
    resizing,
    windows,
)

_MANY = 1 << 16

TABLE: dict[str, Operator] = {
    "AbsVal": Operator(elementwise.abs_val),
    "BatchNorm": Operator(normalizing.batch_norm, normalizing.batch_norm_weights),
    "BinaryOp": Operator(elementwise.binary_op, inputs=(1, 2)),
    "CELU": Operator(elementwise.celu),
    "Clip": Operator(elementwise.clip),
    "Concat": Operator(moving.concat, inputs=(1, _MANY)),
    "Convolution": Operator(windows.convolution, windows.convolution_weights),
    "ConvolutionDepthWise": Operator(windows.convolution, windows.convolution_weights),
    "Dropout": Operator(elementwise.dropout),
    "Eltwise": Operator(elementwise.eltwise, inputs=(2, _MANY)),
    "ELU": Operator(elementwise.elu),
    "Erf": Operator(elementwise.erf),
    "Flatten": Operator(reshaping.flatten),
    "GELU": Operator(elementwise.gelu),
    "HardSigmoid": Operator(elementwise.hard_sigmoid),
    "HardSwish": Operator(elementwise.hard_swish),
    "InnerProduct": Operator(dense.inner_product, dense.inner_product_weights),
    "Interp": Operator(resizing.interp),
    "Mish": Operator(elementwise.mish),
    "Noop": Operator(reshaping.noop),
    "Padding": Operator(moving.padding),
    "Permute": Operator(reshaping.permute),
    "Pooling": Operator(windows.pooling),
    "ReLU": Operator(elementwise.relu),
    "Reshape": Operator(reshaping.reshape),
    "Scale": Operator(normalizing.scale, normalizing.scale_weights),
    "SELU": Operator(elementwise.selu),
    "Shrink": Operator(elementwise.shrink),
    "Sigmoid": Operator(elementwise.sigmoid),
    "Slice": Operator(moving.slice_, outputs=(1, _MANY)),
    "Softmax": Operator(normalizing.softmax),
    "Softplus": Operator(elementwise.softplus),
    "Split": Operator(reshaping.split, outputs=(1, _MANY)),
    "Swish": Operator(elementwise.swish),
    "TanH": Operator(elementwise.tanh),
    "UnaryOp": Operator(elementwise.unary_op),
}
