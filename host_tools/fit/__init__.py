"""Whether a model fits a board, and about how long it takes there: figures before anything is sent."""

from .verdict import Verdict, judge

__all__ = ["Verdict", "judge"]
