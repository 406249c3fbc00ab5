"""Elements in another order.

Element (i0, i1, i2, i3) in row-major order over size0..size3 goes to y in c, y, x order, and comes from x at

    i0 * stride0 + i1 * stride1 + i2 * stride2 + i3 * stride3

counted in elements of the storage from x's first one.

Source: ONNX operator Transpose, with the strides of x's storage put in when the model is written.
"""

from ..errors import ModelError
from ..port import const
from . import checks

_P_SIZE0 = const(0)
_P_SIZE1 = const(1)
_P_SIZE2 = const(2)
_P_SIZE3 = const(3)
_P_STRIDE0 = const(4)
_P_STRIDE1 = const(5)
_P_STRIDE2 = const(6)
_P_STRIDE3 = const(7)


def check(call):
    checks.operands(call, "permute", 1, 1, 8, dtype=0)
    x = call.input(0)
    out = call.output()
    count = 1
    farthest = 0
    for i in range(4):
        size = checks.within(call, "permute", _P_SIZE0 + i, "size%d" % i, 1)
        stride = checks.within(call, "permute", _P_STRIDE0 + i, "stride%d" % i, 0)
        count *= size
        farthest += (size - 1) * stride
    if count != out.count:
        raise ModelError("permute: the sizes make %d elements, the output has %d" % (count, out.count))
    last = (x.c - 1) * x.cs + (x.h - 1) * x.rs + (x.w - 1) * x.ps
    if farthest > last:
        raise ModelError("permute: reads element %d of the input's storage, whose last is %d" % (farthest, last))


def run(call):
    checks.whole(call, "permute")
    p = call.int_param
    move(
        call.input(0),
        (p(_P_SIZE0), p(_P_SIZE1), p(_P_SIZE2), p(_P_SIZE3)),
        (p(_P_STRIDE0), p(_P_STRIDE1), p(_P_STRIDE2), p(_P_STRIDE3)),
        call.output(),
    )


def move(x, sizes, strides, out):
    """Write the elements of x at four nested strides into `out`, in c, y, x order; as many as `out` has."""
    data = x.data
    results = out.data
    step = out.ps
    width = out.w
    size3 = sizes[3]
    stride3 = strides[3]
    row = 0
    left = width
    j = out.base
    for i0 in range(sizes[0]):
        for i1 in range(sizes[1]):
            for i2 in range(sizes[2]):
                i = x.base + i0 * strides[0] + i1 * strides[1] + i2 * strides[2]
                for _ in range(size3):
                    results[j] = data[i]
                    i += stride3
                    left -= 1
                    if left:
                        j += step
                    else:
                        left = width
                        row += 1
                        j = out.at(row // out.h, row % out.h)
