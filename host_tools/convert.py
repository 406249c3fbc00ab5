"""From a model file to an `.nnm` file: import, passes, order, layout, plan, write."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from . import __version__
from .graph import ConversionError, Graph
from .importers import load_model
from .layout import lower
from .order import choose_order
from .passes import run_passes
from .plan import make_plan
from .writer import write


@dataclass
class Options:
    """What the user may choose; the defaults are what most want."""

    input_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)  # cut the graph at these blobs
    zero_weights: bool = False
    fuse: bool = True
    names: bool = True
    labels: list[str] = field(default_factory=list)


def convert(model: Path, weights: Path | None = None, options: Options | None = None) -> bytes:
    """A model file converted. Raises ConversionError with everything that stands in the way, OSError for files."""
    options = options or Options()
    graph = load_model(
        model,
        weights,
        input_shapes=options.input_shapes or None,
        zero_weights=options.zero_weights,
        outputs=options.outputs or None,
    )
    graph.labels = list(options.labels)
    return to_nnm(graph, fuse=options.fuse, names=options.names)


def to_nnm(graph: Graph, *, fuse: bool = True, names: bool = True) -> bytes:
    """A graph as the bytes of an `.nnm` file. The graph is changed by the passes."""
    if not graph.inputs or not graph.outputs:
        raise ConversionError(f"the model {graph.name} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs")
    run_passes(graph, fuse=fuse)
    choose_order(graph)
    program = lower(graph)
    return write(program, make_plan(program), names=names, source=f"{graph.name}, by nnmicro {__version__}")
