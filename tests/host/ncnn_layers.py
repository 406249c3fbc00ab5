"""Random ncnn layers: for each type of the registry that is claimed a function that draws its parameters and shapes.

A function gives the shapes of the inputs (`x`, `z`, `u`, `v`) and the lines of the layers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import TypeVar

import numpy as np

from tests.host.ncnn_models import Shapes

_T = TypeVar("_T")
Case = tuple[Shapes, list[str]]


class Draw:
    """Random numbers from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def size(self, least: int = 1, most: int = 7) -> int:
        return int(self._random.integers(least, most + 1))

    def shape(self, ranks: Sequence[int] = (1, 2, 3)) -> tuple[int, ...]:
        return tuple(self.size() for _ in range(self.one_of(ranks)))

    def one_of(self, values: Sequence[_T]) -> _T:
        return values[int(self._random.integers(len(values)))]

    def chance(self) -> bool:
        return self.one_of((False, True))

    def real(self, low: float = -1.0, high: float = 1.0) -> str:
        return f"{self._random.uniform(low, high):e}"

    def some(self, values: Sequence[_T]) -> list[_T]:
        """One or more of them."""
        kept = [value for value in values if self.chance()]
        return kept or [self.one_of(values)]


Generator = Callable[[Draw], Case]


def _array(key: int, values: Sequence[int | str]) -> str:
    return f"-{23300 + key}={len(values)},{','.join(map(str, values))}"


def plain(kind: str, draw: Draw, *parameters: str) -> Case:
    """A layer of one blob of any shape."""
    return [draw.shape()], [f"{kind} l 1 1 x y {' '.join(parameters)}"]


def positive(kind: str, draw: Draw, *parameters: str) -> Case:
    """Of numbers between 0 and 1."""
    return [draw.shape()], ["Sigmoid s 1 1 x p", f"{kind} l 1 1 p y {' '.join(parameters)}"]


def _activation(draw: Draw) -> str:
    kind = draw.size(0, 6)
    numbers = {2: [draw.real(0.1, 0.3)], 3: ["-3.0e-01", "4.0e-01"], 6: ["2.0e-01", "5.0e-01"]}.get(kind)
    return f"9={kind}" + (f" {_array(10, numbers)}" if numbers else "")


def _groups(kind: str, draw: Draw) -> tuple[int, int, int]:
    """Groups, channels and outputs."""
    if "DepthWise" not in kind:
        return 1, draw.size(), draw.size()
    group = draw.size(1, 4)
    if draw.chance():
        return group, group, group
    return group, group * draw.size(1, 2), group * draw.size(1, 2)


def convolution(kind: str, draw: Draw) -> Case:
    signal = kind.endswith("1D")
    group, channels, count = _groups(kind, draw)
    kernel = [draw.size(1, 3), 1 if signal else draw.size(1, 3)]  # of width and height
    dilation = [draw.size(1, 2), draw.size(1, 2)]
    size = [draw.size(6, 9), draw.size(6, 9)]
    pads = draw.one_of(("none", "same", "each"))
    if pads == "same":  # with strides of 1 and 2 and a window of 2 at least, nothing is cut
        kernel = [draw.size(2, 3), 1 if signal else draw.size(2, 3)]
    stride = [draw.size(1, 2 if pads == "same" else 3) for _ in range(2)]
    line = f"0={count} 1={kernel[0]} 2={dilation[0]} 3={stride[0]} 5={draw.size(0, 1)}"
    line += f" 6={count * channels // group * prod(kernel)} 7={group} {_activation(draw)}"
    if pads == "same":
        line += f" 4={draw.one_of((-233, -234))}"
    elif pads == "each":
        line += f" 4={draw.size(0, 2)} 15={draw.size(0, 2)} 18={draw.real()}"
        line += "" if signal else f" 14={draw.size(0, 2)} 16={draw.size(0, 2)}"
    if not signal:
        line += f" 11={kernel[1]} 12={dilation[1]} 13={stride[1]}"
    return [(channels, size[0]) if signal else (channels, *size)], [f"{kind} l 1 1 x y {line}"]


def deconvolution(kind: str, draw: Draw) -> Case:
    signal = kind.endswith("1D")
    group, channels, count = _groups(kind, draw)
    axes = 1 if signal else 2
    kernel, stride, dilation, size = (
        [draw.size(least, most) for _ in range(axes)] for least, most in ((2, 4), (1, 3), (1, 2), (3, 5))
    )
    line = f"0={count} 1={kernel[0]} 2={dilation[0]} 3={stride[0]} 5={draw.size(0, 1)}"
    line += f" 6={count * channels // group * prod(kernel)} 7={group} {_activation(draw)}"
    if not signal:
        line += f" 11={kernel[1]} 12={dilation[1]} 13={stride[1]}"
    pads = draw.one_of(("none", "each", "size"))
    if pads == "each":
        line += f" 4={draw.size(0, 1)} 15={draw.size(0, 1)} 18={draw.size(0, 1)}"
        line += "" if signal else f" 14={draw.size(0, 1)} 16={draw.size(0, 1)} 19={draw.size(0, 1)}"
    elif pads == "size":
        full = [(n - 1) * s + d * (k - 1) + 1 for n, s, d, k in zip(size, stride, dilation, kernel, strict=True)]
        line += f" 4={draw.one_of((-233, -234))}"
        line += "".join(f" {key}={n - draw.size(0, 2)}" for key, n in zip((20, 21), full, strict=False))
    return [(channels, *size[::-1])], [f"{kind} l 1 1 x y {line}"]


def pooling(kind: str, draw: Draw) -> Case:
    signal = kind.endswith("1D")
    shape = (draw.size(), *(draw.size(6, 9) for _ in range(1 if signal else 2)))
    line = f"0={draw.size(0, 1)}"
    way = draw.one_of(("window", "window", "global", "adaptive"))
    if way == "global":
        return [shape], [f"{kind} l 1 1 x y {line} 4=1"]
    if way == "adaptive":
        parts = [draw.one_of([n for n in range(1, size + 1) if size % n == 0]) for size in shape[1:][::-1]]
        line += f" 7=1 8={parts[0]}" + ("" if signal else f" 18={parts[1]}")
        return [shape], [f"{kind} l 1 1 x y {line}"]
    mode = draw.size(0, 3)
    line += f" 1={draw.size(2, 3)} 2={draw.size(1, 2)} 5={mode} 6={draw.size(0, 1)}"
    line += "" if signal else f" 11={draw.size(2, 3)} 12={draw.size(1, 2)}"
    if mode < 2:  # in mode 0 a pad behind could leave the last window without an element
        line += f" 3={draw.size(0, 1)} 14={draw.size(0, mode)}"
        line += "" if signal else f" 13={draw.size(0, 1)} 15={draw.size(0, mode)}"
    return [shape], [f"{kind} l 1 1 x y {line}"]


def inner_product(draw: Draw) -> Case:
    shape, count = draw.shape(), draw.size()
    length = shape[-1] if len(shape) == 2 else prod(shape)
    line = f"0={count} 1={draw.size(0, 1)} 2={count * length} {_activation(draw)}"
    return [shape], [f"InnerProduct l 1 1 x y {line}"]


def gemm(draw: Draw) -> Case:
    m, n, k = draw.size(), draw.size(2), draw.size(2)
    turned = [draw.size(0, 1), draw.size(0, 1)]
    known = draw.one_of(((0, 0), (0, 1), (1, 0)))
    views = [(k, m) if turned[0] else (m, k), (n, k) if turned[1] else (k, n)]
    shapes: Shapes = [view for view, constant in zip(views, known, strict=True) if not constant]
    line = f"0={draw.real(0.5, 2)} 1={draw.real(0.5, 2)} 2={turned[0]} 3={turned[1]} 4={known[0]} 5={known[1]}"
    line += f" 7={m} 8={n} 9={k} 14={draw.size(0, 1)} 11={draw.size(0, 1)}"
    third = draw.one_of(("none", "constant", "blob"))
    if third == "blob" and m != n:
        shapes.append(draw.one_of([(m,), (n,), (m, 1), (m, n), (1, n), (1,)]))
    else:
        line += f" 6=1 10={draw.size(0, 4) if third == 'constant' else -1}"
    names = " ".join("xzu"[: len(shapes)])
    return shapes, [f"Gemm l {len(shapes)} 1 {names} y {line}"]


def mat_mul(draw: Draw) -> Case:
    m, n, k, batch = draw.size(), draw.size(), draw.size(), draw.size(2)
    turned = draw.size(0, 1)
    ranks = draw.one_of(((1, 1), (2, 2), (1, 2), (2, 1), (1, 3), (3, 1), (3, 3), (2, 3), (3, 2)))
    outer = [batch if draw.chance() else 1 for _ in range(2)] if ranks == (3, 3) else [batch, batch]
    outer = outer if 1 in outer or outer[0] == outer[1] else [batch, batch]
    a = (outer[0], m, k)[3 - ranks[0] :]
    b = (outer[1], n, k)[3 - ranks[1] :] if turned else (outer[1], k, n)[3 - ranks[1] :]
    b = (k,) if ranks[1] == 1 else b
    return [a, b], [f"MatMul l 2 1 x z y 0={turned}"]


def recurrent(kind: str, draw: Draw) -> Case:
    gates, states = {"RNN": (1, 1), "GRU": (3, 1), "LSTM": (4, 2)}[kind]
    steps, width, cells, direction = draw.size(), draw.size(), draw.size(), draw.size(0, 2)
    count = 2 if direction == 2 else 1
    shapes: Shapes = [(steps, width)]
    # ncnn's bidirectional RNN and GRU begin with zeros alone, so states are given to LSTM and to one direction.
    if draw.chance() and (kind == "LSTM" or count == 1):
        shapes += [(count, cells)] * states
    outputs = "yab"[: 1 + states * draw.size(0, 1)] if len(shapes) > 1 else "y"
    line = f"0={cells} 1={count * gates * cells * width} 2={direction}"
    names = " ".join("xzu"[: len(shapes)])
    return shapes, [f"{kind} l {len(shapes)} {len(outputs)} {names} {' '.join(outputs)} {line}"]


def multi_head(draw: Draw) -> Case:
    heads, width, inner = draw.size(1, 3), draw.size(), draw.size(1, 4)
    steps, length, k, v = draw.size(), draw.size(), draw.size(), draw.size()
    masked = draw.size(0, 1)
    blobs = draw.size(1, 3)
    if blobs == 1:
        shapes, length, k, v = [(steps, width)], steps, width, width
    elif blobs == 2:
        shapes, v = [(steps, width), (length, k)], k
    else:
        shapes = [(steps, width), (length, k), (length, v)]
    if masked:
        shapes.append((steps, length) if draw.chance() else (heads, steps, length))
    line = f"0={heads * inner} 1={heads} 2={heads * inner * width} 3={k} 4={v} 5={masked}"
    names = " ".join("xzuv"[: len(shapes)])
    return list(shapes), [f"MultiHeadAttention l {len(shapes)} 1 {names} y {line}"]


def sdpa(draw: Draw) -> Case:
    groups, each, steps, length = draw.size(1, 3), draw.size(1, 3), draw.size(), draw.size()
    width, out, masked = draw.size(), draw.size(), draw.size(0, 1)
    shapes: Shapes = [(groups * each, steps, width), (groups, length, width), (groups, length, out)]
    if masked:
        shapes.append((steps, length) if draw.chance() else (groups * each, steps, length))
    names = " ".join("xzuv"[: len(shapes)])
    factor = f" 6={draw.real(0.2, 1)}" if draw.chance() else ""
    return shapes, [f"SDPA l {len(shapes)} 1 {names} y 5={masked}{factor}"]


def binary(draw: Draw) -> Case:
    kind, shape = draw.size(0, 9), draw.shape()
    if draw.chance():
        return [shape], ["Sigmoid s 1 1 x p", f"BinaryOp l 1 1 p y 0={kind} 1=1 2={draw.real(0.5, 2)}"]
    other = draw.one_of(
        [shape, (1,), (*shape[:-1], 1), (1,) * len(shape), *([shape[:1]] if len(set(shape)) == len(shape) else [])]
    )
    pair = [shape, other] if draw.chance() else [other, shape]
    return pair, ["Sigmoid s 1 1 x p", "Sigmoid t 1 1 z q", f"BinaryOp l 2 1 p q y 0={kind}"]


def eltwise(draw: Draw) -> Case:
    count, operation = draw.size(2, 4), draw.size(0, 2)
    factors = f" {_array(1, [draw.real() for _ in range(count)])}" if operation == 1 and draw.chance() else ""
    line = f"Eltwise l {count} 1 {' '.join('xzuv'[:count])} y 0={operation}{factors}"
    return [draw.shape()] * count, [line]


def concat(draw: Draw) -> Case:
    shape, count = draw.shape(), draw.size(1, 4)
    axis = draw.size(0, len(shape) - 1)
    shapes = [(*shape[:axis], draw.size(), *shape[axis + 1 :]) for _ in range(count)]
    given = axis - len(shape) if draw.chance() else axis
    return shapes, [f"Concat l {count} 1 {' '.join('xzuv'[:count])} y 0={given}"]


def slices(draw: Draw) -> Case:
    shape = tuple(draw.size(4, 8) for _ in range(draw.size(1, 3)))
    axis = draw.size(0, len(shape) - 1)
    sizes = draw.one_of((["1", "2", "-233"], ["-233", "-233", "-233"], ["2", "-233", "-233"]))
    way = _array(0, sizes) if draw.chance() else _array(2, [1, draw.one_of((2, 3, -1))])
    return [shape], [f"Slice l 1 3 x a b y {way} 1={axis}"]


def padding(draw: Draw) -> Case:
    shape, mode = tuple(draw.size(3, 7) for _ in range(draw.size(1, 3))), draw.size(0, 2)
    sides = [draw.size(0, 2) for _ in range(4)]
    line = " ".join(f"{key}={n}" for key, n in enumerate(sides)) + f" 4={mode} 5={draw.real()}"
    if len(shape) == 3 and mode == 0:
        line += f" 7={draw.size(0, 2)} 8={draw.size(0, 2)}"
    return [shape], [f"Padding l 1 1 x y {line}"]


def crop(draw: Draw) -> Case:
    shape = tuple(draw.size(3, 7) for _ in range(draw.size(1, 3)))
    way = draw.one_of(("sizes", "indices", "other"))
    if way == "other":
        other = tuple(draw.size(1, n - 1) for n in shape)
        starts = [draw.size(0, n - m) for n, m in zip(shape, other, strict=True)][::-1]
        return [shape, other], ["Crop l 2 1 x z y " + " ".join(f"{key}={n}" for key, n in enumerate(starts))]
    if way == "sizes":
        line = " ".join(f"{key}={draw.size(0, 1)} {key + 3}={draw.one_of((-233, 1, 2, 9))}" for key in range(3))
        return [shape], [f"Crop l 1 1 x y {line} 6={draw.size(0, 1)}"]
    axes = draw.some(range(len(shape)))
    starts = [draw.one_of((0, 1, -2, -233)) for _ in axes]
    ends = [draw.one_of((99, -1, -233)) for _ in axes]
    given = [axis - len(shape) if draw.chance() else axis for axis in axes]
    return [tuple(n + 2 for n in shape)], [
        f"Crop l 1 1 x y {_array(9, starts)} {_array(10, [*ends])} {_array(11, given)}"
    ]


def interp(draw: Draw) -> Case:
    shape, kind = draw.shape((2, 3)), draw.size(1, 2)
    line = f"0={kind} "
    if draw.chance():
        line += f"3={draw.size(1, 12)} 4={draw.size(1, 12)}"
    else:
        line += f"1={draw.one_of(('2.0', '3.0', '1.5'))} 2={draw.one_of(('2.0', '3.0', '1.0'))}"
    return [shape], [f"Interp l 1 1 x y {line} 6={draw.size(0, 1) if kind == 2 else 0}"]


def reshape(draw: Draw) -> Case:
    c, h, w = draw.size(2, 4), draw.size(2, 4), draw.size(2, 4)
    line = draw.one_of((f"0={w} 1={c * h}", "0=-1", f"0={h} 1=-1", f"0={c} 1={w} 2={h}", f"0=0 1=-1 2={c}"))
    return [(c, h, w)], [f"Reshape l 1 1 x y {line}"]


def permute(draw: Draw) -> Case:
    shape = draw.shape()
    return [shape], [f"Permute l 1 1 x y 0={draw.size(0, (0, 1, 5)[len(shape) - 1])}"]


def squeeze(draw: Draw) -> Case:
    shape = tuple(draw.one_of((1, 1, 4)) for _ in range(draw.size(1, 3)))
    axes = draw.some(range(len(shape)))
    if draw.chance():
        return [shape], [f"Squeeze l 1 1 x y {_array(3, [a - len(shape) if draw.chance() else a for a in axes])}"]
    return [shape], ["Squeeze l 1 1 x y " + " ".join(f"{key}={draw.size(0, 1)}" for key in range(3))]


def expand_dims(draw: Draw) -> Case:
    shape = draw.shape((1, 2))
    rank = draw.size(len(shape) + 1, 3)
    axes = sorted(np.random.default_rng(draw.size(0, 99)).permutation(rank)[: rank - len(shape)].tolist())
    return [shape], [f"ExpandDims l 1 1 x y {_array(3, [a - rank if draw.chance() else a for a in axes])}"]


def shuffled(kind: str, draw: Draw) -> Case:
    """PixelShuffle, ShuffleChannel: channels in groups; Reorg: squares of pixels."""
    n, mode = draw.size(1, 3), draw.size(0, 1)
    c, h, w = draw.size(1, 4), draw.size(1, 4), draw.size(1, 4)
    times = {"PixelShuffle": (n * n, 1), "ShuffleChannel": (n, 1), "Reorg": (1, n)}[kind]
    return [(c * times[0], h * times[1], w * times[1])], [f"{kind} l 1 1 x y 0={n} 1={mode}"]


def tile(draw: Draw) -> Case:
    shape = draw.shape()
    if draw.chance():
        return [shape], [f"Tile l 1 1 x y 0={draw.size(0, len(shape) - 1)} 1={draw.size(1, 3)}"]
    return [shape], [f"Tile l 1 1 x y {_array(2, [draw.size(1, 3) for _ in range(draw.size(1, 3))])}"]


def flip(draw: Draw) -> Case:
    shape = draw.shape()
    return [shape], [f"Flip l 1 1 x y {_array(0, draw.some(range(-len(shape), 0)))}"]


def reduction(draw: Draw) -> Case:
    shape, kind = draw.shape(), draw.size(0, 10)
    line = f"0={kind} 2={draw.one_of(('1.0', '0.5'))} 4={draw.size(0, 1)} 5=1"
    if not draw.chance():
        axes = draw.some(range(len(shape)))
        line += f" 1=0 {_array(3, [a - len(shape) if draw.chance() else a for a in axes])}"
    return [shape], ["Sigmoid s 1 1 x p", f"Reduction l 1 1 p y {line}"]


def norm(kind: str, draw: Draw) -> Case:
    """LayerNorm and RMSNorm over rows, LayerNorm over channels too; InstanceNorm and GroupNorm. Of more than one
    element: what is left of one after its mean is rounding.
    """
    affine = draw.size(0, 1)
    if kind == "InstanceNorm":
        shape = (draw.size(), draw.size(), draw.size(2))
        return [shape], [f"{kind} l 1 1 x y 0={shape[0] * affine} 1=1.0e-02 2={affine}"]
    if kind == "GroupNorm":
        group, each = draw.size(1, 3), draw.size(1, 3)
        line = f"0={group} 1={group * each} 2=1.0e-02 3={affine}"
        return [(group * each, draw.size(), draw.size(2))], [f"{kind} l 1 1 x y {line}"]
    shape = (*draw.shape()[1:], draw.size(2))
    count = prod(shape[1:]) if len(shape) == 3 and draw.chance() else shape[-1]
    return [shape], [f"{kind} l 1 1 x y 0={count} 1=1.0e-02 2={affine}"]


def normalize(draw: Draw) -> Case:
    shape, over = draw.shape((3,)), draw.one_of(((0, 1), (1, 0), (1, 1)))
    shared = draw.size(0, 1)
    line = f"0={over[0]} 4={over[1]} 1={shared} 2=1.0e-03 3={1 if shared else shape[0]} 9={draw.size(0, 2)}"
    return [shape], [f"Normalize l 1 1 x y {line}"]


def per_channel(kind: str, draw: Draw, *parameters: str, ranks: Sequence[int] = (1, 2, 3)) -> Case:
    """A number, or several, for each index of the outermost axis."""
    shape = draw.shape(ranks)
    return [shape], [f"{kind} l 1 1 x y 0={shape[0]} {' '.join(parameters)}"]


def softmax(draw: Draw) -> Case:
    shape = draw.shape()
    return [shape], [f"Softmax l 1 1 x y 0={draw.size(-len(shape), len(shape) - 1)} 1=1"]


def glu(draw: Draw) -> Case:
    shape = draw.shape()
    return [tuple(2 * n for n in shape)], [f"GLU l 1 1 x y 0={draw.size(-len(shape), len(shape) - 1)}"]


def cumulative_sum(draw: Draw) -> Case:
    shape = draw.shape()
    return [shape], [f"CumulativeSum l 1 1 x y 0={draw.size(-len(shape), len(shape) - 1)}"]


def embed(draw: Draw) -> Case:
    count, rows = draw.size(), draw.size(3, 9)
    return [(draw.size(),)], [f"Embed l 1 1 x y 0={count} 1={rows} 2={draw.size(0, 1)} 3={count * rows}"]


def memory_data(draw: Draw) -> Case:
    shape = draw.shape()
    sizes = " ".join(f"{key}={n}" for key, n in enumerate(shape[::-1]))
    lines = [f"MemoryData l 0 1 a {sizes} 21={draw.size(0, 1)}"]
    if draw.chance():
        return [shape], [*lines, draw.one_of(("BinaryOp o 2 1 x a y 0=0", "Concat o 2 1 a x y 0=0"))]
    return [shape], [*lines, "Split s 1 2 a b c", "BinaryOp o 2 1 x b d 0=2", "BinaryOp p 2 1 d c y 0=0"]


def affine(kind: str, draw: Draw, *bases: str) -> Case:
    """Exp, Log, Power: of shift + x * scale, which stays positive."""
    line = f"0={draw.one_of(bases)} 1={draw.one_of(('1.0', '1.5'))} 2={draw.one_of(('0.0', '0.25'))}"
    return positive(kind, draw, line)


def split(draw: Draw) -> Case:
    return [draw.shape()], ["Split l 1 2 x a b", "BinaryOp o 2 1 a b y 0=0"]


GENERATORS: dict[str, Generator] = {
    **{
        kind: partial(plain, kind)
        for kind in ("AbsVal", "BNLL", "CELU", "DeepCopy", "ELU", "Erf", "Flatten", "HardSigmoid", "HardSwish", "Mish",
                     "Noop", "SELU", "Shrink", "Sigmoid", "Softplus", "Swish", "TanH")
    },
    "BatchNorm": lambda draw: per_channel("BatchNorm", draw, "1=1.0e-02"),
    "Bias": lambda draw: per_channel("Bias", draw),
    "BinaryOp": binary,
    "Clip": lambda draw: plain("Clip", draw, f"0={draw.real(-1, 0)} 1={draw.real(0, 1)}"),
    "Concat": concat,
    **{kind: partial(convolution, kind) for kind in ("Convolution", "ConvolutionDepthWise", "Convolution1D",
                                                     "ConvolutionDepthWise1D")},
    "Crop": crop,
    "CumulativeSum": cumulative_sum,
    **{kind: partial(deconvolution, kind) for kind in ("Deconvolution", "DeconvolutionDepthWise", "Deconvolution1D",
                                                       "DeconvolutionDepthWise1D")},
    "Dropout": lambda draw: plain("Dropout", draw, f"0={draw.one_of(('1.0', '0.5'))}"),
    "Eltwise": eltwise,
    "Embed": embed,
    "Exp": lambda draw: affine("Exp", draw, "-1.0", "2.0"),
    "ExpandDims": expand_dims,
    "Flip": flip,
    "GELU": lambda draw: plain("GELU", draw, f"0={draw.size(0, 1)}"),
    "Gemm": gemm,
    "GLU": glu,
    **{kind: partial(norm, kind) for kind in ("GroupNorm", "InstanceNorm", "LayerNorm", "RMSNorm")},
    **{kind: partial(recurrent, kind) for kind in ("GRU", "LSTM", "RNN")},
    "InnerProduct": inner_product,
    "Interp": interp,
    "Log": lambda draw: affine("Log", draw, "-1.0", "10.0"),
    "MatMul": mat_mul,
    "MemoryData": memory_data,
    "MultiHeadAttention": multi_head,
    "MVN": lambda draw: plain("MVN", draw, f"0={draw.size(0, 1)} 1={draw.size(0, 1)} 2=1.0e-02"),
    "Normalize": normalize,
    "Padding": padding,
    "Permute": permute,
    **{kind: partial(shuffled, kind) for kind in ("PixelShuffle", "Reorg", "ShuffleChannel")},
    **{kind: partial(pooling, kind) for kind in ("Pooling", "Pooling1D")},
    "Power": lambda draw: affine("Power", draw, "1.0", "2.0", "-0.5"),
    "PReLU": lambda draw: per_channel("PReLU", draw),
    "Reduction": reduction,
    "ReLU": lambda draw: plain("ReLU", draw, f"0={draw.one_of(('0.0', '0.25'))}"),
    "Reshape": reshape,
    "Scale": lambda draw: per_channel("Scale", draw, f"1={draw.size(0, 1)}"),
    "SDPA": sdpa,
    "Slice": slices,
    "Softmax": softmax,
    "Split": split,
    "Squeeze": squeeze,
    "StatisticsPooling": lambda draw: plain("StatisticsPooling", draw, f"0={draw.size(0, 1)}"),
    "Threshold": lambda draw: plain("Threshold", draw, f"0={draw.real(-0.5, 0.5)}"),
    "Tile": tile,
    "UnaryOp": lambda draw: positive("UnaryOp", draw, f"0={draw.size(0, 19)}"),
}  # fmt: skip
