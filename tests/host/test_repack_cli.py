"""`nnmicro convert --core`, `--board` and `nnmicro repack`, as a user meets them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from host_tools.cli.main import app
from host_tools.device import Device
from host_tools.device.errors import RemoteError
from host_tools.model_file import ModelFile
from tests.host import int8_models
from tests.host.test_cli import DIGITS

NETWORK = "hello_world"
COMMAND = "nnmicro repack MODEL --core generic"


def nnmicro(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments)])


def done(*arguments: str | Path) -> Result:
    result = nnmicro(*arguments)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def generic(tmp_path: Path) -> Path:
    out = tmp_path / "model.nnm"
    done("convert", int8_models.path(NETWORK), "-o", out)
    return out


def test_repacking_goes_both_ways_and_ends_in_the_same_bytes(generic: Path, tmp_path: Path) -> None:
    before = generic.read_bytes()
    os.chmod(generic, 0o640)
    result = done("repack", generic, "--core", "cortex-m4")
    assert "generic, for any core" in result.stdout
    assert "packed for Cortex-M4/M7/M33 (3 of 3 int8 layers with weights)" in " ".join(result.stdout.split())
    packed = generic.read_bytes()
    assert packed != before and generic.stat().st_mode & 0o777 == 0o640
    straight = tmp_path / "straight.nnm"
    for given in (["--core", "cortex-m7"], ["--board", "pyboard_v11", "--stock"]):
        done("convert", int8_models.path(NETWORK), "-o", straight, *given)
        assert straight.read_bytes() == packed
    done("repack", generic, "-o", tmp_path / "other.nnm", "--core", "generic")
    assert (tmp_path / "other.nnm").read_bytes() == before and generic.read_bytes() == packed
    done("repack", generic, "--board", "rpi_pico")
    assert generic.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_info_says_how_weights_are_packed(generic: Path) -> None:
    told = json.loads(done("info", generic, "--json").stdout)
    assert told["packing"] is None and "packed" not in done("info", generic).stdout
    repacked = json.loads(done("repack", generic, "--core", "cortex-m33", "--json").stdout)
    assert repacked.pop("warnings") == []
    assert repacked == json.loads(done("info", generic, "--json").stdout)
    assert repacked["packing"] == {"cores": "Cortex-M4/M7/M33", "layers": 3, "of": 3}
    assert repacked["file_bytes"] == generic.stat().st_size
    for name in ("macs", "arena", "layers", "inputs"):
        assert repacked[name] == told[name]
    assert "packed for Cortex-M4/M7/M33 (3 of 3 int8 layers with weights)" in done("info", generic).stdout


def test_a_core_without_a_packing_gets_the_generic_one_and_that_is_said(tmp_path: Path) -> None:
    out, plain = tmp_path / "a.nnm", tmp_path / "b.nnm"
    done("convert", int8_models.path(NETWORK), "-o", plain)
    for given in (["--core", "cortex-m3"], ["--core", "rv32imc"], ["--board", "rpi_pico"]):
        result = done("convert", int8_models.path(NETWORK), "-o", out, *given)
        assert "has no packing of its own: weights are generic" in " ".join(result.stderr.split())
        assert out.read_bytes() == plain.read_bytes()
    told = json.loads(done("convert", DIGITS, "-o", out, "--core", "cortex-m4", "--json").stdout)
    assert ["no int8" in text for text in told["warnings"]] == [True]
    assert "packing of its own" not in done("convert", DIGITS, "-o", out).stderr


def test_layers_that_stay_are_counted_with_the_reason(tmp_path: Path) -> None:
    told = json.loads(
        done(
            "convert", int8_models.path("micro_speech"), "-o", tmp_path / "m.nnm", "--core", "cortex-m4", "--json"
        ).stdout
    )
    assert told["packing"] is None
    assert told["warnings"] == [
        "1 of 1 layers are not packed for Cortex-M4/M7/M33: 1 because its input has several rows"
    ]


def test_what_contradicts_itself_is_refused(generic: Path, tmp_path: Path) -> None:
    before = generic.read_bytes()
    assert "leave --core out" in nnmicro("repack", generic, "--core", "cortex-m4", "--board", "rpi_pico2").output
    both = nnmicro("convert", int8_models.path(NETWORK), "--core", "cortex-m4", "--board", "rpi_pico2")
    assert both.exit_code == 2 and "leave --core out" in both.output
    assert nnmicro("repack", generic).exit_code == 2
    assert nnmicro("repack", generic, "--core", "cortex-m5").exit_code == 2
    unknown = nnmicro("repack", generic, "--board", "pyboard")
    assert unknown.exit_code == 1 and "pyboard_v11" in unknown.output
    generic.write_bytes(before[:-16])
    assert nnmicro("repack", generic, "--core", "cortex-m4").exit_code == 1
    assert generic.read_bytes() == before[:-16]
    missing = nnmicro("repack", tmp_path / "none.nnm", "--core", "generic")
    assert missing.exit_code == 1 and not (tmp_path / "none.nnm").exists()


def test_a_device_without_the_kernels_refuses_before_anything_is_sent(generic: Path, device: Device) -> None:
    done("repack", generic, "--core", "cortex-m4")
    for command in (["push"], ["run"], ["verify", "--against", int8_models.path(NETWORK)]):
        name, *rest = command
        result = nnmicro(name, generic, *rest)
        assert result.exit_code == 1 and COMMAND in " ".join(result.output.split()), result.output
    # And the engine itself, where somebody has copied the file.
    device.write_file(generic.read_bytes(), "/packed.nnm")
    try:
        with pytest.raises(RemoteError, match=COMMAND):
            device.exec("import nnmicro\nnnmicro.Net('/packed.nnm')")
    finally:
        device.remove("/packed.nnm")


def test_what_a_model_is_told_of_does_not_depend_on_its_packing(generic: Path, tmp_path: Path) -> None:
    pages = []
    for core in ("generic", "cortex-m4"):
        done("repack", generic, "--core", core)
        done("report", generic, "-o", tmp_path / "page.html")
        pages.append(json.loads(done("plan", generic, "--json").stdout))
        assert [ModelFile.read(generic).layer_op(i) for i in range(3)].count("inner_product_int8") == 3
    assert pages[0] == pages[1]
