"""The rest of `blob.Blob`: its elements as lists and arrays, copied in from them, and kept beyond the inference.

Loaded when a blob is first asked for one of these.
"""

from array import array

from .errors import StateError
from .port import ITEM_BYTES, address, const, typed
from .type_names import TYPE_NAMES

_U8 = const(3)
_B_BYTES = const(2)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)

# Made once: a tuple written out in a call would be new, on the heap, each time.
_BYTES_LIKE = (bytes, bytearray, memoryview)


class Memory:
    """A buffer of one blob, seen like an arena."""

    def __init__(self, nbytes):
        self.buffer = memoryview(bytearray(nbytes))

    def view(self, dtype):
        return typed(self.buffer, dtype, len(self.buffer))


class Blob:
    """The rest of `blob.Blob`."""

    def _is_over(self):
        raise StateError(
            "blob %s belongs to an inference that has ended: hold() or copy() it before reset(), close() or the next "
            "inference" % self.name
        )

    def _outside(self, i):
        raise IndexError("element %d of blob %s, which has %d" % (i, self.name, len(self)))

    @property
    def name(self):
        return self._net.name(self.index)

    @property
    def shape(self):
        return self._net.shape(self.index)

    @property
    def nbytes(self):
        """Bytes in memory, the padding between channels included."""
        return self._net.words[self._net.record(self.index) + _B_BYTES]

    @property
    def dtype(self):
        return TYPE_NAMES[self._type]

    @property
    def cstep(self):
        """Elements from one channel to the next."""
        return self._net.words[self._net.record(self.index) + _B_CSTEP] // ITEM_BYTES[self._type]

    # Its memory

    def ndarray(self):
        """The blob's memory as an array of ulab's, on a host of numpy's: writable, borrowed, nothing is copied.

        Its shape is the blob's; ulab, which has two dimensions, gets height and width as one: channels x pixels, or
        pixels x channels where that is the source's order. Not protected once the inference is over, as `view()` is
        not: of a blob that is held, or of a `copy()`, it lasts. Raises ValueError where the memory has gaps that no
        array can have, TypeError where ulab has no such elements (int32), ImportError without either library.
        """
        self._check()
        from .arrays import view

        return view(self._net, self.index, self._memory.buffer, self._base)

    # Copied out

    def dequantize(self, out):
        """Write the real values, in the source's order, into `out` (an `array('f')` of `len(self)`); returns it."""
        self._check()
        if len(out) != len(self):
            raise ValueError("blob %s has %d elements, out has %d" % (self.name, len(self), len(out)))
        data = self._memory.view(self._type)
        quantisation = self._net.quantisation(self.index)
        scale, zero = quantisation or (1, 0)
        for i in range(len(self)):
            value = data[self._position(i)]
            out[i] = scale * (value - zero) if quantisation else value
        return out

    def tolist(self):
        """The elements as nested lists of the source's shape."""
        self._check()
        data = self._memory.view(self._type)
        flat = [data[self._position(i)] for i in range(len(self))]
        shape = self.shape
        for axis in range(len(shape) - 1, 0, -1):
            n = shape[axis]
            flat = [flat[i : i + n] for i in range(0, len(flat), n)]
        return flat if shape else flat[0]

    def tobytes(self):
        """The elements as bytes in the source's order, without padding."""
        self._check()
        run = self._run()
        total = len(self) * ITEM_BYTES[self._type]
        if run:
            buffer = self._memory.buffer
            step = self._net.words[self._net.record(self.index) + _B_CSTEP]
            return b"".join([bytes(buffer[self._base + i * step :][:run]) for i in range(total // run)])
        out = bytearray(total)
        target = typed(out, self._type, total)
        data = self._memory.view(self._type)
        for i in range(len(self)):
            target[i] = data[self._position(i)]
        return bytes(out)

    def _run(self):
        """Memory is runs of so many bytes in the source's order: one, or one for each channel, `B_CSTEP` apart; 0 where
        every element has to be looked up."""
        w = self._net.words
        r = self._net.record(self.index)
        item = ITEM_BYTES[w[r] & 0xFF]
        c, h, wide = w[r + _B_C], w[r + _B_H], w[r + _B_W]
        cs, rs, ps = w[r + _B_CSTEP], w[r + _B_RSTEP], w[r + _B_PSTEP]
        plane = h * wide * item
        if w[r] >> 16:  # h, w, c
            dense = (c == 1 or cs == item) and (wide == 1 or ps == c * item) and (h == 1 or rs == wide * c * item)
            return c * plane if dense else 0
        if (wide > 1 and ps != item) or (h > 1 and rs != wide * item):
            return 0
        return c * plane if c == 1 or cs == plane else plane

    def is_one_run(self):
        """Whether memory holds the elements in the source's order without gaps."""
        return self._run() == len(self) * ITEM_BYTES[self._type]

    # Copied in

    def assign(self, data):
        """Copy elements in from `data`, in the source's order.

        `data` is the elements' raw bytes, or a flat sequence of numbers, or an ndarray of the blob's shape (leading
        ones may be left out). Numbers are real values: an integer blob quantises them, unless they come as raw bytes
        or as an ndarray of the blob's own type. An input for which the file has preprocessing takes bytes, one for each
        element, as what the application has. Raises ValueError where the size or shape differs.
        """
        self._check()
        if self._net.preprocess is not None and self._net.preprocess(self, data):
            return
        if hasattr(data, "dtype"):
            data = self.flat(data)
        count = len(self)
        nbytes = count * ITEM_BYTES[self._type]
        given = len(data)
        if given == nbytes and isinstance(data, _BYTES_LIKE):
            self.assign_bytes(data)
        elif given != count:
            raise ValueError(
                "blob %s takes %d elements of shape %s (%s), or their %d bytes; %d were given"
                % (self.name, count, self.shape, self.dtype, nbytes, given)
            )
        elif self._net.quantisation(self.index):
            self._quantise(data)
        else:
            target = self._memory.view(self._type)
            for i in range(count):
                target[self._position(i)] = data[i]

    def _quantise(self, data):
        """Real values into an integer blob: divided by the scale in float32, rounded half away from zero, saturated,
        which is what TFLite's Quantize does."""
        target = self._memory.view(self._type)
        scale, zero = self._net.quantisation(self.index)
        single = array("f", (0,))  # CPython, and some builds of MicroPython, compute in double precision
        for i in range(len(self)):
            single[0] = data[i] / scale
            target[self._position(i)] = self._nearest(single[0], zero)

    def _nearest(self, value, zero):
        """`value + zero` as an integer that the blob's type holds."""
        bits = 8 * ITEM_BYTES[self._type]
        low = (0 if self._type == _U8 else -(1 << bits - 1)) - zero
        high = low + (1 << bits) - 1
        if value >= high:
            return zero + high
        if value <= low:
            return zero + low
        if value != value:
            raise ValueError("blob %s was given an element that is not a number" % self.name)
        rest = value - int(value)  # adding 0.5 first would round what lies just below a half up
        return zero + int(value) + (1 if rest >= 0.5 else -1 if rest <= -0.5 else 0)

    def fill(self, value):
        """Set every element to the same real value; an integer blob quantises it."""
        self._check()
        target = self._memory.view(self._type)
        quantisation = self._net.quantisation(self.index)
        if quantisation:
            value = self._nearest(value / quantisation[0], quantisation[1])
        for i in range(len(self)):
            target[self._position(i)] = value

    def assign_bytes(self, data):
        """Copy the elements' raw bytes in, in the source's order; they must be as many as the elements have.

        Whole runs where memory has them, else one by one. Allocates nothing where the blob is one run.
        """
        run = self._run()
        given = len(data)
        buffer = self._memory.buffer
        at = self._base
        if run == given:
            buffer[at : at + given] = data
        elif run:
            source = memoryview(data)
            for start in range(0, given, run):
                buffer[at : at + run] = source[start : start + run]
                at += self._net.words[self._net.record(self.index) + _B_CSTEP]
        else:
            if address(data) % ITEM_BYTES[self._type]:
                data = bytes(data)
            source = typed(data, self._type, given)
            target = self._memory.view(self._type)
            for i in range(len(self)):
                target[self._position(i)] = source[i]

    def flat(self, array):
        """An ndarray's elements in one run, as bytes where it has the blob's type; copied only where it has gaps.

        Raises ValueError where its shape is neither the blob's, nor that in two dimensions, nor flat.
        """
        from .arrays import is_of_type, plane_shape

        given = tuple(array.shape)
        want = self.shape
        while want and len(want) > len(given) and want[0] == 1:
            want = want[1:]
        if given not in (want, (len(self),), plane_shape(self._net, self.index)):
            raise ValueError("blob %s has shape %s, an array of shape %s was given" % (self.name, self.shape, given))
        flat = array.reshape((len(self),))
        if not is_of_type(array, self._type):
            return flat
        if isinstance(flat.dtype, int) or not flat.flags.c_contiguous:
            return flat.tobytes()  # ulab's bytes are the array's own memory, numpy's a copy
        return memoryview(flat).cast("B")

    # Keeping it

    def hold(self):
        """Keep this blob's memory beyond its inference, until `release()`; returns the blob."""
        self._check()
        if self._extractor is not None:
            if not self._holds:
                self._block = self._extractor.block(self.index)
            self._memory.retain(self._block)
            self._holds += 1
            self._extractor.forget(self)
        return self

    def release(self):
        """Undo one `hold()`."""
        if not self._holds:
            raise StateError("blob %s is not held" % self.name)
        self._holds -= 1
        self._memory.release(self._block)

    def copy(self):
        """The same elements in memory of their own."""
        self._check()
        memory = Memory(self.nbytes)
        memory.buffer[:] = self.view()
        return type(self)(self._net, self.index, memory)
