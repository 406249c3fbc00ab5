"""Where downloads and builds are kept, and how two processes share that place.

Everything under the cache folder can be deleted at any time; it is made again when it is needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from firmware.errors import FirmwareError

_WORK_PREFIX = "unfinished-"


def folder() -> Path:
    """The cache folder: $NNMICRO_CACHE, or nnmicro in the user's cache folder."""
    own = os.environ.get("NNMICRO_CACHE")
    if own:
        return Path(own).expanduser().absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "nnmicro"


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


C_SOURCES = (".c", ".h", ".mk", ".cmake")


def hash_folder(path: Path, suffixes: tuple[str, ...] = ()) -> str:
    """A hash over names and contents of the files below `path` (with such endings), compiled Python left out."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and (not suffixes or file.suffix in suffixes):
            digest.update(f"{file.relative_to(path).as_posix()}\0{hash_file(file)}\0".encode())
    return digest.hexdigest()


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the lock `name`: another process that wants it waits until this one has finished or died."""
    try:
        import fcntl
    except ImportError:
        raise FirmwareError("Firmware is built on Linux or macOS; this system has no file locks of theirs.") from None
    folder().mkdir(parents=True, exist_ok=True)
    with (folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A folder to work in, renamed to `target` when the block ends well, removed when it does not.

    `target` therefore exists whole or not at all. To be used under a lock, for it
    removes what a killed process left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{_WORK_PREFIX}{target.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f"{_WORK_PREFIX}{target.name}-", dir=target.parent))
    try:
        yield work
        work.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
