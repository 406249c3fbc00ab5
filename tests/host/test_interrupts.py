"""Ctrl-C in the middle of a long inference: it stops at once, and the same extractor goes on to the right answer."""

from __future__ import annotations

import threading

import pytest

from host_tools.device import Device
from tests.models import model_file

PROGRAM = """
import nnmicro
net = nnmicro.Net("/digits.nnm", nnmicro.Option(backend=BACKEND))
image = bytes([i * 3 % 17 for i in range(64)])
ex = net.extractor()
ex.input("image", image)
right = ex.extract("scores").tobytes()
rounds = 0
stopped = False
try:
    while True:
        ex.reset()
        ex.input("image", image)
        ex.extract("scores")
        rounds += 1
except KeyboardInterrupt:
    stopped = True
ex.reset()
assert ex.arena.used == 0 and ex.arena.live == 0, (ex.arena.used, ex.arena.live)
ex.input("image", image)
assert ex.extract("scores").tobytes() == right
ex.close()
print("stopped", stopped, rounds)
"""


@pytest.mark.parametrize("backend", ["_nnmicro", "reference"])
def test_ctrl_c_leaves_an_extractor_that_works(device: Device, backend: str) -> None:
    device.write_file(model_file("digits.nnm").read_bytes(), "/digits.nnm")
    for n in range(8):
        # As a person at the prompt would, while the program runs.
        timer = threading.Timer(0.15 + 0.011 * n, device._link._port.write, [b"\x03"])
        timer.start()
        said = device.exec(PROGRAM.replace("BACKEND", repr(backend))).decode()
        timer.join()
        assert "stopped True" in said


SCHEDULED = """
import micropython, nnmicro
turns = []
def turn(_):
    turns.append(0)
    if len(turns) < 100:
        micropython.schedule(turn, None)
net = nnmicro.Net("/digits.nnm", nnmicro.Option(backend="_nnmicro"))
with net.extractor() as ex:
    ex.input("image", bytes(64))
    micropython.schedule(turn, None)
    before = len(turns)
    ex.extract("scores")
    print(len(turns) - before, net.n_layers)
"""


def test_scheduled_callbacks_have_their_turn_between_layers(device: Device) -> None:
    device.write_file(model_file("digits.nnm").read_bytes(), "/digits.nnm")
    turns, layers = map(int, device.exec(SCHEDULED).split())
    assert turns >= layers - 1
