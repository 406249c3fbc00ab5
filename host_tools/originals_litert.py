"""Runs a TFLite model in LiteRT: a program of its own, as a second model in one process has crashed the interpreter.

Standard input: an npz of `model` (its bytes), `input/<sample>/<tensor>` arrays, and `tensors`, which are wanted (none:
all that there are); tensors go by their index in the file. Standard output: an npz of `result/<sample>/<tensor>`.
What a model remembers is reset for each sample, unless the archive has `sequence`. Integers are computed by built-in
kernels without a delegate: the only way in which FULLY_CONNECTED is.
"""

from __future__ import annotations

import importlib
import io
import sys

import numpy as np


def interpret(content: bytes) -> bytes:
    """The archive of results for an archive of inputs."""
    litert = importlib.import_module("ai_edge_litert.interpreter")
    archive = np.load(io.BytesIO(content), allow_pickle=False)
    interpreter = litert.Interpreter(
        model_content=archive["model"].tobytes(),
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        experimental_preserve_all_tensors=True,
        num_threads=1,
    )
    samples: dict[int, dict[int, np.ndarray]] = {}
    for key in archive.files:
        if key.startswith("input/"):
            _, sample, tensor = key.split("/")
            samples.setdefault(int(sample), {})[int(tensor)] = archive[key]
    stated = {d["index"]: tuple(d["shape"]) for d in interpreter.get_input_details()}
    for tensor, array in samples[0].items():
        if stated.get(tensor, array.shape) != array.shape:
            interpreter.resize_tensor_input(tensor, array.shape)
    interpreter.allocate_tensors()
    there = [d["index"] for d in interpreter.get_tensor_details() if d["dtype"] is not np.void]
    results = {}
    for sample, values in samples.items():
        if "sequence" not in archive:
            interpreter.reset_all_variables()
        for tensor, array in values.items():
            interpreter.set_tensor(tensor, array)
        interpreter.invoke()
        for tensor in archive["tensors"].tolist() or there:
            try:
                results[f"result/{sample}/{tensor}"] = interpreter.get_tensor(tensor)
            except ValueError:  # a temporary that this operator did not need
                continue
    out = io.BytesIO()
    np.savez(out, **results)
    return out.getvalue()


if __name__ == "__main__":
    answer = interpret(sys.stdin.buffer.read())
    sys.stdout.buffer.write(answer)
