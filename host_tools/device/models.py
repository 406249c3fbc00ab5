"""Models on a device: put there so that the engine finds the old one or the whole new one, listed, and removed.

Where a rename over a file is one step (littlefs, a computer's file system) a model has its own name. FAT removes the
old name first, and of a file system that is not known the same is assumed: there a model `net.nnm` lies in numbered
files, `net.1.nnm`, `net.2.nnm`, and `Net("net.nnm")` takes the newest whole one (nnmicro/generations.py).
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import re
import time
from dataclasses import dataclass

from host_tools.device.device import Device
from host_tools.device.errors import DeviceError, RemoteError
from host_tools.device.files import Progress
from host_tools.device.transfer import TEMPORARY_SUFFIX, WriteReport

EXTENSION = ".nnm"
_RENAMES_IN_ONE_STEP = ("VfsLfs2", "VfsLfs1", "VfsPosix", "Root")
_MOUNTS = """\
def _mounts():
    try:
        import vfs
        return [(type(each[0]).__name__, each[1]) for each in vfs.mount()]
    except (ImportError, AttributeError, TypeError):
        return []
print(_mounts())
del _mounts
"""


@dataclass(frozen=True)
class ModelOnDevice:
    """A model file on a device: what `Net` calls it, the file it lies in, its size and hash, and whether it is whole.

    `superseded`: a newer whole one has the same name. `sha256` is empty of one that is not whole.
    """

    name: str
    path: str
    bytes: int
    sha256: str
    whole: bool
    superseded: bool = False


def file_system(device: Device, path: str) -> str | None:
    """The class of the file system in which `path` lies, as MicroPython names it (`VfsFat`); None if not known."""
    try:
        mounts = ast.literal_eval(device.exec(_MOUNTS).decode())
        places = [(str(where), str(kind)) for kind, where in mounts]
    except (ValueError, SyntaxError, TypeError):
        raise DeviceError("The device's list of file systems makes no sense.") from None
    below = [(where, kind) for where, kind in places if (path + "/").startswith(where.rstrip("/") + "/")]
    return max(below, key=lambda place: len(place[0]))[1] if below else None


def push_model(device: Device, content: bytes, path: str, progress: Progress | None = None) -> WriteReport:
    """Put a model onto a device so that `Net(path)` finds the old one or, from one moment on, the whole new one.

    The report's `path` is the file in which it lies now. Generations that are not needed any more are removed.
    """
    if file_system(device, path) in _RENAMES_IN_ONE_STEP:
        return device.write_file(content, path, progress)
    started, sent_before = time.monotonic(), device.bytes_sent
    folder, stem = _parts(path)
    numbers = _generations(device, folder, stem)
    older = [f"{folder}{stem}.{number}{EXTENSION}" for number in numbers]
    if older and device.stat(older[-1]).size == len(content):
        digest, verified_by = device.hash_file(older[-1])
        if digest == hashlib.sha256(content).hexdigest():
            _remove_all(device, [*older[:-1], path])
            wire_bytes, seconds = device.bytes_sent - sent_before, time.monotonic() - started
            return WriteReport(older[-1], digest, len(content), wire_bytes, seconds, verified_by, True)
    new = f"{folder}{stem}.{(numbers[-1] if numbers else 0) + 1}{EXTENSION}"
    report = device.write_file(content, new, progress)
    _remove_all(device, [*older, path])
    return report


def _parts(path: str) -> tuple[str, str]:
    folder, slash, name = path.rpartition("/")
    if not name.endswith(EXTENSION):
        raise DeviceError(f"{path}: the name of a model ends in {EXTENSION}.")
    return folder + slash, name.removesuffix(EXTENSION)


def _generations(device: Device, folder: str, stem: str) -> list[int]:
    pattern = re.compile(re.escape(stem) + r"\.(\d{1,9})" + re.escape(EXTENSION))
    entries = (entry.name for entry in device.listdir(folder.rstrip("/") or "/"))
    return sorted(int(match[1]) for match in map(pattern.fullmatch, entries) if match)


def _remove_all(device: Device, paths: list[str]) -> list[str]:
    """Remove what is there of `paths`, in their order: a plain name, which wins over all numbers, comes last."""
    removed = []
    for path in paths:
        with contextlib.suppress(RemoteError):
            device.remove(path)
            removed.append(path)
    return removed


def models(device: Device, folder: str = "/") -> list[ModelOnDevice]:
    """Every model in a folder, unfinished transfers included (`whole` is False), with its hash."""
    found: list[ModelOnDevice] = []
    entries = {entry.name: entry for entry in device.listdir(folder) if not entry.is_folder}
    base = folder.rstrip("/") + "/"
    whole = set(_whole(device, [base + name for name in entries if name.endswith(EXTENSION)]))
    numbered: dict[str, list[int]] = {}
    for name in entries:
        match = re.fullmatch(r"(.+)\.(\d{1,9})" + re.escape(EXTENSION), name)
        if match and base + name in whole:
            numbered.setdefault(match[1] + EXTENSION, []).append(int(match[2]))
    for name, entry in entries.items():
        plain = name.removesuffix(TEMPORARY_SUFFIX)
        if not plain.endswith(EXTENSION):
            continue
        path = base + name
        match = re.fullmatch(r"(.+)\.(\d{1,9})" + re.escape(EXTENSION), plain)
        called = match[1] + EXTENSION if match else plain
        is_old = match is not None and (called in entries or max(numbered.get(called, [0])) > int(match[2]))
        digest = device.hash_file(path)[0] if path in whole else ""
        size = entry.size or device.stat(path).size  # not every file system tells in its list
        found.append(ModelOnDevice(called, path, size, digest, path in whole, is_old and path in whole))
    return found


# As the engine decides in nnmicro/generations.py, which a device without the engine does not have.
_WHOLE = """\
def _whole(path):
    from binascii import crc32
    with open(path, "rb") as f:
        head = f.read(128)
        word = lambda n: int.from_bytes(head[4 * n : 4 * n + 4], "little")
        if len(head) < 128 or head[:4] != b"NNM\\x1a" or not 0 < word(4) <= 64 or f.seek(0, 2) != word(2):
            return False
        f.seek(128)
        return crc32(f.read(16 * word(4)), crc32(head[:124])) == word(31)
"""


def _whole(device: Device, paths: list[str]) -> list[str]:
    if not paths:
        return []
    answer = device.exec(_WHOLE + f"for _p in {paths!r}: print(_whole(_p))\ndel _whole, _p\n").decode().split()
    if len(answer) != len(paths) or not set(answer) <= {"True", "False"}:
        raise DeviceError("The device's answer about its models makes no sense.")
    return [path for path, said in zip(paths, answer, strict=True) if said == "True"]


def remove_model(device: Device, path: str) -> list[str]:
    """Remove a model: the file of that name, every generation of it, and what transfers of it have left.

    The files that were removed; none if there was nothing.
    """
    folder, stem = _parts(path)
    files = [f"{folder}{stem}.{number}{EXTENSION}" for number in _generations(device, folder, stem)]
    names = {folder + entry.name for entry in device.listdir(folder.rstrip("/") or "/")}
    files = [path, *files]
    files += [name for name in sorted(names) if name.endswith(TEMPORARY_SUFFIX) and _belongs(name, folder + stem)]
    return _remove_all(device, [each for each in files if each in names])


def _belongs(name: str, stem: str) -> bool:
    rest = name.removesuffix(TEMPORARY_SUFFIX).removeprefix(stem)
    return re.fullmatch(r"(\.\d{1,9})?" + re.escape(EXTENSION), rest) is not None
