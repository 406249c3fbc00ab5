"""The wire to a device: mpremote's serial transport, with an end to every wait.

mpremote knows the raw REPL; what it leaves open is what happens when a device says nothing, too much, or
something else. Here every read has a deadline and every answer a largest size, and a program that is left
behind (by Ctrl-C or a time-out) is interrupted on the device too.
"""

from __future__ import annotations

import contextlib
import io
import struct
import time
from collections.abc import Callable
from typing import Any

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from host_tools.device.errors import DeviceError, LinkLost

OUTPUT_LIMIT = 64 * 1024 * 1024
_READ_TIMEOUT_S = 5.0
_WRITE_TIMEOUT_S = 20.0
_PROMPT_TIMEOUT_S = 10.0
_ABANDON_TIMEOUT_S = 1.0
_INTERRUPT_S = 0.05
_LONGEST_LINE = 64 * 1024
_LONGEST_PROMPT = 256  # bytes; a prompt of the raw REPL has 28
_END = b"\x04"
_CTRL_C = b"\x03"
_PROMPT_AFTER_END = b"\x04>"


class _Port:
    """pyserial's port with bytes that can be put back, a count of what was sent, and one kind of error."""

    def __init__(self, port: Any) -> None:
        self.port = port
        self.sent = 0
        self._put_back = b""

    def put_back(self, data: bytes) -> None:
        self._put_back = data + self._put_back

    def read(self, count: int = 1) -> bytes:
        if self._put_back:
            data, self._put_back = self._put_back[:count], self._put_back[count:]
            return data
        try:
            return bytes(self.port.read(count))
        except (serial.SerialException, OSError) as error:
            raise LinkLost(f"The connection to the device broke: {error}.") from None

    def write(self, data: bytes) -> int:
        try:
            self.port.write(data)
        except (serial.SerialException, OSError) as error:
            raise LinkLost(f"The connection to the device broke: {error}.") from None
        self.sent += len(data)
        return len(data)

    def inWaiting(self) -> int:  # noqa: N802 (the name that mpremote calls)
        try:
            return len(self._put_back) or int(self.port.in_waiting)
        except (serial.SerialException, OSError) as error:
            raise LinkLost(f"The connection to the device broke: {error}.") from None

    def wait_at_most(self, seconds: float) -> None:
        """For a read to come back with nothing."""
        try:
            self.port.timeout = seconds
        except (serial.SerialException, OSError) as error:
            raise LinkLost(f"The connection to the device broke: {error}.") from None

    def read_available(self) -> bytes:
        """At least one byte, or none if none comes within the port's time-out."""
        return self.read(max(1, self.inWaiting()))


class _Transport(SerialTransport):
    """mpremote's transport, but for one method: its own waits as long as a device keeps talking."""

    def read_until(
        self,
        min_num_bytes: int,
        ending: bytes,
        timeout: float | None = _PROMPT_TIMEOUT_S,
        data_consumer: None = None,
        timeout_overall: float | None = None,
    ) -> bytes:
        """What came up to and with `ending`, or its last part if that has not come in time."""
        limits = [limit for limit in (timeout, timeout_overall) if limit is not None]
        deadline = time.monotonic() + min(limits, default=_PROMPT_TIMEOUT_S)
        data = bytearray()
        while not data.endswith(ending) and time.monotonic() < deadline:
            data += self.serial.read(1)
            del data[:-_LONGEST_PROMPT]
        return bytes(data)


class Link:
    """A raw REPL on `address` (a port's name, a pty or a pyserial URL)."""

    def __init__(self, address: str) -> None:
        try:
            # mpremote shows some of its troubles with print: our standard output is not for that.
            with contextlib.redirect_stdout(io.StringIO()):
                self._transport = _Transport(address, timeout=_READ_TIMEOUT_S)
        except (TransportError, serial.SerialException, OSError, ValueError) as error:
            raise DeviceError(
                f"{address} cannot be opened ({error}). Is the board connected, and no other program using it?"
            ) from None
        self._port = _Port(self._transport.serial)
        self._port.port.write_timeout = _WRITE_TIMEOUT_S
        self._transport.serial = self._port

    @property
    def bytes_sent(self) -> int:
        """Everything that went over the wire to the device so far."""
        return self._port.sent

    def enter_raw_repl(self, soft_reset: bool = False) -> None:
        """Interrupt what runs and get a raw prompt, after a soft reset if wanted."""
        try:
            # A program that waits for input, left behind by a link that broke, would swallow what comes right behind.
            self._port.write(_CTRL_C)
            time.sleep(_INTERRUPT_S)
            with contextlib.redirect_stdout(io.StringIO()):
                self._transport.enter_raw_repl(soft_reset=soft_reset, timeout_overall=_PROMPT_TIMEOUT_S)
        except TransportError:
            raise DeviceError(
                "The device does not answer with MicroPython's raw prompt. Does it run MicroPython, "
                "and is the port the right one? A board that is stuck needs its reset button."
            ) from None

    def run(self, code: str | bytes, timeout: float, on_output: Callable[[bytes], None] | None) -> tuple[bytes, bytes]:
        """Run `code`; what it printed and what the device reported as error.

        `timeout` is the longest silence in seconds. If anything goes wrong in between, Ctrl-C of this program
        included, the device's program is interrupted and the next `run` begins with a fresh prompt.
        """
        self.start(code)
        return self.finish(timeout, on_output)

    def start(self, code: str | bytes) -> None:
        """Begin to run `code`; `finish` waits for its end. `write` and `read_line` talk with it in between."""
        if not self._transport.in_raw_repl:
            self.enter_raw_repl()
        try:
            self._transport.exec_raw_no_follow(code)
        except (TransportError, serial.SerialException, struct.error) as error:
            # struct.error: mpremote, on an answer that broke off.
            self.abandon()
            raise DeviceError(f"The device broke off a program that was being sent to it: {error}.") from None
        except BaseException:
            self.abandon()
            raise

    def finish(self, timeout: float, on_output: Callable[[bytes], None] | None = None) -> tuple[bytes, bytes]:
        """Wait for the end of the program; see `run`."""
        try:
            output = self._read_until_end(timeout, on_output)
            return output, self._read_until_end(timeout, None)
        except BaseException:
            self.abandon()
            raise

    def write(self, data: bytes) -> None:
        """Bytes for the program that runs."""
        self._port.write(data)

    def read_line(self, timeout: float) -> bytes | None:
        """A line that the program prints, without its end; None if the program has ended instead.

        DeviceError if it takes longer than `timeout` seconds.
        """
        line = b""
        deadline = time.monotonic() + timeout
        while True:
            data = self._port.read_available()
            if not data and time.monotonic() > deadline:
                raise DeviceError(f"The device said nothing for {timeout:g} s; its program was interrupted.")
            text, end, rest = data.partition(b"\n")
            if _END in text:
                self._port.put_back(line + data)
                return None
            line += text
            if len(line) > _LONGEST_LINE:
                raise DeviceError(f"The device sent a line of more than {_LONGEST_LINE} bytes.")
            if end:
                self._port.put_back(rest)
                return line.rstrip(b"\r")

    def _read_until_end(self, timeout: float, on_output: Callable[[bytes], None] | None) -> bytes:
        output = bytearray()
        held = b""
        last = time.monotonic()
        try:
            self._port.wait_at_most(min(timeout, _READ_TIMEOUT_S))
            while True:
                data = self._port.read_available()
                now = time.monotonic()
                if not data:
                    if now - last >= timeout:
                        raise DeviceError(f"The device said nothing for {timeout:g} s; its program was interrupted.")
                    continue
                last = now
                part, end, rest = data.partition(_END)
                # Boards end lines with \r\n, the unix device with \n: callers see \n.
                part = held + part
                held = b"\r" if part.endswith(b"\r") and not end else b""
                part = part[: len(part) - len(held)].replace(b"\r\n", b"\n")
                output += part
                if len(output) > OUTPUT_LIMIT:
                    raise DeviceError(
                        f"The device sent more than {OUTPUT_LIMIT >> 20} MB; its program was interrupted."
                    )
                if on_output is not None and part:
                    on_output(part)
                if end:
                    self._port.put_back(rest)
                    return bytes(output)
        finally:
            with contextlib.suppress(LinkLost):
                self._port.wait_at_most(_READ_TIMEOUT_S)

    def abandon(self) -> None:
        """Interrupt the program that runs; the next one begins with a fresh prompt.

        A program that waits for input would swallow what comes right behind the Ctrl-C, so its end is waited for.
        """
        self._transport.in_raw_repl = False
        with contextlib.suppress(DeviceError):
            self._port.write(_CTRL_C)
            self._port.wait_at_most(_ABANDON_TIMEOUT_S)
            deadline = time.monotonic() + _ABANDON_TIMEOUT_S
            tail = b""
            while not tail.endswith(_PROMPT_AFTER_END) and time.monotonic() < deadline:
                tail = (tail + self._port.read_available())[-len(_PROMPT_AFTER_END) :]
            self._port.wait_at_most(_READ_TIMEOUT_S)

    def close(self) -> None:
        """Leave the device at its friendly prompt and close the port."""
        with contextlib.suppress(DeviceError):
            self._port.write(b"\r\x03\x02")
        self._transport.serial = self._port.port
        try:
            self._transport.close()
        except (OSError, serial.SerialException):
            # The control lines of a device that is gone cannot be set; its descriptor is closed all the same.
            self._port.port.close()
