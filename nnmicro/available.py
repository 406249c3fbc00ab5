"""Which backends can be used here. Loaded where one is asked for by name, or where there are no kernels in C."""

from .kernels import native
from .modules import load

# Best first. A layer that a backend does not have runs in `reference`, which has them all.
_BACKENDS = ("_nnmicro", "vector", "asm_thumb", "viper", "reference")
# What another one needs besides: its layers of an unusual form run there.
_ALSO = {"asm_thumb": "viper"}
# A SyntaxError where there is no assembler for Arm's Thumb.
ASSEMBLER = "import micropython\n@micropython.asm_thumb\ndef nothing(r0):\n mov(r0, 0)"


def backends():
    """Each backend's name and, where it cannot be used here, why not (else None), best first."""
    return tuple((name, _missing(name)) for name in _BACKENDS)


def check_name(backend):
    if backend not in _BACKENDS:
        raise ValueError("no backend is called %r; there are %s" % (backend, ", ".join(_BACKENDS)))


def usable(asked):
    """The backends that a layer is looked up in, in order. Raises ValueError where the one asked for cannot be used."""
    if asked is None:
        return tuple(name for name in _BACKENDS if _missing(name) is None)
    why = _missing(asked)
    if why:
        raise ValueError("backend %r cannot be used here: %s" % (asked, why))
    return (asked, _ALSO[asked]) if asked in _ALSO else (asked,)


def _missing(name):
    """Why a backend cannot be used, or None."""
    if name == "_nnmicro":
        return native()[1]
    if name == "vector":
        if not _is_there("ulab") and not _is_there("numpy"):
            return "neither ulab nor numpy is here"
        return _unloadable(name, "array")
    if name == "reference":
        return None
    if not _is_there("micropython"):
        return "%s code runs on MicroPython only" % name
    if name == "viper":
        return _unloadable(name, "requantise")
    # Its own compiler is asked first: an interpreter without an assembler would crash in what has been assembled.
    try:
        exec(ASSEMBLER, {})
    except SyntaxError:
        return "this interpreter has no assembler for Arm's Thumb"
    return _unloadable(name, "core")


def _is_there(module):
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def _unloadable(backend, module):
    """Why a module of a backend, which is tried here, cannot be loaded, or None."""
    try:
        load(backend + "." + module)
    except ImportError:
        return "nnmicro/%s is not installed here" % backend
    except (SyntaxError, ValueError) as error:
        return "this interpreter does not take the machine code of nnmicro/%s (%s)" % (backend, error)
    return None
