"""Which kernels are here, and which of them a net's layers run in. Loaded with a model, and by the interpreter."""

from array import array

from .modules import forget, load
from .port import F32, const

# Best first. A layer that a backend does not have runs in `reference`, which has them all.
_BACKENDS = ("_nnmicro", "vector", "viper", "reference")

# What the engine asks of the native module; it counts up when a call changes its meaning.
_ABI = const(4)

_H_MAX_OPERANDS = const(15)
_BLOB_WORDS = const(16)
_B_FLAGS = const(1)
_STATE = const(4)
_LAYER_WORDS = const(12)
_L_OP = const(0)
_L_OPERANDS = const(2)

# Of a net's places
_AT_LAYERS = const(1)
_AT_OPERANDS = const(2)


def backends():
    """Each backend's name and, where it cannot be used here, why not (else None), best first."""
    return tuple((name, _missing(name)) for name in _BACKENDS)


def check_name(backend):
    if backend not in _BACKENDS:
        raise ValueError("no backend is called %r; there are %s" % (backend, ", ".join(_BACKENDS)))


def _native():
    """The native module `_nnmicro`, or None."""
    try:
        import _nnmicro
    except ImportError:
        return None
    return _nnmicro


def _missing(name):
    if name == "_nnmicro":
        module = _native()
        if module is None:
            return "the firmware has no module _nnmicro, and none was pushed"
        if module.ABI != _ABI:
            return "module _nnmicro has ABI %d, this engine needs %d" % (module.ABI, _ABI)
    if name == "vector":
        try:
            __import__("ulab")
        except ImportError:
            try:
                __import__("numpy")
            except ImportError:
                return "neither ulab nor numpy is here"
        try:
            __import__("nnmicro.vector.array")
        except ImportError:
            return "nnmicro/vector is not installed here"
    return _no_viper() if name == "viper" else None


def _no_viper():
    """Why the kernels in viper cannot be used, or None: one of their modules is loaded to see whether it can be."""
    try:
        import micropython  # noqa: F401
    except ImportError:
        return "viper code runs on MicroPython only"
    try:
        __import__("nnmicro.viper.requantise")
    except ImportError:
        return "nnmicro/viper is not installed here"
    except (SyntaxError, ValueError) as error:
        return "this interpreter does not take the machine code of nnmicro/viper (%s)" % error
    return None


def usable(asked):
    """The backends that a layer is looked up in, in order."""
    if asked is not None:
        why = _missing(asked)
        if why:
            raise ValueError("backend %r cannot be used here: %s" % (asked, why))
        return (asked,)
    if _missing("_nnmicro") is None:
        return ("_nnmicro",)  # the others need not be loaded to see whether they can be
    return tuple(name for name in _BACKENDS if _missing(name) is None)


def choose(net, op_names):
    """Find the kernel of every kind of layer, from the best backend that has it; each layer is checked against its
    kind's own rules. Raises ValueError where the backend asked for cannot be used."""
    homes = usable(net.option.backend if net.option is not None else None)
    net.backend = homes[0]
    only_native = net.backend == "_nnmicro"
    if only_native:
        net.native = _native()
        net.native_kernels = kinds = array("h", bytes(2 * len(op_names)))
        for op in range(len(op_names)):
            kinds[op] = net.native.kernel(op_names[op])
    elif net.backend == "vector":
        from .call import as_array

        net.uses_arrays = True
        as_array(net, net.data, F32)
    kernels = [None] * len(op_names)
    for op in range(len(op_names)):
        if op_names[op] == "share":
            continue
        has_native = net.native is not None and net.native_kernels[op] >= 0
        run, reference = find(op_names[op], homes, has_native)
        if reference:
            _check_layers(net, op, reference)
        if not has_native:
            kernels[op] = run
            only_native = False
        elif only_native:
            run = reference = None
            forget("reference")
    if only_native:
        net._views.clear()  # the checks made them, where most of the heap was taken
        forget("call")
    else:
        net.view(F32)
        net.kernels = kernels


def find(name, homes, spare=False):
    """(run, reference module) of a layer kind: `run` from the first of `homes` that has it, else from the reference.

    `spare`: it may be missing (then both are None). A board whose native kernels do all the work, and check every
    call themselves, need not carry the reference.
    """
    reference = _module("reference", name)
    if reference is None and spare:
        return None, None
    if reference is None:
        from .errors import ModelError

        raise ModelError("the model needs layer %r, which this engine does not have: update nnmicro" % name)
    for home in homes:
        module = _module(home, name) if home != "_nnmicro" else None
        if module is not None:
            return module.run, reference
    return reference.run, reference


def _module(home, name):
    """The module of a layer kind in a backend, or None."""
    try:
        module = load(home + "." + name)
    except ImportError:
        return None
    return module if hasattr(module, "run") else None


def _check_layers(net, op, reference):
    """Check all layers of a kind by its own rules."""
    from .call import Call

    call = Call(net.words[_H_MAX_OPERANDS])
    for layer in range(net.n_layers):
        if net.words[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OP] == op:
            _check_layer(net, call, layer, reference)


def _check_layer(net, call, layer, reference):
    """Check a layer; the operands that it writes besides its output have to be states."""
    from .errors import ModelError

    w = net.words
    call.bind(net, layer, None, None)
    if net.steps_at:
        from .stepping import bind_state

        bind_state(call, net, layer)
    try:
        reference.check(call)
        first = net.at[_AT_OPERANDS] + w[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OPERANDS]
        for i in getattr(reference, "_STATES", ()):
            blob = w[first + i]
            if blob >= net.n_blobs or not w[net.blobs_at + blob * _BLOB_WORDS + _B_FLAGS] & _STATE:
                raise ModelError("input %d is written to, and is no state blob" % i)
    except ModelError as error:
        raise ModelError("layer %s: %s" % (net.layer_name(layer), error))


def python_kernel(net, layer):
    """The Python kernel of a layer; also the stand-in of a native one that cannot do it (too many operands)."""
    op = net.words[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OP]
    run = net.kernels[op] if net.kernels else None
    if run is None:
        run, reference = find(net.op_names[op], ())
        from .call import Call

        call = Call(net.words[_H_MAX_OPERANDS])
        _check_layer(net, call, layer, reference)
    return run
