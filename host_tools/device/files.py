"""The device's files: listing, reading, removing, hashing.

Everything here is written against `exec` and `eval` alone, so it is the same over a pty, a cable and a
network. What a device answers is checked before it is used.
"""

from __future__ import annotations

import ast
import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from host_tools.device.errors import DeviceError, DeviceFileNotFound, RemoteError

Progress = Callable[[int, int], None]
_ENOENT = 2
_FOLDER = 0x4000
_READ_CHUNK = 768  # a multiple of 3: every line of base64 but the last is without padding
_HASH_SILENCE_S = 300.0


@dataclass(frozen=True)
class FileStat:
    """What a path is: a folder, or a file of `size` bytes."""

    is_folder: bool
    size: int


@dataclass(frozen=True)
class Entry:
    """One entry of a folder; `size` is 0 for folders and where the device does not tell."""

    name: str
    is_folder: bool
    size: int


class DeviceFiles:
    """The file operations of a Device."""

    def exec(self, code: str | bytes, on_output: Callable[[bytes], None] | None = None, timeout: float = 60.0) -> bytes:
        """See Device.exec."""
        raise NotImplementedError

    def eval(self, expression: str, timeout: float = 60.0) -> Any:
        """See Device.eval."""
        raise NotImplementedError

    def _on_path(self, path: str, code: str, timeout: float = 60.0) -> bytes:
        """Run `code`, in which OSErrors are about `path`."""
        try:
            return self.exec(code, timeout=timeout)
        except RemoteError as error:
            if error.errno == _ENOENT:
                raise DeviceFileNotFound(path, error) from None
            raise

    def stat(self, path: str) -> FileStat:
        """What `path` is; DeviceFileNotFound if there is nothing."""
        answer = self._on_path(path, f"import os\nprint(tuple(os.stat({path!r})))")
        fields = _literal(answer, tuple)
        if len(fields) < 7 or not all(isinstance(field, int) for field in fields[:7]):
            raise DeviceError(f"The device's answer about {path} makes no sense: {answer[:200]!r}.")
        return FileStat(bool(fields[0] & _FOLDER), max(0, fields[6]))

    def exists(self, path: str) -> bool:
        """Whether `path` is there."""
        try:
            self.stat(path)
        except DeviceFileNotFound:
            return False
        return True

    def listdir(self, path: str = "/") -> list[Entry]:
        """The entries of a folder, by name."""
        answer = self._on_path(path, f"import os\nfor _e in os.ilistdir({path!r}): print(tuple(_e))")
        entries = []
        for line in answer.splitlines():
            fields = _literal(line, tuple)
            if len(fields) < 2 or not isinstance(fields[0], str) or not isinstance(fields[1], int):
                raise DeviceError(f"The device's list of {path} makes no sense: {line[:200]!r}.")
            size = fields[3] if len(fields) > 3 and isinstance(fields[3], int) else 0
            entries.append(Entry(fields[0], bool(fields[1] & _FOLDER), max(0, size)))
        return sorted(entries, key=lambda entry: entry.name)

    def remove(self, path: str) -> None:
        """Delete a file."""
        self._on_path(path, f"import os\nos.remove({path!r})")

    def rename(self, path: str, new_path: str) -> None:
        """Give a file another name; a file that has that name is replaced."""
        self._on_path(path, f"import os\nos.rename({path!r}, {new_path!r})")

    def makedirs(self, path: str) -> None:
        """Make a folder, and those above it, where they are missing."""
        made = ""
        steps = []
        for part in path.strip("/").split("/"):
            made += ("/" if made or path.startswith("/") else "") + part
            steps.append(made)
        self._on_path(
            path,
            "import os\n"
            f"for _p in {steps!r}:\n"
            " try: os.mkdir(_p)\n"
            " except OSError as _e:\n"
            f"  if _e.errno != 17 and not os.stat(_p)[0] & {_FOLDER}: raise\n",
        )

    def read_file(self, path: str, progress: Progress | None = None) -> bytes:
        """The contents of a file; its length is checked against what the device says it is."""
        size = self.stat(path).size
        content = bytearray()
        line = b""

        def take(piece: bytes) -> None:
            nonlocal line
            *whole, line = (line + piece).split(b"\n")
            for text in whole:
                try:
                    content.extend(base64.b64decode(text, validate=True))
                except binascii.Error:
                    raise DeviceError(f"Reading {path}: what the device sent is damaged.") from None
            if len(content) > size:
                raise DeviceError(f"Reading {path}: the device sent more than the {size} bytes it has.")
            if progress is not None:
                progress(len(content), size)

        code = (
            "from binascii import b2a_base64 as _b\n"
            f"with open({path!r}, 'rb') as _f:\n"
            " while True:\n"
            f"  _d = _f.read({_READ_CHUNK})\n"
            "  if not _d: break\n"
            "  print(_b(_d).decode(), end='')\n"
            "del _f, _d, _b\n"
        )
        self.exec(code, on_output=take)
        if line or len(content) != size:
            raise DeviceError(f"Reading {path}: {len(content)} bytes came, the device says it has {size}.")
        return bytes(content)

    def hash_file(self, path: str) -> tuple[str, str]:
        """A file's SHA-256 in hexadecimal digits, and who computed it: `device`, or we from a `read back`."""
        code = (
            "import hashlib\n"
            "_h = hashlib.sha256()\n"
            "_b = memoryview(bytearray(1024))\n"
            f"with open({path!r}, 'rb') as _f:\n"
            " while True:\n"
            "  _n = _f.readinto(_b)\n"
            "  if not _n: break\n"
            "  _h.update(_b[:_n])\n"
            "print(''.join('%02x' % _n for _n in _h.digest()))\n"
            "del _h, _b, _f, _n\n"
        )
        try:
            answer = self._on_path(path, code, timeout=_HASH_SILENCE_S).decode("ascii", "replace").strip()
        except RemoteError as error:
            if error.kind not in ("ImportError", "AttributeError"):
                raise
            return hashlib.sha256(self.read_file(path)).hexdigest(), "read back"
        if len(answer) != 64 or not set(answer) <= set("0123456789abcdef"):
            raise DeviceError(f"The device's hash of {path} is none: {answer[:100]!r}.")
        return answer, "device"


def _literal(text: bytes, kind: type) -> Any:
    try:
        value = ast.literal_eval(text.decode("utf-8").strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        value = None
    if not isinstance(value, kind):
        raise DeviceError(f"The device's answer makes no sense: {text[:200]!r}.")
    return value
