"""Parameters of mean_int8."""

from __future__ import annotations

from collections.abc import Sequence

from host_tools.graph import Attr
from host_tools.importers.builder import Shape
from host_tools.importers.onnx.quantised.emission import blob_operand
from host_tools.importers.onnx.quantised.groups import Group
from host_tools.quantised import quantised_multiplier

_BY_MULTIPLIER = 0


def mean_attrs(group: Group, shape: Shape, axes: Sequence[int]) -> dict[str, Attr]:
    """The mean over height (the axis before the last), width (the last) or both: one multiplication that
    divides by the number of elements and changes the scale.
    """
    source, target = blob_operand(group).scheme, group.outputs[0].scheme
    rank, count = len(shape), 1
    for axis in axes:
        count *= shape[axis]
    multiplier, shift = quantised_multiplier(source.scale / (count * target.scale))
    return {
        "kind": _BY_MULTIPLIER,
        "over_h": int(rank - 2 in axes),
        "over_w": int(rank - 1 in axes),
        "over_c": 0,
        "sum_zero": source.zero * count,
        "multiplier": multiplier,
        "shift": shift,
        "output_zero": target.zero,
        "half_up": 0,
        "scale": 0.0,
        "bias": 0.0,
    }
