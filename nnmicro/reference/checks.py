"""What every layer's `check` asks first, and what a layer that cannot work by rows asks before it runs."""

from ..errors import ModelError
from ..port import F32


def operands(call, layer, fewest, most, params, dtype=F32, state_bytes=None):
    """Refuse a call with more or fewer inputs, outputs or parameters than `layer` takes, or of another type.

    `dtype` 0: any type, but all operands the same. `state_bytes`: the function of a layer that may be asked to reduce.
    """
    if not fewest <= call.n_in <= most:
        raise ModelError("%s: %d inputs, expected %d to %d" % (layer, call.n_in, fewest, most))
    if call.n_out != 1:
        raise ModelError("%s: %d outputs, expected 1" % (layer, call.n_out))
    if call.n_params != params:
        raise ModelError("%s: %d parameter words, expected %d" % (layer, call.n_params, params))
    if not dtype:
        dtype = call.output().dtype
    _operand(call.output(), layer, "output", dtype)
    for i in range(call.n_in):
        _operand(call.input(i), layer, "input %d" % i, dtype)
    workspace(call, layer, state_bytes)


def workspace(call, layer, state_bytes):
    """Refuse to reduce where the layer cannot, or where the workspace is too small for what it keeps."""
    if call.reduces:
        needed = state_bytes(call) if state_bytes else 0
        if not needed:
            raise ModelError("%s: cannot take its input some rows at a time" % layer)
        if call.workspace_bytes < needed or call.output().rows != call.output().h:
            raise ModelError(
                "%s: to take its input by rows needs a whole output and a workspace of %d bytes, not %d"
                % (layer, needed, call.workspace_bytes)
            )


def words(count):
    """Bytes of a workspace of so many words."""
    return (4 * count + 15) // 16 * 16


def _operand(operand, layer, name, dtype):
    if operand.dtype != dtype:
        from ..type_names import type_name

        raise ModelError("%s: the %s is %s, expected %s" % (layer, name, type_name(operand.dtype), type_name(dtype)))
    if operand.c < 1 or operand.h < 1 or operand.w < 1 or operand.rows < 1:
        raise ModelError(
            "%s: the %s has the shape %d x %d x %d with %d rows held; every size must be at least 1"
            % (layer, name, operand.c, operand.h, operand.w, operand.rows)
        )


def constant(call, layer, i, name, count):
    """Refuse unless input `i` is `count` elements without gaps: it is read by one index counting up."""
    operand = call.input(i)
    if operand.count != count or not operand.dense:
        raise ModelError(
            "%s: the %s (input %d) has %d elements%s; the shapes and parameters need %d without gaps"
            % (layer, name, i, operand.count, "" if operand.dense else " with gaps", count)
        )


def within(call, layer, index, name, least, most=0x7FFFFFFF):
    """Parameter `index`, refused where it is outside [least, most]."""
    value = call.int_param(index)
    if not least <= value <= most:
        raise ModelError("%s: %s is %d, expected %d to %d" % (layer, name, value, least, most))
    return value


def same_shape(layer, a, b):
    """Refuse unless two operands have the same c, h and w."""
    if not a.same_shape(b):
        raise ModelError(
            "%s: the output is %d x %d x %d, expected %d x %d x %d" % (layer, b.c, b.h, b.w, a.c, a.h, a.w)
        )


def whole(call, layer, axis=""):
    """Refuse to compute some rows only, or from rings: the layer (along that axis) needs all rows of every operand at
    once.

    Raises ValueError: that is a mistake of whoever made the call, not of the model.
    """
    out = call.output()
    held = out.rows == out.h
    for i in range(call.n_in):
        held = held and call.input(i).rows == call.input(i).h
    if call.y0 != 0 or call.y1 != out.h or not held:
        raise ValueError(
            "%s%s works on whole tensors: it cannot compute some rows only, or from a ring" % (layer, axis)
        )


def input_rows(call, layer):
    """Refuse rows of a reduction that input 0 does not have or does not hold. Raises ValueError, as `whole` does."""
    x = call.input(0)
    if not 0 <= call.y0 < call.y1 <= x.h or call.y1 - call.y0 > x.rows:
        raise ValueError(
            "%s: rows %d to %d of an input that has %d and holds %d" % (layer, call.y0, call.y1, x.h, x.rows)
        )


def grouped_weights(call, layer, group, kernel_h, kernel_w):
    """Refuse a convolution of either direction whose groups, weights or bias do not fit its channels.

    The weights' count also bounds the kernel's size, and so the work for an element.
    """
    x = call.input(0)
    out = call.output()
    if x.c % group or out.c % group:
        raise ModelError(
            "%s: %d groups do not divide %d input and %d output channels evenly" % (layer, group, x.c, out.c)
        )
    constant(call, layer, 1, "weight", out.c * (x.c // group) * kernel_h * kernel_w)
    if call.n_in == 3:
        constant(call, layer, 2, "bias", out.c)
