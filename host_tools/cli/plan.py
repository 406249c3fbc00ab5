"""nnmicro plan"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..layout import Program
from ..memory_map import memory_map
from ..model_file import ModelFile
from ..pictures import save
from ..pictures.panels import panels
from ..plan import Plan
from ..reader import read_plan, read_program
from ..streaming.blocks import Steps, streamed_plan
from ..streaming.convert import figures
from ..written_over import written_over
from .terminal import messages, mistakes_are_sentences, print_json, results, size_text

NAME = "plan"
EXAMPLES = "Examples: nnmicro plan digits.nnm    |    nnmicro plan digits.nnm --plot memory.html"


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="F", help="Draw it: memory.png, memory.svg or memory.html.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show which blob lies where in the arena while each layer runs."""
    with mistakes_are_sentences():
        read = ModelFile.read(model)
        program = read_program(read.net)
        plan = read_plan(program, read.net)
        by_steps = streamed_plan(read, program, plan)
        if plot:
            save(plot, f"{model.name}: memory of an inference", panels(program, plan, by_steps))
            messages.print(f"wrote {plot}")
        if as_json:
            print_json(describe(read, program, plan))
        else:
            show(read, program, plan, by_steps)


def describe(model: ModelFile, program: Program, plan: Plan) -> dict[str, Any]:
    """The object that `nnmicro plan --json` prints. Layers are counted from 0; -1 is before the first one.

    Of a streamed model `blobs` says where each lies in the streamed frame, and of how many rows.
    """
    end = len(program.layers) - 1
    streamed = model.streaming()
    smallest, fed = figures(program)
    net = model.net
    return {
        "size": net.arena_size,
        "live_peak": net.live_peak,
        "lower_bound": net.lower_bound,
        "optimal": net.optimal,
        "lightmode_off": plan.lightmode_off,
        "written_over": [
            {"layer": layer, "input": source.name, "output": output.name, "distance": source.inside}
            for layer, source, output in written_over(program)
        ],
        "streamed": streamed is not None,
        "streamed_size": smallest if streamed is None or streamed["fed"] else min(smallest, net.arena_size),
        "fed_size": min(fed, net.arena_size) if fed is not None and streamed and streamed["fed"] else fed,
        "order": [step.name for step in program.layers],
        "blobs": [
            {
                "name": blob.name,
                **(
                    streamed["blobs"][index]
                    if streamed
                    else {"offset": plan.blocks[plan.root[index]].offset + blob.inside, "bytes": blob.storage.nbytes}
                ),
                "first": blob.producer,
                "last": min(plan.last[index], end),
            }
            for index, blob in enumerate(program.blobs)
        ],
    }


def show(model: ModelFile, program: Program, plan: Plan, by_steps: Steps | None) -> None:
    """The map, and what is known about the arena, for a person."""
    if by_steps:
        results.print(memory_map(program, by_steps.plan, by_steps.names))
        results.print(f"{'':<10}its columns are steps: each makes some rows of a layer\n")
    results.print(memory_map(program, plan))
    if plan.optimal:
        said = "proven to be the smallest"
    else:
        gap = plan.size - plan.lower_bound
        said = f"at most {size_text(gap)} ({gap / plan.lower_bound:.1%}) above the smallest"
    results.print(f"\n{'arena':<12} {size_text(plan.size)}, {said}; live peak {size_text(plan.live_peak)}")
    ratio = plan.lightmode_off / plan.live_peak
    results.print(f"{'lightmode':<12} off: {size_text(plan.lightmode_off)} ({ratio:.2f} times)")
    for layer, source, _ in written_over(program):
        apart = size_text(source.inside)
        results.print(f"{'over':<12} {layer} writes over its input, which lies {apart} behind the output")
    streamed = model.streaming()
    if streamed:
        by_rows = f", {', '.join(map(str, streamed['fed']))} given by rows" if streamed["fed"] else ""
        results.print(
            f"{'streamed':<12} {size_text(model.net.arena_size)} in {streamed['calls']} kernel calls{by_rows}: "
            "that is how it runs: the first map; the second is for whole tensors"
        )
