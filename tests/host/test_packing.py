"""Weights packed for a core: the layout as the format says it, its inverse, whole files there and back, refusals."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import Graph
from host_tools.model_file import ModelFile
from host_tools.packing import CORES, dsp, pack, packed_layers, unpack
from host_tools.packing.parts import Parts
from host_tools.streaming.convert import Streaming
from tests.host import int8_models
from tests.models.shared import shared

M4 = "cortex-m4"


def random_channels(rng: np.random.Generator, outputs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bias, multiplier and shift, the largest there may be among them."""
    bias = rng.integers(-(1 << 28) + 1, 1 << 28, outputs, dtype=np.int32)
    multiplier = rng.integers(0, (1 << 31) - 1, outputs, dtype=np.int32, endpoint=True)
    return bias, multiplier, -rng.integers(1, 22, outputs, dtype=np.int32, endpoint=True)


def random_weights(rng: np.random.Generator, outputs: int, products: int) -> np.ndarray:
    weights = rng.choice(np.array([-128, -127, -1, 0, 1, 127], np.int8), (outputs, products))
    if rng.random() < 0.7:
        weights = rng.integers(-128, 128, (outputs, products), dtype=np.int8)
    weights[1::2][(weights[1::2] == -128) & (weights[0::2][: outputs // 2] < 0)] = -127
    return weights


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 21), st.integers(1, 70), st.sampled_from([dsp.PAIR, dsp.QUAD]))
def test_unpacking_undoes_packing(seed: int, outputs: int, products: int, together: int) -> None:
    rng = np.random.default_rng(seed)
    weights, channels = random_weights(rng, outputs, products), random_channels(rng, outputs)
    assert dsp.why_not(weights, *channels, 0) is None
    packed = dsp.pack_weights(weights, together)
    assert packed.size == dsp.weight_bytes(outputs, products, together)
    np.testing.assert_array_equal(dsp.unpack_weights(packed, outputs, products, together), weights)
    words = dsp.pack_channels(*channels, int(rng.integers(-128, 128)), together)
    assert words.size == dsp.channel_words(outputs, together)
    for found, right in zip(dsp.unpack_channels(words, outputs), channels, strict=True):
        np.testing.assert_array_equal(found, right)
        assert found.dtype == np.int32


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 14), st.booleans())
def test_the_layout_is_that_of_the_format(seed: int, outputs: int, products: int, connected: bool) -> None:
    """FORMAT.md in other words: element by element, and by what a kernel computes with it."""
    rng = np.random.default_rng(seed)
    weights, together = random_weights(rng, outputs, products), dsp.QUAD if connected else dsp.PAIR
    packed = dsp.pack_weights(weights, together).tobytes()
    filled = np.zeros((-(-outputs // together) * together, -(-products // 4) * 4), np.int64)
    filled[:outputs, :products] = weights
    expected = b""
    for first in range(0, len(filled), together):
        for k in range(0, filled.shape[1], 4):
            for pair in range(first, first + together, 2):
                halves = [int(filled[pair, k + i] + 256 * filled[pair + 1, k + i]) for i in range(4)]
                expected += struct.pack("<4h", halves[0], halves[2], halves[1], halves[3])
    assert packed == expected
    bias, multiplier, shift = random_channels(rng, outputs)
    words = dsp.pack_channels(bias, multiplier, shift, -7, together).reshape(-1, 4)
    assert len(words) == len(filled)
    for o in range(len(filled)):
        there = o < outputs
        right = int(-shift[o]) if there else 1
        own = [2 * int(bias[o]), int(multiplier[o])] if there else [0, 0]
        assert words[o].tolist() == [*own, -13 << (right - 1), right]


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(-128, 127), st.integers(1, 400))
def test_a_word_carries_the_sums_of_whatever_is_packed(seed: int, zero: int, products: int) -> None:
    """FORMAT.md's proof at its worst: every element the one that makes the second channel's sum largest, or least."""
    rng = np.random.default_rng(seed)
    first, second = random_weights(rng, 2, products).astype(np.int64)
    extremes = [np.where(sign * second > 0, 127 - zero, -128 - zero) for sign in (-1, 1)]
    bound = max(abs(int((x * second).sum())) for x in extremes)
    channels = (np.zeros(2, np.int32), np.ones(2, np.int32), np.full(2, -1, np.int32))
    why = dsp.why_not(np.stack((first, second)).astype(np.int8), *channels, zero)
    assert (why is None) == (bound < 1 << 23)
    for x in extremes:
        d0, d1 = int((x * first).sum()), int((x * second).sum())
        word = (int((x * (first + 256 * second)).sum()) - d0 + (1 << 31)) % (1 << 32) - (1 << 31)
        if why is None:
            assert word >> 8 == d1


def test_sums_too_large_for_a_word_are_not_packed() -> None:
    channels = (np.zeros(2, np.int32), np.ones(2, np.int32), np.full(2, -1, np.int32))
    for count, why in ((259, None), (260, "too large")):  # 127 * 255 * 259 < 2 ** 23 <= 127 * 255 * 260
        weights = np.full((2, count), 127, np.int8)
        assert (why or "None") in str(dsp.why_not(weights, *channels, -128))
        assert dsp.why_not(weights, *channels, 0) is None  # 128 at most
        weights[1, ::2] *= -1
        assert dsp.why_not(weights, *channels, -128) is None  # no input is 255 where it helps and -255 where not
        weights[1] = 127
        assert (why or "None") in str(dsp.why_not(-weights, *channels, -128))
        weights[1] = 0
        assert dsp.why_not(weights, *channels, -128) is None  # the first channel's may be larger


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda w, b, m, s: (np.zeros((2, 8224), np.int8), b, m, s), "8,223 products"),
        (lambda w, b, m, s: (w, b + np.int32(1 << 28), m, s), "a channel"),
        (lambda w, b, m, s: (w, b - np.int32(1 << 28), m, s), "a channel"),
        (lambda w, b, m, s: (w, b, -m, s), "a channel"),
        (lambda w, b, m, s: (w, b, m, 0 * s), "a channel"),
        (lambda w, b, m, s: (w, b, m, 0 * s - 23), "a channel"),
        (lambda w, b, m, s: (np.array([[-1], [-128]], np.int8), b, m, s), "-128"),
    ],
)
def test_what_would_not_be_exact_is_not_packed(change, reason: str) -> None:  # type: ignore[no-untyped-def]
    plain = (
        np.ones((2, 8223), np.int8),
        np.zeros(2, np.int32),
        np.full(2, 1 << 30, np.int32),
        np.full(2, -22, np.int32),
    )
    assert dsp.why_not(*plain, 0) is None
    assert reason in str(dsp.why_not(*change(*plain), 0))
    # The second channel of a pair may have it beside 0 and more, the first in any case.
    for column in ([[0], [-128]], [[-128], [-127]], [[-128], [127]]):
        assert dsp.why_not(np.array(column, np.int8), *plain[1:], 0) is None


# Whole files


@pytest.mark.parametrize("name", sorted(int8_models.MODELS))
def test_a_file_comes_back_byte_for_byte(name: str) -> None:
    data = int8_models.converted(name).data
    assert Parts(data).write() == data and pack(data, "generic").data == data
    packed = pack(data, M4)
    if name == "micro_speech":  # its only layer, of 4,000 products, with a sum that a word cannot share
        assert packed.stayed == {dsp.TOO_LARGE: 1} and packed.data == data
        return
    assert packed.packed == packed.of > 0 and not packed.stayed
    assert packed_layers(packed.data) == (packed.packed, packed.of) and packed_layers(data) == (0, 0)
    assert packed.data != data and unpack(packed.data) == data
    assert pack(packed.data, M4).data == packed.data
    for core in CORES:
        assert pack(packed.data, core).data == (packed.data if CORES[core] == "dsp" else data)


def fully_connected(graph: Graph, name: str, source: str, weights: str | None = None, **attrs: int) -> str:
    """A fully connected layer with 6 outputs; `weights`: those of another one."""
    count = int(np.prod(graph.tensors[source].shape))
    rng = np.random.default_rng(3)
    if weights is None:
        weights = graph.add_constant(name + "_w", rng.integers(-127, 128, (6, count), dtype=np.int8))
    others = [
        graph.add_constant(f"{name}_{i}", values)
        for i, values in enumerate(
            (np.arange(6, dtype=np.int32), np.full(6, 1 << 30, np.int32), np.full(6, -8, np.int32))
        )
    ]
    graph.add_tensor(name, (1, 6)).dtype = np.dtype(np.int8)
    zeros = {"per_row": 0, "input_zero": -128, "weight_zero": 0, "output_zero": 3, **attrs}
    graph.add(
        "inner_product_int8", name, [source, weights, *others], [name], activation_min=-128, activation_max=127, **zeros
    )
    return name


def connected_network(shape: tuple[int, ...] = (1, 6)) -> Graph:
    graph = Graph("connected", inputs=["x"])
    graph.add_tensor("x", shape).dtype = np.dtype(np.int8)
    return graph


def test_layers_that_share_their_weights_or_take_rows_stay_and_the_others_are_packed() -> None:
    graph = connected_network((1, 2, 3))
    a = fully_connected(graph, "rows", "x")
    b = fully_connected(graph, "one", a)
    c = fully_connected(graph, "same", b, weights="one_w")
    d = fully_connected(graph, "zeros", c, weight_zero=1)
    graph.outputs = [fully_connected(graph, "packed", d)]
    data = to_nnm(graph)
    packed = pack(data, M4)
    assert (packed.packed, packed.of, sum(packed.stayed.values())) == (1, 5, 4)
    assert {reason: n for reason, n in packed.stayed.items() if "in common" in reason} and len(packed.stayed) == 3
    assert unpack(packed.data) == data
    model = ModelFile(packed.data)
    assert model.plain == data and model.kinds == ["inner_product_int8", "inner_product_int8_dsp"]
    assert model.describe()["packing"] == {"cores": "Cortex-M4/M7/M33", "layers": 1, "of": 5}
    assert ModelFile(data).describe()["packing"] is None


def test_a_streamed_model_is_packed_with_its_steps_as_they_are() -> None:
    model = to_nnm(int8_graph("mnist"), stream=Streaming("max"))
    packed = pack(model, M4)
    assert packed.packed and unpack(packed.data) == model
    assert ModelFile(packed.data).steps() == ModelFile(model).steps()


def int8_graph(name: str) -> Graph:
    from host_tools.importers import load_model

    return load_model(shared(f"models/{int8_models.MODELS[name]}"))


# Refusals


def small() -> bytes:
    graph = connected_network()
    graph.outputs = [fully_connected(graph, "y", "x")]
    return pack(to_nnm(graph), M4).data


@pytest.mark.parametrize("backend", [None, "reference", "vector"])
def test_a_net_is_refused_where_the_kernels_are_not(backend: str | None) -> None:
    with pytest.raises(nnmicro.ModelError, match="Cortex-M4, M7 and M33.*nnmicro repack MODEL --core generic"):
        nnmicro.Net(small(), nnmicro.Option(backend=backend) if backend else None)


def rewritten(change) -> bytes:  # type: ignore[no-untyped-def]
    """The small packed model with a constant changed, its checksums right."""
    parts = Parts(small())
    change(parts)
    return parts.write()


def other_bytes(constant: int, at: int, value: int):  # type: ignore[no-untyped-def]
    def change(parts: Parts) -> None:
        data = bytearray(parts.constants[constant].data)
        data[at] ^= value
        parts.constants[constant] = replace(parts.constants[constant], data=bytes(data))

    return change


def exchanged(parts: Parts) -> None:
    parts.layers[0].inputs[1:] = reversed(parts.layers[0].inputs[1:])


def other_kind(parts: Parts) -> None:
    parts.layers[0].op = "convolution_int8_dsp"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(other_bytes(1, 0, 1), id="half a bias"),
        pytest.param(other_bytes(1, 8, 1), id="an offset that does not follow from the shift"),
        pytest.param(other_bytes(1, 12, 64), id="a shift of 70"),
        pytest.param(other_bytes(1, 15, 128), id="a shift to the left"),
        pytest.param(other_bytes(0, 62, 5), id="a weight where there is none"),
        pytest.param(exchanged, id="weights and channels exchanged"),
        pytest.param(other_kind, id="another kind"),
    ],
)
def test_packed_weights_that_packing_does_not_make_are_refused(change) -> None:  # type: ignore[no-untyped-def]
    assert unpack(rewritten(lambda parts: None)) == unpack(small())
    with pytest.raises(nnmicro.ModelError, match="packed"):
        ModelFile(rewritten(change))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused_with_a_model_error(data: st.DataObject) -> None:
    """Whatever words are changed, with checksums that say it is right."""
    parts = Parts(small())
    for _ in range(data.draw(st.integers(1, 3))):
        where = data.draw(st.sampled_from(["constant", "layer", "blob", "header"]))
        value = data.draw(st.sampled_from([-1, 0, 1, 2, 3, 7, 1 << 20, (1 << 31) - 1]))
        if where == "constant":
            record = data.draw(st.sampled_from(parts.constants)).record
        elif where == "layer":
            record = parts.layers[0].record
        else:
            record = data.draw(st.sampled_from(parts.blobs))[0] if where == "blob" else parts.header
        at = data.draw(st.integers(0, len(record) - 1))
        record[at] = value
    try:
        ModelFile(parts.write())
    except (nnmicro.ModelError, IndexError, struct.error) as error:
        # The last two are this test's own, of records that cannot be written.
        if not isinstance(error, nnmicro.ModelError):
            with pytest.raises(type(error)):
                parts.write()


def test_damaged_weights_are_not_given_a_checksum_that_matches(tmp_path: Path) -> None:
    for data in (small(), int8_models.converted("hello_world").data):
        broken = bytearray(data)
        broken[-40] ^= 4
        with pytest.raises(nnmicro.ModelError, match="weights is damaged"):
            pack(bytes(broken), M4)
