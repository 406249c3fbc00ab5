"""Weights that stay in the file: real networks against LiteRT, random layers and windows against the whole file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from words import Words

import nnmicro
from host_tools.convert import convert
from host_tools.device import Device, push_engine
from host_tools.device.qemu import QemuDevice
from host_tools.remote.inference import RemoteInference
from host_tools.writer import assemble
from nnmicro import Option
from nnmicro import format as f
from tests.boards import lacking
from tests.host import int8_models, litert, test_hostile_files
from tests.models import int8_layers, model_file, wide

M4F = "qemu_cortex_m4f"
REAL = ["kws", "ic", "ad", "vww"]
needs_litert = pytest.mark.skipif(not litert.AVAILABLE, reason="ai-edge-litert is not installed")


def least(path: Path) -> int:
    """The smallest window that the engine takes for a model."""
    with pytest.raises(ValueError, match="the least that this model can do with is") as refused:
        nnmicro.Net(str(path), Option(window=1))
    return int(re.findall(r"\d+", str(refused.value))[-1])


def run(net: nnmicro.Net, inputs: dict[str, np.ndarray], **options: Any) -> list[bytes]:
    with net.extractor(**options) as ex:
        for name, values in inputs.items():
            ex.input(name, values)
        return [bytes(ex.extract(name).tobytes()) for name in net.outputs]


@needs_litert
@pytest.mark.parametrize("lightmode", [True, False])
@pytest.mark.parametrize("name", ["kws", "ic", "ad"])
def test_networks_in_plain_python(name: str, lightmode: bool, tmp_path: Path) -> None:
    model = int8_models.converted(name)
    path = tmp_path / "model.nnm"
    path.write_bytes(model.data)
    (values,) = int8_models.inputs(name, 1)
    (output,) = model.net.outputs
    expected = int8_models.expected(name, 1)[0][output]
    for window in (0, 2 * least(path), least(path)):
        net = nnmicro.Net(str(path), Option(backend="reference", weights="window", window=window))
        (found,) = run(net, {net.inputs[0]: values}, lightmode=lightmode)
        net.close()
        np.testing.assert_array_equal(np.frombuffer(found, np.int8).reshape(expected.shape), expected)


@needs_litert
@pytest.mark.parametrize("name", REAL)
def test_networks_on_the_device(device: Device, name: str, tmp_path: Path) -> None:
    model = int8_models.converted(name)
    path = tmp_path / "model.nnm"
    path.write_bytes(model.data)
    device.write_file(model.data, "/window.nnm")
    try:
        (output,) = model.net.outputs
        for window in (0, 16384, least(path)):
            remote = RemoteInference(device, "/window.nnm", model, weights="window", window=window)
            assert (remote.backend, remote.weights_from) == ("_nnmicro", "window")
            for i, values in enumerate(int8_models.inputs(name, 3)):
                remote.input(model.net.inputs[0], values)
                measured = remote.infer(output)
                assert measured.placement == "plan" and measured.live_peak == model.net.live_peak
                np.testing.assert_array_equal(remote.output(output), int8_models.expected(name, 3)[i][output])
                remote.reset()
            remote.input(model.net.inputs[0], int8_models.inputs(name, 1)[0])
            assert remote.heap(output) == 0
    finally:
        device.remove("/window.nnm")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.data(),
    seed=st.integers(0, 1 << 30),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 40), st.integers(1, 40)),
    bias=st.booleans(),
)
def test_random_float_layers_and_windows(
    tmp_path: Path, data: st.DataObject, seed: int, sizes: tuple[int, int, int], bias: bool
) -> None:
    path = tmp_path / "wide.nnm"
    path.write_bytes(wide(seed, *sizes, bias=bias))
    inputs = {"x": np.random.default_rng(seed).normal(size=(1, sizes[0], 4, 4)).astype(np.float32)}
    check(path, inputs, data)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), seed=st.integers(0, 1 << 30))
def test_random_int8_layers_and_windows(tmp_path: Path, data: st.DataObject, seed: int) -> None:
    layers = int8_layers.Layers(seed)
    for kind in ("full", "pointwise", "depthwise"):
        int8_layers.convolution(layers, kind)
    int8_layers.fully_connected(layers)
    int8_layers.fully_connected(layers, rows=3)
    source, path = tmp_path / "layers.tflite", tmp_path / "layers.nnm"
    source.write_bytes(layers.build())
    path.write_bytes(convert(source))
    net = nnmicro.Net(str(path))
    check(path, dict(zip(net.inputs, layers.inputs.values(), strict=True)), data)


def check(path: Path, inputs: dict[str, np.ndarray], data: st.DataObject) -> None:
    whole = nnmicro.Net(str(path), Option(backend="reference", weights="memory"))
    expected = run(whole, inputs)
    window = least(path) + data.draw(st.integers(0, 3000), "above the least")
    net = nnmicro.Net(str(path), Option(backend="reference", window=window))
    assert net.weights_from == "window" and net.window.size <= max(window, 256)
    assert run(net, inputs) == expected
    net.check_weights()
    assert run(net, inputs, lightmode=False) == expected
    net.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(("wide.nnm", "residual.nnm")),
    changes=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True),
            st.one_of(st.sampled_from(test_hostile_files.INTERESTING), st.integers(-20, 300)),
        ),
        min_size=1,
        max_size=2,
    ),
)
def test_damage_is_refused_as_in_the_whole_file_or_does_the_same(
    tmp_path: Path, name: str, changes: list[tuple[float, int]]
) -> None:
    file = Words(model_file(name))
    weights = file.section(f.WEIGHTS)
    for where, value in changes:
        file[int(where * weights)] = value
    if not (0 <= file[f.H_ARENA_BYTES] < 1 << 20 and 0 <= file[f.H_MAX_BLOCKS] < 1 << 16):
        return  # there is nothing to see in making that much memory
    expected = outcome(lambda: file.seal(Option(backend="reference")))
    path = tmp_path / "damaged.nnm"
    path.write_bytes(file.data)
    found = outcome(lambda: nnmicro.Net(str(path), Option(backend="reference", weights="window")))
    assert found == expected or "convert the model again" in found[0]


def outcome(load: Callable[[], nnmicro.Net]) -> list[str]:
    """What a model gives for inputs of ones, or the kind of error that it ends with, and when."""
    try:
        net = load()
    except nnmicro.ModelError as error:
        return [str(error) if "convert the model again" in str(error) else "refused"]
    try:
        return [str(found) for found in run(net, {x: np.ones(net.shape(x), np.float32) for x in net.inputs})]
    except (nnmicro.ArenaFull, nnmicro.StateError, ValueError, KeyError, OverflowError) as error:
        return [type(error).__name__]
    finally:
        net.close()


def test_a_file_whose_tables_lie_behind_its_weights_says_what_to_do(tmp_path: Path) -> None:
    data = wide()
    words = np.frombuffer(data, np.int32)
    table = words[f.HEADER_WORDS :].reshape(-1, f.SECTION_WORDS)[: words[f.H_SECTIONS]]
    sections = [(int(kind), data[at : at + size]) for kind, at, size, _ in table]
    path = tmp_path / "old.nnm"
    path.write_bytes(assemble(words[: f.HEADER_WORDS].tolist(), [sections[-1], *sections[:-1]]))
    nnmicro.Net(str(path))
    with pytest.raises(nnmicro.ModelError, match="convert the model again"):
        nnmicro.Net(str(path), Option(weights="window"))


PROGRAM = """
import gc, nnmicro
net = nnmicro.Net("/vww.nnm"{option})
given = bytearray({size})
with open("/input.bin", "rb") as file:
    file.readinto(given)
ex = net.extractor()
ex.input({input!r}, given)
given = None
scores = bytes(ex.extract({output!r}).tobytes())
gc.collect()
"""


@pytest.mark.slow
@needs_litert
def test_a_file_that_is_larger_than_the_heap_of_a_board() -> None:
    reason = lacking(f"emu:{M4F}", may_build=True)
    if reason:
        pytest.skip(reason)
    model = int8_models.converted("vww")
    (values,) = int8_models.inputs("vww", 1)
    (output,) = model.net.outputs
    expected = int8_models.expected("vww", 1)[0][output]
    heap = 208 * 1024
    assert heap < len(model.data)
    with QemuDevice(f"emu:{M4F}", M4F, heap=heap) as board:
        push_engine(board)
        board.write_file(model.data, "/vww.nnm")
        board.write_file(values.tobytes(), "/input.bin")
        for option in ("", ", nnmicro.Option(window=8192)"):
            board.soft_reset()
            board.exec(
                PROGRAM.format(option=option, size=values.nbytes, input=model.net.inputs[0], output=output), timeout=300
            )
            used = board.eval("gc.mem_alloc()")
            print(f"\na file of {len(model.data):,} bytes in a heap of {heap:,}, {used:,} used{option}")
            assert board.eval("(net.backend, net.weights_from)") == ("_nnmicro", "window")
            np.testing.assert_array_equal(np.frombuffer(board.eval("scores"), np.int8), expected.ravel())
        board.soft_reset()
        with pytest.raises(Exception, match=r"do not fit into free memory.*ROMFS"):
            board.exec('import nnmicro\nnnmicro.Net("/vww.nnm", nnmicro.Option(weights="memory"))')
