"""Puts the commands together; each has a file of its own."""

from __future__ import annotations

import typer

from . import (
    bench,
    boards,
    convert,
    demo,
    emulate,
    flash,
    info,
    ls,
    ops,
    plan,
    push,
    repack,
    report,
    rm,
    run,
    status,
    verify,
)

app = typer.Typer(
    help="Trained neural networks on microcontrollers that run MicroPython: convert a model, see what memory it needs, "
    "push it onto a board, run it there.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_MODULES = (
    convert, repack, ops, info, boards, plan, report, push, run, verify, bench, status, ls, rm, flash, emulate, demo,
)  # fmt: skip
for module in _MODULES:
    app.command(module.NAME, epilog=module.EXAMPLES)(module.command)


@app.callback()
def main(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", is_eager=True, callback=lambda v: _version(v)
    ),
) -> None:
    pass


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        print(f"nnmicro {__version__}")
        raise typer.Exit()
