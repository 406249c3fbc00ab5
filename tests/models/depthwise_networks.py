"""Networks of inverted bottlenecks: a blob is made wide, a depthwise convolution goes over that, and it is made narrow.

In float32 all values are small integers, so that every backend gives the same bytes; in int8 they do anyway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from host_tools.graph import Graph
from tests.models.row_networks import RowNetwork

_CLIP = {"activation": 3, "activation_a": -50.0, "activation_b": 60.0}  # so that all sums stay exact


@dataclass(frozen=True)
class Window:
    """A kernel along one axis. `more`: results that it gives beyond those that the padding before it calls for."""

    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    pad: int = 1
    more: int = 0

    def results(self, size: int) -> int:
        reach = (self.kernel - 1) * self.dilation + 1
        return max(1, (size + 2 * self.pad - reach) // self.stride + 1 + self.more)


_POINT = Window(1, pad=0)


@dataclass(frozen=True)
class Bottleneck:
    wide: int  # channels
    down: Window
    along: Window
    narrow: int
    activated: bool = False  # before and behind the depthwise convolution, by layers of their own
    again: bool = False  # what was made wide is read once more


def network(int8: bool, size: tuple[int, int, int], blocks: list[Bottleneck], seed: int = 1) -> Graph:
    """x (c, h, w) -> blocks -> y."""
    made = _Int8(seed) if int8 else _Float(seed)
    x = made.input(*size)
    outputs = []
    for block in blocks:
        wide = made.layer(x, block.wide)
        wide = made.activation(wide) if block.activated else wide
        middle = made.layer(wide, 0, block.down, block.along)
        middle = made.activation(middle) if block.activated else middle
        x = made.layer(middle, block.narrow)
        if block.again:
            outputs.append(made.layer(wide, 1))
    made.graph.outputs = [x, *outputs]
    return made.graph


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Up to three bottlenecks, of any kernels."""
    kernels = st.sampled_from((3, 3, 3, 1, 2, 4))  # what most have, and kernels in C have for
    along = st.builds(Window, kernels, st.integers(1, 3), st.integers(1, 2), st.integers(0, 3), st.integers(-1, 2))
    sizes, seldom = st.integers(1, 9), st.sampled_from((False, False, False, True))
    block = st.builds(Bottleneck, sizes, along, along, st.integers(1, 3), st.booleans(), seldom)
    size = (draw(st.integers(1, 3)), draw(st.integers(1, 9)), draw(st.integers(1, 7)))
    blocks = draw(st.lists(block, min_size=1, max_size=3))
    return network(draw(st.booleans()), size, blocks, draw(st.integers(0, 100)))


class _Float:
    def __init__(self, seed: int) -> None:
        self.graph = Graph("bottlenecks")
        self.random = np.random.default_rng(seed)

    def input(self, c: int, h: int, w: int) -> str:
        self.graph.inputs.append(self.blob(c, h, w))
        return self.graph.inputs[-1]

    def blob(self, c: int, h: int, w: int) -> str:
        name = f"b{len(self.graph.tensors)}"
        self.graph.add_tensor(name, (1, c, h, w))
        return name

    def layer(self, x: str, outputs: int, down: Window = _POINT, along: Window = _POINT) -> str:
        """A convolution; `outputs` 0: depthwise."""
        _, c, h, w = self.graph.tensor(x).shape
        y = self.blob(outputs or c, down.results(h), along.results(w))
        weights = self.random.integers(-2, 3, (outputs or c, c if outputs else 1, down.kernel, along.kernel))
        bias = self.random.integers(-2, 3, outputs or c)
        operands = [x, *(self.graph.add_constant(f"{y}/k", data.astype(np.float32)) for data in (weights, bias))]
        attrs = _geometry(down, along) | {"group": 1 if outputs else c, "pad_value": 0.0}
        self.graph.add("convolution", f"{y}/l", operands, [y], **attrs, **_CLIP)
        return y

    def activation(self, x: str) -> str:
        y = self.blob(*self.graph.tensor(x).shape[1:])
        self.graph.add("activation", f"{y}/l", [x], [y], **(_CLIP | {"activation_b": 5.0}))
        return y


class _Int8:
    def __init__(self, seed: int) -> None:
        self.net = RowNetwork(seed)
        self.graph = self.net.graph

    def input(self, c: int, h: int, w: int) -> str:
        return self.net.input(h, w, c)

    def layer(self, x: str, outputs: int, down: Window = _POINT, along: Window = _POINT) -> str:
        """A convolution; `outputs` 0: depthwise."""
        net = self.net
        _, h, w, c = net.shape(x)
        y = net.blob((1, down.results(h), along.results(w), outputs or c))
        operands = [x, net.weights(down.kernel * along.kernel * c * (outputs or 1)), *net.scaling(outputs or c)]
        attrs = _geometry(down, along) | {"input_zero": 3, "output_zero": -5}
        attrs |= {"activation_min": -128, "activation_max": 127}
        if outputs:
            self.graph.add("convolution_int8", f"{y}/l", operands, [y], group=1, **attrs)
        else:
            self.graph.add("depthwise_int8", f"{y}/l", operands, [y], depth_multiplier=1, half_up=c // 8 * 8, **attrs)
        return y

    def activation(self, x: str) -> str:
        return self.net.table(x)


def _geometry(down: Window, along: Window) -> dict[str, int]:
    found = {}
    for axis, window in (("h", down), ("w", along)):
        found |= {f"{part}_{axis}": getattr(window, part) for part in ("kernel", "stride", "dilation")}
    return found | {"pad_top": down.pad, "pad_left": along.pad}
