"""The blocks of an arena: taking, sharing, giving back, and how many bytes that makes.

Every change of the table is a run of plain assignments with no call or jump inside, so that an interrupt (Ctrl-C) falls
before or after it; `slots` lets the caller's own record change in the same run. `firmware/native/arena.c` does the same
over the same table, step by step. Loaded when `Arena` (see `arena.py`) is first asked for something of this.
"""

from array import array

from .errors import ArenaFull
from .port import const

_ALIGN = const(16)

# The table: a header, then one record for each block, live or not.
_USED = const(0)
_PEAK = const(1)
_FIRST = const(2)  # live block with the lowest offset, or -1
_SPARE = const(3)  # unused record, or -1
_LIVE = const(4)
_HEADER = const(5)

_OFFSET = const(0)
_BYTES = const(1)
_REFS = const(2)
_NEXT = const(3)  # next live block by offset, or next unused record; -1 at the end
_RECORD = const(4)

_nowhere = array("h", b"\0\0")  # for a caller who keeps no record


class Arena:
    """The rest of `arena.Arena`."""

    # What is in it

    @property
    def used(self):
        """Bytes in live blocks now."""
        return self.table[_USED]

    @property
    def live_peak(self):
        """The most bytes that were in live blocks since the arena was made or `reset_peak()`."""
        return self.table[_PEAK]

    @property
    def live(self):
        """Number of live blocks."""
        return self.table[_LIVE]

    @property
    def largest_free(self):
        """Bytes of the largest free range."""
        return self._widest()[0]

    def reset_peak(self):
        self.table[_PEAK] = self.table[_USED]

    def nbytes(self, block):
        return self.table[_HEADER + block * _RECORD + _BYTES]

    def refs(self, block):
        """How many references a block has; 0 for one that is not live."""
        return self.table[_HEADER + block * _RECORD + _REFS]

    def gap(self, nbytes):
        """Offset of the lowest free range of at least `nbytes`, or 0 where there is none."""
        t = self.table
        at = 0
        block = t[_FIRST]
        while block >= 0:
            r = _HEADER + block * _RECORD
            if t[r + _OFFSET] - at >= nbytes:
                return at
            at = t[r + _OFFSET] + t[r + _BYTES]
            block = t[r + _NEXT]
        return at if self.size - at >= nbytes else 0

    # Taking and giving back

    def alloc(self, nbytes, hint=-1, high=False, slots=None, slot=0):
        """A new block of at least `nbytes` with one reference; returns its number.

        It lies at offset `hint` where that range is free, else in the lowest free range that is large enough, or with
        `high` at the upper end of the highest. With `slots`, `slots[slot]` becomes the block's number at the same
        moment. Raises ArenaFull (and changes nothing) where it does not fit.
        """
        if slots is None:
            slots, slot = _nowhere, 0
        if nbytes < 0:
            raise ValueError("a block of %d bytes" % nbytes)
        need = (nbytes + _ALIGN - 1) // _ALIGN * _ALIGN or _ALIGN
        t = self.table
        self.lock.acquire()
        try:
            new = t[_SPARE]
            if new < 0:
                raise ArenaFull("all %d blocks of the arena are live: make it with more (blocks=)" % t[_LIVE])
            found = before = -1
            wanted = hint >= 0 and hint % _ALIGN == 0
            while True:
                at = 0
                previous = -1
                block = t[_FIRST]
                while True:
                    if block >= 0:
                        r = _HEADER + block * _RECORD
                        end = t[r + _OFFSET]
                    else:
                        end = self.size
                    if wanted:
                        if at <= hint and hint + need <= end:
                            found, before = hint, previous
                            break
                    elif end - at >= need:
                        found, before = (end - need if high else at), previous
                        if not high:
                            break
                    if block < 0:
                        break
                    at = end + t[r + _BYTES]
                    previous = block
                    block = t[r + _NEXT]
                if found >= 0 or not wanted:
                    break
                wanted = False
            if found < 0:
                raise ArenaFull(
                    "%d bytes asked, %d of %d free, the largest free range has %d, live peak %d"
                    % (need, self.size - t[_USED], self.size, self._widest()[0], t[_PEAK])
                )
            r = _HEADER + new * _RECORD
            link = _FIRST if before < 0 else _HEADER + before * _RECORD + _NEXT
            used = t[_USED] + need
            peak = used if used > t[_PEAK] else t[_PEAK]
            t[_SPARE] = t[r + _NEXT]
            t[r + _OFFSET] = found
            t[r + _BYTES] = need
            t[r + _REFS] = 1
            t[r + _NEXT] = t[link]
            t[link] = new
            t[_USED] = used
            t[_PEAK] = peak
            t[_LIVE] += 1
            slots[slot] = new
        finally:
            self.lock.release()
        return new

    def retain(self, block, slots=None, slot=0):
        """One more reference to a live block; with `slots`, `slots[slot]` becomes its number at the same moment."""
        if slots is None:
            slots, slot = _nowhere, 0
        r = _HEADER + block * _RECORD + _REFS
        self.lock.acquire()
        try:
            if block < 0 or self.table[r] < 1:
                raise ValueError("block %d is not live" % block)
            self.table[r] += 1
            slots[slot] = block
        finally:
            self.lock.release()

    def release(self, block, slots=None, slot=0):
        """One reference less; the last one frees the block. With `slots`, `slots[slot]` becomes -1 at that moment."""
        if slots is None:
            slots, slot = _nowhere, 0
        t = self.table
        r = _HEADER + block * _RECORD
        self.lock.acquire()
        try:
            if block < 0 or t[r + _REFS] < 1:
                raise ValueError("block %d is not live" % block)
            if t[r + _REFS] > 1:
                t[r + _REFS] -= 1
                slots[slot] = -1
            else:
                link = _FIRST
                while t[link] != block:
                    link = _HEADER + t[link] * _RECORD + _NEXT
                t[r + _REFS] = 0
                t[link] = t[r + _NEXT]
                t[r + _NEXT] = t[_SPARE]
                t[_SPARE] = block
                t[_USED] -= t[r + _BYTES]
                t[_LIVE] -= 1
                slots[slot] = -1
        finally:
            self.lock.release()

    def _widest(self):
        """(bytes, offset) of the largest free range; the caller may hold the lock."""
        t = self.table
        at = best = where = 0
        block = t[_FIRST]
        while True:
            end = t[_HEADER + block * _RECORD + _OFFSET] if block >= 0 else self.size
            if end - at > best:
                best, where = end - at, at
            if block < 0:
                return best, where
            at = end + t[_HEADER + block * _RECORD + _BYTES]
            block = t[_HEADER + block * _RECORD + _NEXT]
