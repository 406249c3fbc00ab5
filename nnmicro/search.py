"""The rest of `extractor.Extractor`: blobs in any order, and everything that an ordinary inference does not ask for.

Loaded when an extractor is first asked for one of these: a blob that is no declared output or not all of whose inputs
are given, `keep`, lightmode off, single steps, recurrent layers' memory, inputs that are not raw bytes, and refusals.
"""

from array import array

from .arena import Arena
from .errors import RecycledError, StateError
from .port import const

_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_B_BYTES = const(2)
_B_OWNER = const(14)
_INPUT = const(1)
_STATE = const(4)
_H_ARENA_BYTES = const(11)
_LAYER_WORDS = const(12)
_L_FLAGS = const(1)
_L_OPERANDS = const(2)
_SHARE = const(1)
_OVER = const(4)
_B_PLACE = const(10)
_L_INPUTS = const(3)

# Words of an extractor's state
_HITS = const(1)
_MISSES = const(2)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)

# Stages of an inference
_FRESH = const(0)
_BROKEN = const(2)
_CLOSED = const(3)

# Marks of a layer
_DONE = const(1)
_COUNTED = const(2)
_NEEDED = const(4)  # for the blob that is worked towards

# Marks of a blob
_GIVEN = const(1)
_ASKED = const(2)


class Extractor:
    """A part of `extractor.Extractor`."""

    _stack = None  # of the layers to visit

    # Its state

    def _choose(self, outputs, keep):
        """Count the readers that these outputs need, and the caller once for each output and each blob to keep.

        Returns how an inference then starts: readers, and marks.
        """
        net = self.net
        for i in range(net.n_blobs):
            self._left[i] = 0
        for i in range(len(self._marks)):
            self._marks[i] = 0
        for names in (net.outputs if outputs is None else outputs, keep):
            for name in names:
                blob = net.index(name)
                if not self._marks[net.n_layers + blob] & _ASKED:
                    self._marks[net.n_layers + blob] |= _ASKED
                    self._left[blob] += 1
                    self._visit(blob, None)
        self._count_needed()
        for layer in range(net.n_layers):
            self._marks[layer] &= ~_NEEDED
        return array("h", self._left), bytearray(self._marks)

    def _own_arena(self, keep):
        """An arena for this extractor alone."""
        net = self.net
        size = self._everything()
        if self.lightmode:
            kept = sum(self._block_bytes(net.index(b)) for b in keep)
            planned = net.words[_H_ARENA_BYTES]  # with whole tensors, even where the model can be streamed
            size = min(planned + kept, max(planned, size))
        return Arena(size, (net.max_blocks if self.lightmode else net.n_blobs) + len(keep) + 8)

    def _everything(self):
        """Bytes of all blobs that have a block of their own, as those have that others would be written over."""
        net = self.net
        w = net.words
        total = 0
        for blob in range(net.n_blobs):
            r = net.record(blob)
            producer = self._producer(blob)
            layer = net.at[_AT_LAYERS] + producer * _LAYER_WORDS
            flags = w[layer + _L_FLAGS] if producer >= 0 else 0
            if not w[r + _B_OWNER] and not flags & _SHARE:
                total += self._block_bytes(blob)
            if flags & _OVER:
                total += self._block_bytes(w[net.at[_AT_OPERANDS] + w[layer + _L_OPERANDS]])
        return total

    def _block_bytes(self, blob):
        """Bytes of the block that a blob lies in."""
        w = self.net.words
        r = self.net.record(blob)
        nbytes = w[r + _B_BYTES]
        if w[r + _B_OWNER]:
            nbytes = max(nbytes + w[r + _B_PLACE], w[self.net.record(w[r + _B_OWNER] - 1) + _B_BYTES])
        return (nbytes + 15) // 16 * 16

    # Inputs

    def input_view(self, name):
        """The Blob of an input, to be written in place before `extract`."""
        if self._stage != _FRESH:
            self._refuse("input")
        net = self.net
        blob = net.index(name)
        if not net.words[net.blobs_at + blob * _BLOB_WORDS + _B_FLAGS] & _INPUT:
            no_input(net, name)
        if self._slots[blob] < 0:
            self._make_state()
            self._alloc(blob, False)
            self._marks[net.n_layers + blob] |= _GIVEN
        return self._lend(blob)

    def _make_state(self):
        """Memory for what recurrent layers remember, with nothing in it yet."""
        net = self.net
        for blob in range(net.n_states and net.n_blobs):
            if net.words[net.blobs_at + blob * _BLOB_WORDS + _B_FLAGS] & _STATE and self._slots[blob] < 0:
                self._alloc(blob, False)
                self._lend(blob).fill(0)

    # In steps, and at its end

    def step(self, name, layers=1):
        """Run at most so many layers towards `name`; True while there is more to run, so that other work can go on in
        between."""
        self._begin(name)
        while self._target >= 0 and layers > 0:
            self._advance(1)
            layers -= 1
        return self._target >= 0

    def reset_state(self):
        """`reset`, and forget what recurrent layers remember."""
        if self._stage == _CLOSED:
            self._refuse("reset_state")
        self._clear(0)

    def block(self, blob):
        """The block of a blob in the arena, or -1."""
        return self._slots[blob]

    def _placement(self):
        """`plan` where every block of this inference lies where it was planned, else `mixed` or `online`."""
        state = self._state
        return "plan" if not state[_MISSES] else "mixed" if state[_HITS] else "online"

    def forget(self, blob):
        """A result that is held belongs to its holder: the next inference gets a new Blob."""
        if self._results.get(blob.index) is blob:
            del self._results[blob.index]

    def _refuse(self, what):
        if self._stage == _CLOSED:
            raise StateError("%s on a closed extractor: get one from net.extractor()" % what)
        if self._stage == _BROKEN:
            raise StateError("%s after an inference that failed or was interrupted: call reset() first" % what)
        raise StateError(
            "%s after an extract: the results would belong to the old inputs. Call reset(), or use a new extractor"
            % what
        )

    # What a blob needs

    def _search(self, blob):
        """Make the layers that a blob needs, and no others, those that run towards it.

        Raises ValueError naming the inputs that are not given, RecycledError where something that is needed was in
        memory and is not any more; then no reader is counted.
        """
        missing = []
        try:
            self._visit(blob, missing)
            if missing:
                raise ValueError("%s needs %s: give it with input()" % (self.net.name(blob), _listed(missing)))
        except (ValueError, StateError):
            for layer in range(self.net.n_layers):
                self._marks[layer] &= ~_NEEDED
            raise
        self._count_needed()
        self._mark = _NEEDED

    def _visit(self, blob, missing):
        """Depth first from a blob over all that has not run: mark its layers, collect the inputs that are not given.

        `missing` None: every input will be given.
        """
        net = self.net
        w = net.words
        if self._stack is None:
            self._stack = array("h", bytes(2 * (net.n_layers + 1)))
        stack = self._stack
        depth = self._enter(blob, missing, 0)
        while depth:
            depth -= 1
            r = net.at[_AT_LAYERS] + stack[depth] * _LAYER_WORDS
            first = net.at[_AT_OPERANDS] + w[r + _L_OPERANDS]
            for i in range(first, first + w[r + _L_INPUTS]):
                if w[i] < net.n_blobs:
                    depth = self._enter(w[i], missing, depth)

    def _enter(self, blob, missing, depth):
        """Mark and push a blob's producer unless it has run or is marked; returns the new depth of the stack."""
        producer = self._producer(blob)
        if missing is not None and not self._has(blob):
            if producer < 0:
                if self._marks[self.net.n_layers + blob] & _GIVEN:
                    self._recycled(blob)
                missing.append(self.net.name(blob))
            elif self._marks[producer] & _DONE:
                self._recycled(blob)
        if producer < 0 or self._marks[producer] & (_DONE | _NEEDED):
            return depth
        self._marks[producer] |= _NEEDED
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
            if self._marks[layer] & (_NEEDED | _COUNTED) == _NEEDED:
                self._marks[layer] |= _COUNTED
                r = net.at[_AT_LAYERS] + layer * _LAYER_WORDS
                first = net.at[_AT_OPERANDS] + w[r + _L_OPERANDS]
                for i in range(first, first + w[r + _L_INPUTS]):
                    if w[i] < net.n_blobs:
                        self._left[w[i]] += 1


def no_input(net, name):
    raise KeyError("blob %r is no input of this model; its inputs are %s" % (name, _listed(net.inputs)))


def _listed(names):
    return ", ".join(str(name) for name in names)
