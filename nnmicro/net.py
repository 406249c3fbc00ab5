"""A loaded model: records, weights, names and kernels. Immutable after load, shared by extractors and threads.

Here is what stays with every inference. Reading and checking the file is in `load.py`, forgotten once it is done; what
the file says about itself in `details.py`, loaded when something of that is asked for.
"""

from .modules import forget, load
from .port import allocate_lock, const, typed

_BLOB_WORDS = const(16)
_H_ARENA_BYTES = const(11)
_H_MAX_BLOCKS = const(16)

_lock = allocate_lock()  # of every net's own frame


class Net:
    """`Net("model.nnm")` or `Net(buffer)`.

    A file on a memory-mapped filesystem (ROMFS) and a buffer of the caller that is aligned to 16 bytes are used where
    they lie; anything else is read into RAM, but for the weights where they do not fit or `Option(weights="window")`
    says so: those are then read from the open file, layer by layer, in each inference (see `weights_from`). Raises
    ModelError for a file that is damaged or needs another engine, OSError where it cannot be read.
    """

    _rest = property()

    # What most nets have: a class's attribute takes no memory of a net.
    option = None
    mapped = True  # the file is used where it lies
    window = None  # the Window that weights are read into, where they stay in the file
    native = None  # the module `_nnmicro`, where this net uses it
    native_kernels = None  # for each kind of layer its kernel's number there, or -1
    kernels = None  # for each kind of layer its kernel in Python, or None
    uses_arrays = False
    array = None  # the whole file as an ndarray, made by the vector backend
    n_states = 0
    steps_at = 0  # word index of the section of steps, of a streamed model
    preprocessing_at = 0
    preprocess = None  # preprocessing.apply
    _frame = None  # the arena of one inference, made when the first extractor asks
    _frame_taken = False
    _spare = None  # a closed extractor to use again

    # What load() fills in besides: data, words (the file as int32), n_blobs, n_layers, blobs_at and io_at (word
    # indices), backend, consumers (how many readers each blob has), marks (of layers and blobs, as an inference starts
    # with them, and `_nnmicro` notes there which layers it has proven), is_plain (raw bytes may go right into an
    # input), and `at`, where things are for `_nnmicro`: blobs, layers, operands, parameters (word indices), weights
    # (byte), the numbers of blobs, of records and of layers.

    def __init__(self, source, option=None):
        if option is not None:
            self.option = option
        self._views = {}
        # All at once: a table of attributes that grows later lies above what loading needs for a moment.
        self.data = self.words = self.at = self.consumers = self.marks = self._indices = None
        self.backend = self.native = self.native_kernels = None
        self.n_blobs = self.n_layers = self.blobs_at = self.io_at = 0
        self.is_plain = True
        load("load").load(self, source)
        # Code that only loading needs.
        for module in ("load", "kernels", "sections"):
            forget(module)

    def __getattr__(self, name):
        return load("details").look_up(self, name)

    def view(self, dtype):
        """The whole file as an indexable of an element type; made once."""
        view = self._views.get(dtype)
        if view is None:
            view = self._views[dtype] = typed(self.data, dtype, len(self.data) // 4 * 4)
        return view

    def record(self, blob):
        """Index in `words` of a blob's record."""
        return self.blobs_at + blob * _BLOB_WORDS

    def index(self, blob):
        """A blob's index from its name or index. Raises KeyError, with near names, where there is none."""
        index = self._indices.get(blob)
        if index is None:
            index = self._find(blob)
        return index

    # Inference

    def extractor(self, outputs=None, keep=(), lightmode=None, arena=None):
        """An Extractor: the state of one inference; close it (or use `with`) so that the next one can reuse it.

        `outputs`: the declared outputs that will be asked for (others then hold no memory). `keep`: intermediates to
        keep until the inference ends. `lightmode` and `arena` override the net's option. The net owns the memory of
        one inference; a second extractor at the same time needs `arena=Arena(net.arena_size)`.

        A streamed model runs row by row where all of its declared outputs, and nothing else, may be asked for; with
        `outputs`, `keep` or lightmode off it runs with whole tensors, in memory of its own.
        """
        option = self.option
        if lightmode is None:
            lightmode = option is None or option.lightmode
        if arena is None and option is not None:
            arena = option.blob_arena
        if outputs is not None or keep or not lightmode or arena is not None:
            return self._new_extractor(outputs, keep, lightmode, arena)
        _lock.acquire()
        try:
            if self._frame_taken:
                self._refuse_frame()
            spare = self._spare
            self._spare = None
            self._frame_taken = True
        finally:
            _lock.release()
        if spare is not None:
            return spare.reopen()
        try:
            if self._frame is None:
                from .arena import Arena, frame_memory

                size = self.words[self.steps_at or _H_ARENA_BYTES]
                self._frame = Arena(frame_memory(size), self.words[_H_MAX_BLOCKS] + 8)
            return self._new_extractor(None, (), True, self._frame)
        except BaseException:
            self._frame_taken = False
            raise

    def _new_extractor(self, outputs, keep, lightmode, arena):
        if self.steps_at and outputs is None and not keep and lightmode:
            kind = load("streaming").Stream
        else:
            kind = load("extractor").Extractor
        return kind(self, outputs, keep, lightmode, arena)

    def give_back(self, extractor):
        """A closed extractor returns the net's frame, and itself for the next one to use."""
        if extractor.arena is self._frame:
            self._spare = extractor
            self._frame_taken = False
