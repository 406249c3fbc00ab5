"""The numbers of the functions of one number that the engine's layer `unary` has, by their names there."""

from __future__ import annotations

from nnmicro.reference import unary

KINDS: dict[str, int] = {function.__name__: kind for kind, function in enumerate(unary._FUNCTIONS)}
