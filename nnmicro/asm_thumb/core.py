"""The functions in assembler for this processor, of which only one of each kind is on a board."""

# ruff: noqa: F401
import sys

# MicroPython's number of the architecture that it loads machine code for, as mpy-cross's `-march` has names for.
_ARCH = sys.implementation._mpy >> 10 & 15

if _ARCH == 7 or _ARCH == 8:  # armv7emsp, armv7emdp
    from .dot_armv7em import four_pixels, one_pixel, widen
    from .floats_armv7em import to_float32, to_int8
    from .results_thumb2 import results
    from .sums_thumb2 import sums
    from .taps_armv7em import taps

    WIDE = 2  # words for four elements of a patch, laid out by `widen`
elif _ARCH == 5 or _ARCH == 6:  # armv7m; armv7em, which MicroPython says of a Cortex-M3 as well
    from .dot_armv7m import four_pixels, one_pixel
    from .results_thumb2 import results
    from .sums_thumb2 import sums
    from .taps_armv7m import taps

    WIDE = 0
    widen = to_float32 = to_int8 = None
elif _ARCH == 4:  # armv6m
    from .dot_armv6m import four_pixels, one_pixel
    from .results_armv6m import results
    from .taps_armv6m import taps

    WIDE = 0
    widen = sums = to_float32 = to_int8 = None
else:
    raise ValueError("this processor has no Thumb instructions")
