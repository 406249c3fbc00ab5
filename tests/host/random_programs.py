"""Random programs for the planner: what reads what, sizes, sharing and work in place; nothing that is ever computed."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from host_tools.layout import Blob, Program, Step, plain
from nnmicro import format as f
from nnmicro.port import I8

ADD, POW = 0, 6
_PLAIN = [0, 0, 0]


@st.composite
def programs(draw: st.DrawFn, layers: int = 6) -> Program:
    """Up to so many layers, which read one or two of the blobs before them."""
    program = Program("random")

    def blob(units: int) -> int:
        program.blobs.append(Blob(f"b{len(program.blobs)}", (units * 16,), I8, plain(units * 16, 1)))
        return len(program.blobs) - 1

    sizes = st.integers(1, 6)
    program.inputs = [blob(draw(sizes)) for _ in range(draw(st.integers(1, 2)))]
    if draw(st.integers(0, 4)) == 0:
        program.states = [blob(draw(sizes))]
    for at in range(draw(st.integers(1, layers))):
        sources = st.integers(0, len(program.blobs) - 1)
        first = draw(sources)
        same = program.blobs[first].storage.nbytes // 16
        kind = draw(st.sampled_from(("share", "relu", "add", "pow", "copy", "join")))
        if kind == "share":
            step = Step("", "share", [first], blob(same), [], f.SHARE)
        elif kind == "relu":
            step = Step("", "activation", [first], blob(same), [1, 0, 0], f.IN_PLACE)
        elif kind in ("add", "pow"):
            step = Step("", "binary_op", [first, draw(sources)], blob(same), [ADD if kind == "add" else POW, *_PLAIN])
            step.flags = f.IN_PLACE
        else:
            inputs = [first] if kind == "copy" else [first, draw(sources)]
            step = Step("", "concat", inputs, blob(draw(sizes)), [0])
        if kind != "share":
            step.workspace = draw(st.sampled_from((0, 0, 0, 20)))
        step.name = f"layer{at}"
        program.blobs[step.output].producer = at
        program.layers.append(step)
    made = [step.output for step in program.layers]
    read = {blob for step in program.layers for blob in step.inputs}
    ends = [blob for blob in made if blob not in read]
    # At times a result that nobody reads is no output, either.
    program.outputs = sorted({*ends[draw(st.integers(0, 1)) :], *draw(st.sets(st.sampled_from(made), max_size=1))})
    return program


def all_orders(program: Program) -> Iterator[list[int]]:
    """Every order in which each layer comes after those that it reads."""
    n = len(program.blobs)
    needs = [{program.blobs[b].producer for b in step.inputs if b < n} - {-1} for step in program.layers]

    def extend(order: list[int]) -> Iterator[list[int]]:
        if len(order) == len(needs):
            yield order
        for layer in range(len(needs)):
            if layer not in order and needs[layer] <= set(order):
                yield from extend([*order, layer])

    return extend([])
