"""The steps of a streamed model: what they touch lies inside the frame, rows come in order, the outputs are made."""

from array import array

from ..port import ITEM_BYTES, const
from . import fail

_BLOB_WORDS = const(16)
_B_BYTES = const(2)
_B_C = const(3)
_B_H = const(4)
_B_W = const(5)
_B_CSTEP = const(6)
_B_RSTEP = const(7)
_B_PSTEP = const(8)
_B_PRODUCER = const(12)
_L_FLAGS = const(1)
_SHARE = const(1)
_ALIGNMENT = const(16)
_T_FRAME = const(0)
_T_LIVE_PEAK = const(1)
_T_STEPS = const(2)
_T_FED = const(3)
_STEPS_HEADER_WORDS = const(4)
_PLACE_WORDS = const(3)
_STATE_WORDS = const(2)
_STEP_WORDS = const(3)
_MOST = const((1 << 30) - 1)


def check(model):
    w = model.words
    at = model.steps_at
    places = at + _STEPS_HEADER_WORDS
    states = places + _PLACE_WORDS * model.n_blobs
    steps = states + _STATE_WORDS * model.n_layers
    left = model.steps_words - (steps - at)
    count = left // _STEP_WORDS
    if left < 0 or left % _STEP_WORDS or w[at + _T_STEPS] != count:
        fail("section steps has %d words, which do not fit its steps and this model", model.steps_words)
    frame = w[at + _T_FRAME]
    if not 0 <= frame <= _MOST or frame % _ALIGNMENT or not 0 <= w[at + _T_LIVE_PEAK] <= frame:
        fail("a streamed frame of %d bytes, of which %d are live", frame, w[at + _T_LIVE_PEAK])
    if not 0 <= w[at + _T_FED] < 1 << min(model.n_inputs, 30):
        fail("inputs 0x%x are fed, of %d", w[at + _T_FED], model.n_inputs)
    for blob in range(model.n_blobs):
        _place(model, blob, places + _PLACE_WORDS * blob, frame)
    for layer in range(model.n_layers):
        start, nbytes = w[states + _STATE_WORDS * layer], w[states + _STATE_WORDS * layer + 1]
        if (start, nbytes) != (-1, 0) and (
            start < 0 or start % _ALIGNMENT or nbytes < 1 or nbytes > frame or start > frame - nbytes
        ):
            fail("layer %d: its state of %d bytes at %d is outside the streamed frame", layer, nbytes, start)
    _order(model, places, states, steps, count)


def _place(model, blob, at, frame):
    """A blob lies inside the frame, whole or as a ring of rows that lie one after the other."""
    w = model.words
    r = model.record(blob)
    start, rows, phase = w[at], w[at + 1], w[at + 2]
    height, step = w[r + _B_H], w[r + _B_RSTEP]
    if not 0 < rows <= height or not 0 <= phase < rows or (rows == height and phase):
        fail("blob %d: streamed with %d of %d rows and phase %d", blob, rows, height, phase)
    nbytes = w[r + _B_BYTES]
    if rows < height:
        item = ITEM_BYTES[w[r] & 0xFF]
        row = (w[r + _B_C] - 1) * w[r + _B_CSTEP] + (w[r + _B_W] - 1) * w[r + _B_PSTEP] + item
        if row > step:
            fail("blob %d: a row has %d bytes, %d bytes before the next: no ring can hold it", blob, row, step)
        nbytes = rows * step
    if start < 0 or start % _ALIGNMENT or nbytes > frame or start > frame - nbytes:
        fail("blob %d: streamed at %d, outside the %d bytes of the frame", blob, start, frame)


def _order(model, places, states, steps, count):
    """Rows come in order, and no more of them at a time than there is memory for; every output is complete."""
    w = model.words
    fed = w[model.steps_at + _T_FED]
    done = array("i", bytes(4 * (model.n_layers + model.n_inputs)))
    for i in range(count):
        at = steps + _STEP_WORDS * i
        layer, first, rows = w[at], w[at + 1], w[at + 2]
        if layer < 0:
            number = -1 - layer
            if number >= model.n_inputs or not fed >> number & 1:
                fail("step %d takes rows of input %d, which is not fed", i, number)
            blob = w[model.io_at + number]
            height = w[model.record(blob) + _B_H]
            index = model.n_layers + number
        else:
            if layer >= model.n_layers or w[model.layer(layer) + _L_FLAGS] & _SHARE:
                fail("step %d is of layer %d, which has no work", i, layer)
            index = layer
            first_input, output = model.operands(layer)
            source, blob = w[first_input], w[output]
            if w[states + _STATE_WORDS * layer + 1]:
                if source >= model.n_blobs:
                    fail("layer %d reduces a constant", layer)
                blob = source
            height = w[model.record(blob) + _B_H]
        if first != done[index] or rows < 1 or rows > height - first or rows > w[places + _PLACE_WORDS * blob + 1]:
            fail("step %d: %d rows from %d on, after %d of %d", i, rows, first, done[index], height)
        done[index] += rows
    for i in range(model.n_outputs):
        blob = output = w[model.io_at + model.n_inputs + i]
        producer = w[model.record(blob) + _B_PRODUCER]
        while producer >= 0 and w[model.layer(producer) + _L_FLAGS] & _SHARE:
            blob = w[model.operands(producer)[0]]
            producer = w[model.record(blob) + _B_PRODUCER]
        if producer >= 0:
            if w[states + _STATE_WORDS * producer + 1]:
                blob = w[model.operands(producer)[0]]
            if done[producer] != w[model.record(blob) + _B_H]:
                fail("the steps make %d rows for output blob %d", done[producer], output)
        if w[places + _PLACE_WORDS * output + 1] != w[model.record(output) + _B_H]:
            fail("output blob %d is in a ring", output)
