"""Where the network's nodes are drawn: downwards in the order of their dependence, side by side where they branch."""

from __future__ import annotations

from typing import Any

from ..layout import Program
from ..pictures.panels import short

INPUT = "input"


def nodes_and_edges(program: Program) -> dict[str, Any]:
    """`nodes`: name, op, shape, level (0: inputs), lane; `edges`: pairs of nodes. Constants are left out."""
    node_of: dict[int, int] = {}  # by blob
    nodes: list[dict[str, Any]] = []
    edges: list[tuple[int, int]] = []
    for blob in [*program.inputs, *program.states]:
        node_of[blob] = len(nodes)
        nodes.append({"name": program.blobs[blob].name, "op": INPUT, "shape": list(program.blobs[blob].shape)})
    levels = [0] * len(nodes)
    for index, layer in enumerate(program.layers):
        sources = [node_of[blob] for blob in layer.inputs if blob in node_of]
        level = 1 + max((levels[source] for source in sources), default=0)
        edges += [(source, len(nodes)) for source in dict.fromkeys(sources)]
        node_of[layer.output] = len(nodes)
        levels.append(level)
        nodes.append(
            {
                "name": short(layer.name),
                "op": layer.op,
                "shape": list(program.blobs[layer.output].shape),
                "layer": index,
                "output": layer.output in program.outputs,
            }
        )
    lanes: dict[int, int] = {}  # nodes of a level so far
    for node, level in zip(nodes, levels, strict=True):
        node["level"], node["lane"] = level, lanes.get(level, 0)
        lanes[level] = node["lane"] + 1
    return {"nodes": nodes, "edges": edges}
