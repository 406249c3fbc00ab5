"""Interp."""

from __future__ import annotations

import numpy as np

from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.expressions import evaluate
from host_tools.importers.ncnn.param_file import ParamLayer
from host_tools.importers.refusals import Unsupported

_NEAREST, _BILINEAR = 1, 2
_HALF_PIXEL, _ALIGN_CORNERS, _ASYMMETRIC = 0, 1, 2
_FLOOR = 2


def interp(ctx: Context, layer: ParamLayer) -> None:
    """Nearest: floor(x / scale). Bilinear: between pixel centres, or with corners aligned."""
    kind = layer.integer(0, 0)
    if kind not in (_NEAREST, _BILINEAR):
        raise Unsupported(f"resize type {kind}; supported are 1 (nearest) and 2 (bilinear)")
    if layer.integer(5, 0) or (len(layer.inputs) > 1 and 9 not in layer.params):
        raise Unsupported("its size is computed at run time")
    source, operand = ctx.shape(layer.inputs[0]), layer.inputs[0]
    flat = len(source) == 1
    h, w = (1, 1) if flat else source[-2:]
    scale_h, scale_w = np.float32(layer.number(1, 1.0)), np.float32(layer.number(2, 1.0))
    sized_h, sized_w = layer.integer(3, 0), layer.integer(4, 0)
    if 9 in layer.params:
        found = evaluate(str(layer.params[9]), [ctx.shape(name) for name in layer.inputs])
        if len(found) not in (1, 2):
            raise Unsupported(f"{len(found)} sizes; a width and a height are expected")
        sized_w, sized_h = (*found, h)[:2]
    out_h, out_w = sized_h, sized_w
    if out_h == 0 or out_w == 0:
        out_h, out_w = int(np.float32(h) * scale_h), int(np.float32(w) * scale_w)
    if len(source) == 2:  # only the rows' length changes
        out_h, sized_h = h, h
    if flat:  # each element becomes a plane
        operand = ctx.builder.reshaped(layer.name, operand, (source[0], 1, 1))
        source = (source[0], 1, 1)
    elif (out_h, out_w) == (h, w):
        ctx.share(layer)
        return
    # What a coordinate is divided by: the ratio of the sizes where a size is given, else the scale itself (ncnn before
    # autumn 2026 took the ratio for bilinear in any case; the two differ where the scale gives no whole size).
    ratio_h, ratio_w = out_h / h, out_w / w
    nearest = kind == _NEAREST
    transform = _ASYMMETRIC if nearest else _ALIGN_CORNERS if layer.integer(6, 0) else _HALF_PIXEL
    ctx.emit(
        "interp",
        layer,
        [operand],
        (*source[:-2], out_h, out_w),
        mode=int(not nearest),
        transform=transform,
        rounding=_FLOOR,
        scale_h=ratio_h if sized_h else float(scale_h),
        scale_w=ratio_w if sized_w else float(scale_w),
    )
