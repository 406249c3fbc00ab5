"""How a net runs: lightmode, the arena, and which kernels."""


class Option:
    """`lightmode`: give a blob's memory back when its last consumer has run (True), or keep every blob (False).
    `blob_arena`: the Arena that extractors use instead of the net's own frame.
    `backend`: a name from `backends()`, or None for the best there is.
    """

    def __init__(self, lightmode=True, blob_arena=None, backend=None):
        if backend is not None:
            from .kernels import check_name

            check_name(backend)
        self.lightmode = lightmode
        self.blob_arena = blob_arena
        self.backend = backend
