"""Random int8 networks of layers that work by rows, with branches that meet again, and a reduction or whole-tensor
layers at the end."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from host_tools.graph import Graph, Tensor

_WINDOW = {"stride_w": 1, "dilation_w": 1}
_CLAMP = {"activation_min": -128, "activation_max": 127}


def rename(graph: Graph, names: dict[str, str]) -> None:
    """Give blobs other names."""
    for old, new in names.items():
        tensor = graph.tensors.pop(old)
        tensor.name = new
        graph.tensors[new] = tensor
    for layer in graph.layers:
        layer.inputs = [names.get(name, name) for name in layer.inputs]
        layer.outputs = [names.get(name, name) for name in layer.outputs]
    graph.inputs = [names.get(name, name) for name in graph.inputs]
    graph.outputs = [names.get(name, name) for name in graph.outputs]


class RowNetwork:
    """A graph of 1 x h x w x c blobs written layer by layer; every value depends on all of its inputs."""

    def __init__(self, seed: int) -> None:
        self.graph = Graph("rows", order="hwc")
        self.rng = np.random.default_rng(seed)

    def shape(self, name: str) -> tuple[int, ...]:
        return self.graph.tensor(name).shape

    def blob(self, shape: tuple[int, ...]) -> str:
        name = f"b{len(self.graph.tensors)}"
        self.graph.tensors[name] = Tensor(name, shape, np.dtype(np.int8))
        return name

    def input(self, h: int, w: int, c: int) -> str:
        name = self.blob((1, h, w, c))
        self.graph.inputs.append(name)
        return name

    def constant(self, data: np.ndarray) -> str:
        return self.graph.add_constant("k", data)

    def scaling(self, outputs: int) -> list[str]:
        """bias, multiplier and shift that spread results over int8."""
        bias = self.rng.integers(-400, 400, outputs).astype(np.int32)
        multiplier = self.rng.integers(1 << 30, (1 << 31) - 1, outputs).astype(np.int32)
        return [self.constant(data) for data in (bias, multiplier, np.full(outputs, -4, np.int32))]

    def weights(self, count: int) -> str:
        return self.constant(self.rng.integers(-9, 10, count).astype(np.int8))

    def convolution(self, x: str, kernel: int, stride: int, pad: int, dilation: int, outputs: int) -> str:
        """Along h as asked for, 1 wide; `outputs` 0: depthwise."""
        _, h, w, c = self.shape(x)
        out_h = max((h + 2 * pad - (kernel - 1) * dilation - 1) // stride + 1, 1)
        y = self.blob((1, out_h, w, outputs or c))
        attrs = {"kernel_h": kernel, "kernel_w": 1, "stride_h": stride, "dilation_h": dilation, "pad_top": pad}
        attrs |= {"pad_left": 0, "input_zero": 3, "output_zero": -5, **_WINDOW, **_CLAMP}
        count = kernel * c * (outputs or 1)
        operands = [x, self.weights(count), *self.scaling(outputs or c)]
        if outputs:
            self.graph.add("convolution_int8", f"{y}/l", operands, [y], group=1, **attrs)
        else:
            self.graph.add("depthwise_int8", f"{y}/l", operands, [y], depth_multiplier=1, half_up=0, **attrs)
        return y

    def pooling(self, x: str, kernel: int, stride: int, average: bool) -> str:
        _, h, w, c = self.shape(x)
        y = self.blob((1, max((h - kernel) // stride + 1, 1), w, c))
        self._pool(x, y, kernel, 1, stride, average)
        return y

    def global_pooling(self, x: str) -> str:
        _, h, w, c = self.shape(x)
        y = self.blob((1, 1, 1, c))
        self._pool(x, y, h, w, 1, True)
        return y

    def _pool(self, x: str, y: str, kernel_h: int, kernel_w: int, stride: int, average: bool) -> None:
        attrs = {"kind": int(average), "kernel_h": kernel_h, "kernel_w": kernel_w, "stride_h": stride, "stride_w": 1}
        self.graph.add("pooling_int8", f"{y}/l", [x], [y], pad_top=0, pad_left=0, **attrs, **_CLAMP)

    def table(self, x: str) -> str:
        y = self.blob(self.shape(x))
        self.graph.add("table_int8", f"{y}/l", [x, self.constant(self.rng.permutation(256).astype(np.int8))], [y])
        return y

    def add(self, a: str, b: str) -> str:
        y = self.blob(self.shape(a))
        attrs = {"kind": 0, "left_shift": 4, "a_zero": 1, "b_zero": 2, "output_zero": 0}
        for which in "a", "b", "output":
            attrs |= {f"{which}_multiplier": 1 << 30, f"{which}_shift": 0 if which != "output" else -3}
        self.graph.add("binary_int8", f"{y}/l", [a, b], [y], **attrs, **_CLAMP)
        return y

    def concat(self, parts: list[str], axis: int) -> str:
        """Along channels (0) or rows (1)."""
        shapes = [self.shape(part) for part in parts]
        _, h, w, c = shapes[0]
        y = self.blob((1, h, w, sum(s[3] for s in shapes)) if axis == 0 else (1, sum(s[1] for s in shapes), w, c))
        self.graph.add("concat", f"{y}/l", parts, [y], axis=axis)
        return y

    def padding(self, x: str, top: int, bottom: int) -> str:
        _, h, w, c = self.shape(x)
        y = self.blob((1, h + top + bottom, w, c))
        self.graph.add("padding", f"{y}/l", [x], [y], front=0, top=top, left=0, mode=0, value=3.0)
        return y

    def slice(self, x: str, start: int, step: int, rows: int) -> str:
        _, _, w, c = self.shape(x)
        y = self.blob((1, rows, w, c))
        attrs = {"start_c": 0, "start_h": start, "start_w": 0, "step_c": 1, "step_h": step, "step_w": 1}
        self.graph.add("slice", f"{y}/l", [x], [y], **attrs)
        return y

    def channels(self, x: str, start: int, step: int, count: int) -> str:
        """So many channels, from one on."""
        _, h, w, _ = self.shape(x)
        y = self.blob((1, h, w, count))
        attrs = {"start_c": start, "start_h": 0, "start_w": 0, "step_c": step, "step_h": 1, "step_w": 1}
        self.graph.add("slice", f"{y}/l", [x], [y], **attrs)
        return y

    def dense(self, x: str, outputs: int) -> str:
        count = int(np.prod(self.shape(x)))
        y = self.blob((1, outputs))
        operands = [x, self.weights(count * outputs), *self.scaling(outputs)]
        attrs = {"per_row": 0, "input_zero": 1, "weight_zero": 0, "output_zero": 2}
        self.graph.add("inner_product_int8", f"{y}/l", operands, [y], **attrs, **_CLAMP)
        return y

    def share(self, x: str, shape: tuple[int, ...]) -> str:
        y = self.blob(shape)
        self.graph.add("reshape", f"{y}/l", [x], [y])
        return y


@st.composite
def row_networks(draw: st.DrawFn) -> Graph:
    """A random network; one or two inputs, one to three outputs."""
    net = RowNetwork(draw(st.integers(0, 1000)))
    small = st.integers(1, 3)
    blobs = [net.input(draw(st.integers(1, 14)), draw(small), draw(small)) for _ in range(draw(st.integers(1, 2)))]
    for _ in range(draw(st.integers(1, 9))):
        x = draw(st.sampled_from(blobs[-4:]))
        _, h, w, c = net.shape(x)
        alike = [b for b in blobs if net.shape(b) == (1, h, w, c)]
        kind = draw(st.sampled_from(("conv", "depthwise", "pool", "table", "add", "concat", "pad", "slice", "branch")))
        if kind in ("conv", "depthwise"):
            kernel, dilation, pad = draw(small), draw(st.integers(1, 2)), draw(st.integers(0, 2))
            if (kernel - 1) * dilation + 1 > h + 2 * pad:
                kernel = 1
            outputs = draw(small) if kind == "conv" else 0
            blobs.append(net.convolution(x, kernel, draw(small), pad, dilation, outputs))
        elif kind == "pool":
            blobs.append(net.pooling(x, min(draw(small), h), draw(small), draw(st.booleans())))
        elif kind == "table":
            blobs.append(net.table(x))
        elif kind == "add":
            blobs.append(net.add(x, draw(st.sampled_from(alike))))
        elif kind == "branch":  # a residual: what a window makes of x, and x
            blobs.append(net.add(x, net.convolution(net.table(x), 3, 1, 1, 1, c)))
        elif kind == "concat":
            blobs.append(net.concat([x, draw(st.sampled_from(alike))], draw(st.integers(0, 1))))
        elif kind == "pad":
            blobs.append(net.padding(x, draw(st.integers(0, 2)), draw(st.integers(0, 2))))
        elif kind == "slice":
            start, step = draw(st.integers(0, h - 1)), draw(st.integers(1, 2))
            blobs.append(net.slice(x, start, step, draw(st.integers(1, (h - start + step - 1) // step))))
    end = draw(st.sampled_from(("none", "pool", "dense", "flat")))
    x = blobs[-1]
    if end == "pool":
        blobs.append(net.dense(net.global_pooling(x), 3))
    elif end == "dense":
        blobs.append(net.dense(x, 3))
    elif end == "flat":
        blobs.append(net.dense(net.share(x, (1, int(np.prod(net.shape(x))))), 2))
    read = {name for layer in net.graph.layers for name in layer.inputs}
    made = [name for layer in net.graph.layers for name in layer.outputs]
    asked = draw(st.sets(st.sampled_from(made), max_size=1)) if made else set()
    net.graph.outputs = [name for name in made if name not in read or name in asked]
    for name in [name for name in net.graph.inputs if name not in read]:
        net.graph.inputs.remove(name)
        del net.graph.tensors[name]
    return net.graph
