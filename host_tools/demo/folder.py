"""The demo's files in a folder of the user's: models to convert, converted ones, and programs for a board."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

from ..convert import Options, convert
from ..golden import Golden
from ..streaming.convert import Streaming
from . import whistle
from .digits import converted, held_out, quantised

_ORIGINALS = ("digits.onnx", "digits_labels.txt", "digits_calibration.npz")


def write(folder: Path) -> list[Path]:
    """Write all of it; the files, in the order in which somebody would look at them."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {name: (files("host_tools.demo") / name).read_bytes() for name in _ORIGINALS}
    for name, content in made.items():
        (folder / name).write_bytes(content)
    whistle.write(folder / "whistle.onnx")
    seen = held_out()
    np.save(folder / "three.npy", seen.images[seen.labels == 3][0])
    labels = made["digits_labels.txt"].decode().splitlines()
    digits, sound = folder / "digits.onnx", folder / "whistle.onnx"
    models = {
        "digits.nnm": converted(Golden(2)).data,
        "digits_int8.nnm": quantised().data,
        "digits_rows.nnm": convert(digits, options=Options(labels=labels, stream=Streaming("max", ["image"]))),
        "whistle.nnm": convert(
            sound, options=Options(labels=list(whistle.LABELS), stream=Streaming("max", ["spectrogram"]))
        ),
    }
    programs = {
        path.name: path.read_bytes()
        for path in sorted((files("firmware") / "examples").iterdir(), key=lambda path: path.name)
        if path.name.endswith(".py")
    }
    for name, content in (models | programs).items():
        (folder / name).write_bytes(content)
    return [folder / name for name in (*made, "three.npy", "whistle.onnx", *models, *programs)]
