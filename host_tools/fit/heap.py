"""How much of MicroPython's heap a model takes, from its counts and constants that were measured (heap.toml).

`total` is the smallest free heap with which the model loads and runs. It could be too small at two moments: while the
layers are checked (`loading`), and when the arena is made (`running`). What stays lies below what loading takes for a
moment, so that the arena comes to lie where that was, and the larger of the two counts. Objects are those of a 32-bit
board; on one of 64 bits they are twice as large.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from nnmicro import Net

from ..model_file import ModelFile
from .tables import table

KINDS = ("frozen", "files")
_BLOCK = 16  # what the collector of a 32-bit board gives out memory in
_SPARE_BLOCKS = 8  # of an arena's table, see nnmicro/net.py
_TABLE_HEADER, _TABLE_RECORD = 5, 4  # words, see nnmicro/arena.py


@dataclass(frozen=True)
class Needs:
    """Bytes of heap. `net`: the loaded net, an extractor, and what loading takes for a moment and the arena does not
    take again; `weights`: the file, where it is not used in place. `arena`, `native` and `weights` each have to be in
    one piece."""

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
    in_c = kind == "frozen" or native > 0
    loading = (constants["loading"] + while_loading(model, kind, in_c)) * words
    running = (constants["running"] + while_running(model, kind, in_c)) * words
    return Needs(
        engine=engine,
        native=_blocks(native),
        net=_blocks(max(0, loading - arena - engine, running - engine)),
        arena=arena,
        workspace=0,  # no layer of this format version has any
        weights=0 if mapped else _blocks(len(model.data)),
    )


def while_loading(model: ModelFile, kind: str, in_c: bool = True) -> int:
    """Bytes, beside a constant, that a model takes while its layers are checked.

    `in_c`: the layers run in `_nnmicro`, which checks every call itself, and neither a push nor our firmware brings
    the code that checks one kind of layer. Else that of all kinds stays.
    """
    return _arrays(model.net) + (0 if in_c else _modules(model, kind))


def while_running(model: ModelFile, kind: str, in_c: bool = True) -> int:
    """Bytes, beside a constant and the arena, that a model takes when it runs."""
    net = model.net
    blobs, layers = net.n_blobs, net.n_layers
    own = _array(2 * blobs) * 2 + _blocks(layers + blobs)  # an extractor's slots, readers and marks
    own += _array(4 * (_TABLE_HEADER + _TABLE_RECORD * (net.max_blocks + _SPARE_BLOCKS)))
    return _arrays(net) + own + (0 if in_c else _modules(model, kind))


def _arrays(net: Net) -> int:
    """What a loaded net has for each blob and layer: readers and marks."""
    return _array(2 * net.n_blobs) + _blocks(net.n_layers + net.n_blobs)


def _array(nbytes: int) -> int:
    return _BLOCK + _blocks(nbytes)


def _modules(model: ModelFile, kind: str) -> int:
    """The modules of all of a model's kinds of layers, together."""
    sizes = table("heap.toml")[kind].get("modules", {})
    return sum(sizes.get(module, 0) for module in _checking(model))


def _checking(model: ModelFile) -> set[str]:
    """The modules that check a model's layers: of each kind its own, and what that imports of the same folder."""
    found = {module for op in model.net.op_names for module in closure(f"reference.{op}")}
    return {module for module in found if module.startswith("reference.")}


def native_bytes(model: ModelFile, module: str) -> int:
    """Bytes of the native module's code, of the family that the model needs, for an architecture."""
    integer = any(op.endswith("_int8") for op in model.net.op_names)
    others = any(model.layer_macs(i) for i in range(model.net.n_layers)) and not integer
    family = "float" if others else "int8" if integer else "all"
    return int(table("heap.toml")["native"][module][family])


def layer_kinds() -> list[str]:
    """The kinds of layers that the engine has."""
    folder = resources.files("nnmicro") / "reference"
    sources = {file.name.removesuffix(".py"): file.read_text(encoding="utf-8") for file in folder.iterdir()
               if file.name.endswith(".py")}  # fmt: skip
    return sorted(name for name, text in sources.items() if "\ndef run(call):" in text)


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
