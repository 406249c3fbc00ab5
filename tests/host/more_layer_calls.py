"""Layers of more_layers.py as the importer and the engine see them: imported, run, and taken apart into calls."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph, geometry
from host_tools.importers import load_model
from nnmicro.errors import ModelError
from tests.host.int8_call import TypedBench
from tests.host.int8_cases import Case
from tests.host.kernel_call import Layout, words
from tests.host.more_layers import ALL_OPERATORS, MoreLayers

COUNT = 60

# Each layer, and the operator and type that it is made from here.
LAYERS = {
    "arg_max": ("ARG_MAX", "INT8"),
    "cast": ("CAST", "INT8"),
    "deconvolution": ("TRANSPOSE_CONV", "FLOAT32"),
    "deconvolution_int8": ("TRANSPOSE_CONV", "INT8"),
    "interp_int8": ("RESIZE_BILINEAR", "INT8"),
    "l2_normalize": ("L2_NORMALIZATION", "FLOAT32"),
    "l2_normalize_int8": ("L2_NORMALIZATION", "INT8"),
    "log_softmax": ("LOG_SOFTMAX", "FLOAT32"),
    "log_softmax_int8": ("LOG_SOFTMAX", "INT8"),
    "lstm": ("UNIDIRECTIONAL_SEQUENCE_LSTM", "FLOAT32"),
    "lstm_int8": ("UNIDIRECTIONAL_SEQUENCE_LSTM", "INT8"),
    "matmul": ("BATCH_MATMUL", "FLOAT32"),
    "matmul_int8": ("BATCH_MATMUL", "INT8"),
    "prelu": ("PRELU", "FLOAT32"),
    "prelu_int8": ("PRELU", "INT8"),
    "svdf": ("SVDF", "FLOAT32"),
    "svdf_int8": ("SVDF", "INT8"),
}


@cache
def graph_of(operator: str, dtype: str) -> tuple[Graph, bytes, MoreLayers]:
    """`COUNT` random layers of one operator, imported; the TFLite file, and its inputs."""
    layers = MoreLayers(sum(operator.encode()), dtype)
    for _ in range(COUNT):
        ALL_OPERATORS[operator](layers)
    content = layers.build()
    return imported(content), content, layers


def imported(content: bytes) -> Graph:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "layers.tflite"
        path.write_bytes(content)
        return load_model(path)


def run(graph: Graph, *inferences: dict[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """Every blob that is no state, computed by the engine's plain Python, in the source's shape; for each inference."""
    net = nnmicro.Net(to_nnm(graph, fuse=False), nnmicro.Option(backend="reference", lightmode=False))
    names = [blob.name for blob in graph.blobs() if blob.name not in graph.states]
    found = []
    with net.extractor() as ex:
        for inputs in inferences:
            for name, values in inputs.items():
                ex.input(name, values)
            blobs = {name: ex.extract(name) for name in names}
            found.append({n: np.frombuffer(b.tobytes(), b.dtype).reshape(b.shape) for n, b in blobs.items()})
            ex.reset()
    return found


def _seen(graph: Graph, name: str, values: np.ndarray) -> np.ndarray:
    """A tensor of the source's shape as the engine sees it: (c, h, w)."""
    shape = graph.tensor(name).shape
    c, h, w = geometry(shape, graph.order)
    return np.moveaxis(values.reshape(h, w, c), -1, 0) if len(shape) >= 4 else values.reshape(c, h, w)


@cache
def cases_of(op: str) -> list[Case]:
    """Calls of one layer, with the results that are LiteRT's (`test_equals_litert`)."""
    operator, dtype = LAYERS[op]
    graph, _, layers = graph_of(operator, dtype)
    (found,) = run(graph, {f"t{t}": x for t, x in layers.inputs.items()})
    for name in graph.states:  # before the first inference
        state = graph.tensor(name)
        zero = state.quantisation.zero_points[0] if state.quantisation else 0
        found[name] = np.full(state.shape, zero, state.dtype)
    cases = []
    for layer in graph.layers:
        if layer.op != op:
            continue
        tensors = [graph.tensor(name) for name in [*layer.inputs, *layer.outputs]]
        values = [_seen(graph, t.name, found[t.name] if t.data is None else t.data) for t in tensors]
        ways = [len(t.shape) >= 4 and t.dtype != np.float32 for t in tensors]
        constants = sum(t.data is not None for t in tensors)
        cases.append(Case(layer.name, op, values[:-1], ways, values[-1], dict(layer.attrs), constants))
    return cases


def kernel(op: str) -> ModuleType:
    return import_module(f"nnmicro.reference.{op}")


def bench(case: Case, in_place: bool = False) -> TypedBench:
    b = TypedBench(case.inputs, case.expected, words(case.params, kernel(case.op)), case.layouts(), in_place)
    _open_states(case.op, b)
    return b


def _open_states(op: str, b: TypedBench) -> None:
    """Let the layer write the states among its inputs."""
    for i in getattr(kernel(op), "_STATES", ()):
        b.call.input(i).data._writable = True


def refused_or_contained(case: Case, layouts: list[Layout], params: list[int], rng: np.random.Generator) -> None:
    """If `check` lets the call through, `run` keeps inside its operands and raises nothing, whatever they hold."""
    inputs = []
    for layout, x in zip(layouts, case.inputs, strict=False):
        count = int(np.prod(layout.shape))
        inputs.append(np.frombuffer(rng.bytes(count * x.itemsize), x.dtype).reshape(layout.shape))
    b = TypedBench(inputs, np.zeros(layouts[-1].shape, case.expected.dtype), params, layouts)
    _open_states(case.op, b)
    try:
        kernel(case.op).check(b.call)
    except ModelError:
        return
    kernel(case.op).run(b.call)
    assert b.guards_untouched()
