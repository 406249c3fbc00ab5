"""One page about a converted model: its graph, its memory over time, what its layers cost, which boards it fits."""

from .page import page

__all__ = ["page"]
