"""Golden vectors: inputs, and the outputs that the original model's own runtime gave for them, kept in the model file.

Imported when a self-test is asked for. The vectors are read where they lie, element by element.

The section: the number of vectors, then for each vector the elements of every input and of every declared output, in
the source's order without padding, each tensor followed by zeros up to a multiple of 4 bytes.
"""

from .check.sections import check_lazy
from .errors import ModelError
from .modules import load
from .port import ITEM_BYTES, const, typed
from .sections import section

_F32 = const(1)
_I32 = const(5)
_GOLDEN = const(14)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)

TOLERANCE = 1e-4  # of a float output: the largest difference allowed, relative to the largest expected value


def run(net):
    """Compare every vector; how many there are. Raises ModelError at the first output that differs."""
    vectors = Vectors(net)
    with net.extractor() as ex:
        for vector in range(vectors.count):
            for name, worst, allowed in vectors.differences(ex, vector):
                if not worst <= allowed:
                    raise ModelError(
                        "golden vector %d, output %s: it differs by %s from what the original model gave, at most %s "
                        "is allowed" % (vector, name, worst, allowed)
                    )
    return vectors.count


class Vectors:
    """The golden vectors of a net. Raises ModelError for damaged weights, and where there are no vectors."""

    def __init__(self, net):
        check_lazy(net)
        self._net = net
        w = net.words
        start, nbytes = section(w, _GOLDEN)
        if not start:
            raise ModelError("the file has no golden vectors: convert the model with --golden 3")
        self._first = start + 4
        nbytes -= 4
        self._each = 0
        for i in range(net.n_inputs + net.n_outputs):
            self._each += self._padded(w[net.io_at + i])
        self.count = typed(self._bytes_at(start, 4), _I32, 4)[0] if nbytes >= 0 else 0
        if self.count < 1 or self.count * self._each != nbytes:
            raise ModelError(
                "section golden has %d bytes, which are not %d vectors of %d" % (nbytes, self.count, self._each)
            )

    def _elements(self, blob):
        w = self._net.words
        r = self._net.record(blob)
        return w[r + _B_C] * w[r + _B_H] * w[r + _B_W]

    def _padded(self, blob):
        return (self._elements(blob) * ITEM_BYTES[self._net.words[self._net.record(blob)] & 0xFF] + 3) // 4 * 4

    def _bytes_at(self, at, nbytes):
        """Bytes of the file: where they lie, or where they are not in memory, a copy."""
        net = self._net
        return net.window.copy(at, nbytes) if net.window else net.data[at : at + nbytes]

    def differences(self, ex, vector):
        """Run one vector: for each output its name, its largest difference and the largest that is allowed."""
        net = self._net
        w = net.words
        at = self._first + vector * self._each
        ex.reset_state()
        for i in range(net.n_inputs):
            blob = w[net.io_at + i]
            item = ITEM_BYTES[w[net.record(blob)] & 0xFF]
            self._give(ex, blob, self._bytes_at(at, self._elements(blob) * item))
            at += self._padded(blob)
        found = []
        for i in range(net.n_inputs, net.n_inputs + net.n_outputs):
            blob = w[net.io_at + i]
            worst, allowed = self._compare(ex.extract(blob), w[net.record(blob)] & 0xFF, at)
            found.append((net.name(blob), worst, allowed))
            at += self._padded(blob)
        return found

    def _give(self, ex, blob, elements):
        """Give an input, whole or by rows, as the extractor takes it."""
        if hasattr(ex, "is_fed") and ex.is_fed(blob):
            load("feeding").feed_all(ex, blob, elements, True)
        else:
            ex.input_view(blob).assign_bytes(elements)

    def _compare(self, blob, dtype, at):
        """The largest difference between a blob and the expected elements at byte `at`, and what is allowed."""
        nbytes = len(blob) * ITEM_BYTES[dtype]
        held = self._bytes_at(at, nbytes)  # a view does not keep them
        expected = typed(held, dtype, nbytes)
        worst = top = 0
        for i in range(len(blob)):
            right = expected[i]
            if not abs(right) <= 3.4e38:
                raise ModelError("a golden vector expects %s of output %s, which no output can be" % (right, blob.name))
            difference = abs(blob[i] - right)
            if difference > worst or difference != difference:  # NaN, once found, stays
                worst = difference
            if abs(right) > top:
                top = abs(right)
        return worst, TOLERANCE * top if dtype == _F32 else 0
