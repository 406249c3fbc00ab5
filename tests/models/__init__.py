"""Small models for the engine's tests, built by the host tools when a test asks for one by file name.

Their layers are sums and multiples of small integers, so that every expected value is exact and can be worked out by
hand beside the test.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from host_tools.convert import Options, convert, to_nnm
from host_tools.golden import Vector
from host_tools.graph import Graph, Quantisation
from host_tools.layout import lower
from host_tools.planner import plan_memory
from host_tools.preprocessing import Preprocessing
from host_tools.streaming.convert import Streaming
from host_tools.writer import write
from nnmicro import Net, Option
from tests.models.depthwise_networks import Bottleneck, Window, network
from tests.models.row_networks import RowNetwork, rename

_PLAIN = {"activation": 0, "activation_a": 0.0, "activation_b": 0.0}
_RELU = {"activation": 1, "activation_a": 0.0, "activation_b": 0.0}
_built: dict[str, Path] = {}


def model_file(name: str) -> Path:
    """Path of a built model; KeyError for a name that is not in the table below."""
    if name not in _built:
        folder = Path(tempfile.mkdtemp(prefix="nnmicro-models-"))
        path = folder / name
        path.write_bytes(_MODELS[name]())
        _built[name] = path
    return _built[name]


class Builder:
    """A graph of 1 x 4 x 4 x 4 blobs (256 bytes each) written layer by layer."""

    def __init__(self, name: str, shape: tuple[int, ...] = (1, 4, 4, 4)) -> None:
        self.graph = Graph(name)
        self.shape = shape

    def input(self, name: str) -> str:
        self.graph.add_tensor(name, self.shape)
        self.graph.inputs.append(name)
        return name

    def affine(self, source: str, target: str, a: float, b: float) -> str:
        """target = a * source + b"""
        c = self.shape[-3]
        factors = self.graph.add_constant(f"{target}/a", np.full(c, a, np.float32))
        offsets = self.graph.add_constant(f"{target}/b", np.full(c, b, np.float32))
        self.graph.add_tensor(target, self.shape)
        self.graph.add("scale", f"{target}/layer", [source, factors, offsets], [target], axis=0, **_PLAIN)
        return target

    def add(self, a: str, b: str, target: str) -> str:
        self.graph.add_tensor(target, self.shape)
        self.graph.add("binary_op", f"{target}/layer", [a, b], [target], kind=0, **_PLAIN)
        return target

    def relu(self, source: str, target: str) -> str:
        self.graph.add_tensor(target, self.shape)
        self.graph.add("activation", f"{target}/layer", [source], [target], **_RELU)
        return target

    def share(self, source: str, target: str) -> str:
        self.graph.add_tensor(target, self.shape)
        self.graph.add("share", f"{target}/layer", [source], [target])
        return target

    def concat(self, sources: Sequence[str], target: str, axis: int = 1) -> str:
        """Side by side along an axis of the source's four."""
        shape = list(self.graph.tensor(sources[0]).shape)
        shape[axis] = sum(self.graph.tensor(source).shape[axis] for source in sources)
        self.graph.add_tensor(target, tuple(shape))
        self.graph.add("concat", f"{target}/layer", list(sources), [target], axis=axis - 1)
        return target

    def slice(self, source: str, target: str, cut: tuple[slice, ...]) -> str:
        """What numpy's indexing with four slices gives."""
        shape = self.graph.tensor(source).shape
        ranges = [range(size)[one] for size, one in zip(shape, cut, strict=True)]
        self.graph.add_tensor(target, tuple(map(len, ranges)))
        starts = {f"start_{axis}": along.start for axis, along in zip("chw", ranges[1:], strict=True)}
        steps = {f"step_{axis}": along.step for axis, along in zip("chw", ranges[1:], strict=True)}
        self.graph.add("slice", f"{target}/layer", [source], [target], **starts, **steps)
        return target

    def finish(self, *outputs: str, fuse: bool = False, names: bool = True) -> bytes:
        self.graph.outputs = list(outputs)
        return to_nnm(self.graph, fuse=fuse, names=names)


def branches(names: bool = True) -> bytes:
    """left -> m = 2 left + 1 -> p = 3 m; A = p + m; right -> q = right - 1; B = m + q. m has 3 readers, no Split."""
    b = Builder("branches")
    b.input("left")
    b.input("right")
    b.affine("left", "m", 2, 1)
    b.affine("m", "p", 3, 0)
    b.add("p", "m", "A")
    b.affine("right", "q", 1, -1)
    b.add("m", "q", "B")
    b.graph.labels = ["zero", "one", "two"]
    return b.finish("A", "B", names=names)


def residual() -> bytes:
    """x -> a = x + 1 -> Split -> b = 2 a, c = 3 b; y = c + a2. Two shares of one block, one in-place add."""
    b = Builder("residual")
    b.input("x")
    b.affine("x", "a", 1, 1)
    b.share("a", "a1")
    b.share("a", "a2")
    b.affine("a1", "b", 2, 0)
    b.affine("b", "c", 3, 0)
    b.add("c", "a2", "y")
    return b.finish("y")


def gathered() -> bytes:
    """x (4 channels) -> a = x + 1; b = 2 a; c = a beside b (8); d = 3 x; e = c beside d (12), where c and d and in c a
    and b are made; left and right are e's halves, y = left + right (6).
    """
    b = Builder("gathered")
    b.input("x")
    b.affine("x", "a", 1, 1)
    b.affine("a", "b", 2, 0)
    b.concat(["a", "b"], "c")
    b.affine("x", "d", 3, 0)
    b.concat(["c", "d"], "e")
    everything = slice(None)
    b.slice("e", "left", (everything, slice(0, 6), everything, everything))
    b.slice("e", "right", (everything, slice(6, 12), everything, everything))
    b.shape = (1, 6, 4, 4)
    b.add("left", "right", "y")
    return b.finish("y")


def beside() -> bytes:
    """int8 layers whose results lie beside each other in the pixels of one blob, and one that reads a part of it; the
    golden vector is what the layers give that copy.
    """
    net = RowNetwork(4)
    x = net.input(6, 5, 3)
    parts = [net.convolution(x, 1, 1, 0, 1, 5), net.pooling(x, 1, 1, True)]
    parts.append(net.convolution(net.concat(parts[:], 0), 3, 1, 1, 1, 4))
    everything = net.concat([net.concat(parts[:2], 0), parts[2]], 0)
    last = net.convolution(net.add(net.channels(everything, 1, 1, 6), net.channels(everything, 6, 1, 6)), 1, 1, 0, 1, 2)
    net.graph.outputs = [last]
    return _with_what_copies_give(net.graph)


def over(int8: bool) -> bytes:
    """x -> wide -> middle, a depthwise convolution over it -> y; the golden vector is what the layers give apart."""
    graph = network(int8, (2, 9, 6), [Bottleneck(12, Window(), Window(), 2)])
    blobs = [*graph.inputs, *(layer.outputs[0] for layer in graph.layers)]
    rename(graph, dict(zip(blobs, ("x", "wide", "middle", "y"), strict=True)))
    return _with_what_copies_give(graph)


def _with_what_copies_give(graph: Graph) -> bytes:
    """A graph with one input and output, and what it gives where no blob lies in another."""
    program = lower(graph)
    apart = Net(write(program, plan_memory(program, views=False)), Option(backend="reference"))
    (x,), (y,) = graph.inputs, graph.outputs
    tensor = graph.tensor(x)
    ends = (-128, 128) if tensor.dtype == np.int8 else (-4, 5)
    values = np.random.default_rng(1).integers(*ends, tensor.shape).astype(tensor.dtype)
    with apart.extractor() as ex:
        ex.input_view(x).assign_bytes(values.tobytes())
        result = np.frombuffer(ex.extract(y).tobytes(), tensor.dtype).reshape(graph.tensor(y).shape)
    return to_nnm(graph, vectors=[Vector({x: values}, {y: result})])


def deep() -> bytes:
    """x -> 600 layers that each add 1 -> y: deeper than a board's C stack is for a recursive engine."""
    b = Builder("deep", (1, 1, 1, 4))
    name = b.input("x")
    for i in range(600):
        name = b.affine(name, "y" if i == 599 else f"t{i}", 1, 1)
    return b.finish("y")


def fused() -> bytes:
    """x -> pre = x - 2 -> y = relu(pre); the relu is fused into the layer before, so `pre` is no blob of the file."""
    b = Builder("fused")
    b.input("x")
    b.affine("x", "pre", 1, -2)
    b.relu("pre", "y")
    return b.finish("y", fuse=True)


def padded() -> bytes:
    """x (1x2x3x3: 36 bytes a channel, padded to 48) -> s = x + 1 -> flat (1x18), compacted -> y = 2 flat."""
    b = Builder("padded", (1, 2, 3, 3))
    b.input("x")
    b.affine("x", "s", 1, 1)
    b.graph.add_tensor("flat", (1, 18))
    b.graph.add("reshape", "flatten", ["s"], ["flat"])
    two = b.graph.add_constant("two", np.array([2], np.float32))
    b.graph.add_tensor("y", (1, 18))
    b.graph.add("binary_op", "double", ["flat", two], ["y"], kind=2, **_PLAIN)
    return b.finish("y")


def memory() -> bytes:
    """y = x + s with a blob s that stays from one inference to the next; no layer of this slice writes to it."""
    b = Builder("memory")
    b.input("x")
    b.graph.add_tensor("s", b.shape)
    b.graph.states.append("s")
    b.affine("x", "a", 1, 1)
    b.add("a", "s", "y")
    return b.finish("y")


def digits() -> bytes:
    """The demo's network."""
    from importlib.resources import as_file, files

    with as_file(files("host_tools.demo") / "digits.onnx") as path:
        return convert(path, options=Options(labels=[str(i) for i in range(10)]))


def golden() -> bytes:
    """`branches` with two golden vectors, worked out by its formulas."""
    b = Builder("golden")
    b.input("left")
    b.input("right")
    b.affine("left", "m", 2, 1)
    b.affine("m", "p", 3, 0)
    b.add("p", "m", "A")
    b.affine("right", "q", 1, -1)
    b.add("m", "q", "B")
    b.graph.outputs = ["A", "B"]
    vectors = []
    for start in (0, 100):
        left = np.arange(start, start + 64, dtype=np.float32).reshape(b.shape)
        right = 3 - left
        m = 2 * left + 1
        vectors.append(Vector({"left": left, "right": right}, {"A": 4 * m, "B": m + right - 1}))
    return to_nnm(b.graph, vectors=vectors)


def wide(seed: int = 3, inputs: int = 4, middle: int = 16, outputs: int = 10, bias: bool = True) -> bytes:
    """x -> convolution to `middle` channels -> fully connected: layers whose weights are larger than all else."""
    random = np.random.default_rng(seed)
    graph = Graph("wide")

    def constants(name: str, count: int, *shape: int) -> list[str]:
        values = [random.normal(size=(count, *shape)), *([random.normal(size=count)] if bias else [])]
        return [graph.add_constant(f"{name}{i}", value.astype(np.float32)) for i, value in enumerate(values)]

    for name, shape in (("x", (1, inputs, 4, 4)), ("a", (1, middle, 4, 4)), ("y", (1, outputs))):
        graph.add_tensor(name, shape)
    window = dict.fromkeys(("kernel_h", "kernel_w"), 3) | dict.fromkeys(("pad_top", "pad_left", "group"), 1)
    window |= dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
    convolution = ["x", *constants("convolution", middle, inputs, 3, 3)]
    graph.add("convolution", "first", convolution, ["a"], **window, pad_value=0.0, **_RELU)
    dense = ["a", *constants("dense", outputs, middle * 16)]
    graph.add("inner_product", "last", dense, ["y"], per_row=0, **_PLAIN)
    graph.inputs, graph.outputs = ["x"], ["y"]
    return to_nnm(graph)


CAMERA_SCALE, CAMERA_ZERO = 0.5, -3


def camera(
    preprocessing: Preprocessing | None,
    *,
    dtype: type = np.int8,
    shape: tuple[int, ...] = (1, 4, 4, 3),
    order: str = "hwc",
    name: str = "image",
) -> bytes:
    """An input that is the output, too (a share), with a golden vector. int8 elements are 0.5 * (q + 3)."""
    graph = Graph("camera", order=order)
    for blob in (name, "same"):
        tensor = graph.add_tensor(blob, shape)
        tensor.dtype = np.dtype(dtype)
        if dtype is np.int8:
            tensor.quantisation = Quantisation(np.float32([CAMERA_SCALE]), np.int32([CAMERA_ZERO]))
    graph.add("share", "share", [name], ["same"])
    graph.inputs, graph.outputs = [name], ["same"]
    image = (np.arange(np.prod(shape)) - 24).astype(dtype).reshape(shape)
    inputs = {name: preprocessing} if preprocessing else {}
    return to_nnm(graph, inputs=inputs, vectors=[Vector({name: image}, {"same": image})])


def rows(fed: bool = False, preprocessing: Preprocessing | None = None) -> bytes:
    """Convolutions, a residual, pooling and a fully connected layer in int8, as small as streaming makes them."""
    net = RowNetwork(1)
    graph = net.graph
    x = net.input(24, 4, 3)
    graph.tensor(x).quantisation = Quantisation(np.float32([1 / 32]), np.int32([0]))
    first = net.table(x)
    wide = net.convolution(first, 3, 1, 1, 1, 8)
    y = net.add(wide, net.convolution(net.convolution(wide, 3, 1, 1, 1, 0), 1, 1, 0, 1, 8))
    y = net.convolution(net.convolution(y, 3, 2, 1, 1, 0), 1, 1, 0, 1, 8)
    scores = net.dense(net.global_pooling(y), 5)
    graph.outputs = [scores]
    renamed = {x: "image", first: "first", scores: "scores"}
    rename(graph, renamed)
    inputs = {"image": preprocessing} if preprocessing else {}
    return to_nnm(graph, fuse=False, inputs=inputs, stream=Streaming("max", ["image"] if fed else []))


def rows_planar() -> bytes:
    """float32 in c, h, w order: multiples, sums and relus."""
    b = Builder("planar", (1, 2, 12, 5))
    b.input("x")
    b.affine("x", "a", 2, 1)
    b.relu("a", "b")
    b.add("a", "b", "c")
    b.affine("c", "y", -1, 3)
    b.graph.outputs = ["y"]
    return to_nnm(b.graph, fuse=False, stream=Streaming("max"))


_ONE = Preprocessing((128.0,), (1 / 32,))
_EACH = Preprocessing((128.0, 128.0, 0.0), (1 / 32, 1.0, 0.125))
_MODELS: dict[str, Callable[[], bytes]] = {
    "branches.nnm": branches,
    "stripped.nnm": lambda: branches(names=False),
    "residual.nnm": residual,
    "gathered.nnm": gathered,
    "beside.nnm": beside,
    "over.nnm": lambda: over(int8=False),
    "over_int8.nnm": lambda: over(int8=True),
    "deep.nnm": deep,
    "fused.nnm": fused,
    "padded.nnm": padded,
    "memory.nnm": memory,
    "digits.nnm": digits,
    "wide.nnm": wide,
    "golden.nnm": golden,
    "rows.nnm": rows,
    "rows_fed.nnm": lambda: rows(fed=True),
    "rows_camera.nnm": lambda: rows(fed=True, preprocessing=_ONE),
    "rows_planar.nnm": rows_planar,
    "integers.nnm": lambda: camera(None, dtype=np.int32, shape=(3,), name="numbers"),
    "large.nnm": lambda: camera(None, dtype=np.float32, shape=(1, 1, 64, 64), order="chw"),
    "camera.nnm": lambda: camera(_ONE),
    "camera_plain.nnm": lambda: camera(None),
    "camera_each.nnm": lambda: camera(_EACH),
    "camera_planar.nnm": lambda: camera(_EACH, dtype=np.float32, shape=(1, 3, 3, 3), order="chw"),
}
