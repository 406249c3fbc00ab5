"""Arrays over blobs of any layout: through numpy, and through what ulab can do, the elements are the blob's."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnmicro import arrays as on_numpy
from tests.ulab import strict
from tests.ulab.installed import installed

with installed():
    ON_ULAB = import_module("nnmicro.arrays")

_TYPES = {1: np.float32, 2: np.int8, 3: np.uint8, 4: np.int16, 5: np.int32}


class Net:
    """One blob's record."""

    def __init__(self, dtype: int, hwc: bool, counts: tuple[int, int, int], steps: tuple[int, int, int], shape) -> None:
        self.words = [dtype | hwc << 16, 0, 0, *counts, *steps]
        self._shape = shape

    def record(self, blob: int) -> int:
        return 0

    def shape(self, blob: int) -> tuple[int, ...]:
        return self._shape

    def name(self, blob: int) -> str:
        return "x"


@st.composite
def layouts(draw: st.DrawFn):
    """A blob's record as the converter makes them: planar or interleaved, with gaps at any level, in either order."""
    dtype = draw(st.sampled_from(sorted(_TYPES)))
    item = np.dtype(_TYPES[dtype]).itemsize
    c, h, w = (draw(st.integers(1, 4)) for _ in range(3))
    gap = st.integers(0, 3)
    if draw(st.booleans()):  # channels side by side
        ps = c + draw(gap)
        rs = w * ps + draw(gap)
        steps = (1, rs, ps)
    else:
        rs = w + draw(gap)
        steps = (h * rs + draw(gap), rs, 1)
    hwc = draw(st.booleans())
    ordered = (h, w, c) if hwc else (c, h, w)
    size = c * h * w
    shapes = [ordered, (1, *ordered), (size,), (1, size), (ordered[0], ordered[1] * ordered[2])]
    shape = draw(st.sampled_from([*shapes, tuple(n for n in ordered if n > 1)]))
    return Net(dtype, hwc, (c, h, w), tuple(step * item for step in steps), shape), draw(st.integers(0, 5)) * item


def elements(net: Net, base: int, tail: int = 0):
    """A buffer that holds the blob from byte `base` on and `tail` bytes, and the elements in the source's order."""
    c, h, w = net.words[3:6]
    at = base + sum(
        np.arange(n).reshape([n if k == axis else 1 for k in range(3)]) * step
        for axis, (n, step) in enumerate(zip((c, h, w), net.words[6:9], strict=True))
    )
    kind = np.dtype(_TYPES[net.words[0] & 0xFF])
    buffer = bytearray(int(at.max()) + kind.itemsize + tail)
    everything = np.frombuffer(buffer, kind)
    everything[:] = np.arange(len(everything)) % 120
    at = at.transpose(1, 2, 0) if net.words[0] >> 16 else at
    return buffer, everything[at.ravel() // kind.itemsize]


@given(layouts())
def test_numpys_array_is_the_blob(made):
    net, base = made
    buffer, wanted = elements(net, base)
    try:
        found = on_numpy.view(net, 0, memoryview(buffer), base)
    except ValueError as error:
        assert "gaps" in str(error) and len(net.shape(0)) < 3
        return
    assert found.shape == net.shape(0) and np.array_equal(found.ravel(), wanted)
    found[...] = 7
    assert (memory_of(net, base, buffer) == 7).all()


def has_gaps_in_pixels(net: Net) -> bool:
    """Whether height and width cannot be one dimension."""
    _, h, w = net.words[3:6]
    return h > 1 and w > 1 and net.words[7] != w * net.words[8]


def memory_of(net: Net, base: int, buffer: bytearray):
    """The blob's elements as they lie in the buffer."""
    return np.ndarray(net.words[3:6], _TYPES[net.words[0] & 0xFF], buffer, base, tuple(net.words[6:9]))


@given(layouts(), st.sampled_from([0, 512]))
def test_ulabs_array_is_the_blob(made, tail: int):
    """In a buffer that ends with the blob there may be no room for a whole step, which reshaping takes."""
    net, base = made
    if net.words[0] & 0xFF == 5:
        with pytest.raises(TypeError, match="int32"):
            ON_ULAB.view(net, 0, bytearray(999), base)
        return
    buffer, wanted = elements(net, base, tail)
    try:
        found = strict.raw(ON_ULAB.view(net, 0, memoryview(buffer), base))
    except ValueError as error:
        assert "gaps" in str(error) and (not tail or len(net.shape(0)) < 3 or has_gaps_in_pixels(net))
        return
    assert found.ndim <= 2 and np.array_equal(found.ravel(), wanted)
    found[...] = 7
    assert (memory_of(net, base, buffer) == 7).all()
