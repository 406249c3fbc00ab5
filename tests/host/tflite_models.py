"""Small TFLite models, one operator each: name -> the file's content. A name begins with its operator's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.host.more_layers import ALL_OPERATORS, MoreLayers
from tests.models.tflite_builder import TFLiteModel

Operand = tuple[int, ...] | np.ndarray  # the shape of an input, or a constant
Options = dict[str, int | float | bool]

INPUT_SCALE, INPUT_ZERO = 0.05, 3
OUTPUT_SCALE, OUTPUT_ZERO = 0.08, -5
WEIGHT_SCALE = 0.02
IMAGE = (1, 6, 5, 4)
_SAME_SCALE = frozenset(
    "AVERAGE_POOL_2D CAST CONCATENATION DEPTH_TO_SPACE EXPAND_DIMS MAXIMUM MAX_POOL_2D MINIMUM MIRROR_PAD "
    "PACK PAD PADV2 REDUCE_MAX RESHAPE RESIZE_NEAREST_NEIGHBOR SLICE SPACE_TO_DEPTH SPLIT SPLIT_V SQUEEZE "
    "STRIDED_SLICE TRANSPOSE UNPACK".split()
)  # operators whose int8 output has the scale of their input
_FIXED_SCALE = {"SOFTMAX": (1 / 256, -128), "LOGISTIC": (1 / 256, -128), "TANH": (1 / 128, 0)}
_TYPES = {"float32": "FLOAT32", "int8": "INT8", "int32": "INT32", "float16": "FLOAT16", "uint8": "UINT8"}


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    """A float32 constant."""
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def model(
    kind: str,
    inputs: Sequence[Operand],
    outputs: Sequence[tuple[int, ...]],
    table: str = "",
    dtype: str = "FLOAT32",
    **options: int | float | bool,
) -> bytes:
    """A model of one operator. With dtype INT8 float32 constants are quantised and blobs have scales."""
    made = TFLiteModel()
    int8 = dtype == "INT8"
    operands, blobs = [], []
    for given in inputs:
        if isinstance(given, np.ndarray) and int8 and given.dtype == np.float32:
            data = np.clip(np.round(given / INPUT_SCALE) + INPUT_ZERO, -128, 127).astype(np.int8)
            operands.append(made.tensor(data.shape, "INT8", INPUT_SCALE, INPUT_ZERO, data=data))
        elif isinstance(given, np.ndarray):
            operands.append(made.tensor(given.shape, _TYPES[str(given.dtype)], data=given))
        else:
            scale = (INPUT_SCALE, INPUT_ZERO) if int8 else (None, 0)
            operands.append(made.tensor(given, dtype, *scale))
            blobs.append(operands[-1])
    scale, zero = _FIXED_SCALE.get(kind, (OUTPUT_SCALE, OUTPUT_ZERO))
    if kind in _SAME_SCALE:
        scale, zero = INPUT_SCALE, INPUT_ZERO
    results = [made.tensor(shape, dtype, scale if int8 else None, zero if int8 else 0) for shape in outputs]
    made.operator(kind, operands, results, table, **options)
    return made.build(blobs, results)


def weighted(
    kind: str,
    shape: tuple[int, ...],
    weight: tuple[int, ...],
    output: tuple[int, ...],
    table: str,
    dtype: str,
    axis: int,
    *,
    per_channel: bool = True,
    bias: bool = True,
    **options: int | float | bool,
) -> bytes:
    """A model of one operator with weights, whose outputs lie along `axis` of them."""
    made, random = TFLiteModel(), np.random.default_rng(1)
    count = weight[axis]
    if dtype == "INT8":
        scales = WEIGHT_SCALE * (1 + np.arange(count) / count) if per_channel else WEIGHT_SCALE
        x = made.tensor(shape, "INT8", INPUT_SCALE, INPUT_ZERO)
        data = random.integers(-127, 128, weight).astype(np.int8)
        w = made.tensor(weight, "INT8", scales, 0, axis, data)
        summand = random.integers(-1000, 1000, count).astype(np.int32)
        b = made.tensor((count,), "INT32", np.asarray(scales) * INPUT_SCALE, 0, 0, summand) if bias else -1
        y = made.tensor(output, "INT8", 0.5, OUTPUT_ZERO)
    else:
        x = made.tensor(shape, "FLOAT32")
        w = made.tensor(weight, "FLOAT32", data=numbers(*weight, seed=1))
        b = made.tensor((count,), "FLOAT32", data=numbers(count, seed=2)) if bias else -1
        y = made.tensor(output, "FLOAT32")
    made.operator(kind, [x, w, b], [y], table, **options)
    return made.build([x], [y])


def conv(dtype: str = "FLOAT32", **changes: int | bool) -> bytes:
    options = {"Padding": 0, "StrideH": 2, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1} | changes
    return weighted("CONV_2D", IMAGE, (8, 3, 2, 4), (1, 3, 5, 8), "Conv2DOptions", dtype, 0, **options)


def grouped(dtype: str) -> bytes:
    options = {"Padding": 1, "StrideH": 1, "StrideW": 1, "DilationHFactor": 2, "DilationWFactor": 1}
    return weighted("CONV_2D", IMAGE, (6, 3, 3, 2), (1, 2, 3, 6), "Conv2DOptions", dtype, 0, **options)


def depthwise(dtype: str) -> bytes:
    options = {"Padding": 0, "StrideH": 2, "StrideW": 2, "DepthMultiplier": 2, "FusedActivationFunction": 3}
    return weighted(
        "DEPTHWISE_CONV_2D", IMAGE, (1, 3, 3, 8), (1, 3, 3, 8), "DepthwiseConv2DOptions", dtype, 3, **options
    )


def dense(
    dtype: str, shape: tuple[int, ...], output: tuple[int, ...], *, keep: bool = False, bias: bool = True
) -> bytes:
    options = {"FusedActivationFunction": 1, "KeepNumDims": keep}
    weight = (output[-1], shape[-1] if keep or len(shape) == 2 else int(np.prod(shape)) // output[0])
    table = "FullyConnectedOptions"
    return weighted("FULLY_CONNECTED", shape, weight, output, table, dtype, 0, per_channel=False, bias=bias, **options)


_CONCAT = "ConcatenationOptions"
_POOL: Options = {"Padding": 0, "StrideH": 2, "StrideW": 2, "FilterHeight": 3, "FilterWidth": 3}
_PADS = np.array([[0, 0], [1, 2], [2, 1], [0, 0]], np.int32)
_ALL_PADS = np.array([[1, 0], [1, 2], [2, 1], [0, 3]], np.int32)
_SLICED: Options = {"BeginMask": 1, "EndMask": 3, "ShrinkAxisMask": 0}

# For each: operator, inputs, outputs, name of the options, options. Made in float32 and in int8.
_BOTH: dict[str, tuple[str, Sequence[Operand], Sequence[tuple[int, ...]], str, Options]] = {
    "ADD": ("ADD", [IMAGE, IMAGE], [IMAGE], "AddOptions", {"FusedActivationFunction": 1}),
    "ADD row": ("ADD", [IMAGE, numbers(4)], [IMAGE], "AddOptions", {}),
    "AVERAGE_POOL_2D": ("AVERAGE_POOL_2D", [IMAGE], [(1, 3, 3, 4)], "Pool2DOptions", _POOL),
    "CAST": ("CAST", [IMAGE], [IMAGE], "CastOptions", {}),
    "CONCATENATION c": ("CONCATENATION", [IMAGE, (1, 6, 5, 3)], [(1, 6, 5, 7)], _CONCAT, {"Axis": -1}),
    "CONCATENATION h": ("CONCATENATION", [IMAGE, (1, 2, 5, 4)], [(1, 8, 5, 4)], _CONCAT, {"Axis": 1}),
    "CONCATENATION n": ("CONCATENATION", [IMAGE, IMAGE], [(2, 6, 5, 4)], _CONCAT, {"Axis": 0}),
    "DEPTH_TO_SPACE": ("DEPTH_TO_SPACE", [(1, 2, 3, 8)], [(1, 4, 6, 2)], "DepthToSpaceOptions",
                       {"BlockSize": 2}),
    "ELU": ("ELU", [IMAGE], [IMAGE], "", {}),
    "EXPAND_DIMS": ("EXPAND_DIMS", [(6, 5, 4), ints(0)], [IMAGE], "ExpandDimsOptions", {}),
    "HARD_SWISH": ("HARD_SWISH", [IMAGE], [IMAGE], "HardSwishOptions", {}),
    "LEAKY_RELU": ("LEAKY_RELU", [IMAGE], [IMAGE], "LeakyReluOptions", {"Alpha": 0.125}),
    "LOGISTIC": ("LOGISTIC", [IMAGE], [IMAGE], "", {}),
    "MAXIMUM": ("MAXIMUM", [IMAGE, numbers(1, 1, 1, 4)], [IMAGE], "MaximumMinimumOptions", {}),
    "MAX_POOL_2D": ("MAX_POOL_2D", [IMAGE], [(1, 3, 3, 4)], "Pool2DOptions",
                    _POOL | {"FusedActivationFunction": 1}),
    "MEAN": ("MEAN", [IMAGE, ints(1, 2)], [(1, 4)], "ReducerOptions", {"KeepDims": False}),
    "MEAN c": ("MEAN", [IMAGE, ints(-1)], [(1, 6, 5, 1)], "ReducerOptions", {"KeepDims": True}),
    "MINIMUM": ("MINIMUM", [IMAGE, (1, 1, 1, 4)], [IMAGE], "MaximumMinimumOptions", {}),
    "MIRROR_PAD": ("MIRROR_PAD", [IMAGE, _PADS], [(1, 9, 8, 4)], "MirrorPadOptions", {"Mode": 0}),
    "MIRROR_PAD symmetric": ("MIRROR_PAD", [IMAGE, _PADS], [(1, 9, 8, 4)], "MirrorPadOptions", {"Mode": 1}),
    "MUL": ("MUL", [IMAGE, (1, 6, 5, 1)], [IMAGE], "MulOptions", {}),
    "PACK": ("PACK", [(6, 4), (6, 4)], [(6, 2, 4)], "PackOptions", {"Axis": 1, "ValuesCount": 2}),
    "PACK n": ("PACK", [(6, 5, 4), (6, 5, 4)], [(2, 6, 5, 4)], "PackOptions", {"Axis": 0, "ValuesCount": 2}),
    "PAD": ("PAD", [IMAGE, _PADS], [(1, 9, 8, 4)], "PadOptions", {}),
    "PAD all": ("PAD", [IMAGE, _ALL_PADS], [(2, 9, 8, 7)], "PadOptions", {}),
    "PADV2": ("PADV2", [IMAGE, _PADS, numbers(1)], [(1, 9, 8, 4)], "PadV2Options", {}),
    "MEAN kept": ("MEAN", [IMAGE, ints(1, 2)], [(1, 1, 1, 4)], "ReducerOptions", {"KeepDims": True}),
    "REDUCE_MAX": ("REDUCE_MAX", [IMAGE, ints(2)], [(1, 6, 4)], "ReducerOptions", {"KeepDims": False}),
    "RELU": ("RELU", [IMAGE], [IMAGE], "", {}),
    "RELU6": ("RELU6", [IMAGE], [IMAGE], "", {}),
    "RELU_N1_TO_1": ("RELU_N1_TO_1", [IMAGE], [IMAGE], "", {}),
    "RESHAPE": ("RESHAPE", [IMAGE, ints(-1, 20)], [(6, 20)], "ReshapeOptions", {}),
    "RESIZE_NEAREST_NEIGHBOR": ("RESIZE_NEAREST_NEIGHBOR", [IMAGE, ints(10, 3)], [(1, 10, 3, 4)],
                                "ResizeNearestNeighborOptions", {"HalfPixelCenters": True}),
    "RESIZE_NEAREST_NEIGHBOR asymmetric": ("RESIZE_NEAREST_NEIGHBOR", [IMAGE, ints(10, 12)], [(1, 10, 12, 4)],
                                           "ResizeNearestNeighborOptions", {}),
    "SLICE": ("SLICE", [IMAGE, ints(0, 1, 2, 1), ints(1, 3, -1, 2)], [(1, 3, 3, 2)], "SliceOptions", {}),
    "SOFTMAX": ("SOFTMAX", [(2, 10)], [(2, 10)], "SoftmaxOptions", {"Beta": 1.0}),
    "SOFTMAX image": ("SOFTMAX", [IMAGE], [IMAGE], "SoftmaxOptions", {"Beta": 0.5}),
    "SPACE_TO_DEPTH": ("SPACE_TO_DEPTH", [(1, 4, 6, 3)], [(1, 2, 3, 12)], "SpaceToDepthOptions",
                       {"BlockSize": 2}),
    "SPLIT": ("SPLIT", [ints(3), IMAGE], [(1, 6, 5, 2)] * 2, "SplitOptions", {"NumSplits": 2}),
    "SPLIT_V": ("SPLIT_V", [IMAGE, ints(2, -1), ints(1)], [(1, 2, 5, 4), (1, 4, 5, 4)],
                "SplitVOptions", {"NumSplits": 2}),
    "SQUEEZE": ("SQUEEZE", [(1, 6, 1, 4)], [(6, 4)], "SqueezeOptions", {}),
    "STRIDED_SLICE": ("STRIDED_SLICE", [IMAGE, ints(0, -5, 1, 0), ints(1, 0, 5, 4), ints(1, 2, 3, 1)],
                      [(1, 3, 2, 4)], "StridedSliceOptions", _SLICED),
    "STRIDED_SLICE shrink": ("STRIDED_SLICE", [(3, 6, 5, 4), ints(1, 0, 2), ints(2, 6, 5), ints(1, 1, 1)],
                             [(6, 3, 4)], "StridedSliceOptions", {"ShrinkAxisMask": 1}),
    "SUB": ("SUB", [numbers(4), IMAGE], [IMAGE], "SubOptions", {}),
    "SUM": ("SUM", [IMAGE, ints(1, 2)], [(1, 1, 1, 4)], "ReducerOptions", {"KeepDims": True}),
    "TANH": ("TANH", [IMAGE], [IMAGE], "", {}),
    "TRANSPOSE": ("TRANSPOSE", [IMAGE, ints(0, 3, 1, 2)], [(1, 4, 6, 5)], "TransposeOptions", {}),
    "UNPACK": ("UNPACK", [(2, 6, 4)], [(2, 4)] * 6, "UnpackOptions", {"Axis": 1, "Num": 6}),
}  # fmt: skip


def _case(name: str, dtype: str) -> Callable[[], bytes]:
    kind, inputs, outputs, table, options = _BOTH[name]
    return lambda: model(kind, inputs, outputs, table, dtype, **options)


def crossing(kind: str, source: str, target: str) -> bytes:
    """A model of one operator whose output has another type or scale."""
    made = TFLiteModel()
    scales = {"INT8": (INPUT_SCALE, INPUT_ZERO), "FLOAT32": (None, 0)}
    x = made.tensor(IMAGE, source, *scales[source])
    y = made.tensor(IMAGE, target, *((OUTPUT_SCALE, OUTPUT_ZERO) if source == target else scales[target]))
    made.operator(kind, [x], [y], kind.capitalize() + "Options")
    return made.build([x], [y])


def of_squares(kind: str) -> bytes:
    """A model of a function that needs numbers above 0."""
    made = TFLiteModel()
    x, y, z = (made.tensor(IMAGE, "FLOAT32") for _ in range(3))
    made.operator("SQUARE", [x], [y])
    made.operator(kind, [y], [z])
    return made.build([x], [z])


_RESIZED: dict[str, Options] = {
    "half pixel": {"HalfPixelCenters": True},
    "align": {"AlignCorners": True},
    "plain": {},
}


def _random(operator: str, dtype: str) -> bytes:
    """A model of one random layer of an operator that most networks do without."""
    layers = MoreLayers(3, dtype)
    ALL_OPERATORS[operator](layers)
    return layers.build()


def compared(kind: str) -> bytes:
    """A model that chooses between two inputs by a comparison of them, rounded so that some are equal."""
    made = TFLiteModel()
    x, y, z = (made.tensor(shape, "FLOAT32") for shape in (IMAGE, (1, 1, 1, 4), IMAGE))
    squares = made.tensor(IMAGE, "FLOAT32")
    made.operator("SQUARE", [x], [squares])
    x_down, y_down = made.tensor(IMAGE, "FLOAT32"), made.tensor((1, 1, 1, 4), "FLOAT32")
    made.operator("FLOOR", [x], [x_down])
    made.operator("FLOOR", [y], [y_down])
    truth, other = made.tensor(IMAGE, "BOOL"), made.tensor(IMAGE, "BOOL")
    logical = kind.startswith("LOGICAL")
    made.operator("GREATER" if logical or kind.startswith("SELECT") else kind, [x_down, y_down], [truth])
    chosen = truth
    if logical:
        both = [truth] if kind == "LOGICAL_NOT" else [truth, made.tensor(IMAGE, "BOOL")]
        if len(both) == 2:
            made.operator("LESS", [x, made.tensor((1,), "FLOAT32", data=np.float32([2.5]))], [both[1]])
        made.operator(kind, both, [other])
        chosen = other
    made.operator("SELECT" if kind == "SELECT" else "SELECT_V2", [chosen, x, squares], [z])
    return made.build([x, y], [z, chosen])


def looked_up(dtype: str, table: Operand, indices: Operand, output: tuple[int, ...], axis: int) -> bytes:
    """A model that gathers: of an input or a constant, by indices of the run or by constant ones."""
    made = TFLiteModel()
    scale = (INPUT_SCALE, INPUT_ZERO) if dtype == "INT8" else (None, 0)
    operands, blobs = [], []
    for given, kind in ((table, dtype), (indices, "INT32")):
        if isinstance(given, np.ndarray):
            operands.append(made.tensor(given.shape, kind, data=given))
        else:
            operands.append(made.tensor(given, kind, *(scale if kind == dtype else (None, 0))))
            blobs.append(operands[-1])
    y = made.tensor(output, dtype, *scale)
    made.operator("GATHER", operands, [y], "GatherOptions", Axis=axis)
    return made.build(blobs, [y])


def largest(shape: tuple[int, ...], k: int) -> bytes:
    made = TFLiteModel()
    x, values, places = (made.tensor(s, t) for s, t in ((shape, "FLOAT32"), ((*shape[:-1], k), "FLOAT32"),
                                                        ((*shape[:-1], k), "INT32")))  # fmt: skip
    made.operator(
        "TOPK_V2", [x, made.tensor((), "INT32", data=np.array(k, np.int32))], [values, places], "TopKV2Options"
    )
    return made.build([x], [values, places])


def _reduced(kind: str, axes: tuple[int, ...], keep: bool) -> bytes:
    shape = (1, 6, 5, 4)
    out = tuple(1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes)
    return model(kind, [shape, ints(*axes)], [out], "ReducerOptions", KeepDims=keep)


_TABLE = numbers(9, 3, seed=5)

CASES: dict[str, Callable[[], bytes]] = {
    **{
        f"{kind} compared, float32": lambda kind=kind: compared(kind)
        for kind in (
            "EQUAL",
            "GREATER",
            "GREATER_EQUAL",
            "LESS",
            "LESS_EQUAL",
            "LOGICAL_AND",
            "LOGICAL_NOT",
            "LOGICAL_OR",
            "NOT_EQUAL",
            "SELECT",
            "SELECT_V2",
        )
    },
    **{
        f"{kind} over {axes}, float32": lambda kind=kind, axes=axes: _reduced(kind, axes, keep=len(axes) == 2)
        for kind in ("MEAN", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "SUM")
        for axes in ((1, 3), (0, 2), (1,), (3,), (0, 1, 3))
    },
    "GATHER of a constant, float32": lambda: looked_up("FLOAT32", _TABLE, (2, 4), (2, 4, 3), 0),
    "GATHER, float32": lambda: looked_up("FLOAT32", (1, 6, 5, 4), (3,), (1, 6, 3, 4), 2),
    "GATHER channels, float32": lambda: looked_up("FLOAT32", (1, 6, 5, 4), ints(3, 0, 2), (1, 6, 5, 3), 3),
    "GATHER, int8": lambda: looked_up("INT8", (1, 6, 5, 4), (3,), (1, 3, 5, 4), 1),
    "CUMSUM, float32": lambda: model("CUMSUM", [IMAGE, np.array(1, np.int32)], [IMAGE], "CumsumOptions"),
    "CUMSUM backwards, float32": lambda: model(
        "CUMSUM", [(2, 3, 4, 5), np.array(-4, np.int32)], [(2, 3, 4, 5)], "CumsumOptions", Exclusive=True, Reverse=True
    ),
    "TOPK_V2, float32": lambda: largest((1, 3, 9), 4),
    "TOPK_V2 of an image, float32": lambda: largest((2, 3, 2, 7), 7),
    **{
        f"{name}, {dtype.lower()}": lambda name=name, dtype=dtype: _random(name, dtype)
        for name in ALL_OPERATORS
        for dtype in ("FLOAT32", "INT8")
    },
    **{f"{name}, {dtype.lower()}": _case(name, dtype) for name in _BOTH for dtype in ("FLOAT32", "INT8")},
    "CONV_2D, float32": lambda: conv("FLOAT32"),
    "CONV_2D, int8": lambda: conv("INT8", FusedActivationFunction=3),
    "CONV_2D groups, float32": lambda: grouped("FLOAT32"),
    "CONV_2D groups, int8": lambda: grouped("INT8"),
    "DEPTHWISE_CONV_2D, float32": lambda: depthwise("FLOAT32"),
    "DEPTHWISE_CONV_2D, int8": lambda: depthwise("INT8"),
    "FULLY_CONNECTED, float32": lambda: dense("FLOAT32", (1, 3, 2, 4), (1, 7)),
    "FULLY_CONNECTED, int8": lambda: dense("INT8", (1, 3, 2, 4), (1, 7)),
    "FULLY_CONNECTED rows, float32": lambda: dense("FLOAT32", (1, 3, 2, 4), (1, 3, 2, 7), keep=True, bias=False),
    "FULLY_CONNECTED rows, int8": lambda: dense("INT8", (5, 4), (5, 7), bias=False),
    "DIV, float32": lambda: model("DIV", [IMAGE, np.float32([2.0])], [IMAGE], "DivOptions"),
    "POW, float32": lambda: model("POW", [IMAGE, np.float32([2.0])], [IMAGE], "PowOptions"),
    "PRELU alike, float32": lambda: model("PRELU", [IMAGE, np.full((1, 1, 4), 0.25, np.float32)], [IMAGE]),
    **{
        f"{kind}, int8": lambda kind=kind: model(kind, [IMAGE], [IMAGE], dtype="INT8")
        for kind in ("ABS", "EXP", "LOG", "RELU_0_TO_1", "SQRT")
    },
    **{
        f"{kind}, float32": lambda kind=kind: model(kind, [IMAGE], [IMAGE])
        for kind in ("ABS", "CEIL", "COS", "EXP", "FLOOR", "NEG", "ROUND", "SIGN", "SIN", "SQUARE")
    },
    **{f"{kind} of squares, float32": lambda kind=kind: of_squares(kind) for kind in ("LOG", "RSQRT", "SQRT")},
    "GELU, float32": lambda: model("GELU", [IMAGE], [IMAGE], "GeluOptions", Approximate=False),
    "GELU approximate, float32": lambda: model("GELU", [IMAGE], [IMAGE], "GeluOptions", Approximate=True),
    "GELU, int8": lambda: model("GELU", [IMAGE], [IMAGE], "GeluOptions", "INT8", Approximate=True),
    "RELU_0_TO_1, float32": lambda: model("RELU_0_TO_1", [IMAGE], [IMAGE]),
    "QUANTIZE, float32 to int8": lambda: crossing("QUANTIZE", "FLOAT32", "INT8"),
    "QUANTIZE, int8 to int8": lambda: crossing("QUANTIZE", "INT8", "INT8"),
    "DEQUANTIZE, int8": lambda: crossing("DEQUANTIZE", "INT8", "FLOAT32"),
    **{
        f"RESIZE_BILINEAR {name}, float32": lambda options=options: model(
            "RESIZE_BILINEAR", [IMAGE, ints(9, 3)], [(1, 9, 3, 4)], "ResizeBilinearOptions", **options
        )
        for name, options in _RESIZED.items()
    },
}


def shape_computation() -> bytes:
    """What Keras writes for Flatten with an open batch: the new shape comes from the old one."""
    made = TFLiteModel()
    x, y = made.tensor((-1, 6, 5, 4), "FLOAT32"), made.tensor((1, 120), "FLOAT32")
    shape, batch, wanted = (made.tensor(s, "INT32") for s in ((4,), (), (2,)))
    bounds = [made.tensor((1,), "INT32", data=ints(i)) for i in (0, 1, 1)]
    length = made.tensor((), "INT32", data=np.array(120, np.int32))
    made.operator("SHAPE", [x], [shape], "ShapeOptions", OutType=2)
    made.operator("STRIDED_SLICE", [shape, *bounds], [batch], "StridedSliceOptions", ShrinkAxisMask=1)
    made.operator("PACK", [batch, length], [wanted], "PackOptions", ValuesCount=2)
    made.operator("RESHAPE", [x, wanted], [y], "ReshapeOptions")
    return made.build([x], [y])
