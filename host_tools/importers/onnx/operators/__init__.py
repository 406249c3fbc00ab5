"""The table of ONNX operators: its name in ONNX -> the function that adds its layers to the graph."""

from __future__ import annotations

from host_tools.importers.onnx.context import Handler
from host_tools.importers.onnx.operators import (
    dense,
    elementwise,
    moving,
    normalizing,
    reshaping,
    resizing,
    windows,
)

TABLE: dict[str, Handler] = {
    "Add": elementwise.binary,
    "AveragePool": windows.average_pool,
    "BatchNormalization": normalizing.batch_normalization,
    "Clip": elementwise.clip,
    "Concat": moving.concat,
    "Conv": windows.conv,
    "Div": elementwise.binary,
    "Dropout": reshaping.dropout,
    "Flatten": reshaping.reshape,
    "Gemm": dense.gemm,
    "GlobalAveragePool": windows.global_pool,
    "GlobalMaxPool": windows.global_pool,
    "Identity": reshaping.identity,
    "LeakyRelu": elementwise.leaky_relu,
    "MatMul": dense.mat_mul,
    "Max": elementwise.variadic,
    "MaxPool": windows.max_pool,
    "Min": elementwise.variadic,
    "Mul": elementwise.binary,
    "Pad": moving.pad,
    "Pow": elementwise.binary,
    "PRelu": elementwise.p_relu,
    "ReduceMax": windows.reduce,
    "ReduceMean": windows.reduce,
    "Relu": elementwise.relu,
    "Reshape": reshaping.reshape,
    "Resize": resizing.resize,
    "Sigmoid": elementwise.sigmoid,
    "Slice": moving.slice_,
    "Softmax": normalizing.softmax,
    "Split": moving.split,
    "Squeeze": reshaping.reshape,
    "Sub": elementwise.binary,
    "Sum": elementwise.variadic,
    "Transpose": reshaping.transpose,
    "Unsqueeze": reshaping.reshape,
    "Upsample": resizing.upsample,
}
