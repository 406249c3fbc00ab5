"""Loads what an inference needs while a model's file is still being checked. Of an engine in the firmware only: from
files all of that is large, and would be there beside the checks."""

import gc

from . import modules


def load(model):
    """What an inference of this model needs, before what is needed for a moment only: below that in the heap. Then the
    arena, which is made last and in one piece, can lie where that was.
    """
    for name in ("errors", "arena", "blob", "streaming" if model.steps_at else "extractor"):
        modules.load(name)
        gc.collect()  # what importing left behind
    _make_room(model.op_names)


def _make_room(kinds):
    """Import and forget what checks the layers: the interpreter keeps the names of modules, in tables that have to grow
    for them, here and not when these checks have taken most of the heap."""
    try:
        import _nnmicro  # noqa: F401
    except ImportError:
        return  # then all of it stays
    for name in ("kernels", "rules", "call"):
        modules.load(name)
    for kind in kinds:
        try:
            modules.load("reference." + kind)
        except ImportError:
            pass  # a push leaves them out
        modules.forget("reference")
    for name in ("kernels", "rules", "call"):
        modules.forget(name)
