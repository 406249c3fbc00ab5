"""The state of one inference: which blobs are in memory, who still reads them, what has run.

Every blob counts the readers that the *graph* gives it: the layers needed for the outputs that will be asked for, plus
the caller for those outputs. When a layer has run, each of its inputs has one reader less; at none its block is free.
"""

from array import array

from .arena import Arena
from .blob import Blob
from .call import Call
from .errors import ArenaFull, RecycledError, StateError
from .port import const

_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_B_BYTES = const(2)
_B_PLACE = const(10)
_B_PRODUCER = const(12)
_INPUT = const(1)
_STATE = const(4)
_LAYER_WORDS = const(12)
_L_FLAGS = const(1)
_L_OPERANDS = const(2)
_L_INPUTS = const(3)
_SHARE = const(1)
_IN_PLACE = const(2)

# Words of the state that the native loop shares
_BASE = const(0)
_HITS = const(1)
_MISSES = const(2)

# Stages of an inference
_FRESH = const(0)  # nothing has run; inputs may be given
_RUNNING = const(1)
_BROKEN = const(2)  # a layer failed or was interrupted
_CLOSED = const(3)

# Marks of a layer
_DONE = const(1)
_COUNTED = const(2)  # its reads are counted in `left`
_NEEDED = const(4)  # for the blob that is worked towards

# Marks of a blob
_GIVEN = const(1)  # an input that was given in this inference
_ASKED = const(2)  # the caller's own reference is counted in `left`


class Extractor:
    """From `net.extractor()`. `input`, then `extract`, then `reset` for the next inference or `close`."""

    def __init__(self, net, outputs, keep, lightmode, arena):
        self.net = net
        self.lightmode = lightmode
        n = net.n_blobs
        self.generation = 0
        self._slots = array("h", (-1 for _ in range(n)))  # each blob's block in the arena, or -1
        self._left = array("h", bytes(2 * n))  # readers to come
        self._layers = bytearray(net.n_layers)  # marks
        self._blobs = bytearray(n)  # marks
        self._stack = array("h", bytes(2 * (net.n_layers + 1)))
        self._results = {}
        self._call = Call(net.max_operands)
        if outputs is None and not keep:
            self._first_left = net.consumers
            self._first_layers = None  # all counted
            self._first_blobs = None  # the declared outputs asked for
        else:
            self._choose(outputs, keep)
        if arena is None:
            arena = Arena(self._size(keep), (net.max_blocks if lightmode else n) + len(keep) + 8)
        self.arena = arena
        # What the native loop changes along with slots, left and marks: where the frame starts in the arena (-1: not
        # known yet), and how many blocks lie where they were planned, and elsewhere.
        self._state = array("i", (-1, 0, 0, 1 if lightmode else 0, net.arena_size))
        self._context = None
        if net.native:
            self._context = (net.data, net.native_at, net.native_kernels, arena.buffer, arena.table, self._slots,
                             self._left, self._layers, self._state)  # fmt: skip
        self._start()

    def _size(self, keep):
        """Bytes for an arena of its own."""
        net = self.net
        if not self.lightmode:
            return net.lightmode_off_size
        kept = sum((net.words[net.record(net.index(b)) + _B_BYTES] + 15) // 16 * 16 for b in keep)
        return min(net.arena_size + kept, max(net.arena_size, net.lightmode_off_size))

    def _choose(self, outputs, keep):
        """Count the readers that these outputs need, and the caller once for each output and each blob to keep."""
        net = self.net
        for names in (net.outputs if outputs is None else outputs, keep):
            for name in names:
                blob = net.index(name)
                if not self._blobs[blob] & _ASKED:
                    self._blobs[blob] |= _ASKED
                    self._left[blob] += 1
                    self._visit(blob, None)
        self._count_needed()
        for layer in range(net.n_layers):
            self._layers[layer] &= ~_NEEDED
        self._first_left = array("h", self._left)
        self._first_layers = bytes(self._layers)
        self._first_blobs = bytes(self._blobs)

    # The inference

    def input(self, name, data):
        """Give an input: its elements in the source's order (see `Blob.assign`), copied into the arena.

        Given twice before the first `extract`, the second replaces the first; after an `extract` of this inference it
        is a StateError. Raises KeyError for an unknown name, ValueError for a wrong size or shape.
        """
        self._input_blob(name).assign(data)

    def input_view(self, name):
        """The Blob of an input, to be written in place before `extract`."""
        return self._input_blob(name)

    def _input_blob(self, name):
        if self._stage != _FRESH:
            self._refuse("input")
        net = self.net
        blob = net.index(name)
        if not net.words[net.blobs_at + blob * _BLOB_WORDS + _B_FLAGS] & _INPUT:
            raise KeyError("blob %r is no input of this model; its inputs are %s" % (name, _listed(net.inputs)))
        if self._slots[blob] < 0:
            self._make_state()
            self._alloc(blob, False)
            self._blobs[blob] |= _GIVEN
        return self._lend(blob)

    def _make_state(self):
        """Memory for what recurrent layers remember, with nothing in it yet."""
        net = self.net
        for blob in range(net.n_states and net.n_blobs):
            if net.words[net.blobs_at + blob * _BLOB_WORDS + _B_FLAGS] & _STATE and self._slots[blob] < 0:
                self._alloc(blob, False)
                self._lend(blob).fill(0)

    def extract(self, name):
        """Run what is needed for a blob, and return it: a Blob that is valid until this inference ends.

        What is needed is resolved depth first from the blob and runs in the stored order; for a declared output, with
        all inputs given, that order is followed without gaps, as it was planned. Raises KeyError for an
        unknown name, ValueError for a missing input, RecycledError for a blob whose memory was given to another,
        ArenaFull where the arena is too small.
        """
        blob = self._begin(name)
        while self._target >= 0:
            self._advance()
        return self._lend(blob)

    def step(self, name, layers=1):
        """Run at most so many layers towards `name`; True while there is more to run, so that other work can go on in
        between."""
        self._begin(name)
        while self._target >= 0 and layers > 0:
            self._advance()
            layers -= 1
        return self._target >= 0

    def reset(self):
        """End this inference: give all blobs back (those that are held stay) and be ready for the next. What recurrent
        layers remember stays."""
        if self._stage == _CLOSED:
            self._refuse("reset")
        self._free(_STATE)
        self._start()

    def reset_state(self):
        """`reset`, and forget what recurrent layers remember."""
        if self._stage == _CLOSED:
            self._refuse("reset_state")
        self._free(0)
        self._start()

    def close(self):
        """End the inference and give the memory back; the extractor cannot be used any more."""
        if self._stage != _CLOSED:
            self._free(0)
            self._stage = _CLOSED
            self.net.give_back(self)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.close()

    def reopen(self):
        """Start again after `close()`; called by `net.extractor()`, which owns closed extractors."""
        self._start()
        return self

    @property
    def placement(self):
        """`plan` where every block of this inference lies where it was planned, else `mixed` or `online`."""
        state = self._state
        return "plan" if not state[_MISSES] else "mixed" if state[_HITS] else "online"

    def forget(self, blob):
        """A result that is held belongs to its holder: the next inference gets a new Blob."""
        if self._results.get(blob.index) is blob:
            del self._results[blob.index]

    # How it works

    def _start(self):
        net = self.net
        # Element by element: a slice would be an object on the heap.
        for i in range(net.n_layers):
            self._layers[i] = _COUNTED if self._first_layers is None else self._first_layers[i]
        for i in range(net.n_blobs):
            self._left[i] = self._first_left[i]
            self._blobs[i] = 0 if self._first_blobs is None else self._first_blobs[i]
        if self._first_blobs is None:
            for i in range(net.n_inputs, net.n_inputs + net.n_outputs):
                self._blobs[net.words[net.io_at + i]] = _ASKED
        self._stage = _FRESH
        self._target = -1  # the blob that is worked towards
        self._mark = _COUNTED  # layers with this mark run towards it, in the stored order
        self._state[_BASE] = -1
        self._state[_HITS] = self._state[_MISSES] = 0

    def _free(self, kept):
        """Give back every block but those of blobs with the flags `kept`."""
        slots = self._slots
        w = self.net.words
        for i in range(len(slots)):
            if slots[i] >= 0 and not w[self.net.blobs_at + i * _BLOB_WORDS + _B_FLAGS] & kept:
                self.arena.release(slots[i], slots, i)
        self.generation = (self.generation + 1) & 0x3FFFFFFF

    def _refuse(self, what):
        if self._stage == _CLOSED:
            raise StateError("%s on a closed extractor: get one from net.extractor()" % what)
        if self._stage == _BROKEN:
            raise StateError("%s after an inference that failed or was interrupted: call reset() first" % what)
        raise StateError(
            "%s after an extract: the results would belong to the old inputs. Call reset(), or use a new extractor"
            % what
        )

    def _lend(self, blob):
        result = self._results.get(blob)
        if result is None:
            result = self._results[blob] = Blob(self.net, blob, self.arena, self)
        result.lend(self._slots[blob], self.generation)
        return result

    def _producer(self, blob):
        return self.net.words[self.net.blobs_at + blob * _BLOB_WORDS + _B_PRODUCER]

    def _has(self, blob):
        """Whether a blob's elements are in memory."""
        producer = self._producer(blob)
        return self._slots[blob] >= 0 and (producer < 0 or self._layers[producer] & _DONE)

    def _begin(self, name):
        """Make a blob what is worked towards, if it can be had and is not there yet. Returns its index."""
        if self._stage > _RUNNING:
            self._refuse("extract")
        self._make_state()
        blob = self.net.index(name)
        if blob == self._target:
            return blob
        self._target = -1  # a search that fails takes the marks of the one before with it
        there = self._has(blob)
        if not there:
            if self.lightmode and self._blobs[blob] & _ASKED and self._all_given():
                self._mark = _COUNTED  # the planned order, as far as this output
            else:
                self._search(blob)
                self._mark = _NEEDED
        self._stage = _RUNNING
        if not self._blobs[blob] & _ASKED:
            self._blobs[blob] |= _ASKED
            self._left[blob] += 1
        if not there:
            self._target = blob
            self._next = 0
        return blob

    def _all_given(self):
        """Whether no input that a counted layer reads is missing."""
        net = self.net
        for i in range(net.n_inputs):
            blob = net.words[net.io_at + i]
            if self._left[blob] and not self._blobs[blob] & _GIVEN:
                return False
        return True

    def _search(self, blob):
        """Mark the layers that a blob needs, and check that they can run.

        Raises ValueError naming the inputs that are not given, RecycledError where something that is needed was in
        memory and is not any more; then no reader is counted.
        """
        layers = self._layers
        missing = []
        try:
            self._visit(blob, missing)
            if missing:
                raise ValueError("%s needs %s: give it with input()" % (self.net.name(blob), _listed(missing)))
        except (ValueError, StateError):
            for layer in range(len(layers)):
                layers[layer] &= ~_NEEDED
            raise
        self._count_needed()

    def _visit(self, blob, missing):
        """Depth first from a blob over all that has not run: mark its layers, collect the inputs that are not given.

        `missing` None: every input will be given.
        """
        net = self.net
        w = net.words
        stack = self._stack
        depth = self._enter(blob, missing, 0)
        while depth:
            depth -= 1
            r = net.layers_at + stack[depth] * _LAYER_WORDS
            first = net.operands_at + w[r + _L_OPERANDS]
            for i in range(first, first + w[r + _L_INPUTS]):
                if w[i] < net.n_blobs:
                    depth = self._enter(w[i], missing, depth)

    def _enter(self, blob, missing, depth):
        """Mark and push a blob's producer unless it has run or is marked; returns the new depth of the stack."""
        producer = self._producer(blob)
        if missing is not None and not self._has(blob):
            if producer < 0:
                if self._blobs[blob] & _GIVEN:
                    self._recycled(blob)
                missing.append(self.net.name(blob))
            elif self._layers[producer] & _DONE:
                self._recycled(blob)
        if producer < 0 or self._layers[producer] & (_DONE | _NEEDED):
            return depth
        self._layers[producer] |= _NEEDED
        self._stack[depth] = producer
        return depth + 1

    def _recycled(self, blob):
        raise RecycledError(
            "blob %s has been recycled: its memory was given to another after its last reader had run. Ask for it "
            "earlier, name it in net.extractor(keep=(...)), or turn lightmode off" % self.net.name(blob)
        )

    def _count_needed(self):
        """Count the reads of marked layers that were not counted yet."""
        net = self.net
        w = net.words
        for layer in range(net.n_layers):
            if self._layers[layer] & (_NEEDED | _COUNTED) == _NEEDED:
                self._layers[layer] |= _COUNTED
                r = net.layers_at + layer * _LAYER_WORDS
                first = net.operands_at + w[r + _L_OPERANDS]
                for i in range(first, first + w[r + _L_INPUTS]):
                    if w[i] < net.n_blobs:
                        self._left[w[i]] += 1

    def _advance(self):
        """Run the next layer towards the target. Between two of these the interpreter serves Ctrl-C and callbacks."""
        stop = self._producer(self._target)
        layer = self._next
        ours = True
        try:
            if self._context is None:
                while self._layers[layer] & (self._mark | _DONE) != self._mark:
                    layer += 1
            else:
                layer = self._run_native(layer, stop)
                ours = layer < 0  # one that Python has to do, or to refuse
                if ours:
                    layer = -1 - layer
            if ours:
                self._run(layer)
                layer += 1
        except BaseException:
            self._stage = _BROKEN
            raise
        self._next = layer
        if layer > stop:
            self._target = -1

    def _run_native(self, layer, stop):
        """Run one layer in C; returns the one to go on with, or -1 - layer where nothing of that one was done."""
        self.arena.lock.acquire()
        try:
            return self.net.native.run(self._context, layer, stop, self._mark, 1)
        finally:
            self.arena.lock.release()

    def _run(self, layer):
        """Run one layer: place its output, call its kernel, give its inputs back."""
        net = self.net
        w = net.words
        left = self._left
        slots = self._slots
        arena = self.arena
        r = net.layers_at + layer * _LAYER_WORDS
        first = net.operands_at + w[r + _L_OPERANDS]
        end = first + w[r + _L_INPUTS]
        source = w[first]
        target = w[end]
        flags = w[r + _L_FLAGS]
        if flags & _SHARE or (
            flags & _IN_PLACE and self.lightmode and left[source] == 1 and arena.refs(slots[source]) == 1
        ):
            arena.retain(slots[source], slots, target)
        else:
            high = True
            if source < net.n_blobs:
                at = arena.offset(slots[source])
                high = at <= arena.size - at - arena.nbytes(slots[source])
            self._alloc(target, high)
        if not flags & _SHARE:
            net.bind(self._call, layer, slots, arena)
            net.kernel(layer)(self._call)
        self._layers[layer] = _DONE | _COUNTED
        if self.lightmode:
            for i in range(first, end):
                blob = w[i]
                if blob < net.n_blobs:
                    left[blob] -= 1
                    if not left[blob]:
                        arena.release(slots[blob], slots, blob)
            if not left[target]:
                arena.release(slots[target], slots, target)

    def _alloc(self, blob, high):
        """A block for a blob: where it was planned, or at the given end of the arena."""
        net = self.net
        arena = self.arena
        r = net.blobs_at + blob * _BLOB_WORDS
        hint = -1
        if self.lightmode and net.words[r + _B_PLACE] >= 0:
            if self._state[_BASE] < 0:
                self._state[_BASE] = arena.gap(net.arena_size)
            hint = self._state[_BASE] + net.words[r + _B_PLACE]
        try:
            block = arena.alloc(net.words[r + _B_BYTES], hint, high, self._slots, blob)
        except ArenaFull as error:
            raise ArenaFull("no room for blob %s: %s; in memory: %s" % (net.name(blob), error, self._holders()))
        self._state[_HITS if arena.offset(block) == hint else _MISSES] += 1

    def _holders(self):
        """The blobs in memory and their bytes, as text."""
        held = []
        for i in range(self.net.n_blobs):
            if self._slots[i] >= 0:
                held.append("%s (%d)" % (self.net.name(i), self.arena.nbytes(self._slots[i])))
        return ", ".join(held) or "nothing of this extractor"


def _listed(names):
    return ", ".join(str(name) for name in names)
