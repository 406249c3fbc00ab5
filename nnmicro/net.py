"""A loaded model: records, weights, names and kernels. Immutable after load, shared by extractors and threads."""

from array import array

from .arena import Arena
from .call import Call
from .errors import ModelError, StateError
from .extractor import Extractor
from .option import Option, chosen, native
from .port import F32, ITEM_BYTES, address, allocate_lock, const, forget, typed

# Fields of `format`, named again so that MicroPython's compiler puts the numbers in place (a test compares them).
_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_STATE = const(4)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)
_B_ROWS = const(9)
_B_PLACE = const(10)
_B_SHAPE = const(11)
_B_PRODUCER = const(12)
_B_QUANT = const(13)
_B_NAME = const(15)
_Q_SCALES = const(2)
_LAYER_WORDS = const(12)
_L_OP = const(0)
_L_OPERANDS = const(2)
_L_INPUTS = const(3)
_L_OUTPUTS = const(4)
_L_PARAMS = const(5)
_L_PARAM_COUNT = const(6)


class Net:
    """`Net("model.nnm")` or `Net(buffer)`.

    A file on a memory-mapped filesystem (ROMFS) and a buffer of the caller that is aligned to 16 bytes are used where
    they lie; anything else is read into RAM. Raises ModelError for a file that is damaged or needs another engine,
    OSError where it cannot be read.
    """

    # Most files have none: a class's attribute takes no memory of a net.
    preprocessing_at = 0
    preprocess = None  # preprocessing.apply

    def __init__(self, source, option=None):
        self.option = option or Option()
        self.data, self.mapped = _bytes_of(source)
        self._views = {}
        self._lock = allocate_lock()
        self._frame = None  # the arena of one inference, made when the first extractor asks
        self._frame_taken = False
        self._spare = None  # a closed extractor to use again
        self.array = None  # the whole file as an ndarray, made by the vector backend
        from .check import load

        load(self)
        # All that is looked up during an inference is made here: threads then only read.
        self.view(F32)
        self._indices = {}
        for i in range(self.n_inputs + self.n_outputs):
            blob = self.words[self.io_at + i]
            self._indices[self.name(blob)] = blob
        self._load_kernels()
        # Code that only loading needs: a third of the engine's.
        for module in ("check", "names", "format"):
            forget(module)

    # What check.load() fills in: where things are (word indices into `words`, bytes for the names), and sizes.
    # blobs_at layers_at operands_at params_at shapes_at io_at names_at names_bytes fused_at fused_words weights_at
    # quantisation_at preprocessing_at preprocessing_words preprocess
    # n_blobs n_layers n_inputs n_outputs max_operands max_blocks arena_size live_peak lower_bound lightmode_off_size
    # op_names labels consumers

    def view(self, dtype):
        """The whole file as an indexable of an element type; made once."""
        view = self._views.get(dtype)
        if view is None:
            view = self._views[dtype] = typed(self.data, dtype, len(self.data) // 4 * 4)
        return view

    def _load_kernels(self):
        """The kernel of every layer kind this model uses, from the best backend that has it; each layer is checked
        against its kind's own rules."""
        homes = chosen(self.option)
        self.backend = homes[0]
        self.uses_arrays = self.backend == "vector"
        if self.uses_arrays:
            _array(self, self.data, F32)
        self.native = None
        if self.backend == "_nnmicro":
            self.native = native()
            self.native_kernels = array("h", (self.native.kernel(name) for name in self.op_names))
            places = (self.blobs_at, self.layers_at, self.operands_at, self.params_at, self.weights_at)
            self.native_at = array("i", places + (self.n_blobs, self.n_records, self.n_layers))
        self.kernels = [None] * len(self.op_names)
        only_native = self.native is not None
        call = Call(self.max_operands)
        for op in range(len(self.op_names)):
            if self.op_names[op] == "share":
                continue
            native_one = self.native is not None and self.native_kernels[op] >= 0
            run, reference = self._python_kernel(op, native_one)
            if not native_one:
                self.kernels[op] = run
                only_native = False
            for layer in range(self.n_layers if reference else 0):
                if self.words[self.layers_at + layer * _LAYER_WORDS + _L_OP] == op:
                    self._check_layer(call, layer, reference)
        if only_native:
            forget("reference")

    def _python_kernel(self, op, spare=False):
        """(run, reference module) of a layer kind: `run` from the backend if it has it, else from the reference.

        `spare`: it may be missing (then both are None). A board whose native kernels do all the work, and check every
        call themselves, need not carry the reference.
        """
        name = self.op_names[op]
        reference = _module("reference", name)
        if reference is None and spare:
            return None, None
        if reference is None:
            raise ModelError("the model needs layer %r, which this engine does not have: update nnmicro" % name)
        module = _module(self.backend, name) if self.uses_arrays else None
        return (module or reference).run, reference

    def _check_layer(self, call, layer, reference):
        """Check a layer by its kind's own rules; the operands that it writes besides its output have to be states."""
        self.bind(call, layer, None, None)
        try:
            reference.check(call)
            first = self.operands_at + self.words[self.layers_at + layer * _LAYER_WORDS + _L_OPERANDS]
            for i in getattr(reference, "_STATES", ()):
                blob = self.words[first + i]
                if blob >= self.n_blobs or not self.words[self.record(blob) + _B_FLAGS] & _STATE:
                    raise ModelError("input %d is written to, and is no state blob" % i)
        except ModelError as error:
            raise ModelError("layer %s: %s" % (self.layer_name(layer), error))

    def kernel(self, layer):
        """The Python kernel of a layer; also the stand-in of a native one that cannot do it (too many operands)."""
        op = self.words[self.layers_at + layer * _LAYER_WORDS + _L_OP]
        run = self.kernels[op]
        if run is None:
            run, reference = self._python_kernel(op)
            self._check_layer(Call(self.max_operands), layer, reference)
        return run

    def bind(self, call, layer, slots, arena):
        """Fill a call with a layer's operands and parameters; without an arena, all but the blobs' places."""
        w = self.words
        r = self.layers_at + layer * _LAYER_WORDS
        call.n_in = w[r + _L_INPUTS]
        call.n_out = w[r + _L_OUTPUTS]
        call.params = w
        call.float_params = self.view(F32)
        call.first_param = self.params_at + w[r + _L_PARAMS]
        call.n_params = w[r + _L_PARAM_COUNT]
        first = self.operands_at + w[r + _L_OPERANDS]
        for i in range(call.n_in + call.n_out):
            operand = call.input(i)
            blob = w[first + i]
            e = self.blobs_at + blob * _BLOB_WORDS
            dtype = w[e] & 0xFF
            item = ITEM_BYTES[dtype]
            operand.dtype = dtype
            operand.c = w[e + _B_C]
            operand.h = w[e + _B_H]
            operand.w = w[e + _B_W]
            operand.cs = w[e + _B_CSTEP] // item
            operand.rs = w[e + _B_RSTEP] // item
            operand.ps = w[e + _B_PSTEP] // item
            operand.rows = w[e + _B_ROWS]
            if blob >= self.n_blobs:
                operand.data = self.view(dtype)
                operand.base = (self.weights_at + w[e + _B_PLACE]) // item
                if self.uses_arrays:
                    operand.array = _array(self, self.data, dtype)
            elif arena is not None:
                operand.data = arena.view(dtype)
                operand.base = arena.offset(slots[blob]) // item
                if self.uses_arrays:
                    operand.array = _array(arena, arena.buffer, dtype)
            else:
                operand.data = None
                operand.base = 0
        call.y0 = 0
        call.y1 = call.output().h

    # What is in it

    @property
    def inputs(self):
        """Names of the inputs (indices where names were stripped)."""
        return tuple(self.name(self.words[self.io_at + i]) for i in range(self.n_inputs))

    @property
    def outputs(self):
        """Names of the declared outputs (indices where names were stripped)."""
        return tuple(self.name(self.words[self.io_at + self.n_inputs + i]) for i in range(self.n_outputs))

    def record(self, blob):
        """Index in `words` of a blob's record."""
        return self.blobs_at + blob * _BLOB_WORDS

    def shape(self, blob):
        """A blob's shape as the source has it, by index or name."""
        return self.shape_at(self.index(blob))

    def shape_at(self, record):
        """The shape of a blob or constant by its number among the records."""
        w = self.words
        r = self.record(record)
        first = self.shapes_at + w[r + _B_SHAPE]
        return tuple(w[first + i] for i in range(w[r] >> 8 & 0xFF))

    def quantisation(self, blob):
        """(scale, zero point) of an integer blob, by index or name: q stands for scale * (q - zero point); or None."""
        w = self.words
        at = w[self.record(self.index(blob)) + _B_QUANT]
        if at < 0:
            return None
        at += self.quantisation_at
        return self.view(F32)[at + _Q_SCALES], w[at + _Q_SCALES + 1]

    def name(self, blob):
        """A blob's name, or its index where names were stripped."""
        at = self.words[self.record(blob) + _B_NAME]
        if at < 0 or not self.names_bytes:
            return blob
        from .names import text_at

        return text_at(self, at)

    def layer_name(self, layer):
        from .format import L_NAME
        from .names import text_at

        at = self.words[self.layers_at + layer * _LAYER_WORDS + L_NAME]
        return text_at(self, at) if at >= 0 and self.names_bytes else str(layer)

    def index(self, blob):
        """A blob's index from its name or index. Raises KeyError, with near names, where there is none."""
        if isinstance(blob, int):
            if 0 <= blob < self.n_blobs:
                return blob
            raise KeyError("blob %d: this model has blobs 0 to %d" % (blob, self.n_blobs - 1))
        index = self._indices.get(blob)
        if index is None:
            from .names import find

            index = find(self, blob)
        return index

    def producer(self, blob):
        """The layer that computes a blob; -1 for an input."""
        return self.words[self.blobs_at + blob * _BLOB_WORDS + _B_PRODUCER]

    def check_weights(self):
        """Compare the weights with their checksum (done at push and in self-tests, not at every load)."""
        from .check import check_lazy

        check_lazy(self)

    def selftest(self):
        """Run the file's golden vectors and compare the outputs with what the original model gave; how many there are.

        Takes the net's own memory for the time. Raises ModelError, naming output and vector, where one differs, and
        for damaged weights and a file without golden vectors.
        """
        from .selftest import run

        return run(self)

    # Inference

    def extractor(self, outputs=None, keep=(), lightmode=None, arena=None):
        """An Extractor: the state of one inference; close it (or use `with`) so that the next one can reuse it.

        `outputs`: the declared outputs that will be asked for (others then hold no memory). `keep`: intermediates to
        keep until the inference ends. `lightmode` and `arena` override the net's option. The net owns the memory of
        one inference; a second extractor at the same time needs `arena=Arena(net.arena_size)`.
        """
        if lightmode is None:
            lightmode = self.option.lightmode
        arena = arena or self.option.blob_arena
        plain = outputs is None and not keep and lightmode and arena is None
        if not plain:
            return Extractor(self, outputs, keep, lightmode, arena)
        self._lock.acquire()
        try:
            if self._frame_taken:
                raise StateError(
                    "the net's own memory is in use by another extractor: close that one, or give this one memory of "
                    "its own with arena=Arena(%d)" % self.arena_size
                )
            spare = self._spare
            self._spare = None
            self._frame_taken = True
        finally:
            self._lock.release()
        if spare is not None:
            return spare.reopen()
        try:
            if self._frame is None:
                self._frame = Arena(self.arena_size, self.max_blocks + 8)
            return Extractor(self, None, (), True, self._frame)
        except BaseException:
            self._frame_taken = False
            raise

    def give_back(self, extractor):
        """A closed extractor returns the net's frame, and itself for the next one to use."""
        if extractor.arena is self._frame:
            self._spare = extractor
            self._frame_taken = False


def _bytes_of(source):
    """The file's bytes as a memoryview, and whether they are used where they lie."""
    if isinstance(source, str):
        with open(source, "rb") as file:
            try:
                mapped = memoryview(file)  # ROMFS hands out the flash itself
            except TypeError:
                return _read(file, source), False
        source = mapped
    data = memoryview(source)
    if len(data) and address(data) % 16:
        return _aligned_copy(data), False
    return data, True


def _read(file, path):
    size = file.seek(0, 2)
    file.seek(0)
    try:
        data = bytearray(size)
    except MemoryError:
        raise MemoryError(
            "%s has %d bytes, which do not fit into free memory: put it into ROMFS, where it is used in place"
            % (path, size)
        )
    file.readinto(data)
    return memoryview(data)


def _aligned_copy(data):
    copy = Arena(len(data) + 16, 0).buffer[: len(data)]
    copy[:] = data
    return copy


def _module(home, name):
    """The module of a layer kind in a backend, or None."""
    try:
        module = __import__("nnmicro." + home + "." + name, None, None, ("run",))
    except ImportError:
        return None
    return module if hasattr(module, "run") else None


def _array(holder, buffer, dtype):
    """The buffer of an arena or net as an ndarray; made once."""
    if dtype != F32:
        return None
    array = holder.array
    if array is None:
        from .vector.array import np

        size = len(buffer) // 4 * 4
        array = holder.array = np.frombuffer(buffer[:size], dtype=np.float32 if hasattr(np, "float32") else np.float)
    return array
