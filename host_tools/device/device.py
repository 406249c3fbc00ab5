"""A device: something that runs MicroPython and answers."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from host_tools.device.conversation import Receiver
from host_tools.device.errors import DeviceError, LinkLost, RemoteError
from host_tools.device.info import PROBE, DeviceInfo, parse
from host_tools.device.link import Link
from host_tools.device.transfer import DeviceTransfer

_Self = TypeVar("_Self", bound="Device")
DEFAULT_SILENCE_S = 60.0


class Device(DeviceTransfer):
    """An open connection to a device; use it as a context manager.

    `spec` is what the user called it. Programs that run keep their globals until `soft_reset`. `by_class_lacks` says
    why a device that was to count instructions by class does not.
    """

    by_class_lacks = ""

    def __init__(self, spec: str, address: str) -> None:
        self.spec = spec
        self._info: DeviceInfo | None = None
        self._link = Link(address)
        try:
            self._link.enter_raw_repl()
        except BaseException:
            self._link.close()
            raise

    def exec(
        self,
        code: str | bytes,
        on_output: Callable[[bytes], None] | None = None,
        timeout: float = DEFAULT_SILENCE_S,
    ) -> bytes:
        """Run `code` on the device and return what it printed, with `\\n` at line ends.

        `on_output` gets the pieces as they come. `timeout` is the longest silence in seconds before the
        program is interrupted. RemoteError if the program raised, DeviceError if the device does not answer.
        Print binary data as text (base64): a byte 4 in the output ends it.
        """
        try:
            output, error = self._link.run(code, timeout, on_output)
        except LinkLost as lost:
            raise self._explain(lost) from None
        if error:
            raise RemoteError(error.decode("utf-8", "replace"), output)
        return output

    def eval(self, expression: str, timeout: float = DEFAULT_SILENCE_S) -> Any:
        """The value of an expression on the device: numbers, strings, bytes, and containers of them."""
        answer = self.exec(f"print(repr({expression}))", timeout=timeout)
        try:
            return ast.literal_eval(answer.decode("utf-8").strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise DeviceError(f"The device's answer to {expression} is no plain value: {answer[:200]!r}.") from None

    def receiver(self, code: str, target: Callable[[int], str]) -> Receiver:
        """A program on the device that takes frames, with a target of our own; see conversation.py."""
        return Receiver(self._link, self.description, code, target, self._explain)

    def info(self) -> DeviceInfo:
        """What the device is, and how much memory it has free right now."""
        self._info = parse(self.exec(PROBE))
        return self._info

    @property
    def description(self) -> DeviceInfo:
        """`info()` as it was asked first: for what does not change."""
        return self._info if self._info is not None else self.info()

    def class_counts(self) -> list[dict[str, int]]:
        """What the device has counted by class of instruction, measurement by measurement: only emulators do."""
        return []

    @property
    def bytes_sent(self) -> int:
        """Everything that went over the wire to the device so far."""
        return self._link.bytes_sent

    def soft_reset(self) -> None:
        """A fresh heap and fresh modules; files stay."""
        try:
            self._link.enter_raw_repl(soft_reset=True)
        except LinkLost as lost:
            raise self._explain(lost) from None

    def _explain(self, lost: LinkLost) -> DeviceError:
        """What to tell when the connection broke; devices that know more say more."""
        return lost

    def close(self) -> None:
        """Interrupt what runs and let go of the device. A second call does nothing."""
        self._link.close()

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
