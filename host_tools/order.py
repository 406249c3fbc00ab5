"""The order in which layers run: the one with the lowest live peak among the source's own and depth-first ones."""

from __future__ import annotations

from .graph import Graph, Layer
from .layout import lower
from .plan import lifetimes


def choose_order(graph: Graph) -> None:
    """Put the graph's layers into the best order found; the source's own where nothing is better."""
    candidates = [graph.layers, depth_first(graph, reverse=False), depth_first(graph, reverse=True)]
    best: list[Layer] = candidates[0]
    lowest = -1
    for layers in candidates:
        graph.layers = layers
        peak = lifetimes(lower(graph)).live_peak
        if lowest < 0 or peak < lowest:
            best, lowest = layers, peak
    graph.layers = best


def depth_first(graph: Graph, reverse: bool) -> list[Layer]:
    """Layers in the order in which resolving the outputs depth first would run them; operands from last to first with
    `reverse`."""
    producers = graph.producers()
    ordered: list[Layer] = []
    done: set[int] = set()
    stack: list[tuple[Layer, bool]] = [
        (producers[name], False) for name in reversed(graph.outputs) if name in producers
    ]
    while stack:
        layer, ready = stack.pop()
        if id(layer) in done:
            continue
        if ready:
            done.add(id(layer))
            ordered.append(layer)
            continue
        stack.append((layer, True))
        operands = layer.inputs if reverse else layer.inputs[::-1]
        stack.extend((producers[name], False) for name in operands if name in producers)
    return ordered
