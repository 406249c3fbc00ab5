"""The boards that nnmicro knows: one folder each, with its profile in board.toml (the keys: README.md)."""

from .profile import Board, BoardError, Firmware, load, names

__all__ = ["Board", "BoardError", "Firmware", "load", "names"]
