"""The wheel: pure Python, with native modules and firmware images in it for machines that have no compiler."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from firmware import build, native_mpy, shipped
from firmware.errors import FirmwareError
from firmware.order import ENGINE, KERNELS, Order

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("nnmicro", "host_tools", "firmware", "boards")
_FILES = ("pyproject.toml", "README.md", "LICENSE")
_LEFT = ("__pycache__", "build", "built", "shipped_images", "*.mpy", "*.o", "*.so", ".mpy_ld_cache")
# What runs where nothing can be compiled: the Picos' firmware, and that of one emulated board, which counts.
IMAGES = (
    Order("rpi_pico", ENGINE),
    Order("rpi_pico2", ENGINE),
    Order("qemu_cortex_m4f", KERNELS),
)


@dataclass(frozen=True)
class Image:
    """A firmware that was built, and what it is called in the wheel."""

    order: Order
    path: Path
    shipped_name: str


def images() -> list[Image]:
    """Every firmware of IMAGES, built where need be; FirmwareError says what is missing for that."""
    found = []
    for order in IMAGES:
        port = build.PORTS[order.board]
        name = shipped.name(order, port.own_modules, port.module_file, port.product)
        found.append(Image(order, port.build(order), name))
    return found


def write(target: Path, natives: dict[tuple[str, str], bytes], firmware: list[Image]) -> Path:
    """Build the wheel in a folder of its own, so that nothing is left beside the sources; its path in `target`."""
    target.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="nnmicro-wheel-") as made:
        tree, wheels = Path(made) / "tree", Path(made) / "wheels"
        for name in PACKAGES:
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns(*_LEFT))
        for name in _FILES:
            shutil.copy(ROOT / name, tree / name)
        built = tree / native_mpy.SHIPPED.relative_to(ROOT)
        built.mkdir()
        for (arch, family), content in natives.items():
            (built / native_mpy.file_name(arch, family)).write_bytes(content)
        kept = tree / shipped.FOLDER.relative_to(ROOT)
        kept.mkdir()
        for image in firmware:
            shutil.copy(image.path, kept / image.shipped_name)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
        done = subprocess.run([*command, "-w", str(wheels), str(tree)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise FirmwareError(f"pip could not build the wheel: {done.stderr.strip()[-800:]}")
        wheel = next(wheels.glob("*.whl"))
        return Path(shutil.copy(wheel, target / wheel.name))
