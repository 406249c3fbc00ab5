"""Calls of int8 layers as a damaged or hostile file would have them: other parameters, other sizes."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from tests.host.int8_cases import Case
from tests.host.kernel_call import Layout

EXTREME_WORDS = (-(2**31), -65536, -129, -2, -1, 0, 1, 2, 3, 4, 7, 31, 127, 65536, 2**30, 2**31 - 1)
FLOAT_BITS = (0x7FC00000, 0x7F800000, -0x800000, 0x3F800000, 0x00000001, 0x7F7FFFFF)


def one_hostile_parameter(params: list[int]) -> Iterator[list[int]]:
    """The parameters with one of them replaced, each in turn by each extreme value and by its neighbours."""
    for i in range(len(params)):
        for word in (*EXTREME_WORDS, *FLOAT_BITS, params[i] + 1, params[i] - 1):
            yield [*params[:i], word, *params[i + 1 :]]


def one_wrong_size(case: Case) -> Iterator[list[Layout]]:
    """The layouts with one axis of one operand of another size."""
    for i, layout in enumerate(case.layouts()):
        for axis in range(3):
            size = layout.shape[axis]
            for other in {1, 2, 3, 4, size - 1, size + 1, size * 2} - {0}:
                layouts = case.layouts()
                layouts[i] = _resized(layout, axis, other)
                yield layouts


def several_hostile_words(data: st.DataObject, case: Case, params: list[int]) -> tuple[list[Layout], list[int]]:
    """Layouts and parameters with up to two sizes and three parameters replaced."""
    layouts, params = case.layouts(), list(params)
    word = st.one_of(st.integers(-3, 9), st.sampled_from(EXTREME_WORDS + FLOAT_BITS), st.integers(-(2**31), 2**31 - 1))
    for _ in range(data.draw(st.integers(0, 3)) if params else 0):
        params[data.draw(st.integers(0, len(params) - 1))] = data.draw(word)
    for _ in range(data.draw(st.integers(0, 2))):
        i, axis = data.draw(st.integers(0, len(layouts) - 1)), data.draw(st.integers(0, 2))
        layouts[i] = _resized(layouts[i], axis, data.draw(st.integers(1, 9)))
    return layouts, params


def _resized(layout: Layout, axis: int, size: int) -> Layout:
    shape = list(layout.shape)
    shape[axis] = size
    return Layout(tuple(shape), layout.interleaved, layout.dense)
