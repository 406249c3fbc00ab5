"""nnmicro repack"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from ..model_file import ModelFile
from ..packing import pack
from .core_option import CORE_HELP, Core, core_wanted, packing_notes
from .info import complete_board, packing_text
from .terminal import messages, mistakes_are_sentences, print_json, results, size_text, warn

NAME = "repack"
EXAMPLES = (
    "Examples: nnmicro repack kws.nnm --core cortex-m4    |    nnmicro repack kws.nnm -o kws_m4.nnm --board pyboard_v11"
    "    |    nnmicro repack kws.nnm --core generic"
)


def command(
    model: Annotated[Path, typer.Argument(help="A converted model, .nnm.", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write; default: MODEL itself.", show_default=False)
    ] = None,
    core: Annotated[
        Core | None,
        typer.Option("--core", help=CORE_HELP + " generic: weights that every core reads.", show_default=False),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            metavar="B",
            help="The core of this board (`nnmicro boards` lists them).",
            autocompletion=complete_board,
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Lay the weights of a converted model out for another core: for its own kernels, or generic, for any.

    A file that is packed for a core is refused where that core's kernels are not. Any packing can be made from any
    other, without the original model; the file is replaced at once, or not at all.
    """
    if core is None and board is None:
        raise typer.BadParameter("say for which: --core cortex-m4, --core generic, --board B", param_hint="--core")
    with mistakes_are_sentences():
        wanted = core_wanted(core, board)
        read = ModelFile.read(model)
        packed = pack(read.data, wanted)
        made = ModelFile(packed.data, read.name)
        target = out or model
        _replace(target, packed.data)
        notes = packing_notes(packed, wanted)
        for text in notes:
            warn(text)
        if as_json:
            print_json({**made.describe(), "warnings": notes})
        else:
            messages.print(f"wrote {target}")
            results.print(f"{'before':<12} {packing_text(read.describe())}, {size_text(len(read.data))}")
            results.print(f"{'now':<12} {packing_text(made.describe())}, {size_text(len(made.data))}")


def _replace(target: Path, data: bytes) -> None:
    """The whole new file under the name, or the old one: written beside it first. A link goes on to its file."""
    target = target.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    found = os.umask(0)
    os.umask(found)
    return found
