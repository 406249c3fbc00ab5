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
    "BatchNorm": Operator(normalizing.batch_norm, normalizing.batch_norm_weights),
    "BinaryOp": Operator(elementwise.binary_op, inputs=(1, 2)),
    "Clip": Operator(elementwise.clip),
    "Concat": Operator(moving.concat, inputs=(1, _MANY)),
    "Convolution": Operator(windows.convolution, windows.convolution_weights),
    "ConvolutionDepthWise": Operator(windows.convolution, windows.convolution_weights),
    "Dropout": Operator(elementwise.dropout),
    "Eltwise": Operator(elementwise.eltwise, inputs=(2, _MANY)),
    "Flatten": Operator(reshaping.flatten),
    "InnerProduct": Operator(dense.inner_product, dense.inner_product_weights),
    "Interp": Operator(resizing.interp),
    "Noop": Operator(reshaping.noop),
    "Padding": Operator(moving.padding),
    "Permute": Operator(reshaping.permute),
    "Pooling": Operator(windows.pooling),
    "ReLU": Operator(elementwise.relu),
    "Reshape": Operator(reshaping.reshape),
    "Scale": Operator(normalizing.scale, normalizing.scale_weights),
    "Sigmoid": Operator(elementwise.sigmoid),
    "Slice": Operator(moving.slice_, outputs=(1, _MANY)),
    "Softmax": Operator(normalizing.softmax),
    "Split": Operator(reshaping.split, outputs=(1, _MANY)),
}
