"""What a firmware is built from: what goes in, what tells two of them apart, and what a device says it runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from firmware import build, c_modules, engine, port, source
from firmware.errors import FirmwareError
from firmware.order import ENGINE, FLOAT, FULL, INT8, KERNELS, STOCK, Order
from host_tools.device import Device, ask_build, push_engine
from host_tools.device.build import parse_build

SOURCE = source.Source("0" * 64)


def name(order: Order) -> str:
    """Of the folder in the cache."""
    return build.PORTS[order.board]._target(order, SOURCE).name


def module(folder: Path, file: str) -> Path:
    """A user C module."""
    folder.mkdir(parents=True)
    (folder / file).write_text("")
    (folder / "it.c").write_text("int it;")
    return folder


@pytest.fixture
def own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package in place of the engine."""
    root = tmp_path / "engine"
    root.mkdir()
    (root / "__init__.py").write_text('__version__ = "7.8.9"\n')
    monkeypatch.setattr(engine, "folder", lambda: root)
    return root


def test_every_change_of_an_input_gives_another_firmware(tmp_path: Path, own_engine: Path) -> None:
    inside = module(tmp_path / "modules" / "mine", "micropython.mk")
    orders = [Order("unix", contents) for contents in (ENGINE, FULL, KERNELS, STOCK)]
    orders += [Order("unix", KERNELS, family=family) for family in (FLOAT, INT8)]
    orders += [Order("unix", KERNELS, arena=1024), Order("unix", KERNELS, modules=inside.parent)]
    names = [name(order) for order in orders]
    assert len(set(names)) == len(names)
    (inside / "it.c").write_text("int that;")
    assert name(orders[-1]) != names[-1]
    (own_engine / "more.py").write_text("")
    assert name(orders[0]) != names[0] and name(orders[1]) != names[1]
    # Without the engine in it there is nothing to compile again when that changes.
    assert name(orders[2]) == names[2]


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(FirmwareError, match="contents are one of engine, full, kernels, stock, not 'all'"):
        Order("unix", "all")
    for arena in (-16, 100, 1 << 30):
        with pytest.raises(FirmwareError, match=f"multiple of 16 bytes, not {arena}"):
            Order("unix", arena=arena)
    with pytest.raises(FirmwareError, match="one of all, float, int8, not 'int4'"):
        Order("unix", family="int4")
    assert Order("unix", STOCK, arena=1024).arena_bytes == 0
    assert name(Order("unix", STOCK, family=INT8)) == name(Order("unix", STOCK))  # which has no kernels


def test_user_modules_are_found_as_micropython_finds_them(tmp_path: Path) -> None:
    wanted = [module(tmp_path / part, "micropython.mk") for part in ("a", "b")]
    module(tmp_path / "c", "micropython.cmake")
    order = Order("unix", modules=tmp_path)
    assert c_modules.of_user(order, "micropython.mk") == wanted
    # CMake's ports are also given the module's own folder.
    assert c_modules.of_user(Order("rpi_pico", modules=tmp_path / "c"), "micropython.cmake") == [tmp_path / "c"]
    with pytest.raises(FirmwareError, match="no folder has a micropython.mk"):
        c_modules.of_user(Order("unix", modules=tmp_path / "nowhere"), "micropython.mk")


def test_a_users_module_with_the_name_of_ours_is_refused(tmp_path: Path) -> None:
    module(tmp_path / "user" / "native", "micropython.mk")
    with pytest.raises(FirmwareError, match="give its folder another"):
        c_modules.gather(Order("unix", modules=tmp_path / "user"), (), "micropython.mk", "x", tmp_path / "modules")


def test_the_engines_hash_is_over_its_modules_alone(own_engine: Path) -> None:
    before = engine.identity()
    (own_engine / "README.md").write_text("about")
    assert engine.identity() == before
    (own_engine / "__init__.py").write_text('__version__ = "7.8.10"\n')
    assert engine.identity() != before
    assert engine.version() == "7.8.10"


def test_a_device_says_which_firmware_it_runs(device: Device) -> None:
    answer = ask_build(device)
    assert answer is not None
    assert (answer.board, answer.version, answer.engine) == ("unix", engine.version(), None)
    path = build.built("unix", KERNELS)
    assert path is not None and path.parent.name.endswith(answer.firmware)


@pytest.mark.parametrize("line", ["", "1", "unix 0.1.0 0123 - 1", "a b 0123456789abcdef ? 1", "x" * 10_000])
def test_an_answer_that_makes_no_sense_is_no_firmware_of_ours(line: str) -> None:
    assert parse_build(line) is None


def test_the_stamp_is_what_the_host_reads(tmp_path: Path) -> None:
    for contents in (ENGINE, KERNELS):
        text = port.stamp(Order("unix", contents), tmp_path / f"unix-{contents}-{'a' * 16}")
        found = parse_build(f"{text} 1")
        assert found is not None and found.firmware == "a" * 16
        assert found.engine == (engine.identity() if contents == ENGINE else None)


class FrozenDevice:
    """A device whose firmware has an engine frozen in, and no files; it refuses everything but the question which."""

    description = SimpleNamespace(has_hashlib=True)
    bytes_sent = 0

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def exists(self, path: str) -> bool:
        return False

    def exec(self, code: str, timeout: float) -> bytes:
        assert "import _nnmicro" in code
        build = f"rpi_pico 0.0.9 {'1' * 16} {self.identity}"
        return repr((("0.0.9", "nnmicro/__init__.py", False, 1, None), (2, None, build, []))).encode()


def test_a_frozen_engine_is_left_alone_and_named_if_it_is_another() -> None:
    assert push_engine(FrozenDevice(engine.identity())).warnings == []  # type: ignore[arg-type]
    report = push_engine(FrozenDevice("0" * 16))  # type: ignore[arg-type]
    assert (report.format, report.sent) == ("frozen", 0)
    assert "another engine frozen in (nnmicro 0.0.9, 0000000000000000)" in report.warnings[0]


@pytest.mark.slow
def test_a_users_module_is_compiled_in_beside_ours(tmp_path: Path) -> None:
    folder = tmp_path / "modules" / "mine"
    folder.mkdir(parents=True)
    (folder / "mine.c").write_text(
        '#include "py/runtime.h"\n'
        "static const mp_rom_map_elem_t table[] = {{MP_ROM_QSTR(MP_QSTR_ANSWER), MP_ROM_INT(42)}};\n"
        "static MP_DEFINE_CONST_DICT(globals, table);\n"
        "const mp_obj_module_t mine = {.base = {&mp_type_module}, .globals = (mp_obj_dict_t *)&globals};\n"
        "MP_REGISTER_MODULE(MP_QSTR_mine, mine);\n"
    )
    (folder / "micropython.mk").write_text("SRC_USERMOD_C += $(USERMOD_DIR)/mine.c\n")
    path = build.PORTS["unix"].firmware(Order("unix", arena=4096, modules=folder.parent))
    program = "import mine, nnmicro, _nnmicro; print(mine.ANSWER, nnmicro.__file__, _nnmicro.arena(4112))"
    done = subprocess.run([path, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "42 nnmicro/__init__.py None\n"
    shutil.rmtree(path.parent)
