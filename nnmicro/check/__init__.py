"""Everything that is checked when a model file is loaded, before any of it runs.

The file is hostile until this has passed: every size, offset, index, count and stride, the order of the layers, and
the memory plan. What a layer's parameters mean is checked by the layer's own kernel module. One part after the other
is loaded, run and forgotten, for together they are larger than all that stays: a board that has room for an inference
has room for these.
"""

from ..modules import FROZEN, forget, load
from ..port import const, typed

_I32 = const(5)
_BLOB_WORDS = const(16)
_LAYER_WORDS = const(12)
_L_OPERANDS = const(2)
_L_INPUTS = const(3)
_MOST = const((1 << 30) - 1)  # of sizes and offsets: more would be an object on a 32-bit board's heap
_PIECE = const(256)  # bytes of text


class Model:
    """What is known of a file while it is checked. The parts fill in where things are and how many there are.

    blobs_at layers_at operands_at params_at shapes_at io_at names_at names_bytes fused_at fused_words weights_at
    weights_bytes quantisation_at preprocessing_at preprocessing_words steps_at steps_words: word indices into `words`,
    bytes for names and weights. n_blobs n_records n_layers n_inputs n_outputs n_operands n_params n_shapes
    n_quantisation n_states n_views n_over
    max_operands max_blocks arena_size op_names consumers
    """

    preprocessing_at = 0
    steps_at = 0
    n_views = 0
    n_over = 0
    window = None  # as a Net's

    def __init__(self, data, size=None):
        self.data = data
        self.size = len(data) if size is None else size  # of the file, all of which `data` need not be
        self.words = self.view(_I32)

    def view(self, dtype):
        """The whole file as an indexable of an element type."""
        return typed(self.data, dtype, len(self.data) // 4 * 4)

    def record(self, blob):
        """Index in `words` of a blob's record."""
        return self.blobs_at + blob * _BLOB_WORDS

    def layer(self, layer):
        """The same of a layer's."""
        return self.layers_at + layer * _LAYER_WORDS

    def operands(self, layer):
        """Indices in `words` of a layer's first input and of its output, which follows the last input."""
        r = self.layer(layer)
        first = self.operands_at + self.words[r + _L_OPERANDS]
        return first, first + self.words[r + _L_INPUTS]


def checked(data, size=None):
    """The Model of a file's bytes, or of its first ones where it has `size`: all but its lazy sections then.

    Raises ModelError saying what is wrong, and where.
    """
    model = Model(data, size)
    for part in ("header", "sections", "blobs", "layers", "views", "over", "plan"):
        if part == "views" and not model.n_views or part == "over" and not model.n_over:
            continue
        load("check." + part).check(model)
        forget("check." + part)
        if part == "sections" and FROZEN:
            load("early").load(model)
            forget("early")
    if model.steps_at:
        load("check.steps").check(model)
        forget("check.steps")
    if model.preprocessing_at:
        from ..preprocessing import check

        check(model)
    return model


def fail(text, *values):
    from ..errors import ModelError  # not loaded for a file that is right

    raise ModelError(text % values if values else text)


def check_name(model, offset, whose):
    if offset != -1 and not 0 <= offset < (model.names_bytes or _MOST):
        fail("%s: its name is at %d, outside the names", whose, offset)


def check_text(model, start, nbytes, section):
    """Refuse a section that is not UTF-8. Looked at in pieces: the names of a large model are kilobytes."""
    data = model.data
    end = start + nbytes
    while start < end:
        stop = min(start + _PIECE, end)
        while start < stop < end and data[stop] & 0xC0 == 0x80:  # not inside a character
            stop -= 1
        try:
            str(bytes(data[start:stop]), "utf-8")
        except (UnicodeError, ValueError):
            stop = start
        if stop == start:
            fail("section %s is not UTF-8", section)
        start = stop
