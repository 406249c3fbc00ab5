"""Plans for running row by row: played on a memory that knows whose every byte is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from host_tools.graph import Graph
from host_tools.layout import lower
from host_tools.order import choose_order
from host_tools.streaming.lifetimes import lives_of
from host_tools.streaming.placement import Placer, lower_bound
from host_tools.streaming.rings import Arrangement
from host_tools.streaming.rows import RowModel, row_model
from host_tools.streaming.schedule import MANY
from host_tools.streaming.search import Choice, Search, cut_candidates
from host_tools.streaming.simulate import BadPlan, Place, simulate
from tests.models.row_networks import row_networks


@st.composite
def choices(draw: st.DrawFn, model: RowModel) -> Choice:
    cuts = draw(st.sets(st.sampled_from(cut_candidates(model)), max_size=2)) if cut_candidates(model) else set()
    each = {index: draw(st.sampled_from((1, 2, 3, MANY))) for index in range(len(model.work)) if draw(st.booleans())}
    return Choice(tuple(sorted(cuts)), draw(st.sampled_from((1, 2, MANY))), tuple(sorted(each.items())))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_choice_becomes_a_plan_that_keeps_every_row(data: st.DataObject) -> None:
    graph: Graph = data.draw(row_networks())
    program = lower(graph)
    choose_order(program)
    fed = data.draw(st.sets(st.sampled_from(range(len(program.inputs)))))
    model = row_model(program, fed)
    search = Search(model)
    choice = data.draw(choices(model))
    steps = search.steps(choice)
    arrangement = Arrangement(lives_of(model, steps))
    for numbers in [[0] * len(arrangement.choices), [len(choices) - 1 for choices in arrangement.choices]]:
        items = arrangement.items(numbers)
        placer = Placer(items)
        size, offsets = placer.quick()
        places = places_of(items, offsets)
        assert size >= lower_bound(items)
        assert all(offset % 16 == 0 for offset in offsets)
        simulate(model, steps, places, size)
        # The proof can fail: a frame one row short, or one row less in a ring.
        ringed = [tensor for tensor, place in places.items() if 1 < place.rows < model.tensors[tensor].rows]
        for tensor in ringed:
            smaller = {**places, tensor: replace(places[tensor], rows=places[tensor].rows - 1)}
            if numbers == [0] * len(numbers):
                with pytest.raises(BadPlan):
                    simulate(model, steps, smaller, size)


def places_of(items, offsets):  # type: ignore[no-untyped-def]
    return {
        member.tensor: Place(offset, member.rows, member.phase)
        for item, offset in zip(items, offsets, strict=True)
        for member in item.members
    }
