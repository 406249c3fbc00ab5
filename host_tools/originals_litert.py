"""Runs a TFLite model in LiteRT: a program of its own, as a second model in one process has crashed the interpreter.

Standard input: an npz of `model` (its bytes), and `input/<sample>/<name>` arrays. Standard output: an npz of
`result/<sample>/<name>`. `everything` as the only argument keeps every intermediate; else only outputs are given.
"""

from __future__ import annotations

import importlib
import io
import sys
from typing import Any

import numpy as np


def tensor_names(details: list[dict[str, Any]]) -> dict[int, str]:
    """Names of tensors by index; names that the file has twice get a number, as the importer numbers them."""
    plain = {d["index"]: d["name"] or f"tensor {d['index']}" for d in sorted(details, key=lambda d: d["index"])}
    taken, used = set(plain.values()), set()
    names = {}
    for index, name in plain.items():
        free, n = name, 1
        while free in used or (free != name and free in taken):
            free, n = f"{name}#{n}", n + 1
        used.add(free)
        names[index] = free
    return names


def interpret(content: bytes, everything: bool) -> bytes:
    """The archive of results for an archive of inputs."""
    litert = importlib.import_module("ai_edge_litert.interpreter")
    archive = np.load(io.BytesIO(content), allow_pickle=False)
    interpreter = litert.Interpreter(
        model_content=archive["model"].tobytes(),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
        num_threads=1,
    )
    samples: dict[int, dict[str, np.ndarray]] = {}
    for key in archive.files:
        if key.startswith("input/"):
            _, sample, name = key.split("/", 2)
            samples.setdefault(int(sample), {})[name] = archive[key]
    index = {name: i for i, name in tensor_names(interpreter.get_tensor_details()).items()}
    for name, array in samples[0].items():
        if name not in index:
            raise SystemExit(f"no tensor is named {name!r}")
        stated = next(d for d in interpreter.get_input_details() if d["index"] == index[name])
        if tuple(stated["shape"]) != array.shape:
            interpreter.resize_tensor_input(index[name], array.shape)
    interpreter.allocate_tensors()
    wanted = index.items() if everything else [(n, i) for n, i in index.items() if i in _outputs(interpreter)]
    results = {}
    for sample, values in samples.items():
        interpreter.reset_all_variables()
        for name, array in values.items():
            interpreter.set_tensor(index[name], array)
        interpreter.invoke()
        for name, i in wanted:
            try:
                results[f"result/{sample}/{name}"] = interpreter.get_tensor(i)
            except ValueError:  # a temporary that this operator did not need
                continue
    out = io.BytesIO()
    np.savez(out, **results)
    return out.getvalue()


def _outputs(interpreter: Any) -> list[int]:
    return [d["index"] for d in interpreter.get_output_details()]


if __name__ == "__main__":
    answer = interpret(sys.stdin.buffer.read(), sys.argv[1:] == ["everything"])
    sys.stdout.buffer.write(answer)
