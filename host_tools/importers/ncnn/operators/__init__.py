"""The table of ncnn layers: its type in the `.param` file -> how it is imported. `Input` is the loader's."""

from __future__ import annotations

from host_tools.importers.ncnn.context import Operator
from host_tools.importers.ncnn.operators import (
    dense,
    elementwise,
    layer_norms,
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
    "CumulativeSum": Operator(reshaping.cumulative_sum),
    "Dropout": Operator(elementwise.dropout),
    "Eltwise": Operator(elementwise.eltwise, inputs=(2, _MANY)),
    "ELU": Operator(elementwise.elu),
    "Erf": Operator(elementwise.erf),
    "Flatten": Operator(reshaping.flatten),
    "GELU": Operator(elementwise.gelu),
    "GroupNorm": Operator(layer_norms.group_norm, layer_norms.group_norm_weights),
    "HardSigmoid": Operator(elementwise.hard_sigmoid),
    "HardSwish": Operator(elementwise.hard_swish),
    "InnerProduct": Operator(dense.inner_product, dense.inner_product_weights),
    "InstanceNorm": Operator(layer_norms.instance_norm, layer_norms.instance_norm_weights),
    "Interp": Operator(resizing.interp),
    "LayerNorm": Operator(layer_norms.layer_norm, layer_norms.layer_norm_weights),
    "Mish": Operator(elementwise.mish),
    "Noop": Operator(reshaping.noop),
    "Padding": Operator(moving.padding),
    "Permute": Operator(reshaping.permute),
    "PixelShuffle": Operator(reshaping.pixel_shuffle),
    "Pooling": Operator(windows.pooling),
    "PReLU": Operator(elementwise.prelu, elementwise.prelu_weights),
    "ReLU": Operator(elementwise.relu),
    "Reshape": Operator(reshaping.reshape),
    "RMSNorm": Operator(layer_norms.layer_norm, layer_norms.layer_norm_weights),
    "Scale": Operator(normalizing.scale, normalizing.scale_weights),
    "SELU": Operator(elementwise.selu),
    "Shrink": Operator(elementwise.shrink),
    "ShuffleChannel": Operator(reshaping.shuffle_channel),
    "Sigmoid": Operator(elementwise.sigmoid),
    "Slice": Operator(moving.slice_, outputs=(1, _MANY)),
    "Softmax": Operator(normalizing.softmax),
    "Softplus": Operator(elementwise.softplus),
    "Split": Operator(reshaping.split, outputs=(1, _MANY)),
    "Swish": Operator(elementwise.swish),
    "TanH": Operator(elementwise.tanh),
    "UnaryOp": Operator(elementwise.unary_op),
}
