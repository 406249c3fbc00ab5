"""What the checks of the int8 layers ask besides `checks.py`: operands of different types, zero points, scales."""

from ..errors import ModelError
from ..port import F32, I8, I16, I32, U8, const
from . import checks

LOWEST = {I8: -128, U8: 0, I16: -32768}
HIGHEST = {I8: 127, U8: 255, I16: 32767}

# The parameters of quantize and dequantize.
_SCALE = const(0)
_ZERO_POINT = const(1)
_IN_BLOCKS = const(2)


def operands(call, layer, dtypes, params, state_bytes=None):
    """Refuse a call whose operands are not of `dtypes` (inputs, then one output) or that has not `params` words.

    `state_bytes`: the function of a layer that may be asked to reduce.
    """
    expected = len(dtypes) - 1
    counts(call, layer, expected, params)
    for i in range(expected):
        _operand(call.input(i), layer, "input %d" % i, dtypes[i])
    _operand(call.output(), layer, "output", dtypes[expected])
    checks.workspace(call, layer, state_bytes)


def counts(call, layer, inputs, params):
    """Refuse another number of inputs or parameter words, or more than one output."""
    if call.n_in != inputs:
        raise ModelError("%s: %d inputs, expected %d" % (layer, call.n_in, inputs))
    if call.n_out != 1:
        raise ModelError("%s: %d outputs, expected 1" % (layer, call.n_out))
    if call.n_params != params:
        raise ModelError("%s: %d parameter words, expected %d" % (layer, call.n_params, params))


def _operand(operand, layer, name, dtype):
    if operand.dtype != dtype:
        from ..type_names import type_name

        given, expected = type_name(operand.dtype), type_name(dtype)
        raise ModelError("%s: the %s is %s, expected %s" % (layer, name, given, expected))
    if operand.c < 1 or operand.h < 1 or operand.w < 1 or operand.rows < 1:
        raise ModelError(
            "%s: the %s has the shape %d x %d x %d with %d rows held; every size must be at least 1"
            % (layer, name, operand.c, operand.h, operand.w, operand.rows)
        )


def weighted(call, layer, params, state_bytes=None):
    """The operands of a layer with weights: x, weight, bias, multiplier, shift, and the output."""
    operands(call, layer, (I8, I8, I32, I32, I32, I8), params, state_bytes)


def rescaling(call, layer, outputs):
    """Refuse unless bias, multiplier and shift (inputs 2 to 4) have one element for each output."""
    checks.constant(call, layer, 2, "bias", outputs)
    checks.constant(call, layer, 3, "multiplier", outputs)
    checks.constant(call, layer, 4, "shift", outputs)


def int8_param(call, layer, index, name):
    """Refuse a parameter that is no int8 value: a zero point, or a bound of the result."""
    checks.within(call, layer, index, name, -128, 127)


def multiplier(call, layer, index, name):
    """Refuse parameters `index` and `index` + 1 unless they are a quantised multiplier and its shift."""
    checks.within(call, layer, index, name + "multiplier", 0)
    checks.within(call, layer, index + 1, name + "shift", -31, 31)


def scale(call, layer, index, name):
    """Refuse a parameter that is no scale: it must be above zero and finite."""
    value = call.float_param(index)
    if not 0.0 < value < float("inf"):
        raise ModelError("%s: %s is %s, expected a number above zero" % (layer, name, value))


def integer_type(call, layer, operand):
    """The type of an operand, refused where it is none that real numbers are quantised to."""
    dtype = operand.dtype
    if dtype not in LOWEST:
        from ..type_names import type_name

        raise ModelError("%s: the integer tensor is %s, expected int8, uint8 or int16" % (layer, type_name(dtype)))
    return dtype


def conversion(call, layer, dtypes):
    """What quantize and dequantize ask: the operands' types, and the parameters scale, zero_point and in_blocks."""
    operands(call, layer, dtypes, 3)
    checks.same_shape(layer, call.input(0), call.output())
    dtype = dtypes[0] if dtypes[1] == F32 else dtypes[1]
    scale(call, layer, _SCALE, "scale")
    checks.within(call, layer, _ZERO_POINT, "zero_point", LOWEST[dtype], HIGHEST[dtype])
    checks.within(call, layer, _IN_BLOCKS, "in_blocks", 0)
