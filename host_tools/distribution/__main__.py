"""`python -m host_tools.distribution [--into dist]`: everything that is handed out, built into one folder."""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from firmware.errors import FirmwareError
from firmware.native_mpy import COMPILERS

from .. import __version__
from . import mip, wheel


def main(arguments: Sequence[str]) -> int:
    """0 if all of it was built, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m host_tools.distribution", description="Build what is handed out.")
    parser.add_argument("--into", type=Path, default=Path("dist"), metavar="FOLDER", help="emptied first")
    given = parser.parse_args(arguments)
    try:
        build(given.into)
    except (FirmwareError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def build(target: Path) -> None:
    """Wheel, `native/`, `firmware/`, `mip/` and `SHA256SUMS` in `target`; prints each file but those of `mip/`."""
    natives = mip.native_modules(list(COMPILERS))
    images = wheel.images()
    for name in ("native", "firmware", "mip"):
        shutil.rmtree(target / name, ignore_errors=True)
    for old in target.glob("*.whl"):
        old.unlink()
    made = [wheel.write(target, natives, images)]
    for (arch, family), content in natives.items():
        path = target / "native" / arch / family / "_nnmicro.mpy"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        made.append(path)
    (target / "firmware").mkdir()
    for image in images:
        name = f"nnmicro-{__version__}-{image.order.board}-{image.order.contents}{image.path.suffix}"
        made.append(Path(shutil.copy(image.path, target / "firmware" / name)))
    packages = mip.write(target / "mip", __version__, natives)
    files = mip.check(target / "mip")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(target).as_posix()}" for path in made]
    (target / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    for path in made:
        print(f"{path.stat().st_size:>10,}  {path}")
    print(
        f"{len(packages)} packages of {files} files for `mpremote mip install` in {target / 'mip'}, each with its hash"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
