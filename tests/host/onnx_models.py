"""Small ONNX models, a few for each operator: name -> how it is written at an opset.

A model's input is `x` unless a case says otherwise; its last node's outputs are the graph's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Constants = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...] | tuple[int | str, ...]]

IMAGE: Shapes = {"x": (1, 3, 7, 6)}
_IR_VERSION = 8


@cache
def newest_opset() -> int:
    """The newest opset that both onnx and onnxruntime know."""
    import onnxruntime

    for opset in range(onnx.defs.onnx_opset_version(), 0, -1):
        probe = model([node("Relu", "x", "y")], IMAGE, opset=opset)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            onnxruntime.InferenceSession(probe.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except onnxruntime.capi.onnxruntime_pybind11_state.Fail:
            continue
        return opset
    raise RuntimeError("onnxruntime knows no opset of this onnx package")


def node(op: str, inputs: str, outputs: str, **attributes: object) -> NodeProto:
    """A node from names apart by spaces; `-` is an input that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, outputs.split(), name=f"{op} of {inputs.split()[0]}", **attributes)


def model(
    nodes: list[NodeProto],
    inputs: Shapes,
    constants: Constants | None = None,
    *,
    opset: int = 17,
    outputs: list[str] | None = None,
) -> ModelProto:
    names = outputs if outputs is not None else [name for name in nodes[-1].output if name]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names],
        [numpy_helper.from_array(np.asarray(data), name) for name, data in (constants or {}).items()],
    )
    for output in graph.output:  # without a shape: the runtimes infer it
        output.type.tensor_type.ClearField("shape")
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = _IR_VERSION
    return made


def floats(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


Case = Callable[[int], ModelProto]


def _one(
    op: str, inputs: Shapes = IMAGE, constants: Constants | None = None, since: int = 7, **attributes: object
) -> tuple[int, Case]:
    """One node that reads the inputs and the constants in order, written alike at every opset from `since`
    on.
    """

    def build(opset: int) -> ModelProto:
        names = [*inputs, *(constants or {})]
        return model([node(op, " ".join(names), "y", **attributes)], inputs, constants, opset=opset)

    return since, build


def _axes(
    op: str, axes: tuple[int, ...], change: int, inputs: Shapes = IMAGE, **attributes: object
) -> tuple[int, Case]:
    """One node whose axes are an attribute before opset `change` and an input since."""

    def build(opset: int) -> ModelProto:
        if opset < change:
            return model([node(op, "x", "y", axes=axes, **attributes)], inputs, opset=opset)
        return model([node(op, "x axes", "y", **attributes)], inputs, {"axes": ints(*axes)}, opset=opset)

    return 7, build


def _clip(lo: float | None, hi: float | None) -> tuple[int, Case]:
    def build(opset: int) -> ModelProto:
        if opset < 11:
            bounds = {name: value for name, value in (("min", lo), ("max", hi)) if value is not None}
            return model([node("Clip", "x", "y", **bounds)], IMAGE, opset=opset)
        given = {n: np.float32(v) for n, v in (("lo", lo), ("hi", hi)) if v is not None}
        names = f"x {'lo' if lo is not None else '-'} {'hi' if hi is not None else '-'}"
        return model([node("Clip", names, "y")], IMAGE, given, opset=opset)

    return 7, build


def _slice(starts: tuple, ends: tuple, axes: tuple, steps: tuple | None = None) -> tuple[int, Case]:
    def build(opset: int) -> ModelProto:
        if opset < 10:
            return model([node("Slice", "x", "y", starts=starts, ends=ends, axes=axes)], IMAGE, opset=opset)
        constants = {"starts": ints(*starts), "ends": ints(*ends), "axes": ints(*axes)}
        if steps:
            constants["steps"] = ints(*steps)
        return model([node("Slice", " ".join(["x", *constants]), "y")], IMAGE, constants, opset=opset)

    return (10 if steps else 7), build


def _split(sizes: tuple[int, ...] | None, axis: int, count: int) -> tuple[int, Case]:
    outputs = " ".join(f"y{i}" for i in range(count))

    def build(opset: int) -> ModelProto:
        shape: Shapes = {"x": (1, 6, 4, 8)}
        if sizes is None:
            more: dict[str, object] = {"num_outputs": count} if opset >= 18 else {}
            return model([node("Split", "x", outputs, axis=axis, **more)], shape, opset=opset)
        if opset < 13:
            return model([node("Split", "x", outputs, axis=axis, split=sizes)], shape, opset=opset)
        return model([node("Split", "x sizes", outputs, axis=axis)], shape, {"sizes": ints(*sizes)}, opset=opset)

    return 7, build


def _pad(pads: tuple[int, ...], mode: str = "constant", value: float = 0.5) -> tuple[int, Case]:
    def build(opset: int) -> ModelProto:
        if opset < 11:
            return model([node("Pad", "x", "y", pads=pads, mode=mode, value=value)], IMAGE, opset=opset)
        constants: Constants = {"pads": ints(*pads), "value": np.float32(value)}
        return model([node("Pad", "x pads value", "y", mode=mode)], IMAGE, constants, opset=opset)

    return 7, build


def _resize(
    scales: tuple[float, ...] | None, sizes: tuple[int, ...] | None = None, **attributes: object
) -> tuple[int, Case]:
    def build(opset: int) -> ModelProto:
        constants: Constants = {"roi": np.zeros(0, np.float32)}
        if scales is not None:
            constants["scales"] = np.array(scales, np.float32)
            return model([node("Resize", "x roi scales", "y", **attributes)], IMAGE, constants, opset=opset)
        constants.update(scales=np.zeros(0, np.float32), sizes=ints(*(sizes or ())))
        names = "x roi scales sizes" if opset < 13 else "x - - sizes"
        return model([node("Resize", names, "y", **attributes)], IMAGE, constants, opset=opset)

    return 11, build


def _upsample(mode: str) -> tuple[int, Case]:
    """Gone since opset 10, where Resize without coordinate modes took its place for one version."""

    def build(opset: int) -> ModelProto:
        scales = [1.0, 1.0, 2.0, 3.0]
        if opset < 9:
            return model([node("Upsample", "x", "y", mode=mode, scales=scales)], IMAGE, opset=opset)
        op, used = ("Upsample", 9) if opset < 10 else ("Resize", 10)
        return model([node(op, "x s", "y", mode=mode)], IMAGE, {"s": np.array(scales, np.float32)}, opset=used)

    return 7, build


def _transposed(opset: int) -> ModelProto:
    """A transposition of five axes none of which stays beside its neighbour."""
    nodes = [
        node("Reshape", "x s", "r"),
        node("Transpose", "r", "t", perm=(4, 2, 0, 3, 1)),
        node("Relu", "t", "y"),
    ]
    return model(nodes, {"x": (1, 6, 4, 10)}, {"s": ints(2, 3, 4, 2, 5)}, opset=opset)


def _cast_like(opset: int) -> ModelProto:
    """As decomposed functions have it: a constant of the type of a blob."""
    return model([node("CastLike", "k x", "one"), node("Add", "x one", "y")], IMAGE, {"k": np.int64(1)}, opset=opset)


def _cast(opset: int) -> ModelProto:
    """To integers and back."""
    nodes = [
        node("Mul", "x k", "m"),
        node("Cast", "m", "i", to=int(TensorProto.INT32)),
        node("Cast", "i", "y", to=int(TensorProto.FLOAT)),
    ]
    return model(nodes, IMAGE, {"k": np.float32(40)}, opset=opset)


def _index(op: str, since: int = 7, **attributes: object) -> tuple[int, Case]:
    """An operator whose result is indices, made float32 again."""

    def build(opset: int) -> ModelProto:
        nodes = [node(op, "x", "i", **attributes), node("Cast", "i", "y", to=int(TensorProto.FLOAT))]
        return model(nodes, IMAGE, opset=opset)

    return since, build


def _dropout(opset: int) -> ModelProto:
    nodes = [
        node("Relu", "x", "r"),
        node("Dropout", "r", "d"),
        node("Identity", "d", "i"),
        node("Sigmoid", "i", "y"),
    ]
    return model(nodes, IMAGE, opset=opset)


def _unsqueezed_gather(opset: int) -> ModelProto:
    """What exporters write for `x.view(x.shape[0], -1)`."""
    if opset < 13:
        unsqueeze = node("Unsqueeze", "g", "u", axes=[0])
    else:
        unsqueeze = node("Unsqueeze", "g zero", "u")
    nodes = [
        node("Relu", "x", "r"),
        node("Shape", "r", "s"),
        node("Gather", "s first", "g"),
        unsqueeze,
        node("Concat", "u rest", "c", axis=0),
        node("Reshape", "r c", "y"),
    ]
    return model(nodes, IMAGE, {"first": np.int64(0), "zero": ints(0), "rest": ints(-1)}, opset=opset)


def _constant_node(opset: int) -> ModelProto:
    value = numpy_helper.from_array(floats(3, 1, 1))
    nodes = [
        helper.make_node("Constant", [], ["k"], value=value),
        node("Sqrt", "four", "two"),
        node("Mul", "k two", "k2"),
    ]
    return model([*nodes, node("Add", "x k2", "y")], IMAGE, {"four": np.float32(4)}, opset=opset)


def _conv_norm_relu(opset: int) -> ModelProto:
    """What the passes fold: padding, batch normalisation, arithmetic, activations around convolutions."""
    constants: Constants = {
        "w": floats(4, 3, 3, 3), "b": floats(4), "s": floats(4), "o": floats(4), "m": floats(4),
        "v": np.abs(floats(4)) + 0.5, "w2": floats(4, 1, 3, 3), "k": floats(4, 1, 1),
        "w3": floats(5, 4, 1, 1),
    }  # fmt: skip
    pads = (0, 0, 1, 2, 0, 0, 1, 2)
    pad = node("Pad", "x", "p", pads=pads) if opset < 11 else node("Pad", "x pads", "p")
    nodes = [
        pad,
        node("Conv", "p w b", "c"),
        node("BatchNormalization", "c s o m v", "n"),
        node("Relu", "n", "r"),
        node("Conv", "r w2", "d", group=4, pads=(1, 1, 1, 1)),
        node("Sub", "k d", "e"),
        node("LeakyRelu", "e", "l"),
        node("Conv", "l w3", "f"),
        node("Add", "f f", "y"),
    ]
    return model(nodes, IMAGE, constants | {"pads": ints(*pads)}, opset=opset)


_NORM: Constants = {"s": floats(3), "b": floats(3), "m": floats(3), "v": np.abs(floats(3)) + 0.5}
_SIGNAL: Shapes = {"x": (1, 3, 9)}
_TWO: Shapes = {"x": (1, 3, 7, 6), "z": (1, 3, 7, 6)}
_GATE: Shapes = {"x": (1, 3, 7, 6), "z": (1, 3, 1, 1)}
_ROW: Shapes = {"x": (1, 12)}
_ROWS: Shapes = {"x": (5, 12)}

# Name -> (the first opset it can be written at, how it is written).
CASES: dict[str, tuple[int, Case]] = {
    "conv": _one("Conv", constants={"w": floats(4, 3, 3, 2), "b": floats(4)}, pads=(1, 0, 2, 1), strides=(2, 1)),
    "conv without bias, dilated": _one("Conv", constants={"w": floats(4, 3, 3, 3)}, dilations=(2, 1)),
    "conv same upper": _one("Conv", constants={"w": floats(4, 3, 2, 3)}, auto_pad="SAME_UPPER", strides=(2, 2)),
    "conv same lower": _one("Conv", constants={"w": floats(4, 3, 2, 4)}, auto_pad="SAME_LOWER"),
    "conv valid": _one("Conv", constants={"w": floats(4, 3, 2, 4)}, auto_pad="VALID"),
    "conv depthwise": _one("Conv", constants={"w": floats(6, 1, 3, 3), "b": floats(6)}, group=3, pads=(1, 1, 1, 1)),
    "conv 1-D": _one("Conv", _SIGNAL, {"w": floats(4, 3, 3), "b": floats(4)}, pads=(1, 2), strides=(2,)),
    "gemm": _one("Gemm", _ROW, {"w": floats(12, 5), "c": floats(5)}, alpha=0.5, beta=2.0),
    "gemm transB": _one("Gemm", _ROW, {"w": floats(5, 12), "c": floats(5)}, transB=1),
    "gemm of rows": _one("Gemm", _ROWS, {"w": floats(5, 12), "c": floats(5, 5)}, transB=1),
    "gemm with one summand": _one("Gemm", _ROWS, {"w": floats(12, 4), "c": floats(1)}),
    "matmul": _one("MatMul", _ROW, {"w": floats(12, 5)}),
    "matmul of rows": _one("MatMul", {"x": (1, 4, 6)}, {"w": floats(6, 5)}),
    "matmul of stacked rows": _one("MatMul", {"x": (1, 2, 4, 6)}, {"w": floats(6, 5)}),
    "max pool": _one("MaxPool", kernel_shape=(3, 2), strides=(2, 2), pads=(1, 0, 1, 1)),
    "max pool ceil": _one("MaxPool", since=10, kernel_shape=(2, 4), strides=(2, 3), ceil_mode=1),
    "max pool dilated": _one("MaxPool", since=10, kernel_shape=(2, 2), dilations=(2, 3)),
    "max pool 1-D": _one("MaxPool", _SIGNAL, kernel_shape=(2,), strides=(2,)),
    "average pool": _one("AveragePool", kernel_shape=(3, 3), strides=(2, 2), pads=(1, 1, 1, 1)),
    "average pool counting pads": _one("AveragePool", kernel_shape=(3, 2), pads=(1, 1, 0, 0), count_include_pad=1),
    "average pool ceil": _one("AveragePool", since=10, kernel_shape=(2, 4), strides=(2, 3), ceil_mode=1),
    "average pool same": _one("AveragePool", kernel_shape=(2, 3), strides=(2, 2), auto_pad="SAME_UPPER"),
    "global average pool": _one("GlobalAveragePool"),
    "global max pool": _one("GlobalMaxPool"),
    "global average pool 1-D": _one("GlobalAveragePool", _SIGNAL),
    "mean over h, w": _axes("ReduceMean", (2, 3), 18, keepdims=0),
    "mean over h, w, kept": _axes("ReduceMean", (-1, -2), 18, keepdims=1),
    "mean over h": _axes("ReduceMean", (2,), 18, keepdims=0),
    "max over w": _axes("ReduceMax", (3,), 18),
    "relu": _one("Relu"),
    "leaky relu": _one("LeakyRelu", alpha=0.3),
    "prelu with one slope": _one("PRelu", constants={"a": floats(1, 1, 1)}, since=9),
    "sigmoid": _one("Sigmoid"),
    "clip to 6": _clip(0.0, 0.6),
    "clip below": _clip(-0.2, None),
    "clip above": _clip(None, 0.3),
    "clip at 0": _clip(0.0, None),
    "batch norm": _one("BatchNormalization", constants=_NORM, epsilon=0.01),
    "batch norm of a signal": _one("BatchNormalization", _SIGNAL, _NORM),
    "batch norm of a row": _one("BatchNormalization", {"x": (1, 3)}, _NORM),
    "add": _one("Add", _TWO),
    "sub gate": _one("Sub", _GATE),
    "mul gate": _one("Mul", {"z": (1, 3, 1, 1), "x": (1, 3, 7, 6)}),
    "div by a constant": _one("Div", constants={"k": floats(3, 1, 1) + 3}),
    "add a row": _one("Add", constants={"k": floats(6)}),
    "add a scalar": _one("Add", constants={"k": np.float32(0.7)}),
    "pow": _one("Pow", constants={"k": np.float32(2)}),
    "max of two": _one("Max", _TWO, since=8),
    "min with a constant": _one("Min", constants={"k": floats(3, 1, 1)}, since=8),
    "sum of three": _one("Sum", _TWO, {"k": floats(3, 1, 1)}, since=8),
    "sum of one": _one("Sum"),
    "concat channels": _one("Concat", {"x": (1, 3, 5, 5), "z": (1, 2, 5, 5)}, axis=1),
    "concat rows": _one("Concat", {"x": (1, 3, 5, 5), "z": (1, 3, 2, 5)}, axis=2),
    "concat columns": _one("Concat", {"x": (1, 5), "z": (1, 2)}, axis=1),
    "split": _split((1, 2, 3), 1, 3),
    "split evenly": _split(None, 3, 2),
    "split rows": _split((1, 3), 2, 2),
    "slice": _slice((1, 2), (3, 100), (1, 3)),
    "slice from the end": _slice((-3,), (-1,), (2,)),
    "slice with steps": _slice((0, 1), (7, 6), (2, 3), (2, 3)),
    "slice one": _slice((4,), (5,), (2,), (3,)),
    "pad": _pad((0, 0, 1, 2, 0, 0, 0, 3)),
    "pad channels": _pad((0, 1, 0, 0, 0, 2, 0, 0)),
    "pad edge": _pad((0, 0, 1, 2, 0, 0, 3, 0), "edge"),
    "pad reflect": _pad((0, 0, 1, 2, 0, 0, 3, 4), "reflect"),
    "resize nearest": _resize((1, 1, 2, 2), mode="nearest"),
    "resize nearest floor": _resize((1, 1, 2, 3), nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
    "resize nearest down": _resize((1, 1, 0.6, 0.5), nearest_mode="ceil"),
    "resize linear": _resize((1, 1, 2, 1.5), mode="linear"),
    "resize linear to a size": _resize(None, (1, 3, 5, 11), mode="linear"),
    "resize align corners": _resize((1, 1, 2, 2), mode="linear", coordinate_transformation_mode="align_corners"),
    "resize pytorch": _resize((1, 1, 2, 0.2), mode="linear", coordinate_transformation_mode="pytorch_half_pixel"),
    "resize asymmetric": _resize((1, 1, 2, 2), mode="linear", coordinate_transformation_mode="asymmetric"),
    "upsample nearest": _upsample("nearest"),
    "upsample linear": _upsample("linear"),
    "reshape": _one("Reshape", constants={"s": ints(0, -1, 2)}),
    "flatten": _one("Flatten"),
    "flatten from 2": _one("Flatten", axis=2),
    "squeeze": _axes("Squeeze", (0, 2), 13, {"x": (1, 3, 1, 5)}),
    "unsqueeze": _axes("Unsqueeze", (1, 3), 13, {"x": (3, 5)}),
    "transpose": _one("Transpose", perm=(0, 2, 3, 1)),
    "transpose reversed": _one("Transpose"),
    "softmax of a row": _one("Softmax", _ROW),
    "softmax of channels": _one("Softmax", axis=1),
    "softmax of rows": _one("Softmax", axis=-1),
    **{
        f"function {op}": _one(op)
        for op in (
            "Abs",
            "Ceil",
            "Cos",
            "Elu",
            "Erf",
            "Exp",
            "Floor",
            "HardSigmoid",
            "Neg",
            "Reciprocal",
            "Selu",
            "Sign",
            "Sin",
            "Sinh",
            "Softplus",
            "Softsign",
            "Tan",
            "Tanh",
            "Atan",
            "Cosh",
            "Asinh",
            "Asin",
            "Acos",
            "Atanh",
        )
        if op not in ("Erf", "Sign", "Sinh", "Cosh", "Asinh", "Atanh")
    },
    **{f"function {op}": _one(op, since=9) for op in ("Erf", "Sign", "Sinh", "Cosh", "Asinh", "Atanh", "Shrink")},
    "function Round": _one("Round", since=11),
    "function Celu": _one("Celu", since=12, alpha=0.7),
    "function ThresholdedRelu": _one("ThresholdedRelu", since=10, alpha=0.2),
    "function HardSwish": _one("HardSwish", since=14),
    "function Mish": _one("Mish", since=18),
    "function Gelu": _one("Gelu", since=20),
    "function Gelu by tanh": _one("Gelu", since=20, approximate="tanh"),
    "functions that need positive numbers": (
        9,
        lambda opset: model(
            [
                node("Abs", "x", "a"),
                node("Add", "a k", "b"),
                node("Sqrt", "b", "c"),
                node("Log", "b", "d"),
                node("Acosh", "b", "e"),
                node("Sum", "c d e", "y"),
            ],
            IMAGE,
            {"k": np.float32(1.5)},
            opset=opset,
        ),
    ),
    **{
        f"reduce {op} of {axes}": _axes(op, axes, 13 if op == "ReduceSum" else 18)
        for op in (
            "ReduceSum",
            "ReduceMin",
            "ReduceProd",
            "ReduceL1",
            "ReduceL2",
            "ReduceSumSquare",
            "ReduceLogSumExp",
            "ReduceMean",
            "ReduceMax",
        )
        for axes in ((1,), (1, 3))
    },
    "reduce log of the sum": (
        9,
        lambda opset: model([node("Abs", "x", "a"), node("ReduceLogSum", "a", "y")], IMAGE, opset=opset),
    ),
    "reduce all axes": _axes("ReduceSumSquare", (0, 1, 2, 3), 18, keepdims=0),
    "reduce axes of one element": _axes("ReduceL2", (0,), 18, keepdims=0),
    "arg max": _index("ArgMax", axis=1),
    "arg min without the axis": _index("ArgMin", axis=-1, keepdims=0),
    "cast to int32 and back": (9, _cast),
    "cast like": (15, _cast_like),
    "depth to space": _one("DepthToSpace", {"x": (1, 12, 3, 4)}, blocksize=2),
    "depth to space crd": _one("DepthToSpace", {"x": (1, 12, 3, 4)}, since=11, blocksize=2, mode="CRD"),
    "space to depth": _one("SpaceToDepth", {"x": (1, 3, 4, 6)}, blocksize=2),
    "transpose of five axes": (7, _transposed),
    "transposed convolution": _one(
        "ConvTranspose",
        constants={"w": floats(3, 4, 3, 2), "b": floats(4)},
        pads=(1, 0, 0, 1),
        strides=(2, 3),
        output_padding=(1, 0),
    ),
    "transposed convolution in groups": _one(
        "ConvTranspose", {"x": (1, 6, 4, 5)}, {"w": floats(6, 2, 2, 3)}, group=3, dilations=(2, 1)
    ),
    "transposed convolution of a size": _one(
        "ConvTranspose", constants={"w": floats(3, 2, 3, 3)}, strides=(2, 2), output_shape=(14, 13)
    ),
    "transposed convolution 1-D": _one("ConvTranspose", _SIGNAL, {"w": floats(3, 4, 3)}, strides=(2,), pads=(1, 1)),
    "layer norm": _one("LayerNormalization", {"x": (1, 5, 12)}, {"s": floats(12), "b": floats(12, seed=4)}, since=17),
    "layer norm of three axes": _one("LayerNormalization", constants={"s": floats(3, 7, 6)}, since=17, axis=1),
    "rms norm": _one("RMSNormalization", {"x": (1, 5, 12)}, {"s": floats(12)}, since=23, epsilon=0.01),
    "instance norm": _one("InstanceNormalization", constants={"s": floats(3), "b": floats(3, seed=4)}),
    "group norm": _one(
        "GroupNormalization",
        {"x": (1, 6, 4, 5)},
        {"s": floats(6), "b": floats(6, seed=4)},
        since=21,
        num_groups=2,
        epsilon=0.01,
    ),
    "l2 norm": _one("LpNormalization", axis=1),
    "l1 norm": _one("LpNormalization", axis=2, p=1),
    "log softmax": _one("LogSoftmax", axis=1),
    "softmax of a folded axis": _one("Softmax", {"x": (2, 3, 4, 5)}, since=13, axis=1),
    "mean of three": _one("Mean", _TWO, {"k": floats(3, 1, 1)}, since=8),
    "expand": _one("Expand", {"x": (3, 1, 5)}, {"s": ints(2, 1, 4, 1)}, since=8),
    "tile": _one("Tile", constants={"t": ints(1, 2, 1, 3)}),
    "gather": _one("Gather", constants={"i": np.array([[0, 2], [4, 1], [1, -1]])}, since=11, axis=2),
    "gather one": _one("Gather", constants={"i": np.int64(1)}, axis=1),
    "prelu of channels": _one("PRelu", constants={"a": floats(3, 1, 1)}, since=9),
    "matmul of blobs": _one("MatMul", {"x": (1, 2, 4, 6), "z": (1, 2, 6, 3)}),
    "matmul with one matrix on the left": _one("MatMul", {"x": (2, 3, 4)}, {"m": floats(4, 5)}),
    "matmul with a vector": _one("MatMul", {"x": (3, 4), "z": (4,)}),
    "gemm of blobs": _one("Gemm", {"x": (4, 3), "z": (5, 4), "u": (3, 5)}, transA=1, transB=1, alpha=0.5, beta=2.0),
    "dropout and identity": (7, _dropout),
    "computed shape": (7, _unsqueezed_gather),
    "computed constant": (7, _constant_node),
    "conv, batch norm, relu": (7, _conv_norm_relu),
}
