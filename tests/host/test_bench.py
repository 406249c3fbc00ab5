"""`nnmicro bench`: exact counts on a QEMU board, and what the device says is checked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

import boards
from firmware import qemu_plugin
from host_tools.cli.main import app
from host_tools.convert import Options, convert
from host_tools.device import Device, DeviceError, push_engine
from host_tools.device.qemu import QemuDevice
from host_tools.model_file import ModelFile
from host_tools.remote.benchmark import Cost, LayerCost, _layers, clocked, describe, estimated_cycles, measure
from host_tools.streaming.convert import Streaming
from tests.host.test_cli import DIGITS
from tests.host.test_qemu_device import BOARD, require
from tests.models import model_file


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    require(BOARD)
    with QemuDevice(f"emu:{BOARD}", BOARD, by_class=True) as device:
        push_engine(device)
        device.write_file(model_file("digits.nnm"), "/digits.nnm")
        yield device


def cost_of(board: Device, backend: str | None = None) -> Cost:
    board.soft_reset()
    return measure(board, "/digits.nnm", ModelFile.read(model_file("digits.nnm")), backend)


def test_counts_repeat_to_the_instruction_and_add_up(board: QemuDevice) -> None:
    first = cost_of(board)
    assert first == cost_of(board)
    model = ModelFile.read(model_file("digits.nnm"))
    assert [layer.layer for layer in first.layers] == list(range(model.net.n_layers))
    assert first.unit == "instructions" and all(layer.native for layer in first.layers)
    overhead = first.python_overhead
    assert overhead is not None and 0 < overhead < first.total
    assert sum(layer.count for layer in first.layers) + overhead == first.total
    assert first.live_peak == model.net.live_peak and first.heap_allocated == 0
    # A multiply-accumulate is an instruction on a core with an FPU; loads and loops are the rest.
    told = describe(first, model, board.spec)
    assert 1 < told["instructions_per_mac"] < 100


def test_the_classes_are_those_of_the_instructions_that_are_counted(board: QemuDevice) -> None:
    if board.by_class_lacks:
        pytest.skip(board.by_class_lacks)
    cost = cost_of(board)
    assert cost.classes is not None
    assert abs(qemu_plugin.instructions(cost.classes) - cost.total) <= 2
    model = ModelFile.read(model_file("digits.nnm"))
    told = describe(cost, model, board.spec)
    # A load takes two cycles, and half of the instructions at least are no loads or branches.
    assert cost.total < told["estimated_cycles"] < 2 * cost.total
    assert told["estimated_for"] == BOARD and told["estimated_ms"] == round(told["estimated_cycles"] / 25e3, 3)
    faster = describe(cost, model, board.spec, boards.load("nrf52840_dk"))
    assert faster["estimated_ms"] == round(told["estimated_cycles"] / 64e3, 3)


def test_an_estimate_for_a_board_with_another_core_is_refused() -> None:
    with pytest.raises(ValueError, match="no estimate for rpi_pico2, .*-m33: emu:qemu_cortex_m4f has a cortex-m4f"):
        clocked("emu:qemu_cortex_m4f", boards.load("rpi_pico2"))
    with pytest.raises(ValueError, match="measures its own time"):
        clocked("/dev/ttyACM0", boards.load("rpi_pico"))
    assert clocked("/dev/ttyACM0", None) is None
    assert clocked("emu:rpi_pico", boards.load("pico_w")) == boards.load("pico_w")


def test_the_pico_s_emulator_keeps_the_cores_time_so_cycles_follow_from_that() -> None:
    cost = Cost("time_us", 1000, [], 0, None, "_nnmicro")
    assert estimated_cycles(cost, boards.load("rpi_pico")) == 125_000
    assert estimated_cycles(cost, None) is None


@pytest.mark.parametrize("fed", [False, True])
def test_a_streamed_model_is_counted_layer_by_layer(board: QemuDevice, fed: bool) -> None:
    (image,) = ModelFile.read(model_file("digits.nnm")).net.inputs
    streaming = Streaming("max", [image] if fed else [])
    model = ModelFile(convert(DIGITS, None, Options(stream=streaming)))
    board.write_file(model.data, "/streamed.nnm")
    board.soft_reset()
    cost = measure(board, "/streamed.nnm", model)
    assert [layer.layer for layer in cost.layers] == list(range(model.net.n_layers))
    assert all(layer.native for layer in cost.layers) and cost.heap_allocated == 0
    assert cost.python_overhead is not None and 0 < cost.python_overhead < cost.total
    ran = {layer.layer for layer in cost.layers if layer.count}
    assert ran == {step[0] for step in model.steps() if step[0] >= 0}
    whole = cost_of(board)
    assert whole.total < cost.total < 3 * whole.total and cost.live_peak == model.net.arena_size < whole.live_peak


def test_the_layers_together_cost_what_one_call_for_all_of_them_does(board: QemuDevice) -> None:
    cost = cost_of(board)
    board.exec("nn_again()\nex = _Run.ex\nn, x, done = _Run.net.native, ex._context, []\nex._begin('scores')\n")
    last = cost.layers[-1].layer
    whole = board.instructions(f"done.append(n.run(x, 0, {last}, ex._mark, 99))")
    assert board.eval("done[0]") == last + 1
    board.exec("ex.reset()")
    # Each call of its own takes some hundred instructions to find the buffers behind its arguments.
    assert abs(sum(layer.count for layer in cost.layers) - whole) < 1000 * len(cost.layers)


def test_layers_in_python_are_told_from_those_in_c(board: QemuDevice) -> None:
    plain, native = cost_of(board, "reference"), cost_of(board)
    assert not any(layer.native for layer in plain.layers) and plain.python_overhead is None
    assert plain.total > 10 * native.total


def test_a_board_without_a_counter_tells_time(device: Device) -> None:
    device.write_file(model_file("digits.nnm"), "/digits.nnm")
    device.soft_reset()
    model = ModelFile.read(model_file("digits.nnm"))
    told = describe(measure(device, "/digits.nnm", model), model, "unix")
    assert told["time_us"] > 0 and "instructions" not in told and told["estimated_cycles"] is None
    assert len(told["per_layer"]) == model.net.n_layers


def test_the_command_prints_one_object_or_a_table() -> None:
    path = str(model_file("digits.nnm"))
    told = CliRunner().invoke(app, ["bench", path, "--device", "unix", "--json"])
    assert told.exit_code == 0
    assert {"time_us", "time_us_per_mac", "python_overhead", "per_layer", "live_peak", "heap_allocated"} <= set(
        json.loads(told.stdout)
    )
    shown = CliRunner().invoke(app, ["bench", path, "--device", "unix"])
    assert shown.exit_code == 0 and "from giving the inputs to the last output" in shown.stdout


@pytest.mark.parametrize("answer", [b"(1, 5, True)", b"(0, 5)", b"(0, '5', True)", b"(0, 5, True)\n" * 3, b"x"])
def test_an_answer_that_makes_no_sense_is_an_error(answer: bytes) -> None:
    with pytest.raises(DeviceError):
        _layers(answer, 2)


def test_layers_that_the_device_cannot_number_are_counted() -> None:
    assert _layers(b"(-1, 5, False)\n(1, 6, True)\n", 2) == [LayerCost(0, 5, False), LayerCost(1, 6, True)]
