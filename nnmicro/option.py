"""How a net runs: lightmode, the arena, and which kernels."""


class Option:
    """`lightmode`: give a blob's memory back when its last consumer has run (True), or keep every blob (False).
    `blob_arena`: the Arena that extractors use instead of the net's own frame.
    `backend`: a name from `backends()`, or None for the best there is.
    `weights`: "memory" reads a file whole, "window" leaves its weights in it and reads each layer's before the layer
    runs; None: whole where file and arena fit into free memory. What is used in place (ROMFS, a buffer) stays so.
    `window`: most bytes of weights to have in memory at a time, 0 for those of the largest layer; implies "window".
    """

    def __init__(self, lightmode=True, blob_arena=None, backend=None, weights=None, window=0):
        if weights not in (None, "memory", "window") or window < 0 or (window and weights == "memory"):
            raise ValueError(
                "weights=%r with window=%r: weights is None, 'memory' or 'window', a window has bytes"
                % (weights, window)
            )
        if backend is not None:
            from .available import check_name

            check_name(backend)
        self.lightmode = lightmode
        self.blob_arena = blob_arena
        self.backend = backend
        self.weights = "window" if window else weights
        self.window = window
