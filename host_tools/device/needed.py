"""Which modules of the engine a model needs on a device: found in the engine's own sources, never listed by hand."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection
from typing import TYPE_CHECKING

from host_tools.device.engine_files import sources
from nnmicro import format as f

if TYPE_CHECKING:
    from nnmicro import Net

ONLY_IN_FIRMWARE = "early"
# Loaded for what an inference does not do, or for files that ask for it.
_STREAMED = ("streaming", "feeding", "stepping")
IN_ASSEMBLER = "asm_thumb.layers"
_OPTIONAL = {"selftest", "format", "preprocessing", ONLY_IN_FIRMWARE, "vector.array", IN_ASSEMBLER, *_STREAMED}


def needed_modules(
    net: Net, backend: str, native: Collection[str] = (), kinds: Collection[str] | None = None
) -> list[str]:
    """Names for `push_engine(modules=…)`, sorted: the engine without its self-test, and the layers of this model.

    `backend` is a folder of the engine with layers (`vector`, …), `reference` or `_nnmicro`; `native` names the kinds
    of layers that the device's `_nnmicro` has, for which no Python is needed; `kinds` those of the file that is sent,
    where they are not the net's (a packed one's). Raises ValueError for a layer that the engine does not have.
    """
    wanted = set(closure("net"))
    if net.preprocess is not None:
        wanted |= set(closure("preprocessing"))
    if net.steps_at:
        wanted.update(*(closure(name) for name in _STREAMED))
    if backend == "asm_thumb":
        wanted |= set(closure(IN_ASSEMBLER))
    for op in net.op_names if kinds is None else kinds:
        if op == "share" or (backend == "_nnmicro" and op in native):
            continue
        if f"reference.{op}" not in modules():
            raise ValueError(f"the engine has no layer {op}")
        wanted |= set(closure(f"reference.{op}"))
        if f"{backend}.{op}" in modules():
            wanted |= set(closure(f"{backend}.{op}"))
    if not any(net.words[net.record(blob) + f.B_OWNER] for blob in range(net.n_blobs)):
        wanted.discard("check.views")
    if not any(net.words[net.layers_at + layer * f.LAYER_WORDS + f.L_FLAGS] & f.OVER for layer in range(net.n_layers)):
        wanted.discard("check.over")
    wanted |= set(closure("option")) | set(closure("format"))  # which says what files this engine reads
    return sorted(name for name in wanted if not modules()[name][1])  # packages come along with what is in them


def layers_of(backend: str) -> frozenset[str]:
    """The kinds of layers that a backend in Python has."""
    reference = {name for name in modules() if name.startswith("reference.")}
    names = {name.partition(".")[2] for name in reference}
    return frozenset(name for name in names if f"{backend}.{name}" in modules())


@functools.cache
def closure(start: str) -> tuple[str, ...]:
    """A module, and all that it imports, directly or not; an optional one only where it is the start."""
    found, waiting = {start}, [start]
    while waiting:
        module = waiting.pop()
        for name in _imports(module) - found:
            inside = "." in name and name.split(".")[0] == module.split(".")[0]
            if inside or name not in _OPTIONAL:
                found.add(name)
                waiting.append(name)
    return tuple(found)


def _imports(module: str) -> set[str]:
    """The engine's modules that a module imports, or names in a string."""
    text, is_package = modules()[module]
    parts = module.split(".") if module else []
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            up = node.level - 1 if is_package else node.level
            base = parts[: len(parts) - up]
            inside = [*base, *(node.module.split(".") if node.module else [])]
            names.add(".".join(inside))
            names |= {".".join([*inside, alias.name]) for alias in node.names}
        # What is loaded by a name in a string: `complete(Blob, "elements", …)`, the parts of the check.
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= {node.value, ".".join([*parts, node.value])} if is_package else {node.value}
    return names & modules().keys() - {""}


@functools.cache
def modules() -> dict[str, tuple[str, bool]]:
    """Source, and whether it is a package's, of every module that devices have, by its name below the package."""
    found = {}
    for path, content in sources(None).items():
        *folders, file = path.split("/")
        is_package = file == "__init__.py"
        name = ".".join(folders if is_package else [*folders, file.removesuffix(".py")])
        found[name] = (content.decode(), is_package)
    return found
