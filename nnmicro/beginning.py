"""How work towards a blob begins: the reference for `nn_begin` of `firmware/native/begin.c`, and what that leaves to
Python. Loaded where there is no `_nnmicro`, and when a blob is asked for that is not next in the planned order."""

from .port import const

_BLOB_WORDS = const(16)
_B_PRODUCER = const(12)
_H_INPUTS = const(8)

_DONE = const(1)  # mark of a layer

# Marks of a blob
_GIVEN = const(1)  # an input that was given in this inference
_ASKED = const(2)  # the caller's own reference is counted in `left`


class Extractor:
    """A part of `extractor.Extractor`."""

    def _begin_in_python(self, blob):
        """The layer to run up to for a blob, or -1 where its elements are in memory. Counts the caller as a reader, and
        makes the layers that run those of the planned order where that can be followed, else finds them."""
        net = self.net
        mark = net.n_layers + blob
        there = self._has(blob)
        if not there and not (self.lightmode and self._marks[mark] & _ASKED and self._all_given()):
            self._search(blob)
        if not self._marks[mark] & _ASKED:
            self._marks[mark] |= _ASKED
            self._left[blob] += 1
        return -1 if there else self._producer(blob)

    def _producer(self, blob):
        return self.net.words[self.net.blobs_at + blob * _BLOB_WORDS + _B_PRODUCER]

    def _has(self, blob):
        """Whether a blob's elements are in memory."""
        producer = self._producer(blob)
        return self._slots[blob] >= 0 and (producer < 0 or self._marks[producer] & _DONE)

    def _all_given(self):
        """Whether no input that a counted layer reads is missing."""
        net = self.net
        for i in range(net.io_at, net.io_at + net.words[_H_INPUTS]):
            blob = net.words[i]
            if self._left[blob] and not self._marks[net.n_layers + blob] & _GIVEN:
                return False
        return True
