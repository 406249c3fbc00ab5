"""What the tensors of a TFLite file are called here: short, and each by a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

# TensorFlow's converter strings the names of everything that it fused into one; what was computed last comes first.
_FUSED = ";"


def tensor_names(stated: Sequence[str], constant: Sequence[bool]) -> list[str]:
    """A name for each tensor, in order, of the names that the file states ("" where it states none).

    Of names strung together a blob has the first, where no other blob has it, too; constants keep what they
    have. A name that is there twice gets a number.
    """
    firsts = ["" if fixed else name.split(_FUSED)[0] for name, fixed in zip(stated, constant, strict=True)]
    count = Counter(firsts)
    chosen = [
        first if first and count[first] == 1 else name or f"tensor {i}"
        for i, (first, name) in enumerate(zip(firsts, stated, strict=True))
    ]
    taken, unique = set(chosen), []
    used: set[str] = set()
    for name in chosen:
        free, n = name, 1
        while free in used or (free != name and free in taken):
            free, n = f"{name}#{n}", n + 1
        used.add(free)
        unique.append(free)
    return unique
