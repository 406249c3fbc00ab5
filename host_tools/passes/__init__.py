"""Changes to the graph that leave its outputs as they are: fewer layers, fewer blobs.

A pass is one function in one file and one row of `PASSES`. What it removes it records in `Graph.fused`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple

from host_tools.graph import Graph
from host_tools.passes.activations import fuse_activations
from host_tools.passes.affine import fold_affine
from host_tools.passes.constant_channels import settle_constant_channels
from host_tools.passes.dead import drop_dead_constants, drop_dead_layers
from host_tools.passes.flattening import read_maps
from host_tools.passes.identities import remove_identities
from host_tools.passes.moves import merge_moves
from host_tools.passes.padding import fuse_padding
from host_tools.passes.quantised_inputs import quantise_inputs


class Pass(NamedTuple):
    run: Callable[[Graph, frozenset[str]], None]  # the second argument: blobs that must stay
    removes_blobs: bool


# In this order: an identity between two layers hides that they can be fused, and an affine layer between a
# convolution and its activation has to go first.
PASSES = (
    Pass(drop_dead_layers, removes_blobs=True),
    Pass(remove_identities, removes_blobs=True),
    Pass(merge_moves, removes_blobs=True),
    Pass(remove_identities, removes_blobs=True),  # what two that undo each other became
    Pass(fuse_padding, removes_blobs=True),
    Pass(fold_affine, removes_blobs=True),
    Pass(fuse_activations, removes_blobs=True),
    Pass(read_maps, removes_blobs=True),
    Pass(settle_constant_channels, removes_blobs=False),
    Pass(drop_dead_constants, removes_blobs=False),
)


def run_passes(
    graph: Graph, *, fuse: bool = True, keep: Collection[str] = frozenset(), integer_inputs: bool = False
) -> None:
    """Changes `graph` in place. With `fuse` False every blob of the source stays.

    integer_inputs: take inputs as integers where the network quantises them first.
    keep: blobs that stay whatever could be gained; the graph's inputs and outputs always do.
    """
    protected = frozenset(keep).union(graph.inputs, graph.outputs)
    for step in PASSES:
        if fuse or not step.removes_blobs:
            step.run(graph, protected)
    if integer_inputs:
        quantise_inputs(graph, protected)
