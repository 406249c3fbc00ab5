"""Reads a model file, checks it, and makes of a Net what it is. Loaded for that and then forgotten."""

from array import array

from . import modules
from .port import address, const

_I32 = const(5)
_BLOB_WORDS = const(16)
_B_NAME = const(15)
_ARENA_BYTES = const(44)  # where the header says how many
_MOST = const((1 << 30) - 1)
_RESERVE = const(16384)  # of memory that is left: for the extractor, and for code that is not there yet

# Marks of a layer, and of a blob: see `extractor.py`.
_COUNTED = const(2)
_ASKED = const(2)


def load(net, source):
    """Fill in a net. Raises what `Net` says."""
    net.data, file = _bytes_of(net, source)
    # One after the other, for what both need at a time is more than what stays.
    model = _call("check", "checked", net.data) if file is None else _tables(net, file, source)
    modules.forget("check")
    net.words = net.view(_I32)
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
    from .sections import text_at

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
    _call("kernels", "choose", net, op_names)
    if net.window:
        net.window.attach(net)


def _call(home, name, *values):
    """Call a function of a module that is forgotten next. In a frame of its own: what a frame has held may lie on in
    it, and would keep the module."""
    return getattr(modules.load(home), name)(*values)


def _tables(net, file, path):
    """All of a file but its weights, which are to be read while the model runs."""
    try:
        from .tables import read

        return read(net, file, path)
    except BaseException:
        file.close()
        raise
    finally:
        read = None
        modules.forget("tables")


def _bytes_of(net, source):
    """The file's bytes as a memoryview and None; or None and the open file, whose weights stay where they are."""
    if isinstance(source, str):
        file = _open(source)
        stays = False
        try:
            source = memoryview(file)  # ROMFS hands out the flash itself
        except TypeError:
            net.mapped = False
            data = _read(net, file, source)
            stays = data is None
            return data, file if stays else None
        finally:
            if not stays:
                file.close()
    data = memoryview(source)
    if len(data) and address(data) % 16:
        net.mapped = False
        from .memory import aligned

        copy = memoryview(aligned(len(data)))
        copy[:] = data
        return copy, None
    return data, None


def _open(path):
    try:
        return open(path, "rb", 0)  # CPython would go on reading what it has in a buffer
    except OSError:
        from .generations import newest

        path = newest(path)
        modules.forget("generations")
        return open(path, "rb", 0)


def _read(net, file, path):
    """The file's bytes, or None where its weights are to stay in the file."""
    option = net.option
    weights = option.weights if option is not None else None
    if weights == "window":
        return None
    size = file.seek(0, 2)
    file.seek(0)
    try:
        data = bytearray(size)
        file.readinto(data)
        if not weights and (option is None or not option.blob_arena):
            from .arena import frame_memory

            # What the first extractor takes has to fit, too: the header's word, which is checked later.
            frame = frame_memory(min(int.from_bytes(data[_ARENA_BYTES : _ARENA_BYTES + 4], "little"), _MOST))
            bytearray(_RESERVE + frame if isinstance(frame, int) else _RESERVE)
    except MemoryError:
        if not weights:
            return None
        raise MemoryError(
            "%s has %d bytes, which do not fit into free memory: put it into ROMFS, where it is used in place, or "
            'leave its weights in the file with Option(weights="window")' % (path, size)
        )
    return memoryview(data)
