"""How a net runs: lightmode, the arena, and which kernels."""

from .port import const

# Best first. A layer that a backend does not have runs in `reference`, which has them all.
_BACKENDS = ("_nnmicro", "vector", "reference")

# What the engine asks of the native module; it counts up when a call changes its meaning.
_ABI = const(1)


class Option:
    """`lightmode`: give a blob's memory back when its last consumer has run (True), or keep every blob (False).
    `blob_arena`: the Arena that extractors use instead of the net's own frame.
    `backend`: a name from `backends()`, or None for the best there is.
    """

    def __init__(self, lightmode=True, blob_arena=None, backend=None):
        if backend is not None and backend not in _BACKENDS:
            raise ValueError("no backend is called %r; there are %s" % (backend, ", ".join(_BACKENDS)))
        self.lightmode = lightmode
        self.blob_arena = blob_arena
        self.backend = backend


def backends():
    """Each backend's name and, where it cannot be used here, why not (else None), best first."""
    return tuple((name, _missing(name)) for name in _BACKENDS)


def native():
    """The native module `_nnmicro`, or None."""
    try:
        import _nnmicro
    except ImportError:
        return None
    return _nnmicro


def _missing(name):
    if name == "_nnmicro":
        module = native()
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
    return None


def chosen(option):
    """The backends to look a layer up in, in order. Raises ValueError where the one asked for cannot be used."""
    if option.backend is None:
        return tuple(name for name in _BACKENDS if _missing(name) is None)
    why = _missing(option.backend)
    if why:
        raise ValueError("backend %r cannot be used here: %s" % (option.backend, why))
    return (option.backend, "reference") if option.backend != "reference" else ("reference",)
