"""nnmicro: trained neural networks on microcontrollers that run MicroPython.

net = nnmicro.Net("digits.nnm")             # load once, share
with net.extractor() as ex:                 # one for each inference
    ex.input("image", pixels)
    scores = ex.extract("scores")
    print(net.labels[scores.argmax()])
"""

from .modules import load as _load

__version__ = "0.1.0"

# Names are imported when they are first used: a board pays only for what it runs.
_HOMES = {
    "Arena": "arena",
    "Blob": "blob",
    "Net": "net",
    "Extractor": "extractor",
    "Option": "option",
    "backends": "available",
    "ArenaFull": "errors",
    "ModelError": "errors",
    "RecycledError": "errors",
    "StateError": "errors",
}


def __getattr__(name):
    home = _HOMES.get(name)
    if home is None:
        if name[0] != "_":
            # MicroPython asks here for a submodule too, before it looks for a file.
            try:
                return __import__("nnmicro." + name, None, None, ("*",))
            except ImportError:
                pass
        raise AttributeError("nnmicro has no %r" % name)
    value = getattr(_load(home), name)
    globals()[name] = value
    return value
