"""The command `python -m host_tools.device.ready DEVICE…`: opens devices once, so that all they need is here.

Emulators and firmware are installed and built where they were missing; what cannot be had is said.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from host_tools.device.errors import DeviceError
from host_tools.device.open import open_device


def main(specs: Sequence[str]) -> int:
    """Open and close each device; 1 if one cannot be had."""
    for spec in specs:
        try:
            open_device(spec).close()
        except DeviceError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
