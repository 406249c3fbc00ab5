"""The command `python -m firmware.build BOARD`: builds a board's firmware and prints its path.

Messages go to standard error, the path alone to standard output.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from firmware import order as wanted
from firmware.errors import FirmwareError
from firmware.order import Order
from firmware.port import Port
from firmware.qemu_port import QemuPort
from firmware.rp2_port import Rp2Port
from firmware.sizes import kept
from firmware.unix_port import UnixPort

PORTS: dict[str, Port] = {board: port for port in (UnixPort(), QemuPort(), Rp2Port()) for board in port.boards}


def firmware(board: str, contents: str = wanted.ENGINE, family: str = wanted.ALL) -> Path:
    """The path of a board's firmware, built first if need be; see `firmware.order` for its contents."""
    return PORTS[board].firmware(Order(board, contents, family=family))


def built(board: str, contents: str = wanted.ENGINE) -> Path | None:
    """The path that `firmware` would give if it need not build first, else None."""
    return PORTS[board].built(Order(board, contents))


def missing(board: str) -> list[str]:
    """The system packages that a board's firmware would have to install first; nothing is installed."""
    return PORTS[board].missing(board)


def main(arguments: Sequence[str]) -> int:
    """Build what is named; 0 if that went well, 1 if not, 2 if nothing such is known."""
    parser = argparse.ArgumentParser(prog="python -m firmware.build", description="Build MicroPython for a board.")
    parser.add_argument("board", choices=PORTS, help="a board of boards/")
    parser.add_argument(
        "--contents",
        choices=wanted.CONTENTS,
        default=wanted.ENGINE,
        help="engine: nnmicro frozen in, with its kernels in C (default); full: the layers in Python, too; "
        "kernels: those in C alone; stock: nothing of nnmicro",
    )
    parser.add_argument(
        "--family",
        choices=wanted.FAMILIES,
        default=wanted.ALL,
        help="the kernels in C: all of them (default), or those that float32 or int8 models need",
    )
    parser.add_argument("--arena", type=int, metavar="BYTES", help="RAM kept for networks, outside the heap")
    parser.add_argument("--user-c-modules", type=Path, metavar="FOLDER", help="MicroPython's USER_C_MODULES")
    given = parser.parse_args(arguments)
    try:
        order = Order(given.board, given.contents, given.arena, given.user_c_modules, given.family)
        path = PORTS[given.board].build(order)
    except FirmwareError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; nothing half-built is left.", file=sys.stderr)
        return 130
    print(f"{given.board} ({given.contents}, {given.family}): {kept(path.parent).text}", file=sys.stderr)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
