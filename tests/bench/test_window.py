"""What weights that stay in the file save and cost: bytes of heap and instructions on an emulated Cortex-M4F."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.table import Table

from host_tools.convert import convert
from host_tools.device import push_engine
from host_tools.device.qemu import QemuDevice
from tests.boards import lacking
from tests.host import int8_models

BOARD = "qemu_cortex_m4f"
WINDOWS = (("kws", (0, 4096)), ("ic", (0, 16384, 4096)), ("vww", (0, 32768, 16384, 8192)), ("ad", (0, 16384, 7808)))
COLUMNS = ("network", "file", "arena", "weights", "heap in use", "instructions", "to memory", "reads", "bytes read")
pytestmark = pytest.mark.bench

PROGRAM = """
import gc
gc.collect()
start = gc.mem_alloc()
import nnmicro
net = nnmicro.Net("/model.nnm", nnmicro.Option(weights={weights!r}, window={window}))
given = bytes({size})
ex = net.extractor()
def begin():
    ex.reset()
    ex.input({input!r}, given)
begin()
scores = bytes(ex.extract({output!r}).tobytes())
begin()
given = None
gc.collect()
used = gc.mem_alloc() - start
"""

# After what is counted: how often the file is read in an inference, and how many bytes.
READS = """
reads, read = 0, 0
if net.window:
    def counted(at, target, nbytes, plain=net.window._read_file):
        global reads, read
        reads += 1
        read += nbytes
        plain(at, target, nbytes)
    net.window._read_file = counted
    ex.reset()
    ex.input({input!r}, bytes({size}))
    ex.extract({output!r})
"""

# Instructions that a window may cost, besides a fifth of those of kernels that work in parts. A fully connected network
# has one multiplication for each byte of weights: to read it costs more than to compute with it, whatever reads.
A_BYTE = 10  # littlefs, from a disk that lies in memory, in parts of 128 bytes
A_READ = 80_000  # the interpreter: binding a layer, or moving its call on to other channels


@pytest.fixture(scope="module")
def board() -> Iterator[QemuDevice]:
    reason = lacking(f"emu:{BOARD}", may_build=True)
    if reason:
        pytest.skip(reason)
    with QemuDevice(f"emu:{BOARD}", BOARD) as device:
        push_engine(device)
        yield device


def test_bytes_and_instructions(board: QemuDevice, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(*COLUMNS)
    for name, windows in WINDOWS:
        data = convert(int8_models.path(name))
        net = int8_models.converted(name).net
        (values,) = int8_models.inputs(name, 1)
        board.write_file(data, "/model.nnm")
        rows = []
        for window in (None, *windows):
            board.soft_reset()
            settings = {"weights": "memory" if window is None else "window", "window": window or 0}
            program = PROGRAM.format(**settings, size=values.nbytes, input=net.inputs[0], output=net.outputs[0])
            board.exec(program, timeout=300)
            used, size, arena = board.eval("(used, net.window.size if net.window else 0, net.arena_size)")
            rows.append((used, board.instructions(f"ex.extract({net.outputs[0]!r})"), board.eval("scores")))
            kind = "memory" if window is None else f"window of {size:,}"
            used, count, scores = rows[-1]
            board.exec(READS.format(size=values.nbytes, input=net.inputs[0], output=net.outputs[0]), timeout=300)
            reads, read = board.eval("(reads, read)")
            numbers = [f"{number:,}" for number in (len(data), arena, used, count, reads, read)]
            table.add_row(name, *numbers[:2], kind, *numbers[2:4], f"{count / rows[0][1]:.3f}", *numbers[4:])
            assert scores == rows[0][2]
            assert window is None or used < rows[0][0]
            assert count <= 1.2 * rows[0][1] + A_BYTE * read + A_READ * reads
    with capsys.disabled():
        Console(width=160).print("\n", table)
