"""What each source format's importer takes, read from the tables that the importers themselves go by."""

from __future__ import annotations

from dataclasses import dataclass

TITLES = {"onnx": "ONNX", "tflite": "TFLite", "ncnn": "ncnn"}


HEAD = """# Operators

What each source format's importer takes: as layers in float32, as layers in int8, and computed while converting (then
it costs nothing on the device). ONNX's other operators are computed while converting, too, where all that they need is
known then. An operator that is here may still be refused for what it is asked to do; the message says why, for all
layers at once. Written by `nnmicro ops --markdown`; a test fails where it is stale.
"""


_REGISTRY = """Each of those above is compared with the `ncnn` package on random parameters, shapes and weights
(`tests/host/test_ncnn_layers.py`), those in int8 also in int8 (`tests/host/test_ncnn_int8.py`); that the two lists
together are its registry is a test, too.
"""


@dataclass(frozen=True)
class Operator:
    """One operator of one format: in which types it becomes layers, and whether it is computed while converting."""

    name: str
    float32: bool
    int8: bool
    constant: bool  # also where all it needs is known before the first input: then it costs nothing on the device


def operators() -> dict[str, list[Operator]]:
    """For each source format its operators, sorted by name."""
    return {"onnx": _onnx(), "tflite": _tflite(), "ncnn": _ncnn()}


def _onnx() -> list[Operator]:
    """Of those that are only computed while converting the ones that shapes are made with: others go as well."""
    from host_tools.importers.onnx.conversion import CROSSING, SHAPE_OPERATORS
    from host_tools.importers.onnx.operators import TABLE
    from host_tools.importers.onnx.quantised.qoperators import OPERATORS as INTEGER
    from host_tools.importers.onnx.quantised.table import TABLE as QUANTISED

    int8 = {*QUANTISED, *CROSSING, *INTEGER}
    return [
        Operator(name, name in TABLE or name in CROSSING, name in int8, name not in INTEGER)
        for name in sorted({*TABLE, *int8, *SHAPE_OPERATORS, "Constant"})
    ]


def _tflite() -> list[Operator]:
    from host_tools.importers.tflite.folding import FOLDERS
    from host_tools.importers.tflite.operators import FLOAT_ONLY, TABLE

    return [
        Operator(name, name in TABLE, name in TABLE and name not in FLOAT_ONLY, name in FOLDERS)
        for name in sorted({*TABLE, *FOLDERS})
    ]


def _ncnn() -> list[Operator]:
    from host_tools.importers.ncnn.operators import TABLE
    from host_tools.importers.ncnn.operators.quantised import KINDS

    return [Operator(name, True, name in KINDS, False) for name in sorted([*TABLE, "Input"])]


def markdown() -> str:
    """The documentation's page."""
    lines = HEAD.splitlines()
    for name, known in operators().items():
        layers = sum(operator.float32 or operator.int8 for operator in known)
        lines += ["", f"## {TITLES[name]}: {layers} operators as layers", ""]
        lines += ["| operator | float32 | int8 | while converting |", "|---|---|---|---|"]
        for operator in known:
            marks = [mark(value) for value in (operator.float32, operator.int8, operator.constant)]
            lines.append(f"| {' | '.join([operator.name, *marks])} |")
    lines += _not_imported()
    return "\n".join(lines) + "\n"


def _not_imported() -> list[str]:
    """What of ncnn's registry is not above."""
    from host_tools.importers.ncnn.registry import NOT_IMPORTED

    count = len(NOT_IMPORTED) + len(_ncnn())
    lines = ["", f"## ncnn: the others of the {count} layers of its registry", ""]
    lines += [*_REGISTRY.splitlines(), "", "| layer | why it is not imported |", "|---|---|"]
    return lines + [f"| {name} | {reason} |" for name, reason in sorted(NOT_IMPORTED.items())]


def mark(value: bool) -> str:
    return "yes" if value else ""
