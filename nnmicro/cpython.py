"""CPython's half of `port.py`, which says what each of these does. No device gets it: names that an interpreter on a
board has read once, used or not, stay in its memory."""

import ctypes

_ITEM_BYTES = (0, 4, 1, 1, 2, 4)
_CODES = "?fbBhi"


def const(value):
    return value


def address(buffer):
    view = memoryview(buffer).cast("B")
    if view.readonly:
        import numpy

        return numpy.frombuffer(view, numpy.uint8).ctypes.data
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def typed(buffer, dtype, nbytes):
    size = _ITEM_BYTES[dtype]
    return memoryview(buffer).cast("B")[: nbytes // size * size].cast(_CODES[dtype])


def at_address(where, nbytes):
    return memoryview((ctypes.c_char * nbytes).from_address(where)).cast("B")


def read_into(file, buffer, nbytes):
    return file.readinto(memoryview(buffer)[:nbytes])
