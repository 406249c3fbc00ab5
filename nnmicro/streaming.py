"""An inference that runs row by row, by the steps that the model file has (`FORMAT.md`, Steps).

Loaded for files with steps, in place of `extractor.py`. The frame is one block of the arena; every blob has its place
in it, most of them as a few rows. So only the declared outputs can be asked for; the net gives an ordinary Extractor
where other blobs are wanted (`keep=`, `outputs=`, lightmode off).
"""

from array import array

from .blob import Blob
from .modules import load
from .port import const

_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_RSTEP = const(7)
_B_PRODUCER = const(12)
_INPUT = const(1)
_STATE = const(4)
_H_INPUTS = const(8)
_LAYER_WORDS = const(12)
_L_FLAGS = const(1)
_L_OPERANDS = const(2)
_SHARE = const(1)
_T_STEPS = const(2)
_T_FED = const(3)
_STEPS_HEADER_WORDS = const(4)
_PLACE_WORDS = const(3)
_STATE_WORDS = const(2)
_STEP_WORDS = const(3)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)

# Stages of an inference, as in `extractor.py`
_FRESH = const(0)
_RUNNING = const(1)
_BROKEN = const(2)
_CLOSED = const(3)


# Made once: a tuple written out in a call would be new, on the heap, each time.
_BYTES_LIKE = (bytes, bytearray, memoryview)


class Stream:
    """An Extractor of a streamed model. `input` what is given whole, `feed` what is given by rows, then `extract`."""

    lightmode = True
    placement = "plan"
    _stage = _FRESH
    _next = 0  # the step to go on with
    # Loaded when they are first needed:
    _feeding = None  # the module
    _preprocessing = None
    _run_step = None
    _call = None  # of kernels in Python

    def __init__(self, net, outputs, keep, lightmode, arena):
        self.net = net
        self.arena = arena
        self.generation = 0
        self._results = {}
        self._places = net.steps_at + _STEPS_HEADER_WORDS
        self._steps = self._places + _PLACE_WORDS * net.n_blobs + _STATE_WORDS * net.n_layers
        self._block = array("h", (-1,))  # the frame's, in the arena
        self._rows = array("i", bytes(4 * net.words[_H_INPUTS]))  # of each input, given so far
        # Where the frame starts in the arena; then for each layer a byte of what `_nnmicro` has proven of it.
        self._base = array("i", bytes(4 * (1 + (net.n_layers + 3) // 4)))
        # None where kernels are in Python, or of a firmware from before it could take rows.
        self._native_feed = getattr(net.native, "feed", None)
        self._context = (net.data, net.at, net.native_kernels, arena.buffer, self._base)

    def input(self, name, data):
        """Give an input as a whole: its elements in the source's order (see `Blob.assign`). One that is fed takes all
        of its rows here, and is computed on right away.

        After an `extract` of this inference it is a StateError. Raises KeyError for an unknown name, ValueError for a
        wrong size or shape.
        """
        if self._is_fed(self._number(name)):
            self._rows_of().feed_all(self, name, data)
            return
        view = self.input_view(name)
        net = self.net
        r = net.blobs_at + view.index * _BLOB_WORDS
        in_rows = net.words[r] >> 16 or net.words[r + _B_C] == 1
        if net.native and net.is_plain and in_rows and isinstance(data, _BYTES_LIKE):
            size = net.words[r + _B_H] * net.words[r + _B_RSTEP]
            if len(data) == size == view.nbytes:
                net.native.copy(self.arena.buffer, view._base, data, 0, size)
                return
        view.assign(data)

    def input_view(self, name):
        """The Blob of an input that is given whole, to be written in place before `extract`."""
        number = self._number(name)
        if self._is_fed(number):
            raise ValueError("input %s of this model is given by rows: use feed()" % self.net.name(self._blob(number)))
        if self._stage != _FRESH:
            self._refuse("input")
        self._begin()
        self._rows[number] = self._height(number)
        return self._lend(self._blob(number))

    def feed(self, name, rows, elements=False):
        """Give the next rows of an input that is fed, any number of whole ones, and compute what can be computed.

        `rows` is bytes-like: for each row its pixels' channels side by side where the source's order is h, w, c, else a
        line of each channel. It holds the blob's own elements; where the file has preprocessing for the input, one
        byte for each, unless `elements` is true. Returns how many rows are still to come. Raises ValueError for a
        length that is no multiple of a row's and for more rows than there are, StateError after the inference has
        failed or ended.
        """
        return self._rows_of().feed(self, name, rows, elements)

    def is_fed(self, name):
        """Whether an input is given by rows."""
        return bool(self._is_fed(self._number(name)))

    def extract(self, name):
        """Run the steps up to those that complete an output, and return it: a Blob that is valid until this inference
        ends.

        Raises KeyError for an unknown name, ValueError for what was not given yet, RecycledError for a blob that is no
        output.
        """
        blob = self._wanted(name)
        self._run(self._target, 1 << 29)
        if self._next < self._target:
            self._missing(name)
        return self._lend(blob)

    def step(self, name, layers=1):
        """Run at most so many steps towards `name`; True while there is more to run."""
        self._wanted(name)
        before = self._next
        self._run(self._target, layers)
        if self._next == before and self._next < self._target:
            self._missing(name)
        return self._next < self._target

    def reset(self):
        """End this inference and be ready for the next. What recurrent layers remember stays."""
        if self._stage == _CLOSED:
            self._refuse("reset")
        self._clear(self.net.n_states)

    def reset_state(self):
        """`reset`, and forget what recurrent layers remember."""
        if self._stage == _CLOSED:
            self._refuse("reset_state")
        self._clear(0)

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

    def block(self, blob):
        """The block of the arena that a blob lies in: all have the same."""
        return self._block[0]

    def forget(self, blob):
        """A result that is held belongs to its holder: the next inference gets a new Blob."""
        if self._results.get(blob.index) is blob:
            del self._results[blob.index]

    # How it works

    def _rows_of(self):
        """The module `feeding`. An import would be an object on the heap, even of a module that is there."""
        if self._feeding is None:
            self._feeding = load("feeding")
        return self._feeding

    def _begin(self):
        """Take the frame's memory, if it is not there yet."""
        if self._block[0] >= 0:
            return
        net = self.net
        self._base[0] = self.arena.offset(self.arena.alloc(net.words[net.steps_at], -1, False, self._block, 0))
        for blob in range(net.n_states and net.n_blobs):
            if net.words[net.blobs_at + blob * _BLOB_WORDS + _B_FLAGS] & _STATE:
                self._lend(blob).fill(0)

    def _clear(self, keep):
        if self._block[0] >= 0 and not keep:
            self.arena.release(self._block[0], self._block, 0)
        for i in range(len(self._rows)):
            self._rows[i] = 0
        self.generation = (self.generation + 1) & 0x3FFFFFFF
        self._stage = _FRESH
        self._next = 0

    def _lend(self, blob):
        result = self._results.get(blob)
        if result is None:
            result = self._results[blob] = Blob(self.net, blob, self.arena, self)
        result.lend(self._base[0] + self.net.words[self._places + _PLACE_WORDS * blob], self.generation)
        return result

    def _wanted(self, name):
        """The blob of a declared output; `_target` is then the step after the last that it needs."""
        if self._stage > _RUNNING:
            self._refuse("extract")
        net = self.net
        w = net.words
        blob = producer = net.index(name)
        inputs = w[_H_INPUTS]
        for i in range(inputs, inputs + w[_H_INPUTS + 1]):
            if w[net.io_at + i] == blob:
                break
        else:
            self._passed(blob)
        self._check_given("extract")
        self._begin()
        self._stage = _RUNNING
        layer = w[net.blobs_at + producer * _BLOB_WORDS + _B_PRODUCER]
        while layer >= 0 and w[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_FLAGS] & _SHARE:
            producer = w[net.at[_AT_OPERANDS] + w[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OPERANDS]]
            layer = w[net.blobs_at + producer * _BLOB_WORDS + _B_PRODUCER]
        self._target = w[net.steps_at + _T_STEPS]
        while self._target and w[self._steps + _STEP_WORDS * (self._target - 1)] != layer:
            self._target -= 1
        return blob

    def _run(self, stop, budget):
        """Run at most `budget` steps before `stop`, as far as the rows that were given go."""
        net = self.net
        try:
            while self._next < stop and budget > 0:
                if net.words[self._steps + _STEP_WORDS * self._next] < 0:
                    break  # it waits for rows
                before = self._next
                if net.native:
                    # It returns where the interpreter is wanted: Ctrl-C, callbacks, other threads.
                    most = min(budget, stop - before)
                    self.arena.lock.acquire()
                    try:
                        self._next = net.native.steps(self._context, before, most)
                    finally:
                        self.arena.lock.release()
                if self._next == before:  # one that Python has to do, or to refuse
                    if self._run_step is None:
                        self._run_step = load("stepping").run_step
                    self._run_step(self, before)
                    self._next = before + 1
                budget -= self._next - before
        except BaseException:
            self._stage = _BROKEN
            raise

    # Inputs

    def _number(self, name):
        """Which input a name is. Raises KeyError for a blob that is none."""
        net = self.net
        blob = net.index(name)
        for number in range(net.words[_H_INPUTS]):
            if self._blob(number) == blob:
                return number
        load("search").no_input(net, name)

    def _blob(self, number):
        return self.net.words[self.net.io_at + number]

    def _is_fed(self, number):
        return self.net.words[self.net.steps_at + _T_FED] >> number & 1

    def _height(self, number):
        return self.net.words[self.net.blobs_at + self._blob(number) * _BLOB_WORDS + _B_H]

    def _check_given(self, what):
        """Every input that is given whole has to be there before the first step."""
        for i in range(len(self._rows)):
            if not self._rows[i] and not self._is_fed(i):
                raise ValueError(
                    "%s before input %s is there: give it with input()" % (what, self.net.name(self._blob(i)))
                )

    # What is refused

    def _refuse(self, what):
        load("search").Extractor._refuse(self, what)

    def _missing(self, name):
        number = -1 - self.net.words[self._steps + _STEP_WORDS * self._next]
        blob = self.net.name(self._blob(number))
        raise ValueError(
            "%s needs more rows of %s: %d of %d were given. Go on with feed(%r, rows)"
            % (name, blob, self._rows[number], self._height(number), blob)
        )

    def _passed(self, blob):
        from .errors import RecycledError

        name = self.net.name(blob)
        raise RecycledError(
            "blob %s is never in memory as a whole: this model runs row by row. Name it in net.extractor(keep=(%r,)), "
            "or turn lightmode off, which takes an arena for whole tensors" % (name, name)
        )
