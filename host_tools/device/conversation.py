"""A program on the device that is talked with while it runs: frames go to it, a line comes back for each.

The program is `on_device/receiver.py`, which says how a frame looks. Bytes that the REPL or a text stream would take
for something else are escaped in the frames that have them, and what deflates to less is sent deflated, each frame by
itself: a device needs no more memory for it than the window, and a transfer can go on at any frame.
"""

from __future__ import annotations

import ast
import binascii
import zlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from host_tools.device.errors import DeviceError, LinkLost, RemoteError
from host_tools.device.info import DeviceInfo
from host_tools.device.link import Link
from host_tools.device.on_device import program

_LARGEST_CHUNK, _SMALLEST_CHUNK = 4096, 256
# The receiver needs some 5 times a chunk, and may have no more than this part of what is free.
_HEAP_SHARE = 40
# 1 KB. On models a window of 32 KB saves less than one byte in a hundred, because each frame is by itself.
_WINDOW_BITS = 10
_ANSWER_SILENCE_S = 30.0
_ESCAPES = ((b"\x1b", b"\x1b0"), (b"\x03", b"\x1b1"), (b"\r", b"\x1b2"))


class Receiver:
    """The receiver on a device with a target; a context manager, at whose end the program on the device has ended.

    `target` is the Python expression, on the device, that makes the target, and `code` what defines it.
    """

    def __init__(
        self,
        link: Link,
        description: DeviceInfo,
        code: str,
        target: Callable[[int], str],
        explain: Callable[[LinkLost], DeviceError],
    ) -> None:
        self._link = link
        self._explain = explain
        self._deflates = description.has_deflate
        self.chunk = chunk_bytes(description.free_heap)
        # Within a function, so that nothing is left in the device's globals but its name.
        made = target(self.chunk)
        self._code = (
            program("receiver") + code + "def _run():\n"
            f" target = {made}\n"
            " try:\n"
            f"  _receive(target, {self.chunk}, {_WINDOW_BITS})\n"
            " finally:\n"
            "  target.close()\n"
            "_run()\n"
        )

    def begin(self, text: str, timeout: float) -> Any:
        """The target's answer to what is about to come: a plain value."""
        return self._literal(self._ask("o", text.encode(), timeout))

    def send(self, piece: bytes) -> None:
        """At most `chunk` bytes for the target. They have been written when this returns."""
        for frame in self._frames(piece):
            self._talk(frame, _ANSWER_SILENCE_S)

    def end(self, timeout: float) -> Any:
        """The target's answer to the end of what came: a plain value."""
        return self._literal(self._ask("c", b"", timeout))

    def _frames(self, piece: bytes) -> Iterator[bytes]:
        crc = binascii.crc32(piece)
        if self._deflates:
            deflated = _deflated(piece)
            if len(deflated) < len(piece) * 15 // 16:
                yield _frame("d", deflated, crc)
                return
        frame = _frame("s", piece, crc)
        if len(frame) - 14 > self.chunk + max(self.chunk // 8, 256):
            # Full of bytes that have to be escaped: the device's buffer takes it in two.
            half = len(piece) // 2
            yield from self._frames(piece[:half])
            yield from self._frames(piece[half:])
        else:
            yield frame

    def _ask(self, kind: str, payload: bytes, timeout: float) -> bytes:
        return self._talk(_frame(kind, payload, binascii.crc32(payload)), timeout)

    def _talk(self, frame: bytes, timeout: float) -> bytes:
        try:
            self._link.write(frame)
            answer = self._link.read_line(timeout)
            if answer is None:
                self._ended()
        except LinkLost as lost:
            raise self._explain(lost) from None
        assert answer is not None
        return answer

    def _ended(self) -> None:
        """The program has ended by itself: it raised something."""
        output, error = self._link.finish(_ANSWER_SILENCE_S)
        self._running = False
        text = error.decode("utf-8", "replace")
        if "ValueError: damaged on the way" in text:
            raise DeviceError("What was sent to the device arrived damaged. Sending it again goes on where it stopped.")
        raise RemoteError(text, output)

    def _literal(self, answer: bytes) -> Any:
        try:
            return ast.literal_eval(answer.decode("utf-8"))
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise DeviceError(f"The device's answer makes no sense: {answer[:200]!r}.") from None

    def __enter__(self) -> Receiver:
        try:
            self._link.start(self._code)
        except LinkLost as lost:
            raise self._explain(lost) from None
        self._running = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if not self._running:
            return
        if error is not None:
            self._link.abandon()
            return
        try:
            self._link.write(_frame("q", b"", 0))
            _, failure = self._link.finish(_ANSWER_SILENCE_S)
        except LinkLost as lost:
            raise self._explain(lost) from None
        if failure:
            raise RemoteError(failure.decode("utf-8", "replace"))


def chunk_bytes(free_heap: int) -> int:
    """How much a device with so much free heap is sent at a time: a power of two."""
    chunk = _LARGEST_CHUNK
    while chunk > max(_SMALLEST_CHUNK, free_heap // _HEAP_SHARE):
        chunk //= 2
    return chunk


def _deflated(piece: bytes) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -_WINDOW_BITS, 9)
    return deflate.compress(piece) + deflate.flush()


def _frame(kind: str, payload: bytes, crc: int) -> bytes:
    if any(byte in payload for byte in (b"\x03", b"\r")):
        kind = kind.upper()
        for byte, escape in _ESCAPES:
            payload = payload.replace(byte, escape)
    return b"%s%05x%08x" % (kind.encode(), len(payload), crc) + payload
