"""The command `python -m firmware.build TARGET`: builds a firmware and prints its path.

Messages go to standard error, the path alone to standard output.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from firmware import qemu_port, rp2_port, unix_port
from firmware.errors import FirmwareError

TARGETS: dict[str, Callable[[], Path]] = {
    "unix": unix_port.interpreter,
    **{name: functools.partial(qemu_port.firmware, name) for name in qemu_port.BOARDS},
}
for _board in rp2_port.BOARDS:
    TARGETS[_board] = functools.partial(rp2_port.firmware, _board)
    TARGETS[f"{_board}_engine"] = functools.partial(rp2_port.firmware, _board, with_engine=True)


def main(arguments: Sequence[str]) -> int:
    """Build what is named; 0 if that went well, 1 if not, 2 if nothing such is known."""
    if len(arguments) != 1 or arguments[0] not in TARGETS:
        print(f"usage: python -m firmware.build {{{','.join(TARGETS)}}}", file=sys.stderr)
        return 2
    try:
        print(TARGETS[arguments[0]]())
    except FirmwareError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; nothing half-built is left.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
