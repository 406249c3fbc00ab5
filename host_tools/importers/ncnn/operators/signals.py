"""Layers of one axis, (channels, length): an image with one row."""

from __future__ import annotations

from dataclasses import replace

from host_tools.importers.ncnn.context import Context
from host_tools.importers.ncnn.operators import transposed, windows
from host_tools.importers.ncnn.operators.activations import Handler
from host_tools.importers.ncnn.param_file import ParamLayer, Value
from host_tools.importers.refusals import Unsupported


def _as_image(handler: Handler, rows: dict[int, int], unpadded: tuple[int, ...] = ()) -> Handler:
    """The function for a layer of signals, from that for images: `rows` are parameters of the height, and `unpadded`
    those of its padding, which are 0 unless the width's parameter 4 says SAME.
    """

    def build(ctx: Context, layer: ParamLayer) -> None:
        shape = ctx.shape(layer.inputs[0])
        if len(shape) != 2:
            raise Unsupported(f"its input has shape {shape}; channels and a length are needed")
        seen = ctx.builder.reshaped(layer.name, layer.inputs[0], (shape[0], 1, shape[1]))
        made = ctx.builder.free_name(f"{layer.name}.image")
        params: dict[int, Value] = {**layer.params, **rows}
        for key in unpadded:
            params[key] = min(layer.integer(4, 0), 0)
        handler(ctx, replace(layer, inputs=[seen], outputs=[made], params=params))
        out = ctx.shape(made)
        ctx.emit("reshape", layer, [made], (out[0], out[-1]) if len(out) == 3 else out)

    return build


_ONE_ROW = {11: 1, 12: 1, 13: 1}
convolution = _as_image(windows.convolution, _ONE_ROW, (14, 16))
deconvolution = _as_image(transposed.deconvolution, {**_ONE_ROW, 19: 0, 21: 1}, (14, 16))
pooling = _as_image(windows.pooling, {11: 1, 12: 1, 13: 0, 15: 0, 18: 1})
