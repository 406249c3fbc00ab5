"""What the SVDF layers share: the sizes of their operands, and the step of a filter's memory."""

from ..errors import ModelError
from . import checks


def check(call, layer, rank_index):
    """Refuse operands (x, state, feature, time, perhaps bias) that do not fit together; parameter `rank_index`."""
    x = call.input(0)
    state = call.input(1)
    out = call.output()
    if x.c != 1 or x.h != 1 or out.c != 1 or out.h != 1:
        raise ModelError(
            "%s: x is %d x %d x %d and the output %d x %d x %d; one row each is expected"
            % (layer, x.c, x.h, x.w, out.c, out.h, out.w)
        )
    rank = checks.within(call, layer, rank_index, "rank", 1)
    filters = out.w * rank
    if state.w % filters:
        raise ModelError("%s: a state of %d elements for %d filters" % (layer, state.w, filters))
    # These counts also bound the rank, and so the work for an element.
    checks.constant(call, layer, 1, "state", state.w)
    checks.constant(call, layer, 2, "feature", filters * x.w)
    checks.constant(call, layer, 3, "time", state.w)
    if call.n_in == 5:
        checks.constant(call, layer, 4, "bias", out.w)


def shift(data, s, memory):
    """Forget the oldest of the `memory` elements from index `s` on; the last place is left for the new one."""
    for k in range(s, s + memory - 1):
        data[k] = data[k + 1]
