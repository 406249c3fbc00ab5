"""Parts of the engine that come and go: what is not in memory costs nothing. Loaded where one of these is called."""

import gc
import sys

from .port import allocate_lock

FREES = sys.implementation.name == "micropython"  # CPython keeps what it has: others hold on to these modules
FROZEN = FREES and __file__[0] != "/"  # the engine is part of the firmware
_lock = allocate_lock()  # a module that one thread is still loading is half there for another


def forget(name):
    """Give back the memory of a module of the engine, and of what lies below it; it can be imported again."""
    if not FREES:
        return
    path = "nnmicro." + name
    for module in [m for m in sys.modules if m == path or m.startswith(path + ".")]:
        del sys.modules[module]
    parent, last = path.rsplit(".", 1)
    parent = sys.modules.get(parent)
    # Not hasattr: the package would look for a module of that name.
    if parent and last in parent.__dict__:
        delattr(parent, last)
    gc.collect()  # now, so that what comes next and stays lies where this was, and leaves a large free block


def load(name):
    """A module of the engine."""
    _lock.acquire()
    try:
        return __import__("nnmicro." + name, None, None, ("*",))
    finally:
        _lock.release()


def complete(kind, home, name):
    """Give a class what is seldom used of it: the methods of the class of the same name in the module `home`.

    That module is loaded when an attribute `name`, which the class does not have, is first asked for. Raises
    AttributeError where it is not there either. Where those methods are properties and the class may be
    subclassed it has one from the start (`_rest = property()`): MicroPython adds none to one without any after that.
    """
    if name[:2] != "__":
        _lock.acquire()
        try:
            if name in kind.__dict__ or _complete(kind, home, name):
                return
        finally:
            _lock.release()
    raise AttributeError("%r of nnmicro has no attribute %r" % (kind.__name__, name))


def _complete(kind, home, name):
    """Whether the class has the attribute now."""
    module = __import__("nnmicro." + home, None, None, ("*",))
    rest = getattr(module, kind.__name__).__dict__
    for method in rest:
        if method[:2] != "__":
            setattr(kind, method, rest[method])
    if FREES:  # the methods stay, the class that brought them goes
        delattr(module, kind.__name__)
        del sys.modules["nnmicro." + home]
    return name in rest
