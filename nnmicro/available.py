"""Which backends can be used here. Loaded where one is asked for by name, or where there are no kernels in C."""

from .kernels import native

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
        return _no_vector()
    if name == "asm_thumb":
        return _no_asm_thumb()
    return _no_viper() if name == "viper" else None


def _no_vector():
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


def _no_asm_thumb():
    """Its own compiler is asked first: an interpreter without an assembler would crash in what has been assembled."""
    try:
        import micropython  # noqa: F401
    except ImportError:
        return "code in assembler runs on MicroPython only"
    try:
        exec(ASSEMBLER, {})
    except SyntaxError:
        return "this interpreter has no assembler for Arm's Thumb"
    try:
        __import__("nnmicro.asm_thumb.core")
    except ImportError:
        return "nnmicro/asm_thumb is not installed here"
    except (SyntaxError, ValueError) as error:
        return "this interpreter does not take the machine code of nnmicro/asm_thumb (%s)" % error
    return None


def _no_viper():
    """One of its modules is loaded to see whether it can be."""
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
