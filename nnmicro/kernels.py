"""Which kernels are here, and which of them a net's layers run in. Loaded with a model, and by the interpreter."""

from array import array

from .modules import forget, load
from .port import const

# What the engine asks of the native module; it counts up when a call changes its meaning.
_F32 = const(1)
_ABI = const(5)

_LAYER_WORDS = const(12)
_L_OP = const(0)

_AT_LAYERS = const(1)  # of a net's places


def native():
    """The module `_nnmicro` and why it cannot be used here, each None where that is so."""
    try:
        import _nnmicro
    except ImportError:
        return None, "the firmware has no module _nnmicro, and none was pushed"
    if _nnmicro.ABI != _ABI:
        return _nnmicro, "module _nnmicro has ABI %d, this engine needs %d" % (_nnmicro.ABI, _ABI)
    return _nnmicro, None


def choose(net, op_names):
    """Find the kernel of every kind of layer, from the best backend that has it; each layer is checked against its
    kind's own rules. Raises ValueError where the backend asked for cannot be used."""
    backend = net.option.backend if net.option is not None else None
    if backend is None and not native()[1]:
        homes = ("_nnmicro",)  # the others need not be loaded to see whether they can be
    else:
        from .available import usable

        homes = usable(backend)
    net.backend = homes[0]
    only_native = net.backend == "_nnmicro"
    if only_native:
        net.native = native()[0]
        net.native_kernels = kinds = array("h", bytes(2 * len(op_names)))
        for op in range(len(op_names)):
            kinds[op] = net.native.kernel(op_names[op])
    elif net.backend == "vector":
        from .call import as_array

        net.uses_arrays = True
        as_array(net, net.data, _F32)
    kernels = [None] * len(op_names)
    for op in range(len(op_names)):
        if op_names[op] == "share":
            continue
        has_native = net.native is not None and net.native_kernels[op] >= 0
        run, reference = find(op_names[op], homes, has_native)
        if reference:
            from .rules import check_layers

            check_layers(net, op, reference)
        if not has_native:
            kernels[op] = run
            only_native = False
        elif only_native:
            run = reference = None
            forget("reference")
    if only_native:
        net._views.clear()  # the checks made them, where most of the heap was taken
        for module in ("rules", "call"):
            forget(module)
    else:
        net.view(_F32)
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
        from .errors import no_layer

        no_layer(name)
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


def python_kernel(net, layer):
    """The Python kernel of a layer; also the stand-in of a native one that cannot do it (too many operands)."""
    op = net.words[net.at[_AT_LAYERS] + layer * _LAYER_WORDS + _L_OP]
    run = net.kernels[op] if net.kernels else None
    if run is None:
        name = net.op_names[op]
        run, reference = find(name, (), net.native is not None)
        if run is None:
            from .errors import no_layer

            no_layer(name, net.layer_name(layer))
        from .rules import check_layer

        check_layer(net, layer, reference)
    return run
