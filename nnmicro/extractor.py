"""The state of one inference: which blobs are in memory, who still reads them, what has run.

Every blob counts the readers that the *graph* gives it: the layers needed for the outputs that will be asked for, plus
the caller for those outputs. When a layer has run, each of its inputs has one reader less; at none its block is free.

Here is what an ordinary inference needs: inputs, then the declared outputs in the planned order, the layers in
`_nnmicro`. The rest of the class is loaded when it is first asked for: `beginning.py` (what is there, and whether the
planned order can be followed), `interpreter.py` (layers in Python) and `search.py` (any other blob, in any order, and
what is refused).
"""

from array import array

from .blob import Blob
from .modules import complete
from .port import const

_BLOB_WORDS = const(16)
_B_PLACE = const(10)
_B_OWNER = const(14)
_STATE = const(4)
_H_ARENA_BYTES = const(11)

# Stages of an inference
_FRESH = const(0)  # nothing has run; inputs may be given
_RUNNING = const(1)
_BROKEN = const(2)  # a layer failed or was interrupted
_CLOSED = const(3)

# Marks of a layer: 1 where it is done (see `beginning.py`), and
_COUNTED = const(2)  # its reads are counted in `left`

_ALL = const(32767)  # layers: a file has no more
_LOOK = const(-2)  # of `_nnmicro.begin`: Python has to

# Made once: a tuple written out in a call would be new, on the heap, each time.
_BYTES_LIKE = (bytes, bytearray, memoryview)
_BEGINNING = ("_begin_in_python", "_has", "_producer")
_INTERPRETER = ("_advance_in_python", "_clear_in_python", "_alloc")


class Extractor:
    """From `net.extractor()`. `input`, then `extract`, then `reset` for the next inference or `close`."""

    # No properties, here and in the rest: where there is one, each attribute that is stored costs MicroPython several
    # times as much.
    _stage = _FRESH
    _target = -1  # the blob that is worked towards
    _mark = _COUNTED  # layers with this mark run towards it, in the stored order

    def __init__(self, net, outputs, keep, lightmode, arena):
        self.net = net
        self.lightmode = lightmode
        self.generation = 0
        self._results = {}
        # How an inference starts: each blob's readers, and the marks of all layers, then of all blobs.
        self._slots = array("h", (-1 for _ in range(net.n_blobs)))  # each blob's block in the arena, or -1
        self._left = array("h", net.consumers)  # readers to come
        self._marks = bytearray(net.marks)
        first_left, first_marks = net.consumers, net.marks
        if outputs is not None or keep:
            first_left, first_marks = self._choose(outputs, keep)
        if arena is None:
            arena = self._own_arena(keep)
        self.arena = arena
        # Where the frame starts in the arena (-1: not known yet), how many blocks lie where they were planned, and
        # elsewhere; lightmode, and the frame's bytes.
        self._state = array("i", (-1, 0, 0, 1 if lightmode else 0, net.words[_H_ARENA_BYTES]))
        # All that `_nnmicro` reads and changes.
        self._context = (net.data, net.at, net.native_kernels, arena.buffer, arena.table, self._slots, self._left,
                         self._marks, self._state, first_left, first_marks)  # fmt: skip

    def __getattr__(self, name):
        if name == "placement":
            return self._placement()
        home = "beginning" if name in _BEGINNING else "interpreter" if name in _INTERPRETER else "search"
        complete(Extractor, home, name)
        return getattr(self, name)

    def input(self, name, data):
        """Give an input: its elements in the source's order (see `Blob.assign`), copied into the arena.

        Given twice before the first `extract`, the second replaces the first; after an `extract` of this inference it
        is a StateError. Raises KeyError for an unknown name, ValueError for a wrong size or shape.
        """
        net = self.net
        if not self._stage and net.native and net.is_plain and isinstance(data, _BYTES_LIKE):
            self.arena.lock.acquire()
            try:
                if net.native.input(self._context, net.index(name), data):
                    return
            finally:
                self.arena.lock.release()
        self.input_view(name).assign(data)

    def extract(self, name):
        """Run what is needed for a blob, and return it: a Blob that is valid until this inference ends.

        What is needed is resolved depth first from the blob and runs in the stored order; for a declared output, with
        all inputs given, that order is followed without gaps, as it was planned. Raises KeyError for an
        unknown name, ValueError for a missing input, RecycledError for a blob whose memory was given to another,
        ArenaFull where the arena is too small.
        """
        blob = self._begin(name)
        while self._target >= 0:
            self._advance(_ALL)
        return self._lend(blob)

    def reset(self):
        """End this inference: give all blobs back (those that are held stay) and be ready for the next. What recurrent
        layers remember stays."""
        if self._stage == _CLOSED:
            self._refuse("reset")
        self._clear(_STATE)

    def close(self):
        """End the inference and give the memory back; the extractor cannot be used any more."""
        if self._stage != _CLOSED:
            self._clear(0)
            self._stage = _CLOSED
            self.net.give_back(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()

    def reopen(self):
        """Start again after `close()`; called by `net.extractor()`, which owns closed extractors."""
        self._stage = _FRESH
        return self

    # How it works

    def _clear(self, kept):
        """Give back every block but those of blobs with the flags `kept`, and be as at the start."""
        native = self.net.native
        if native:
            self.arena.lock.acquire()
            try:
                native.reset(self._context, kept)
            finally:
                self.arena.lock.release()
        else:
            self._clear_in_python(kept)
        self.generation = (self.generation + 1) & 0x3FFFFFFF
        self._stage = _FRESH
        self._target = -1
        self._mark = _COUNTED

    def _lend(self, blob):
        result = self._results.get(blob)
        if result is None:
            result = self._results[blob] = Blob(self.net, blob, self.arena, self)
        base = self.arena.offset(self._slots[blob])
        w = self.net.words
        r = self.net.blobs_at + blob * _BLOB_WORDS
        if w[r + _B_OWNER]:
            base += w[r + _B_PLACE]
        result.lend(base, self.generation)
        return result

    def _begin(self, name):
        """Make a blob what is worked towards, if it can be had and is not there yet. Returns its index."""
        net = self.net
        if self._stage > _RUNNING:
            self._refuse("extract")
        if net.n_states:
            self._make_state()
        blob = net.index(name)
        if blob != self._target:
            self._target = -1  # a search that fails takes the marks of the one before with it
            native = net.native
            stop = native.begin(self._context, blob) if native else _LOOK
            self._mark = _COUNTED  # the planned order, as far as this output
            if stop == _LOOK:
                stop = self._begin_in_python(blob)
            self._stage = _RUNNING
            if stop >= 0:
                self._target = blob
                self._stop = stop
                self._next = 0
        return blob

    def _advance(self, layers):
        """Run layers towards the target, one or up to so many. Between two of these the interpreter serves Ctrl-C and
        callbacks: `_nnmicro` returns to let it."""
        stop = self._stop
        layer = self._next
        native = self.net.native
        try:
            if native:
                self.arena.lock.acquire()
                try:
                    layer = native.run(self._context, layer, stop, self._mark, layers)
                finally:
                    self.arena.lock.release()
                if layer < 0:  # one that Python has to do, or to refuse
                    layer = self._advance_in_python(-1 - layer)
            else:
                layer = self._advance_in_python(layer)
        except BaseException:
            self._stage = _BROKEN
            raise
        self._next = layer
        if layer > stop:
            self._target = -1
