"""From a model file to an `.nnm` file: import, passes, order, layout, plan, write, pack for a core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nnmicro import format as f

from . import __version__, golden, preprocessing
from .golden import Golden, Vector, make_vectors
from .graph import ConversionError, Graph
from .importers import load_model
from .layout import lower
from .packing import GENERIC, Packed, pack
from .passes import run_passes
from .planner import plan_memory
from .preprocessing import Preprocessing
from .streaming.convert import Streaming, streamed
from .writer import write


@dataclass
class Options:
    """What the user may choose; the defaults are what most want."""

    input_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)  # cut the graph at these blobs
    zero_weights: bool = False
    fuse: bool = True
    integer_inputs: bool = False  # where the network quantises an input first, take it quantised
    names: bool = True
    labels: list[str] = field(default_factory=list)
    preprocessing: dict[str, Preprocessing] = field(default_factory=dict)  # by input; "" is the only one
    golden: Golden | None = None
    stream: Streaming | None = None  # None: whole tensors
    core: str = GENERIC  # weights are packed for its kernels


def convert(
    model: Path,
    weights: Path | None = None,
    options: Options | None = None,
    done: Callable[[], None] | None = None,
) -> bytes:
    """A model file converted; `done` is called after each golden vector.

    Raises ConversionError with everything that stands in the way, OSError for files.
    """
    return convert_and_pack(model, weights, options, done).data


def convert_and_pack(
    model: Path,
    weights: Path | None = None,
    options: Options | None = None,
    done: Callable[[], None] | None = None,
) -> Packed:
    """As `convert`, with what packing says beside the file."""
    options = options or Options()
    graph = load_model(
        model,
        weights,
        input_shapes=options.input_shapes or None,
        zero_weights=options.zero_weights,
        outputs=options.outputs or None,
    )
    graph.labels = list(options.labels)
    wanted = {_the_input(graph, name): given for name, given in options.preprocessing.items()}
    if options.golden is not None and options.zero_weights:
        raise ConversionError("golden vectors need the model's own weights: leave out --zero-weights or --golden")
    vectors = make_vectors(model, weights, graph, options.golden, done) if options.golden is not None else []
    data = to_nnm(
        graph,
        fuse=options.fuse,
        integer_inputs=options.integer_inputs,
        names=options.names,
        inputs=wanted,
        vectors=vectors,
        stream=options.stream,
    )
    return pack(data, options.core)


def _the_input(graph: Graph, name: str) -> str:
    """The only input for the empty name."""
    if name:
        return name
    if len(graph.inputs) != 1:
        raise ConversionError(f"say for which input the mean and scale are, as in --mean {graph.inputs[0]}=127.5")
    return graph.inputs[0]


def to_nnm(
    graph: Graph,
    *,
    fuse: bool = True,
    integer_inputs: bool = False,
    names: bool = True,
    inputs: Mapping[str, Preprocessing] | None = None,
    vectors: list[Vector] | None = None,
    stream: Streaming | None = None,
) -> bytes:
    """A graph, preprocessing and golden vectors as the bytes of an `.nnm` file. The graph is changed by the passes."""
    if not graph.inputs or not graph.outputs:
        raise ConversionError(f"the model {graph.name} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs")
    run_passes(graph, fuse=fuse, integer_inputs=integer_inputs)
    program = lower(graph)
    plan, steps = streamed(program, stream) if stream else (plan_memory(program), None)
    extras = []
    if steps:
        extras.append((f.STEPS, steps))
    if inputs:
        extras.append((f.PREPROCESSING | f.OPTIONAL, preprocessing.section(program, inputs)))
    if vectors:
        extras.append((f.GOLDEN | f.LAZY | f.OPTIONAL, golden.section(program, vectors)))
    source = f"{graph.name}, by nnmicro {__version__}"
    return write(program, plan, names=names, source=source, extras=extras)
