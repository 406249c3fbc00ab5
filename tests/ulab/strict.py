"""`ulab.numpy` as its default build has it, on top of numpy: nothing else of numpy can be reached through it.

What ulab does not have, does otherwise than numpy, or does wrongly raises NotInUlab: names, dtypes (no int32, no
float64), keywords and what may be positional, more than two dimensions, `out=` with gaps, sums of infinities. So a
kernel that runs here runs on a board. Where ulab has something that no kernel needs yet, it says so: model it here
then, from ulab's sources, and add it to `cases.py`, which compares all this with the real ulab.

ulab's `float` is MicroPython's, here float32 as on boards.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy

FLOAT = "f"
_DTYPES = {"B": numpy.uint8, "b": numpy.int8, "H": numpy.uint16, "h": numpy.int16, FLOAT: numpy.float32}
_BOOL = "?"

# ulab.numpy of the default build: code/numpy/numpy.c with the switches of code/ulab.h.
NAMES = frozenset(
    """acos acosh all any arange arctan2 argmax argmin argsort around array asarray asin asinh atan atanh bincount
    bitwise_and bitwise_or bitwise_xor bool ceil clip complex compress concatenate conjugate convolve cos cosh cross
    degrees delete diag diff dot e empty equal exp expm1 eye fft flip float floor frombuffer full get_printoptions imag
    inf int16 int8 interp isfinite isinf left_shift linalg linspace load loadtxt log log10 log2 logspace max maximum
    mean median meshgrid min minimum nan ndarray ndinfo nonzero not_equal ones pi polyfit polyval radians random real
    right_shift roll save savetxt set_printoptions sin sinc sinh size sort sort_complex sqrt std sum take tan tanh trace
    trapz uint16 uint8 vectorize where zeros""".split()
)
ATTRIBUTES = frozenset(
    """T byteswap copy dtype flat flatten imag itemsize ndim real reshape shape size sort strides tobytes tolist
    transpose""".split()
)
# Two integers of different types; what is not here is symmetric.
_UPCAST = {"Bb": "h", "BH": "H", "Bh": "h", "bh": "h", "Hh": FLOAT}


class NotInUlab(AssertionError):
    """Something that works in numpy and not, or otherwise, in ulab."""


def raw(array: ndarray) -> numpy.ndarray:
    """The same memory as an array of numpy's, for tests to look at."""
    return numpy.ndarray.view(array, numpy.ndarray)


def _wrapped(array: Any) -> Any:
    """An array of numpy's as one of ulab's; what has no dimension is a number."""
    if not isinstance(array, numpy.ndarray):
        return array.item() if isinstance(array, numpy.generic) else array
    if array.ndim == 0:
        return array.item()
    if array.ndim > 2:
        raise NotInUlab(f"an array of {array.ndim} dimensions: ulab's default build has at most 2")
    if array.dtype.char not in _DTYPES and array.dtype.char != _BOOL:
        raise NotInUlab(f"an array of {array.dtype}, which ulab does not have")
    return array.view(ndarray)


def _code(dtype: Any) -> type:
    """numpy's type of one of ulab's, which are numbers."""
    if isinstance(dtype, int) and chr(dtype) in _DTYPES:
        return _DTYPES[chr(dtype)]
    if dtype == ord(_BOOL):
        return numpy.bool_
    raise NotInUlab(f"dtype {dtype!r}: ulab has np.uint8, int8, uint16, int16, float, and bool")


def _operand(x: Any, other: str = "") -> numpy.ndarray:
    """What ulab makes of an operand: a scalar is the smallest type that holds it."""
    if isinstance(x, ndarray):
        return raw(x)
    if type(x) is bool:
        return numpy.array([x])
    if type(x) is int:
        if not -32768 <= x <= 65535:
            return numpy.array([x], numpy.float32)
        if x < 0:
            return numpy.array([x], numpy.int8 if x >= -128 else numpy.int16)
        if other in ("b", "h"):
            return numpy.array([x], numpy.int8 if x < 128 else numpy.int16)
        return numpy.array([x], numpy.uint8 if x < 256 else numpy.uint16)
    if type(x) is float:
        return numpy.array([x], numpy.float32)
    if isinstance(x, (list, tuple, range)):
        return raw(array(x))
    raise NotInUlab(f"{type(x).__name__} as an operand: ulab takes its own arrays, and Python's numbers")


def _broadcast(a: numpy.ndarray, b: numpy.ndarray) -> None:
    try:
        numpy.broadcast_shapes(a.shape, b.shape)
    except ValueError as error:
        raise ValueError(f"operands could not be broadcast together: {a.shape} and {b.shape}") from error


def _common(a: numpy.ndarray, b: numpy.ndarray, name: str) -> type:
    """The type of the result of arithmetic."""
    one, two = a.dtype.char, b.dtype.char
    if _BOOL in (one, two):
        raise NotInUlab(f"{name} of booleans, which are uint8 to ulab and not to numpy")
    if FLOAT in (one, two):
        return numpy.float32
    if one == two:
        return _DTYPES[one]
    if name in ("add", "mul"):
        return _DTYPES[_UPCAST.get(one + two) or _UPCAST.get(two + one) or "h"]
    raise NotInUlab(f"{name} of {a.dtype} and {b.dtype}: ulab has rules of its own for two integer types")


def _binary(name: str, reverse: bool = False) -> Callable[[ndarray, Any], Any]:
    function = getattr(operator, name)

    def apply(self: ndarray, other: Any) -> Any:
        a, b = raw(self), _operand(other, raw(self).dtype.char)
        if reverse:
            a, b = b, a
        _broadcast(a, b)
        if name in ("lt", "le", "gt", "ge", "eq", "ne"):
            if isinstance(other, ndarray) and (other is self or a.dtype != b.dtype):
                raise NotInUlab(f"{name} of an array and itself (one bool), or of two types (which can come out wrong)")
            return _wrapped(function(a, b))
        if name == "truediv" and FLOAT not in (a.dtype.char, b.dtype.char):
            raise NotInUlab("integers divided by integers, which ulab rounds")
        dtype: type = numpy.float32 if name in ("truediv", "pow") else _common(a, b, name)
        return _wrapped(function(a.astype(dtype), b.astype(dtype)))

    return apply


def _in_place(name: str) -> Callable[[ndarray, Any], ndarray]:
    function = getattr(operator, name)

    def apply(self: ndarray, other: Any) -> ndarray:
        a, b = raw(self), _operand(other, raw(self).dtype.char)
        if any(n not in (1, m) for n, m in zip(b.shape[::-1], a.shape[::-1], strict=False)) or b.ndim > a.ndim:
            raise ValueError(f"operands could not be broadcast together: {a.shape} and {b.shape}")
        if a.dtype.char != FLOAT and (b.dtype.char != a.dtype.char or name in ("itruediv", "ipow")):
            raise TypeError(f"cannot cast output: {a.dtype} {name} {b.dtype}")
        function(a, b.astype(a.dtype))
        return self

    return apply


def _refused(name: str) -> Callable[..., Any]:
    def refuse(*_: Any, **__: Any) -> Any:
        raise NotInUlab(f"ulab's arrays have no {name}, or one that is not modelled here")

    return refuse


class ndarray(numpy.ndarray):
    """ulab's array."""

    __array_ufunc__ = _refused("numpy's universal functions: call those of ulab's numpy")
    __array_function__ = _refused("numpy's functions: call those of ulab's numpy")

    def __getattribute__(self, name: str) -> Any:
        if name in ATTRIBUTES or name[:2] == "__":
            return super().__getattribute__(name)
        raise AttributeError(f"ulab's ndarray has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        raise NotInUlab(f"setting {name} of an array")

    byteswap = imag = real = sort = property(_refused("byteswap, imag, real or sort"))

    @property
    def dtype(self) -> int:
        char = raw(self).dtype.char
        return ord("B" if char == _BOOL else char)

    @property
    def T(self) -> ndarray:
        return self.transpose()

    @property
    def flat(self) -> Any:
        return iter(raw(self).ravel().tolist())

    def transpose(self) -> ndarray:
        return _wrapped(raw(self).T)

    def copy(self) -> ndarray:
        return _wrapped(raw(self).copy("C"))

    def flatten(self, *, order: str = "C") -> ndarray:
        return _wrapped(raw(self).flatten(order))

    def tolist(self) -> Any:
        return raw(self).tolist()

    def tobytes(self) -> bytearray:
        """ulab's are the array's own memory, which must have no gaps."""
        if not is_dense(self):
            raise ValueError("tobytes can be invoked for dense arrays only")
        return bytearray(raw(self).tobytes())

    def reshape(self, shape: int | tuple[int, ...]) -> ndarray:
        """A view where ulab sees no gaps, else a copy: what is written there does not arrive here."""
        shape = (shape,) if type(shape) is int else shape
        if not isinstance(shape, tuple):
            raise NotInUlab(f"reshape to {shape!r}: ulab takes a number, or a tuple of numbers")
        source = raw(self) if is_dense(self) else raw(self).copy("C")
        try:
            return _wrapped(source.reshape(shape))
        except ValueError as error:
            raise ValueError("cannot reshape array (incompatible shapes)") from error

    def __getitem__(self, index: Any) -> Any:
        return _wrapped(raw(self)[_index(self, index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        target, source = raw(self)[_index(self, index, whole=True)], _operand(value)
        if source.dtype.char != target.dtype.char and (
            target.dtype.char != FLOAT and (source.dtype.char == FLOAT or isinstance(value, ndarray))
        ):
            raise NotInUlab(f"{source.dtype} assigned to {target.dtype}: numbers that do not fit come out otherwise")
        target[...] = source  # raises ValueError where ulab would write a part of it

    def __iter__(self) -> Any:
        return (self[i] for i in range(len(self)))

    def __abs__(self) -> ndarray:
        return _wrapped(abs(raw(self)))

    def __neg__(self) -> ndarray:
        return _wrapped(-raw(self))

    def __pos__(self) -> ndarray:
        return self.copy()


_ALLOWED = ("add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge", "eq", "ne")
_ALLOWED_REVERSED = ("add", "sub", "mul", "truediv", "pow")
_ALLOWED_IN_PLACE = ("iadd", "isub", "imul", "itruediv", "ipow")
for _name in _ALLOWED:
    setattr(ndarray, f"__{_name}__", _binary(_name))
for _name in _ALLOWED_REVERSED:
    setattr(ndarray, f"__r{_name}__", _binary(_name, reverse=True))
for _name in _ALLOWED_IN_PLACE:
    setattr(ndarray, f"__{_name}__", _in_place(_name))
for _name in (
    "mod floordiv and or xor matmul divmod lshift rshift rmod rfloordiv rand ror rxor rmatmul rdivmod rlshift rrshift "
    "imod ifloordiv iand ior ixor imatmul ilshift irshift invert bool float int index complex contains delitem"
).split():
    setattr(ndarray, f"__{_name}__", _refused(_name))


def is_dense(x: ndarray) -> bool:
    """Whether ulab sees no gaps: it looks at the first stride only, and takes some arrays with gaps for dense."""
    array = raw(x)
    dense = array.strides[0] == array.itemsize * (array.shape[1] if array.ndim == 2 else 1)
    if dense and not array.flags.c_contiguous:
        raise NotInUlab(f"an array of shape {array.shape} and strides {array.strides}, which ulab takes for dense")
    return dense


def _index(x: ndarray, index: Any, whole: bool = False) -> Any:
    """An index that ulab takes. `whole`: for assignment, which needs an array on the left."""
    parts = index if isinstance(index, tuple) else (index,)
    if len(parts) > len(x.shape):
        raise IndexError("too many indices")
    for part in parts:
        if type(part) is not int and not isinstance(part, slice):
            raise NotInUlab(f"index {part!r}: ulab takes integers and slices (and 1-dimensional booleans)")
    return (*parts, Ellipsis) if whole else index


def _shape(shape: Any) -> int | tuple[int, ...]:
    if type(shape) is int:
        return shape
    if not isinstance(shape, (tuple, list)) or not all(type(n) is int for n in shape):
        raise NotInUlab(f"shape {shape!r}: ulab takes a number, a tuple or a list")
    if len(shape) > 2:
        raise NotInUlab(f"shape {shape!r}: ulab's default build has at most 2 dimensions")
    return tuple(shape)


_F = ord(FLOAT)


def array(values: Any, *, dtype: int = _F) -> ndarray:
    """From nested lists, or a copy of an array."""
    if isinstance(values, ndarray):
        return _wrapped(raw(values).astype(_code(dtype)))
    if not isinstance(values, (list, tuple, range)):
        raise NotInUlab(f"array of {type(values).__name__}")
    plain = [raw(v) if isinstance(v, ndarray) else v for v in values]
    return _wrapped(numpy.array(plain, _code(dtype)))


def frombuffer(buffer: Any, *, dtype: int = _F, count: int = -1, offset: int = 0) -> ndarray:
    """A view of memory; it need not be aligned for ulab, but boards without unaligned access fault then."""
    kind = numpy.dtype(_code(dtype))
    data = memoryview(buffer).cast("B")
    if offset > len(data):
        raise ValueError("offset must be non-negative and no greater than buffer length")
    data = data[offset:]
    if len(data) % kind.itemsize:
        raise ValueError("buffer size must be a multiple of element size")
    result = numpy.frombuffer(data, kind, len(data) // kind.itemsize if count <= 0 else count)
    if len(data) and result.ctypes.data % kind.itemsize:
        raise NotInUlab(f"memory at {result.ctypes.data:#x} as {kind}: a Cortex-M0 faults there")
    return _wrapped(result)


def zeros(shape: Any, *, dtype: int = _F) -> ndarray:
    return _wrapped(numpy.zeros(_shape(shape), _code(dtype)))


def ones(shape: Any, *, dtype: int = _F) -> ndarray:
    return _wrapped(numpy.ones(_shape(shape), _code(dtype)))


def full(shape: Any, value: Any, *, dtype: int = _F) -> ndarray:
    return _wrapped(numpy.full(_shape(shape), value, _code(dtype)))


def concatenate(arrays: tuple[ndarray, ...], *, axis: int = 0) -> ndarray:
    if not isinstance(arrays, tuple) or len({a.dtype for a in arrays}) != 1:
        raise NotInUlab("concatenate takes a tuple of arrays of one type")
    return _wrapped(numpy.concatenate([raw(a) for a in arrays], axis))


def dot(a: ndarray, b: ndarray, /) -> Any:
    """Of two arrays, in float32."""
    if not (isinstance(a, ndarray) and isinstance(b, ndarray)):
        raise TypeError("arguments must be ndarrays")
    if a.shape[-1] != b.shape[0]:
        raise ValueError("dimensions do not match")
    return _wrapped(numpy.dot(raw(a).astype(numpy.float32), raw(b).astype(numpy.float32)))


def _reduction(name: str) -> Callable[..., Any]:
    function = getattr(numpy, name)

    def reduce(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        if not isinstance(x, ndarray) or x.dtype != _F:
            raise NotInUlab(f"{name} of anything but an array of floats is not modelled here")
        if axis is not None and type(axis) is not int:
            raise TypeError("axis must be None, or an integer")
        if name in ("sum", "mean") and not numpy.isfinite(raw(x)).all():
            raise NotInUlab(f"{name} of infinities, which is not a number in ulab")
        if name in ("argmax", "argmin"):
            if axis is not None or keepdims:
                raise NotInUlab(f"{name} along an axis is not modelled here")
            return int(function(raw(x)))
        return _wrapped(function(raw(x), axis=axis, keepdims=keepdims))

    return reduce


def _of_two(name: str) -> Callable[..., Any]:
    function = getattr(numpy, name)

    def of_two(a: Any, b: Any, /) -> Any:
        scalars = type(a) in (int, float) and type(b) in (int, float)
        left, right = _operand(a), _operand(b)
        _broadcast(left, right)
        if name in ("equal", "not_equal"):
            return bool(function(a, b)) if scalars else _wrapped(function(left, right))
        dtype = _common(left, right, name)
        result = _wrapped(function(left.astype(dtype), right.astype(dtype)))
        return result[0] if scalars else result

    return of_two


def clip(x: Any, low: Any, high: Any, /) -> Any:
    return maximum(low, minimum(x, high))


def where(condition: Any, x: Any, y: Any, /) -> ndarray:
    """The type is that of two floats, or two equal types."""
    of, one, two = _operand(condition), _operand(x), _operand(y)
    dtype = _common(one, two, "where")
    return _wrapped(numpy.where(of, one.astype(dtype), two.astype(dtype)))


def _of_one(name: str) -> Callable[..., Any]:
    function = getattr(numpy, {"acos": "arccos", "asin": "arcsin", "atan": "arctan"}.get(name, name))

    def of_one(x: Any, /, *, out: ndarray | None = None) -> Any:
        if type(x) in (int, float):
            return float(function(numpy.float32(x)))
        if not isinstance(x, ndarray):
            raise NotInUlab(f"{name} of {type(x).__name__} is not modelled here")
        result = function(raw(x).astype(numpy.float32))
        if out is None:
            return _wrapped(result)
        if out.shape != x.shape or out.dtype != _F:
            raise ValueError(f"{name}: out must be an array of floats of the same shape")
        if not raw(out).flags.c_contiguous:
            raise NotInUlab(f"{name} with out= of strides {raw(out).strides}: ulab writes past the gaps")
        raw(out)[...] = result
        return out

    return of_one


def _of_all(name: str) -> Callable[..., Any]:
    function = getattr(numpy, name)

    def of_all(x: Any, /) -> Any:
        return _wrapped(function(raw(x))) if isinstance(x, ndarray) else bool(function(x))

    return of_all


maximum, minimum = _of_two("maximum"), _of_two("minimum")


class _Numpy(ModuleType):
    """The module `ulab.numpy`."""

    def __getattr__(self, name: str) -> Any:
        if name in NAMES:
            raise NotInUlab(f"ulab.numpy has {name}, which is not modelled here: add it to tests/ulab/strict.py")
        raise AttributeError(f"ulab.numpy of the default build has no {name!r}")


numpy_of_ulab = _Numpy("ulab.numpy")
for _function in (array, frombuffer, zeros, ones, full, concatenate, dot, clip, where, maximum, minimum):
    setattr(numpy_of_ulab, _function.__name__, _function)
for _name in ("sum", "mean", "max", "min", "argmax", "argmin"):
    setattr(numpy_of_ulab, _name, _reduction(_name))
for _name in ("maximum", "minimum", "equal", "not_equal"):
    setattr(numpy_of_ulab, _name, _of_two(_name))
for _name in "acos asin atan ceil cos cosh exp expm1 floor log log10 log2 sin sinh sqrt tan tanh".split():
    setattr(numpy_of_ulab, _name, _of_one(_name))
for _name in ("isfinite", "isinf"):
    setattr(numpy_of_ulab, _name, _of_all(_name))
for _name, _char in (("uint8", "B"), ("int8", "b"), ("uint16", "H"), ("int16", "h"), ("float", FLOAT), ("bool", _BOOL)):
    setattr(numpy_of_ulab, _name, ord(_char))
numpy_of_ulab.ndarray, numpy_of_ulab.empty = ndarray, zeros
numpy_of_ulab.inf, numpy_of_ulab.nan = float("inf"), float("nan")
numpy_of_ulab.pi, numpy_of_ulab.e = numpy.pi, numpy.e
