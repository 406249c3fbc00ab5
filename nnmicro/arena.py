"""One fixed buffer with reference-counted blocks.

Bookkeeping is one preallocated int32 array, so that taking and giving back never touch the heap and a native kernel can
walk the same table. Here is the memory; what Python does with the blocks in it is in `blocks.py`, loaded when it is
first asked for: the native loop has no need of it.
"""

from array import array

from .modules import complete
from .port import address, allocate_lock, at_address, const, typed

_ALIGN = const(16)

# The table: a header, then one record for each block, live or not. See `blocks.py`.
_FIRST = const(2)
_SPARE = const(3)
_HEADER = const(5)
_OFFSET = const(0)
_NEXT = const(3)
_RECORD = const(4)


class Arena:
    """Memory for blobs: `Arena(nbytes)`, `Arena(buffer)` for memory of the caller, or `Arena.at(address, nbytes)`.

    Blocks are 16-byte aligned and sized. `blocks` is how many can be live at a time. One lock guards the table where
    the interpreter has threads. Raises ValueError where a buffer is not aligned to 16 bytes.
    """

    _rest = property()
    array = None  # the whole arena as an ndarray, made by the vector backend

    def __init__(self, memory, blocks=64):
        if isinstance(memory, int):
            if memory < 0:
                raise ValueError("an arena of %d bytes" % memory)
            nbytes, memory = memory, bytearray(memory)
            # MicroPython's heap is aligned already, nearly everywhere.
            if nbytes and address(memory) % _ALIGN:
                from .memory import aligned

                memory = None  # before more is asked for
                memory = aligned(nbytes)
        self.memory = memory  # a view would not keep it on MicroPython
        self.buffer = memoryview(memory)
        if len(self.buffer) and address(self.buffer) % _ALIGN:
            raise ValueError("arena memory starts at 0x%x, which is not aligned to 16 bytes" % address(self.buffer))
        self.size = len(self.buffer) // _ALIGN * _ALIGN
        if self.size >> 30:
            raise ValueError("an arena is smaller than 1 GiB, this is %d bytes" % self.size)
        self._views = {}
        self.lock = allocate_lock()
        self.table = t = array("i", bytes(4 * (_HEADER + _RECORD * blocks)))
        t[_FIRST] = -1
        t[_SPARE] = 0 if blocks else -1
        for i in range(blocks):
            t[_HEADER + i * _RECORD + _NEXT] = i + 1 if i + 1 < blocks else -1

    @classmethod
    def at(cls, where, nbytes, blocks=64):
        """An arena over `nbytes` of memory at an address (fast RAM, memory outside MicroPython's heap)."""
        return cls(at_address(where, nbytes), blocks)

    def __getattr__(self, name):
        complete(Arena, "blocks", name)
        return getattr(self, name)

    def offset(self, block):
        """Where a block starts, in bytes from the arena's start."""
        return self.table[_HEADER + block * _RECORD + _OFFSET]

    def view(self, dtype):
        """The whole arena as an indexable of an element type; made once."""
        view = self._views.get(dtype)
        if view is None:
            view = self._views[dtype] = typed(self.buffer, dtype, self.size)
        return view


def frame_memory(nbytes):
    """What an Arena of `nbytes` is made from: memory that the firmware keeps outside the heap, where that is large
    enough and no other net has it, else the number."""
    try:
        from _nnmicro import arena
    except ImportError:
        return nbytes
    return arena(nbytes) or nbytes
