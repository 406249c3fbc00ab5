# Prints what engine and what kernels a program on the device imports, as one tuple; leaves no module behind.
# Comments on lines of their own are not sent.


def _engine(kinds, files):
    import sys

    try:
        import os

        stat = os.stat
    except (ImportError, AttributeError):
        stat = None
    before = set(sys.modules)
    engine = kernels = None
    try:
        import nnmicro

        file = getattr(nnmicro, "__file__", "")
        on_files = True
        try:
            # A frozen module's name has no folder, and neither has that of one in the root.
            stat(file)
        except (OSError, TypeError):
            on_files = False
        try:
            from nnmicro.format import VERSION
        except ImportError:
            VERSION = None
        try:
            layers = __import__("nnmicro.reference", None, None, ("*",)).__path__
        except (ImportError, AttributeError):
            layers = None
        engine = (getattr(nnmicro, "__version__", "?"), file, on_files, VERSION, layers)
    # None, or none that works.
    except Exception:
        pass
    path = sys.path[:]
    try:
        if not files:
            # Only what is compiled in: a native module would be read into the heap.
            sys.path[:] = []
        import _nnmicro

        file = getattr(_nnmicro, "__file__", None)
        missing = [kind for kind in kinds if _nnmicro.kernel(kind) < 0]
        kernels = (_nnmicro.ABI, file, getattr(_nnmicro, "BUILD", ""), missing)
    except ImportError:
        pass
    except Exception as error:
        kernels = (-1, repr(error), "", [])
    sys.path[:] = path
    print(repr((engine, kernels)))
    for name in set(sys.modules) - before:
        del sys.modules[name]
