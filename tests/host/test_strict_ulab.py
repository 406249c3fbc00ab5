"""The stand-in for ulab is as strict as it says, and beside a real ulab it is that."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from tests.ulab import cases, device, strict

OUTCOME = """
def outcome(source):
    names = {"np": np}
    exec(SETUP, names)
    try:
        found = eval(source, names)
    except Exception as error:
        return ["raises"]
    return ["gives", plain(found)]

def plain(x):
    if hasattr(x, "dtype"):
        return [list(x.shape), x.dtype, plain(x.tolist())]
    if isinstance(x, (list, tuple)):
        return [plain(y) for y in x]
    if isinstance(x, (bytes, bytearray)):
        return list(x)
    if isinstance(x, bool) or isinstance(x, int):
        return int(x)
    if isinstance(x, float):
        return float(x) if x == x and x - x == 0 else str(x)
    return "something"
"""


def here(source: str) -> tuple[str, Any]:
    names: dict[str, Any] = {"np": strict.numpy_of_ulab, "SETUP": cases.SETUP}
    exec(OUTCOME, names)
    with np.errstate(all="ignore"):
        return names["outcome"](source)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (str, list)) or isinstance(b, (str, list)):
        return a == b
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-6)


def test_it_is_what_a_real_ulab_is():
    if device.lacking():
        pytest.skip(device.lacking())
    with device.open_device() as real:
        real.exec(f"import json\nfrom ulab import numpy as np\nSETUP = {cases.SETUP!r}\n{OUTCOME}")
        wrong = []
        for source in cases.EXPRESSIONS:
            there, ours = json.loads(real.exec(f"print(json.dumps(outcome({source!r})))")), here(source)
            if source in cases.REFUSED_HERE:
                fine = ours == ["raises"] and there != ["raises"]
            else:
                fine = same(there, ours)
            if not fine:
                wrong.append(f"{source}\n    ulab: {there}\n    here: {ours}")
        assert not wrong, "\n".join(wrong)
        names = set(json.loads(real.exec("print(json.dumps(dir(np)))"))) - {"__class__", "__dict__", "__name__"}
        assert names == strict.NAMES
        attributes = f"print(json.dumps([a for a in {sorted(strict.ATTRIBUTES)} if hasattr(np.zeros(2), a)]))"
        assert set(json.loads(real.exec(attributes))) == strict.ATTRIBUTES


@pytest.mark.parametrize("source", sorted(cases.REFUSED_HERE))
def test_what_is_wrong_in_ulab_is_refused(source: str):
    assert here(source) == ["raises"]


@pytest.mark.parametrize(
    "source",
    [
        "np.zeros((1, 2, 3))",
        "np.zeros((2, 3), np.int8)",
        "np.zeros(2, dtype=np.int32)",
        "np.float32",
        "np.matmul(A, B)",
        "np.concatenate([A, B])",
        "np.concatenate((A, B), 1)",
        "np.dot(A, 2)",
        "np.exp(A, B)",
        "np.maximum(A, B, out=A)",
        "after(lambda x: np.exp(A[:, :2], out=x[:, :2]), B)",
        "A @ B",
        "A.sum()",
        "A.astype(np.int8)",
        "A[[0, 1]]",
        "A[..., 0]",
        "A[None]",
    ],
)
def test_what_ulab_does_not_have_is_refused(source: str):
    assert here(source) == ["raises"]


def test_numpy_itself_cannot_be_used_on_its_arrays():
    x = strict.zeros((2, 3))
    for use in (np.sum, np.exp, lambda x: np.concatenate([x, x]), lambda x: np.add(x, 1), lambda x: x + np.zeros(3)):
        with pytest.raises(strict.NotInUlab):
            use(x)
