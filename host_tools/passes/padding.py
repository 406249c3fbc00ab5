"""Fuses constant padding of height and width into the convolution behind it, which pads while it reads."""

from __future__ import annotations

from host_tools.graph import Attr, Graph, Layer, geometry
from host_tools.passes.rewiring import forget, readers

_CONSTANT = 0
_CONVOLUTIONS = ("convolution", "convolution_int8", "depthwise_int8")


def fuse_padding(graph: Graph, protected: frozenset[str]) -> None:
    """The padded blob vanishes; bottom and right padding follow from the convolution's output."""
    for layer in list(graph.layers):
        if layer.op not in _CONVOLUTIONS:
            continue
        padding = _padding_before(graph, layer, protected)
        if padding is None or not _only_around(graph, padding):
            continue
        value = padding.attrs.get("value", 0.0)
        if not _pads_with(graph, layer, value):
            continue
        padded = layer.inputs[0]
        layer.inputs[0] = padding.inputs[0]
        if layer.op == "convolution":
            layer.attrs["pad_value"] = value
        layer.attrs["pad_top"] = _int(layer.attrs["pad_top"]) + _int(padding.attrs["top"])
        layer.attrs["pad_left"] = _int(layer.attrs["pad_left"]) + _int(padding.attrs["left"])
        graph.layers.remove(padding)
        forget(graph, padded, layer.outputs[0])


def _padding_before(graph: Graph, conv: Layer, protected: frozenset[str]) -> Layer | None:
    """The padding layer whose output only the convolution reads, and which need not stay."""
    name = conv.inputs[0]
    if name in protected or len(readers(graph, name)) != 1:
        return None
    return next((layer for layer in graph.layers if layer.op == "padding" and name in layer.outputs), None)


def _pads_with(graph: Graph, conv: Layer, value: Attr) -> bool:
    """Whether the convolution can read `value` outside its input: in int8 it reads the input's zero point there."""
    if conv.op != "convolution":
        return value == conv.attrs["input_zero"]
    return not _pads_itself(graph, conv) or conv.attrs.get("pad_value", 0.0) == value


def _only_around(graph: Graph, padding: Layer) -> bool:
    """Whether it pads with a constant, and no channels."""
    ends = (padding.inputs[0], padding.outputs[0])
    before, after = (geometry(graph.tensors[name].shape, graph.order) for name in ends)
    return padding.attrs["mode"] == _CONSTANT and before[0] == after[0]


def _pads_itself(graph: Graph, conv: Layer) -> bool:
    """Whether the convolution reads outside its input."""
    if conv.attrs["pad_top"] or conv.attrs["pad_left"]:
        return True
    ends = (conv.inputs[0], conv.outputs[0])
    source, out = (geometry(graph.tensors[name].shape, graph.order) for name in ends)
    for axis, letter in ((1, "h"), (2, "w")):
        kernel, stride, dilation = (_int(conv.attrs[f"{n}_{letter}"]) for n in ("kernel", "stride", "dilation"))
        if (out[axis] - 1) * stride + dilation * (kernel - 1) + 1 > source[axis]:
            return True
    return False


def _int(value: Attr) -> int:
    assert isinstance(value, int)
    return value
