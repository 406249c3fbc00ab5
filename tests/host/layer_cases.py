"""Layers on random data, and what onnxruntime computes for them: the oracle of every kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import onnx.defs
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from nnmicro.call import Call, Operand
from tests.host.kernel_call import Bench, Layout

Params = dict[str, Any]


@dataclass
class Case:
    name: str
    op: str
    inputs: list[np.ndarray]  # each (c, h, w)
    expected: np.ndarray  # (c, h, w)
    params: Params | Callable[[Operand], Params]
    constants: int = 0  # how many of the last inputs are dense constants

    def layouts(self, interleaved: bool) -> list[Layout]:
        first_constant = len(self.inputs) - self.constants
        made = [
            Layout(x.shape, interleaved and i < first_constant, dense=i >= first_constant)
            for i, x in enumerate(self.inputs)
        ]
        return [*made, Layout(self.expected.shape, interleaved)]

    def params_for(self, layouts: list[Layout]) -> Params:
        return self.params(layouts[0].operand()) if callable(self.params) else self.params


def onnx_result(op: str, inputs: Sequence[np.ndarray | None], opset: int = 17, **attributes: Any) -> np.ndarray:
    """The output of one ONNX operator."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    outputs = ["y", *[f"y{i}" for i in range(1, onnx.defs.get_schema(op, opset).min_output)]]
    given = [(n, x) for n, x in zip(names, inputs, strict=True) if x is not None]
    graph = helper.make_graph(
        [helper.make_node(op, names, outputs, **attributes)],
        "layer",
        [helper.make_tensor_value_info("x0", TensorProto.FLOAT, given[0][1].shape)],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(x), n) for n, x in given[1:]],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # its own shape inference is a row off for some ceil_mode windows
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    return session.run(None, {"x0": given[0][1]})[0]


def activated(x: np.ndarray, kind: int, a: float, b: float) -> np.ndarray:
    """The fused activation, by numpy."""
    x = x.astype(np.float64)
    y = (x, np.maximum(x, 0), np.where(x < 0, a * x, x), np.clip(x, a, b), 1 / (1 + np.exp(-x)))[kind]
    return y.astype(np.float32)


def _random(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape).astype(np.float32)


def _activation(rng: np.random.Generator) -> tuple[Params, Callable[[np.ndarray], np.ndarray]]:
    kind = int(rng.integers(5))
    a, b = ((0.0, 0.0), (0.0, 0.0), (0.25, 0.0), (-0.5, 1.5), (0.0, 0.0))[kind]
    return (
        {"activation": kind, "activation_a": a, "activation_b": b},
        lambda x: activated(x, kind, a, b),
    )


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(1, 1, -1)


def convolution(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    kind = ("full", "pointwise", "depthwise", "grouped")[seed % 4]
    group, ci, co = 1, int(rng.integers(1, 6)), int(rng.integers(1, 6))
    if kind == "depthwise":
        group = ci
        co = ci * int(rng.integers(1, 3))
    elif kind == "grouped":
        group = int(rng.integers(2, 4))
        ci, co = ci * group, co * group
    h, w = (int(n) for n in rng.integers(4, 11, 2))
    kh, kw = (1, 1) if kind == "pointwise" else (int(n) for n in rng.integers(1, 5, 2))
    dh, dw = (int(n) if k <= 2 else 1 for n, k in zip(rng.integers(1, 3, 2), (kh, kw), strict=True))
    sh, sw = (int(n) for n in rng.integers(1, 4, 2))
    top, left, bottom, right = (0, 0, 0, 0) if rng.random() < 0.2 else (int(n) for n in rng.integers(0, 3, 4))
    x, weight = _random(rng, ci, h, w), _random(rng, co, ci // group, kh, kw)
    bias = _random(rng, co) if rng.random() < 0.7 else None
    pad_value = 0.75 if seed % 8 >= 6 else 0.0
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=pad_value)
    y = onnx_result(
        "Conv",
        [padded[None], weight, bias],
        strides=[sh, sw],
        dilations=[dh, dw],
        group=group,
        kernel_shape=[kh, kw],
    )
    params, act = _activation(rng)
    params |= {
        "kernel_h": kh,
        "kernel_w": kw,
        "stride_h": sh,
        "stride_w": sw,
        "dilation_h": dh,
        "dilation_w": dw,
    }
    params |= {"pad_top": top, "pad_left": left, "group": group, "pad_value": pad_value}
    constants = [_flat(weight)] + ([] if bias is None else [_flat(bias)])
    return Case(f"convolution-{kind}-{seed}", "convolution", [x, *constants], act(y[0]), params, len(constants))


def inner_product(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 6, 3))
    per_row = seed % 2
    size_in, size_out = shape[2] if per_row else int(np.prod(shape)), int(rng.integers(1, 8))
    x, weight = _random(rng, *shape), _random(rng, size_out, size_in)
    bias = _random(rng, size_out) if rng.random() < 0.7 else None
    params, act = _activation(rng)
    if per_row:
        y = onnx_result("MatMul", [x, np.ascontiguousarray(weight.T)])
        y = y if bias is None else y + bias
    else:
        y = onnx_result("Gemm", [x.reshape(1, -1), weight, bias], transB=1)[None]
    constants = [_flat(weight)] + ([] if bias is None else [_flat(bias)])
    params |= {"per_row": per_row}
    return Case(f"inner_product-{seed}", "inner_product", [x, *constants], act(y), params, len(constants))


def pooling(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    largest = seed % 2 == 0
    h, w = (int(n) for n in rng.integers(5, 12, 2))
    kh, kw = (int(n) for n in rng.integers(1, 4, 2))
    sh, sw = (int(n) for n in rng.integers(1, 4, 2))
    dh, dw = (int(n) for n in rng.integers(1, 3, 2)) if largest else (1, 1)
    top, bottom = (int(n) for n in rng.integers(0, kh, 2))
    left, right = (int(n) for n in rng.integers(0, kw, 2))
    include_pad = int(rng.integers(2))
    x = _random(rng, int(rng.integers(1, 4)), h, w)
    attributes: Params = {"kernel_shape": [kh, kw], "strides": [sh, sw], "pads": [top, left, bottom, right]}
    attributes["ceil_mode"] = int(rng.integers(2))
    if largest:
        y = onnx_result("MaxPool", [x[None]], dilations=[dh, dw], **attributes)
    else:
        y = onnx_result("AveragePool", [x[None]], count_include_pad=include_pad, opset=19, **attributes)
    params = {"kind": 0 if largest else 1, "kernel_h": kh, "kernel_w": kw, "stride_h": sh, "stride_w": sw}
    params |= {"pad_top": top, "pad_left": left, "pad_bottom": bottom, "pad_right": right}
    params |= {"include_pad": 0 if largest else include_pad, "dilation_h": dh, "dilation_w": dw}
    return Case(f"pooling-{'max' if largest else 'average'}-{seed}", "pooling", [x], y[0], params)


def global_pooling(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    c, h, w = (int(n) for n in rng.integers(2, 8, 3))
    x = _random(rng, c, h, w)
    y = onnx_result(("GlobalMaxPool", "GlobalAveragePool")[seed % 2], [x[None]])[0]
    params = {"kind": seed % 2, "kernel_h": h, "kernel_w": w, "stride_h": 1, "stride_w": 1, "include_pad": 0}
    params |= {"pad_top": 0, "pad_left": 0, "pad_bottom": 0, "pad_right": 0, "dilation_h": 1, "dilation_w": 1}
    return Case(f"pooling-global-{seed}", "pooling", [x], y if seed % 4 < 2 else _flat(y), params)


def activation(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = _random(rng, *(int(n) for n in rng.integers(1, 6, 3))) * np.float32(4)
    op, a, b = (
        ("Identity", 0.0, 0.0),
        ("Relu", 0.0, 0.0),
        ("LeakyRelu", 0.125, 0.0),
        ("Clip", -1.0, 2.5),
        ("Sigmoid", 0.0, 0.0),
    )[seed % 5]
    if seed % 5 == 4:
        x.flat[0], x.flat[-1] = 1000.0, -1000.0
    extra = [np.float32(a), np.float32(b)] if op == "Clip" else []
    y = onnx_result(op, [x, *extra], **({"alpha": a} if op == "LeakyRelu" else {}))
    params = {"activation": seed % 5, "activation_a": a, "activation_b": b}
    return Case(f"activation-{op}-{seed}", "activation", [x], y, params)


def scale(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = _random(rng, *(int(n) for n in rng.integers(2, 6, 3)))
    axis = seed % 3
    a, b = _random(rng, x.shape[axis]), _random(rng, x.shape[axis])
    moved = np.ascontiguousarray(np.moveaxis(x, axis, 0))[None]
    zero, one = np.zeros_like(a), np.ones_like(a)
    y = onnx_result("BatchNormalization", [moved, a, b, zero, one], epsilon=0.0)[0]
    params, act = _activation(rng)
    return Case(
        f"scale-{'chw'[axis]}-{seed}",
        "scale",
        [x, _flat(a), _flat(b)],
        act(np.moveaxis(y, 0, axis)),
        params | {"axis": axis},
        2,
    )


BINARY = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow", "Sub", "Div")


def binary_op(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    kind = seed % 9
    sizes = [int(n) for n in rng.integers(2, 6, 3)]
    if seed >= 45:
        sizes[2 - seed % 2] = 1  # a column, or a row
    shape = tuple(sizes)
    shape_a = shape_b = shape
    broadcast = seed // 9 % 4
    if broadcast == 1:
        shape_b = (1, 1, 1)
    elif broadcast == 2:
        shape_b = (shape[0], 1, 1)
    elif broadcast == 3:
        shape_a = tuple(1 if rng.random() < 0.4 else n for n in shape)
        shape_b = tuple(1 if a != 1 and rng.random() < 0.4 else n for a, n in zip(shape_a, shape, strict=True))
    a, b = _random(rng, *shape_a), _random(rng, *shape_b)
    if BINARY[kind] == "Pow":
        a = np.abs(a) + np.float32(0.1)
    y = onnx_result(BINARY[kind], [b, a] if kind > 6 else [a, b])
    params, act = _activation(rng)
    return Case(f"binary_op-{kind}-{seed}", "binary_op", [a, b], act(y), params | {"kind": kind})


def concat(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    axis = seed % 3
    shape = [int(n) for n in rng.integers(1, 5, 3)]
    inputs = []
    for _ in range(int(rng.integers(1, 4))):
        shape[axis] = int(rng.integers(1, 4))
        inputs.append(_random(rng, *shape))
    return Case(f"concat-{axis}-{seed}", "concat", inputs, onnx_result("Concat", inputs, axis=axis), {"axis": axis})


def slice_(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 9, 3)
    starts, steps = rng.integers(0, shape), rng.integers(1, 4, 3)
    ends = starts + rng.integers(1, shape - starts + 1)
    x = _random(rng, *shape)
    y = onnx_result("Slice", [x, starts, ends, np.arange(3), steps])
    params = {f"start_{a}": int(n) for a, n in zip("chw", starts, strict=True)} | {
        f"step_{a}": int(n) for a, n in zip("chw", steps, strict=True)
    }
    return Case(f"slice-{seed}", "slice", [x], y, params)


def padding(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = _random(rng, *(int(n) for n in rng.integers(3, 6, 3)))
    pads = rng.integers(0, 3, 6)
    mode = seed % 4
    value = np.float32(1.5)
    if mode == 3:  # which ONNX does not have
        y = np.pad(x, np.stack([pads[:3], pads[3:]], 1), "symmetric")
    else:
        y = onnx_result("Pad", [x, pads, value], mode=("constant", "edge", "reflect")[mode])
    params = {"front": int(pads[0]), "top": int(pads[1]), "left": int(pads[2]), "mode": mode, "value": 1.5}
    return Case(f"padding-{mode}-{seed}", "padding", [x], y, params)


TRANSFORMS = ("half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel")
ROUNDINGS = ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")
SCALES = (2.0, 3.0, 0.5, 1.5, 0.7, 1.0, 2.3, 1 / 3, 0.25)


def interp(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    mode, transform, rounding = seed % 2, seed // 2 % 4, seed // 8 % 4
    x = _random(rng, 2, int(rng.integers(4, 9)), int(rng.integers(4, 9)))
    scale_h, scale_w = (np.float32(s) for s in rng.choice(SCALES, 2))
    y = onnx_result(
        "Resize",
        [x[None], None, np.array([1, 1, scale_h, scale_w], np.float32)],
        mode=("nearest", "linear")[mode],
        coordinate_transformation_mode=TRANSFORMS[transform],
        nearest_mode=ROUNDINGS[rounding],
    )
    params = {"mode": mode, "transform": transform, "rounding": rounding}
    params |= {"scale_h": float(scale_h), "scale_w": float(scale_w)}
    return Case(f"interp-{seed}", "interp", [x], y[0], params)


def copy(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.permutation([2, 3, 5]))
    x = _random(rng, *shape)
    target = ((1, 1, 30), (6, 5, 1), (2, 3, 5), (30, 1, 1))[seed % 4]
    return Case(f"copy-{seed}", "copy", [x], onnx_result("Reshape", [x, np.array(target)]), {})


def permute(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = _random(rng, *(int(n) for n in rng.integers(1, 6, 3)))
    order = [int(n) for n in rng.permutation(3)]
    y = onnx_result("Transpose", [x], perm=order)

    def params(operand: Operand) -> Params:
        strides = (operand.cs, operand.rs, operand.ps)
        made = {"size0": 1, "stride0": 0}
        for i, axis in enumerate(order):
            made |= {f"size{i + 1}": x.shape[axis], f"stride{i + 1}": strides[axis]}
        return made

    return Case(f"permute-{seed}", "permute", [x], y, params)


def softmax(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    x = _random(rng, *(int(n) for n in rng.integers(1, 6, 3))) * np.float32(10 ** rng.integers(0, 4))
    axis = seed % 3
    return Case(f"softmax-{axis}-{seed}", "softmax", [x], onnx_result("Softmax", [x], axis=axis), {"axis": axis})


# In the order of their numbers: ONNX's operator or numpy's formula, the parameters, and the attributes of the operator.
UNARY: tuple[tuple[str | Callable[[np.ndarray], np.ndarray], float, float, Params], ...] = (
    ("Abs", 0.0, 0.0, {}), ("Neg", 0.0, 0.0, {}), ("Floor", 0.0, 0.0, {}), ("Ceil", 0.0, 0.0, {}),
    ("Round", 0.0, 0.0, {}), ("Sign", 0.0, 0.0, {}), (np.square, 0.0, 0.0, {}), (np.trunc, 0.0, 0.0, {}),
    ("Sqrt", 0.0, 0.0, {}), (lambda x: 1 / np.sqrt(x), 0.0, 0.0, {}), ("Exp", 0.0, 0.0, {}), ("Log", 0.0, 0.0, {}),
    (np.log10, 0.0, 0.0, {}), ("Sin", 0.0, 0.0, {}), ("Cos", 0.0, 0.0, {}), ("Tan", 0.0, 0.0, {}),
    ("Asin", 0.0, 0.0, {}), ("Acos", 0.0, 0.0, {}), ("Atan", 0.0, 0.0, {}), ("Sinh", 0.0, 0.0, {}),
    ("Cosh", 0.0, 0.0, {}), ("Tanh", 0.0, 0.0, {}), ("Asinh", 0.0, 0.0, {}), ("Acosh", 0.0, 0.0, {}),
    ("Atanh", 0.0, 0.0, {}), ("Reciprocal", 0.0, 0.0, {}), ("Erf", 0.0, 0.0, {}),
    ("Selu", 1.5, 1.25, {"alpha": 1.5, "gamma": 1.25}), ("Celu", 0.75, 0.0, {"alpha": 0.75}),
    ("Softplus", 0.0, 0.0, {}), (lambda x: -np.logaddexp(0, -x), 0.0, 0.0, {}), ("Mish", 0.0, 0.0, {}),
    ("Softsign", 0.0, 0.0, {}), ("Gelu", 0.0, 0.0, {}), ("Gelu", 0.0, 0.0, {"approximate": "tanh"}),
    (lambda x: x / (1 + np.exp(-1.5 * x)), 1.5, 0.0, {}), ("HardSigmoid", 0.25, 0.625, {"alpha": 0.25, "beta": 0.625}),
    ("HardSwish", 1 / 6, 0.5, {}), ("ThresholdedRelu", 0.5, 0.0, {"alpha": 0.5}),
    ("Shrink", 0.75, 0.5, {"lambd": 0.75, "bias": 0.5}),
)  # fmt: skip


def unary_result(kind: int, x: np.ndarray) -> np.ndarray:
    how, _, _, attributes = UNARY[kind]
    if isinstance(how, str):
        return onnx_result(how, [x], opset=20, **attributes)
    with np.errstate(all="ignore"):
        return how(x.astype(np.float64)).astype(np.float32)


def unary(seed: int) -> Case:
    """Numbers on both sides of 0; of those that a function has nothing for, it makes what is no number."""
    rng = np.random.default_rng(seed)
    kind = seed % len(UNARY)
    x = _random(rng, *(int(n) for n in rng.integers(1, 6, 3))) * np.float32(rng.choice([0.4, 2, 30]))
    params = {"kind": kind, "a": UNARY[kind][1], "b": UNARY[kind][2]}
    return Case(f"unary-{kind}-{seed}", "unary", [x], unary_result(kind, x), params)


REDUCE = ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare")


def reduce(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    kind, axis = seed % 10, seed % 3
    x = _random(rng, *(int(n) for n in rng.integers(1, 7, 3)))
    if REDUCE[kind] == "LogSum":
        x = np.abs(x)
    y = onnx_result(f"Reduce{REDUCE[kind]}", [x, np.array([axis])], opset=18, keepdims=1)
    return Case(f"reduce-{REDUCE[kind]}-{'chw'[axis]}-{seed}", "reduce", [x], y, {"kind": kind, "axis": axis})


def normalization(seed: int) -> Case:
    """onnxruntime normalises the last axis; another one is brought there and back."""
    rng = np.random.default_rng(seed)
    axis, centred = seed % 3, seed // 3 % 2
    x = _random(rng, *(int(n) for n in rng.integers(2, 7, 3))) + np.float32(0.5)
    moved = np.ascontiguousarray(np.moveaxis(x, axis, -1))
    one = np.ones(moved.shape[-1], np.float32)
    if centred:
        y = onnx_result("LayerNormalization", [moved, one], axis=-1, epsilon=0.125)
    else:
        y = onnx_result("RMSNormalization", [moved, one], opset=23, axis=-1, epsilon=0.125)
    params = {"axis": axis, "centred": centred, "epsilon": 0.125}
    return Case(f"normalization-{'chw'[axis]}-{seed}", "normalization", [x], np.moveaxis(y, -1, axis), params)


def _broadcastable(rng: np.random.Generator, shape: Sequence[int]) -> np.ndarray:
    """Small whole numbers, so that many are equal."""
    return rng.integers(-2, 3, [n if rng.random() < 0.7 else 1 for n in shape]).astype(np.float32)


def compare(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    kind, shape = seed % 3, rng.integers(1, 6, 3)
    a, b = _broadcastable(rng, shape), _broadcastable(rng, shape)
    y = onnx_result(("Equal", "Greater", "GreaterOrEqual")[kind], [a, b]).astype(np.float32)
    return Case(f"compare-{kind}-{seed}", "compare", [a, b], y, {"kind": kind})


def where(seed: int) -> Case:
    """What is not chosen are no numbers."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 6, 3)
    condition, a, b = (_broadcastable(rng, shape) for _ in range(3))
    return Case(f"where-{seed}", "where", [condition, a, b], np.where(condition != 0, a, b), {})


def cumsum(seed: int) -> Case:
    rng = np.random.default_rng(seed)
    axis, exclusive, reverse = seed % 3, seed // 3 % 2, seed // 6 % 2
    x = _random(rng, *(int(n) for n in rng.integers(1, 7, 3)))
    y = onnx_result("CumSum", [x, np.array(axis)], exclusive=exclusive, reverse=reverse)
    params = {"axis": axis, "exclusive": exclusive, "reverse": reverse}
    return Case(f"cumsum-{'chw'[axis]}-{seed}", "cumsum", [x], y, params)


def top_k(seed: int) -> Case:
    """The elements; where they lie: test_indexing_kernels.py."""
    rng = np.random.default_rng(seed)
    axis, smallest = seed % 3, seed // 3 % 2
    x = _broadcastable(rng, rng.integers(1, 7, 3))
    k = int(rng.integers(1, x.shape[axis] + 1))
    y = onnx_result("TopK", [x, np.array([k])], axis=axis, largest=1 - smallest)
    return Case(f"top_k-{'chw'[axis]}-{seed}", "top_k", [x], y, {"axis": axis, "smallest": smallest})


MAKERS: tuple[tuple[Callable[[int], Case], int], ...] = (
    (convolution, 48),
    (inner_product, 12),
    (pooling, 32),
    (global_pooling, 4),
    (activation, 10),
    (scale, 9),
    (binary_op, 81),
    (concat, 12),
    (slice_, 10),
    (padding, 15),
    (interp, 64),
    (copy, 4),
    (permute, 8),
    (softmax, 9),
    (unary, 80),
    (reduce, 30),
    (normalization, 12),
    (compare, 12),
    (where, 8),
    (cumsum, 12),
    (top_k, 12),
)


@cache
def all_cases() -> tuple[Case, ...]:
    return tuple(maker(seed) for maker, count in MAKERS for seed in range(count))


def agrees(result: np.ndarray, expected: np.ndarray) -> bool:
    """max|a - b| <= 1e-4 * max|expected|, and NaNs and infinities in the same places."""
    finite = np.isfinite(expected)
    if not np.array_equal(result[~finite], expected[~finite], equal_nan=True):
        return False
    if not finite.any():
        return True
    return bool(np.max(np.abs(result[finite] - expected[finite])) <= 1e-4 * np.max(np.abs(expected[finite])))


def rows_read(case: Case, i: int, y: int) -> range:
    """The rows of input `i` that row `y` of the output is computed from."""
    p, h = case.params, case.inputs[i].shape[1]
    if case.op in ("convolution", "pooling"):
        if i > 0:
            return range(h)
        if case.op == "pooling" and case.expected.shape[0] != case.inputs[0].shape[0]:
            return range(h)
        top = y * p["stride_h"] - p["pad_top"]
        return range(max(top, 0), min(top + (p["kernel_h"] - 1) * p["dilation_h"] + 1, h))
    if case.op == "concat" and p["axis"] == 1:
        row = y - sum(x.shape[1] for x in case.inputs[:i])
        return range(max(row, 0), min(row + 1, h))
    if case.op == "slice":
        row = p["start_h"] + y * p["step_h"]
        return range(row, row + 1)
    if case.op in ("padding", "interp") or h == 1 or (case.op == "scale" and i > 0):
        return range(h)
    return range(y, y + 1)


def result_by_rows(
    case: Case, run: Callable[[Call], None], params: list[int], at_once: int = 1, checked: bool = True
) -> tuple[np.ndarray, bool]:
    """The output computed `at_once` rows a call, and whether the guard bands were left alone.

    Inputs are rings that hold no more rows than one call reads; rows not yet fed are NaNs.
    """
    height = case.expected.shape[1]
    # From a first short call on, the rows of a call lie across the end of their ring.
    calls = [range(max(y, 0), min(y + at_once, height)) for y in range(1 - at_once, height, at_once)]
    read = [
        [sorted({row for y in ys for row in rows_read(case, i, y)}) for ys in calls] for i in range(len(case.inputs))
    ]
    layouts = case.layouts(False)
    for layout, rows_of_calls in zip(layouts, read, strict=False):
        layout.rows = max(1, max(rows[-1] - rows[0] + 1 if rows else 0 for rows in rows_of_calls))
    layouts[-1].rows = min(2, height) if at_once == 1 else height
    bench = Bench(case.inputs, case.expected.shape, params, layouts, checked=checked)
    result = np.empty_like(case.expected)
    for n, ys in enumerate(calls):
        for i in range(len(case.inputs)):
            for row in read[i][n]:
                bench.feed(i, row)
        bench.call.y0, bench.call.y1 = ys.start, ys.stop
        run(bench.call)
        for y in ys:
            result[:, y] = bench.result()[:, y % layouts[-1].rows]
    return result, bench.guards_untouched()
