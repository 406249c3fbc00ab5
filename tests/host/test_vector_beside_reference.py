"""Layers of the vector backend, through the strict ulab, beside the reference on random shapes and parameters."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.host.kernel_call import Bench, Layout, words
from tests.host.layer_cases import agrees
from tests.ulab.kernels import vector


def reference(op: str):
    return import_module(f"nnmicro.reference.{op}")


SMALL = st.integers(1, 3)


def compare(op: str, inputs: list[np.ndarray], output: tuple[int, int, int], params: dict, dense: int) -> None:
    """Both on the same call; the last `dense` inputs are constants."""
    row = words(params, reference(op))
    layouts = [Layout(x.shape, dense=i >= len(inputs) - dense) for i, x in enumerate(inputs)] + [Layout(output)]
    ours, theirs = Bench(inputs, output, row, layouts, checked=False), Bench(inputs, output, row, layouts)
    vector(op)(ours.call)
    reference(op).run(theirs.call)
    assert agrees(ours.result(), theirs.result())
    assert ours.guards_untouched()


def numbers(draw: st.DrawFn, *shape: int) -> np.ndarray:
    return np.random.default_rng(draw(st.integers(0, 99))).standard_normal(shape, dtype=np.float32)


@given(st.data())
def test_matmul(data: st.DataObject):
    draw = data.draw
    c, rows, depth, columns = draw(SMALL), draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    turned = [draw(st.integers(0, 1)) for _ in range(2)]
    channels = draw(st.sampled_from([(c, c), (1, c), (c, 1)]))
    a = numbers(draw, channels[0], *((depth, rows) if turned[0] else (rows, depth)))
    b = numbers(draw, channels[1], *((columns, depth) if turned[1] else (depth, columns)))
    compare("matmul", [a, b], (c, rows, columns), {"transpose_a": turned[0], "transpose_b": turned[1]}, 0)


@given(st.data())
def test_deconvolution(data: st.DataObject):
    draw = data.draw
    group, inputs, outputs = draw(st.integers(1, 2)), draw(SMALL), draw(SMALL)
    kernel = [draw(SMALL) for _ in range(2)]
    stride = [draw(SMALL) for _ in range(2)]
    dilation = [draw(st.integers(1, 2)) for _ in range(2)]
    pad = [draw(st.integers(0, k - 1)) for k in kernel]
    h, w = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    size = [
        (n - 1) * s + d * (k - 1) + 1 - p + draw(st.integers(0, 2))
        for n, s, d, k, p in zip((h, w), stride, dilation, kernel, pad, strict=True)
    ]
    bias = [numbers(draw, 1, 1, group * outputs)] if draw(st.booleans()) else []
    params = {
        **dict(zip(("kernel_h", "kernel_w", "stride_h", "stride_w"), kernel + stride, strict=True)),
        **dict(zip(("dilation_h", "dilation_w", "pad_top", "pad_left"), dilation + pad, strict=True)),
        **{"group": group, "activation": draw(st.sampled_from([0, 1])), "activation_a": 0.0, "activation_b": 0.0},
    }
    weight = numbers(draw, 1, 1, group * outputs * inputs * kernel[0] * kernel[1])
    x = numbers(draw, group * inputs, h, w)
    output = (group * outputs, max(1, size[0]), max(1, size[1]))
    compare("deconvolution", [x, weight, *bias], output, params, 1 + len(bias))


@given(st.data())
def test_recurrent(data: st.DataObject):
    draw = data.draw
    kind = draw(st.integers(0, 3))
    c, steps, width, cells = draw(SMALL), draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 4))
    gates = (1, 3, 3, 4)[kind]
    with_cell = draw(st.integers(0, 1)) if kind == 3 else 0
    inputs = [
        numbers(draw, c, steps, width),
        numbers(draw, c, 1, cells),
        np.zeros((1, 1, c * cells), np.float32),
        numbers(draw, 1, 1, gates * cells * width),
        numbers(draw, 1, 1, gates * cells * cells),
        numbers(draw, 1, 1, 2 * gates * cells),
    ]
    if kind == 3:
        inputs.append(numbers(draw, c, 1, cells))
    params = {"kind": kind, "reverse": draw(st.integers(0, 1)), "with_cell": with_cell}
    row = words(params, reference("recurrent"))
    layouts = [Layout(x.shape, dense=2 <= i <= 5) for i, x in enumerate(inputs)]
    layouts.append(Layout((c, steps, cells * (1 + with_cell))))
    ours, theirs = (Bench(inputs, layouts[-1].shape, row, layouts, checked=False) for _ in range(2))
    vector("recurrent")(ours.call)
    reference("recurrent").run(theirs.call)
    assert agrees(ours.result(), theirs.result())
    assert ours.guards_untouched()


@pytest.mark.parametrize("kernel, dilation", [(3, 1), (5, 1), (3, 2), (3, 40)])
@pytest.mark.parametrize("channels, group", [(4, 1), (8, 1), (8, 2), (8, 8)])
def test_several_rows_of_a_convolution_do_not_see_their_neighbours_columns(kernel, dilation, channels, group):
    """As wide as its input, with so few columns that a step takes many rows, and large numbers at every edge."""
    rng = np.random.default_rng(kernel + dilation)
    x = rng.standard_normal((channels, 23, 11), dtype=np.float32)
    x[:, ::3, 0] = x[:, 1::3, -1] = 1e30
    weight = rng.standard_normal((1, 1, channels**2 // group * kernel**2), dtype=np.float32)
    pad = dilation * (kernel // 2)
    params = {"kernel_h": kernel, "kernel_w": kernel, "stride_h": 1, "stride_w": 1, "group": group, "pad_value": 0.0}
    params |= {"dilation_h": dilation, "dilation_w": dilation, "pad_top": pad, "pad_left": pad}
    params |= {"activation": 3, "activation_a": -1.0, "activation_b": 1e29}
    compare("convolution", [x, weight], (channels, 23, 11), params, 1)
