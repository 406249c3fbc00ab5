"""ONNX's own backend tests: every node case all of whose operators are claimed gives what ONNX says it does.

Or it is refused, which says why. `python -m tests.host.test_onnx_backend` writes the table of both.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest

import nnmicro
from host_tools.convert import to_nnm
from host_tools.graph import ConversionError
from host_tools.importers import load_model
from host_tools.importers.onnx.operators import TABLE
from host_tools.importers.refusals import INPUTS
from tests.models.onnx_backend import Case, node_cases

pytestmark = pytest.mark.slow

PAGE = Path(__file__).resolve().parents[2] / "host_tools" / "importers" / "ONNX.md"
CLAIMED = set(TABLE) | {"Constant", "ConstantOfShape", "Range", "Shape", "Size"}  # the latter where they are constant
TOLERANCE = 1e-4  # of the largest element
HEAD = """# ONNX's backend tests

Of the `onnx` package's node cases those all of whose operators the importer claims, with float32 inputs. Shapes, axes,
and the weights that every model has as constants are made constants. Each case gives ONNX's result, within the case's
tolerance or 1e-4 of its largest element, or is refused with one of the reasons below. Written by
`python -m tests.host.test_onnx_backend`; a test fails where it is stale.

"""


@dataclass
class Outcome:
    name: str
    operators: frozenset[str]
    refusal: str = ""
    failure: str = ""
    reasons: list[str] = field(default_factory=list)


def outcome_of(case: Case, folder: Path) -> Outcome:
    path = folder / "case.onnx"
    onnx.save(case.model, path)
    outcome = Outcome(case.name, case.operators)
    try:
        content = to_nnm(load_model(path))
    except ConversionError as refusal:
        outcome.refusal = str(refusal)
        layers = outcome.refusal.partition("What helps:")[0].splitlines()
        lines = [line.strip().partition(INPUTS)[0] for line in layers if line.startswith("  ")]
        outcome.reasons = lines or [outcome.refusal.removeprefix("case.onnx: ")]
        return outcome
    net = nnmicro.Net(content, nnmicro.Option(backend="reference"))
    with net.extractor() as ex:
        for name, values in case.inputs.items():
            if name in net.inputs:
                ex.input(name, values)
        for name, expected in case.outputs.items():
            blob = ex.extract(name)
            found = np.frombuffer(blob.tobytes(), blob.dtype).reshape(blob.shape)
            outcome.failure = outcome.failure or difference(case, name, found, expected)
    return outcome


def difference(case: Case, name: str, found: np.ndarray, expected: np.ndarray) -> str:
    if found.shape != expected.shape:
        return f"{name} has shape {found.shape}, expected {expected.shape}"
    a, b = found.astype(np.float64), expected.astype(np.float64)
    finite = np.isfinite(b)
    if not np.array_equal(a[~finite], b[~finite], equal_nan=True):
        return f"{name} has other infinities, or numbers that are none"
    if np.allclose(a[finite], b[finite], rtol=case.rtol, atol=case.atol):
        return ""
    worst = np.abs(a[finite] - b[finite]).max(initial=0.0)
    return "" if worst <= TOLERANCE * np.abs(b[finite]).max(initial=0.0) else f"{name} differs by {worst}"


@cache
def outcomes() -> list[Outcome]:
    with TemporaryDirectory() as folder:
        return [outcome_of(case, Path(folder)) for case in node_cases() if case.operators <= CLAIMED]


def test_no_case_fails() -> None:
    assert not [f"{outcome.name}: {outcome.failure}" for outcome in outcomes() if outcome.failure]
    assert sum(not outcome.refusal for outcome in outcomes()) > 400


def test_every_refusal_names_the_layer_or_the_blob() -> None:
    for outcome in outcomes():
        for reason in outcome.reasons:
            first = reason.split()[0]
            assert first in outcome.operators or first == "tensor" or "put '" in reason, outcome.refusal


def test_the_table_is_what_the_cases_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"{PAGE.name} is stale: python -m tests.host.test_onnx_backend"


def page() -> str:
    cases, refused = Counter[str](), Counter[str]()
    reasons: dict[str, list[str]] = defaultdict(list)
    for outcome in outcomes():
        cases.update(outcome.operators)
        if outcome.refusal:
            refused.update(outcome.operators)
            reasons["; ".join(outcome.reasons)].append(outcome.name)
    total, kept_out = len(outcomes()), sum(bool(outcome.refusal) for outcome in outcomes())
    lines = [f"{total} cases: {total - kept_out} pass, {kept_out} are refused, none fails.", ""]
    lines += ["| operator | cases | pass | refused |", "|---|---|---|---|"]
    for op in sorted(TABLE):
        lines.append(f"| {op} | {cases[op]} | {cases[op] - refused[op]} | {refused[op]} |")
    lines += ["", "## Refused", ""]
    for reason in sorted(reasons):
        names = ", ".join(f"`{name}`" for name in reasons[reason])
        lines.append(f"- {reason}: {names}")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    PAGE.write_text(page(), encoding="utf-8")
