"""How much of MicroPython's heap a model takes, from its counts and constants that were measured (heap.toml).

`total` is the smallest free heap with which the model loads and runs: everything that is alive at the worst moment, and
the holes that the collector leaves. Objects are those of a 32-bit board; on one of 64 bits they are twice as large.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from ..model_file import ModelFile
from .tables import table

KINDS = ("frozen", "files")
_BLOCK = 16  # what the collector of a 32-bit board gives out memory in


@dataclass(frozen=True)
class Needs:
    """Bytes of heap. `net`: the loaded net, an extractor, and what loading takes for a moment; `weights`: the file,
    where it is not used in place. `arena`, `native` and `weights` each have to be in one piece."""

    engine: int
    native: int
    net: int
    arena: int
    workspace: int
    weights: int

    @property
    def total(self) -> int:
        return self.engine + self.native + self.net + self.arena + self.workspace + self.weights

    @property
    def pieces(self) -> list[int]:
        """What has to lie in one piece, largest first."""
        return sorted((self.arena, self.native, self.weights), reverse=True)


def needs(
    model: ModelFile, kind: str, *, mapped: bool, native: int = 0, outside: int = 0, word_bytes: int = 4
) -> Needs:
    """What a model needs with an engine of that kind: `frozen` in the firmware, or `files` in /lib, as .mpy.

    `mapped`: the file is used in place. `native`: bytes of native code in the heap. `outside`: bytes that the firmware
    keeps for an arena outside the heap.
    """
    constants = table("heap.toml")[kind]
    words = word_bytes // 4
    engine = constants["engine"] * words
    arena = 0 if model.net.arena_size <= outside else _blocks(model.net.arena_size)
    counted = counts(model, kind, one_by_one=kind == "frozen" or native > 0)
    net = round(sum(factor * count for factor, count in zip(constants["net"], counted, strict=True)))
    # Before the layers' kinds are checked the names are, all of them in one piece.
    net = max(net, constants["names"] + model.net.names_bytes)
    return Needs(
        engine=engine,
        native=_blocks(native),
        net=_blocks(max(0, net * words - engine)),
        arena=arena,
        workspace=0,  # no layer of this format version has any
        weights=0 if mapped else _blocks(len(model.data)),
    )


def counts(model: ModelFile, kind: str, one_by_one: bool = True) -> tuple[float, ...]:
    """What the heap depends on beside the pieces: a constant, bytes of modules that are there at a time, layers, and
    whether any are int8, whose checks import one another deeper than others' do.

    The modules are those that check a model's kinds of layers. `one_by_one`: the layers run in `_nnmicro`, so a kind's
    are forgotten before the next kind's are loaded, and the largest count; else those of all kinds stay.
    """
    sizes = table("heap.toml")[kind]["modules"]
    kinds = [set(closure(f"reference.{op}")) for op in model.net.op_names]
    together = kinds if one_by_one else [set().union(*kinds)]
    imported = max((sum(sizes.get(module, 0) for module in modules) for modules in together), default=0)
    integer = any("reference.checks_int8" in modules for modules in kinds)
    return 1.0, float(imported), float(model.net.n_layers), float(integer)


def native_bytes(model: ModelFile, module: str) -> int:
    """Bytes of the native module's code, of the family that the model needs, for an architecture."""
    integer = any(op.endswith("_int8") for op in model.net.op_names)
    others = any(model.layer_macs(i) for i in range(model.net.n_layers)) and not integer
    family = "float" if others else "int8" if integer else "all"
    return int(table("heap.toml")["native"][module][family])


def layer_kinds() -> list[str]:
    """The modules in the engine's `reference` folder: every kind of layer, and what they share."""
    folder = resources.files("nnmicro") / "reference"
    return sorted(file.name.removesuffix(".py") for file in folder.iterdir() if file.name.endswith(".py"))


@cache
def closure(module: str) -> tuple[str, ...]:
    """The engine's modules that importing one brings along, by their names below `nnmicro`, in the order in which they
    are done: what a module needs stands before it, itself last."""
    found: list[str] = []
    _collect(module, found, set())
    return tuple(found)


def _collect(name: str, found: list[str], seen: set[str]) -> None:
    source = None if name in seen else _source(name)
    seen.add(name)
    if source is None:
        return
    package = name.rpartition(".")[0]
    if package:
        _collect(package + ".__init__", found, seen)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level:
            home = ".".join(filter(None, (package if node.level == 1 else "", node.module)))
            for wanted in (home, *(f"{home}.{alias.name}" if home else alias.name for alias in node.names)):
                _collect(wanted, found, seen)
    found.append(name)


def _source(name: str) -> str | None:
    path: Any = resources.files("nnmicro")
    for part in name.split("."):
        path = path / part
    file = path.parent / f"{path.name}.py"
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _blocks(nbytes: int) -> int:
    return -(-nbytes // _BLOCK) * _BLOCK
