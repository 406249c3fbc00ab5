"""Reads a model file, checks it, and makes of a Net what it is. Loaded for that and then forgotten."""

from array import array

from .modules import forget
from .port import I32, address, const

_BLOB_WORDS = const(16)
_B_NAME = const(15)

# Marks of a layer, and of a blob: see `extractor.py`.
_COUNTED = const(2)
_ASKED = const(2)


def load(net, source):
    """Fill in a net. Raises what `Net` says."""
    net.data, mapped = _bytes_of(source)
    if not mapped:
        net.mapped = False
    # One after the other, for what both need at a time is more than what stays.
    model = _checked(net.data)
    forget("check")
    net.words = net.view(I32)
    net.n_blobs = model.n_blobs
    net.n_layers = model.n_layers
    net.blobs_at = model.blobs_at
    net.io_at = model.io_at
    net.consumers = model.consumers
    places = (model.blobs_at, model.layers_at, model.operands_at, model.params_at, model.weights_at)
    net.at = array("i", places + (model.n_blobs, model.n_records, model.n_layers, model.steps_at))
    if model.steps_at:
        net.steps_at = model.steps_at
    if model.n_states:
        net.n_states = model.n_states
    if model.preprocessing_at:
        from .preprocessing import apply

        net.preprocessing_at = model.preprocessing_at
        net.preprocess = apply
    net.is_plain = not model.n_states and not model.preprocessing_at
    # Every layer's readers are counted, and the caller as one of each declared output.
    net.marks = bytearray(net.n_layers + net.n_blobs)
    for layer in range(net.n_layers):
        net.marks[layer] = _COUNTED
    from .names import text_at

    # All that is looked up during an inference is made here: threads then only read.
    net._indices = {}
    for i in range(model.n_inputs + model.n_outputs):
        blob = net.words[net.io_at + i]
        if i >= model.n_inputs:
            net.marks[net.n_layers + blob] = _ASKED
        name = net.words[net.blobs_at + blob * _BLOB_WORDS + _B_NAME]
        net._indices[text_at(model, name) if name >= 0 and model.names_bytes else blob] = blob
    op_names = model.op_names
    model = None
    forget("names")
    _choose(net, op_names)


def _checked(data):
    from .check import checked

    return checked(data)


def _choose(net, op_names):
    from .kernels import choose

    choose(net, op_names)


def _bytes_of(source):
    """The file's bytes as a memoryview, and whether they are used where they lie."""
    if isinstance(source, str):
        with _open(source) as file:
            try:
                mapped = memoryview(file)  # ROMFS hands out the flash itself
            except TypeError:
                return _read(file, source), False
        source = mapped
    data = memoryview(source)
    if len(data) and address(data) % 16:
        return _aligned_copy(data), False
    return data, True


def _open(path):
    try:
        return open(path, "rb")
    except OSError:
        from .generations import newest

        path = newest(path)
        forget("generations")
        return open(path, "rb")


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
    from .memory import aligned

    copy = memoryview(aligned(len(data)))
    copy[:] = data
    return copy
