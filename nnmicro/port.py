"""What differs between MicroPython and CPython, and nothing else; CPython's half is in `cpython.py`.

Views are made once, when a model is loaded or an arena is set up; using one allocates nothing but the value read.
A view does not keep its buffer alive on MicroPython: whoever makes one also holds the buffer.
"""

try:
    import uctypes
    from micropython import const
    from uctypes import addressof as address  # of a buffer's first byte
    from uctypes import bytearray_at as at_address  # so much memory at an address, as a writable buffer
except ImportError:
    from .cpython import address, at_address, const, read_into, typed  # noqa: F401

    uctypes = None


# Element types of blobs, as in the model file.
F32 = const(1)
I8 = const(2)
U8 = const(3)
I16 = const(4)
I32 = const(5)

ITEM_BYTES = bytes((0, 4, 1, 1, 2, 4))

if uctypes:
    _CODES = (0, uctypes.FLOAT32, uctypes.INT8, uctypes.UINT8, uctypes.INT16, uctypes.INT32)

    def typed(buffer, dtype, nbytes):
        """The first `nbytes` of a buffer as an indexable of `dtype`, without a copy."""
        count = nbytes // ITEM_BYTES[dtype]
        if count == 0:
            return b""
        layout = {"items": (uctypes.ARRAY | 0, _CODES[dtype] | count)}
        return uctypes.struct(address(buffer), layout, uctypes.NATIVE).items

    def read_into(file, buffer, nbytes):
        """Read up to `nbytes` into a buffer's beginning; how many there were."""
        return file.readinto(buffer, nbytes)


try:
    from binascii import crc32
except ImportError:  # a port built without it

    def crc32(data, crc=0):
        """CRC-32 (IEEE 802.3), bit by bit."""
        crc ^= 0xFFFFFFFF
        for byte in data:
            crc ^= byte
            for _ in range(8):
                crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
        return crc ^ 0xFFFFFFFF


class _NoLock:
    """Stands for a lock where there is one thread. A call of `bool` does nothing, and costs least."""

    acquire = release = bool


try:
    from _thread import allocate_lock
except ImportError:
    allocate_lock = _NoLock
