"""A blob's memory as an array of ulab's, on a host of numpy's: a view, nothing is copied. Loaded when one is asked for.

Here, and nowhere else, the engine looks for either library.
"""

from .port import ITEM_BYTES, const
from .type_names import TYPE_NAMES

try:
    from ulab import numpy as np
except ImportError:
    try:
        import numpy as np
    except ImportError:
        np = None

_F32 = const(1)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)

IS_ULAB = np is not None and not hasattr(np, "float32")


def element_type(dtype):
    """The library's type for a blob's elements. Raises TypeError where it has none, ImportError where there is none."""
    name = TYPE_NAMES[dtype]
    if np is None:
        raise ImportError("arrays need ulab in the firmware, or numpy on a host: use tolist(), tobytes() or view()")
    if dtype == _F32 and IS_ULAB:
        if np.zeros(1).itemsize != 4:
            raise TypeError("this firmware's floats have double precision, and ulab has no other: use tolist()")
        return np.float
    found = getattr(np, name, None)
    if found is None:
        raise TypeError("ulab has no type %s: use tolist(), blob[i], or dequantize()" % name)
    return found


def is_of_type(array, dtype):
    """Whether an array has elements of a blob's type: numpy says its name, ulab's default build a character's code."""
    said = array.dtype
    if not isinstance(said, int):
        return str(said) == TYPE_NAMES[dtype]
    return said == ord(" fbBh "[dtype]) and array.itemsize == ITEM_BYTES[dtype]


def plane_shape(net, blob):
    """A blob's shape in two dimensions: channels and pixels in the source's order, height and width in one."""
    w = net.words
    r = net.record(blob)
    pixels = w[r + _B_H] * w[r + _B_W]
    return (pixels, w[r + _B_C]) if w[r] >> 16 else (w[r + _B_C], pixels)


def view(net, blob, buffer, base):
    """The array of a blob whose first element is at byte `base` of a buffer."""
    dtype = net.words[net.record(blob)] & 0xFF
    kind = element_type(dtype)
    shape = net.shape(blob)
    if IS_ULAB and len(shape) > 2:  # its default build has no more
        shape = plane_shape(net, blob)
    elif IS_ULAB and not shape:
        shape = (1,)
    steps = _steps(net, blob, shape)
    array = None
    if steps and IS_ULAB:
        array = _of_ulab(buffer, base, kind, ITEM_BYTES[dtype], shape, steps)
    elif steps is not None:
        array = np.ndarray(shape, kind, buffer, base, steps)
    if array is None:
        raise ValueError(
            "blob %s has gaps that no array of shape %s can have: use tolist(), tobytes() or blob[i]"
            % (net.name(blob), shape)
        )
    return array


def _steps(net, blob, shape):
    """Bytes between the elements of each dimension, or None where they are not the same everywhere."""
    w = net.words
    r = net.record(blob)
    channels = (w[r + _B_C], w[r + _B_CSTEP])
    pixels = ((w[r + _B_H], w[r + _B_RSTEP]), (w[r + _B_W], w[r + _B_PSTEP]))
    steps = [0] * len(shape)
    axis = len(shape)
    extent = 1  # of `shape[axis]`, what is not accounted for yet
    # From the last dimension backwards: one of the memory's may be several of the shape's, and the other way round.
    for count, step in (channels, pixels[1], pixels[0]) if w[r] >> 16 else (pixels[1], pixels[0], channels):
        while count > 1:
            while extent == 1:
                axis -= 1
                extent = shape[axis]
                steps[axis] = 0
            if not steps[axis]:
                steps[axis] = step
            elif step != steps[axis] * (shape[axis] // extent):
                return None
            if count % extent and extent % count:
                return None
            part = min(count, extent)
            count //= part
            extent //= part
            step *= part
    for i in range(len(shape)):  # a dimension of one element has any step: the one that leaves no gaps
        k = len(shape) - 1 - i
        if shape[k] == 1:
            steps[k] = steps[k + 1] * shape[k + 1] if i else ITEM_BYTES[w[r] & 0xFF]
    return tuple(steps)


def _of_ulab(buffer, base, kind, item, shape, steps):
    """An array of one or two dimensions, made of what ulab has: reshaping, slices, and the transpose; or None."""
    if len(shape) == 1:
        end = base + (shape[0] - 1) * steps[0] + item
        return np.frombuffer(buffer[base:end], dtype=kind)[:: steps[0] // item]
    if steps[0] < steps[1]:
        turned = _of_ulab(buffer, base, kind, item, shape[::-1], steps[::-1])
        return None if turned is None else turned.transpose()
    used = (shape[1] - 1) * steps[1] + item  # of each step of the first dimension
    skipped = 0
    if base + shape[0] * steps[0] > len(buffer):  # then what is not used comes before
        skipped = steps[0] - used
    first = base - skipped
    if first < 0:
        return None
    rows = np.frombuffer(buffer[first : first + shape[0] * steps[0]], dtype=kind)
    rows = rows.reshape((shape[0], steps[0] // item))
    return rows[:, skipped // item : (skipped + used) // item : steps[1] // item]
