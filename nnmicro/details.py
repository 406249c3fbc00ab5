"""What a model file says about itself: names, shapes, quantisation, labels, sizes.

Loaded when a net is first asked for one of these; an inference alone asks for none.
"""

from .modules import complete, load
from .port import const
from .sections import section, text_at, texts

_F32 = const(1)
_LAYER_WORDS = const(12)
_L_NAME = const(7)
_B_SHAPE = const(11)
_B_PRODUCER = const(12)
_B_QUANT = const(13)
_B_NAME = const(15)
_Q_SCALES = const(2)
_H_INPUTS = const(8)
_H_OUTPUTS = const(9)
_H_PLAN_FLAGS = const(17)
_PLAN_OPTIMAL = const(1)
_SHAPES = const(5)
_OPS = const(7)
_LABELS = const(10)
_QUANTISATION = const(12)

# Numbers in the header, by word
_NUMBERS = {
    "n_inputs": 8, "n_outputs": 9, "arena_size": 11, "live_peak": 12, "lower_bound": 13, "lightmode_off_size": 14,
    "max_operands": 15, "max_blocks": 16,
}  # fmt: skip
# The same of a streamed model: words of its steps
_STREAMED = {"arena_size": 0, "live_peak": 1, "lower_bound": 1}
# Entries of `net.at`
_PLACES = {"layers_at": 1, "operands_at": 2, "params_at": 3, "weights_at": 4, "n_records": 6}
# Sections: where they start, and how long they are, in bytes and in words
_STARTS = {"names_at": 8}
_LENGTHS = {"names_bytes": 8, "weights_bytes": 11}
_FIRST_WORDS = {"fused_at": 9}
_WORD_COUNTS = {"fused_words": 9, "preprocessing_words": 13}


def look_up(net, name):
    """An attribute that a net does not have by itself."""
    if name in _STREAMED and net.steps_at:
        return net.words[net.steps_at + _STREAMED[name]]
    if name in _NUMBERS:
        return net.words[_NUMBERS[name]]
    if name in _PLACES:
        return net.at[_PLACES[name]]
    for table, part, size in ((_STARTS, 0, 1), (_LENGTHS, 1, 1), (_FIRST_WORDS, 0, 4), (_WORD_COUNTS, 1, 4)):
        if name in table:
            return section(net.words, table[name])[part] // size
    complete(type(net), "details", name)
    return getattr(net, name)


class Net:
    """The rest of `net.Net`."""

    @property
    def inputs(self):
        """Names of the inputs (indices where names were stripped)."""
        return self._declared(0, self.words[_H_INPUTS])

    @property
    def outputs(self):
        """Names of the declared outputs (indices where names were stripped)."""
        return self._declared(self.words[_H_INPUTS], self.words[_H_OUTPUTS])

    def _declared(self, first, count):
        first += self.io_at
        return tuple([self.name(self.words[i]) for i in range(first, first + count)])

    @property
    def labels(self):
        """What the classes are called, a tuple of texts; empty where the file does not say."""
        return texts(self.data, section(self.words, _LABELS), "labels")

    @property
    def op_names(self):
        """The kinds of layers."""
        return texts(self.data, section(self.words, _OPS), "ops")

    @property
    def optimal(self):
        """Whether `arena_size` is proven to be the smallest."""
        if self.steps_at:
            return self.arena_size == self.lower_bound
        return bool(self.words[_H_PLAN_FLAGS] & _PLAN_OPTIMAL)

    def shape(self, blob):
        """A blob's shape as the source has it, by index or name."""
        return self.shape_at(self.index(blob))

    def shape_at(self, record):
        """The shape of a blob or constant by its number among the records."""
        w = self.words
        r = self.record(record)
        first = section(w, _SHAPES)[0] // 4 + w[r + _B_SHAPE]
        return tuple(w[first + i] for i in range(w[r] >> 8 & 0xFF))

    def quantisation(self, blob):
        """(scale, zero point) of an integer blob, by index or name: q stands for scale * (q - zero point); or None."""
        w = self.words
        at = w[self.record(self.index(blob)) + _B_QUANT]
        if at < 0:
            return None
        at += section(w, _QUANTISATION)[0] // 4
        return self.view(_F32)[at + _Q_SCALES], w[at + _Q_SCALES + 1]

    def name(self, blob):
        """A blob's name, or its index where names were stripped."""
        at = self.words[self.record(blob) + _B_NAME]
        if at < 0 or not self.names_bytes:
            return blob
        return text_at(self, at)

    def layer_name(self, layer):
        at = self.words[self.layers_at + layer * _LAYER_WORDS + _L_NAME]
        return text_at(self, at) if at >= 0 and self.names_bytes else str(layer)

    def producer(self, blob):
        """The layer that computes a blob; -1 for an input."""
        return self.words[self.record(blob) + _B_PRODUCER]

    @property
    def weights_from(self):
        """Where an inference has its weights from: "place", the file itself; "memory"; "window", see `Option`."""
        return "window" if self.window else "place" if self.mapped else "memory"

    def close(self):
        """Close the file that weights are read from: nothing can be run any more. Other nets have nothing to close."""
        if self.window:
            self.window.close()

    def check_weights(self):
        """Compare the weights with their checksum (done at push and in self-tests, not at every load)."""
        load("check.sections").check_lazy(self)

    def selftest(self):
        """Run the file's golden vectors and compare the outputs with what the original model gave; how many there are.

        Takes the net's own memory for the time. Raises ModelError, naming output and vector, where one differs, and
        for damaged weights and a file without golden vectors.
        """
        return load("selftest").run(self)

    def _find(self, blob):
        """The index of a blob that is neither input nor output."""
        if isinstance(blob, int):
            if 0 <= blob < self.n_blobs:
                return blob
            raise KeyError("blob %d: this model has blobs 0 to %d" % (blob, self.n_blobs - 1))
        return load("names").find(self, blob)

    def _refuse_frame(self):
        from .errors import StateError

        raise StateError(
            "the net's own memory is in use by another extractor: close that one, or give this one memory of its own "
            "with arena=Arena(%d)" % self.arena_size
        )
