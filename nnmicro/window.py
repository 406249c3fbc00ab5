"""Weights that stay in the file: a layer's constants are read into a window before it runs.

`net.data` is then the file's tables and after them the window. Before a layer runs its constants are read, and their
records in the tables say where in the window they lie: nothing that reads records, here or in C, sees a difference.
Where the window is smaller than a layer's constants, the layer runs some output channels at a time.

Loaded for nets with a window only, which `tables.py` makes.
"""

from .modules import load
from .port import allocate_lock, const, crc32, read_into

_ALIGNMENT = const(16)
_HEADER_BYTES = const(128)
_BLOB_WORDS = const(16)
_B_BYTES = const(2)
_B_PLACE = const(10)
_LAYER_WORDS = const(12)
_L_OP = const(0)
_L_OPERANDS = const(2)
_L_INPUTS = const(3)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)
_AT_WEIGHTS = const(4)

# Of an extractor's context
_MARKS = const(7)

# Marks of a layer
_DONE = const(1)

# The operand that a layer with few output channels at a time reads some of; of those after it, one element a channel.
_CONSTANT = const(1)

_NO_LAYER = const(32767)


class Window:
    """The window of a net, and for such a net what stands for `_nnmicro` in an inference: `run`, `input`, `reset`.

    All extractors of the net share it: who fills it holds its lock until the layer has run.
    """

    _native = None
    _calls = None  # channels.Calls, where the window is smaller than some layer's constants

    def __init__(self, file, path, data, tables, weights_at, places, channels):
        self.size = len(data) - tables  # bytes
        self.channels = (
            channels  # for each layer 0, or how many output channels run at a time (negative: they lie along w)
        )
        self.weights_at = 0  # where those lie in the window that are read some channels at a time
        self._file = file
        self._path = path
        self._data = data
        self._tables = tables  # where the window begins
        self._header = data[:_HEADER_BYTES]
        self._probe = bytearray(_HEADER_BYTES)
        self._weights_at = weights_at  # in the file
        self._places = places  # of each constant in the weights
        self._starts = {0: data[tables:]}  # the window from some byte on
        self._last = _NO_LAYER  # what was read last
        self._lock = allocate_lock()

    def attach(self, net):
        """Begin to work for a net whose kernels are chosen."""
        self._net = net
        self._native = net.native
        if net.native:
            self.input = net.native.input
            self.begin = net.native.begin
            self.reset = net.native.reset
            net.native = self

    def close(self):
        self._file.close()

    # Inference

    def run(self, context, layer, stop, mark, budget):
        """As `_nnmicro.run`, of one layer; those that run some channels at a time are left to Python."""
        marks = context[_MARKS]
        while marks[layer] & (mark | _DONE) != mark:
            layer += 1
            if layer > stop:
                return layer
        if self.channels[layer]:
            return -1 - layer
        self._lock.acquire()
        try:
            self._fill(layer)
            return self._native.run(context, layer, layer, mark, 1)
        finally:
            self._lock.release()

    def compute(self, call, layer, slots, arena, kernel_of):
        """Read a layer's constants, bind the call, and run it, with `kernel_of(net, layer)` where that is Python's."""
        net = self._net
        self._lock.acquire()
        try:
            self._fill(layer)
            call.bind(net, layer, slots, arena)
            if not self.channels[layer]:
                call.compute(kernel_of(net, layer))
                return
            if self._calls is None:
                self._calls = load("channels").Calls(net, self, self._native)
            self._calls.run(call, layer, arena, kernel_of)
        finally:
            self._lock.release()

    # Reading

    def _fill(self, layer):
        """Read a layer's constants (but for those that are read some channels at a time) and say where they lie."""
        net = self._net
        w = net.words
        r = net.at[_AT_LAYERS] + layer * _LAYER_WORDS
        first = net.at[_AT_OPERANDS] + w[r + _L_OPERANDS]
        skipped = first + _CONSTANT if self.channels[layer] else -1
        begun = self._last < layer
        self._last = _NO_LAYER  # until all is read
        if not begun:
            self._compare_header()
        # What lies one after the other in the file is read at once.
        start = end = where = 0  # of what is to be read, in the weights; where it goes in the window
        for i in range(first, first + w[r + _L_INPUTS]):
            constant = w[i] - net.n_blobs
            if constant < 0 or i == skipped:
                continue
            record = net.blobs_at + w[i] * _BLOB_WORDS
            place = self._places[constant]
            if place != (end + 15) // _ALIGNMENT * _ALIGNMENT or start % _ALIGNMENT or end == start:
                self._read(start, where, end - start)
                where += (end - start + 15) // _ALIGNMENT * _ALIGNMENT
                start = place
            end = place + w[record + _B_BYTES]
            w[record + _B_PLACE] = where + place - start
        self._read(start, where, end - start)
        if skipped >= 0:
            self.weights_at = where + (end - start + 15) // _ALIGNMENT * _ALIGNMENT
            w[net.blobs_at + w[skipped] * _BLOB_WORDS + _B_PLACE] = self.weights_at
        self._last = layer

    def read_channels(self, constant, first, nbytes):
        """Read `nbytes` of a constant, from its byte `first` on, to where those of a layer's channels lie."""
        self._read(self._places[constant] + first, self.weights_at, nbytes)

    def _read(self, start, where, nbytes):
        """Read bytes of the weights from `start` on into the window from `where` on."""
        if nbytes:
            target = self._starts.get(where)
            if target is None:
                target = self._starts[where] = self._data[self._tables + where :]
            self._read_file(self._weights_at + start, target, nbytes)

    def _read_file(self, at, target, nbytes):
        try:
            self._file.seek(at)
            got = read_into(self._file, target, nbytes)
        except (OSError, ValueError) as error:
            self._fail("it cannot be read any more: %s" % error)
        if got != nbytes:
            self._fail("it ends before byte %d, and did not when it was loaded" % (at + nbytes))

    def _compare_header(self):
        """Refuse where another model was written into the file: the header's checksum is over all sections' own."""
        self._read_file(0, self._probe, _HEADER_BYTES)
        if self._probe != self._header:
            self._fail("it has changed after it was loaded")

    def _fail(self, why):
        from .errors import ModelError

        raise ModelError("weights are read from %s while the model runs, and %s: load it again" % (self._path, why))

    # Out of inference

    def crc(self, start, nbytes):
        """CRC-32 of bytes of the file, read through the window."""
        crc = 0
        target = self._starts[0]
        self._lock.acquire()
        try:
            self._last = _NO_LAYER
            while nbytes:
                part = min(nbytes, self.size)
                self._read_file(start, target, part)
                crc = crc32(target[:part], crc)
                start += part
                nbytes -= part
        finally:
            self._lock.release()
        return crc

    def copy(self, start, nbytes):
        """Bytes of the file, in memory of their own."""
        target = bytearray(nbytes)
        self._lock.acquire()
        try:
            self._read_file(start, target, nbytes)
        finally:
            self._lock.release()
        return target
