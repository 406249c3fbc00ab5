"""The demo's data: scanned digits that the network has not seen, the network itself, and pictures for the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.table import Table
from rich.text import Text

from ..convert import Options, convert
from ..golden import Golden
from ..model_file import ModelFile

_SHADES = " ░▒▓█"
PICTURE_WIDTH = 18  # characters for a picture in a row of them


@dataclass(frozen=True)
class Digits:
    """`images`: (n, 1, 1, 8, 8) float32, pixels 0 to 16; `labels`: (n,) the digit each of them shows."""

    images: np.ndarray
    labels: np.ndarray


def held_out() -> Digits:
    """The held-out scans (see README.md in this folder)."""
    with as_file(files("host_tools.demo") / "digits_heldout.npz") as path, np.load(path, allow_pickle=False) as data:
        images = data["images"].astype(np.float32).reshape(-1, 1, 1, 8, 8)
        return Digits(images, data["labels"].astype(np.int64))


def converted(golden: Golden | None = None) -> ModelFile:
    """The demo's network as an `.nnm` file, with golden vectors if wanted."""
    folder = files("host_tools.demo")
    labels = (folder / "digits_labels.txt").read_text().splitlines()
    with as_file(folder / "digits.onnx") as path:
        return ModelFile(convert(path, options=Options(labels=labels, golden=golden)), "digits.nnm")


def quantised() -> ModelFile:
    """The same network in int8, calibrated on scans from the training set."""
    from ..quantise import quantise_model  # onnxruntime's quantiser takes a second to import

    folder = files("host_tools.demo")
    labels = (folder / "digits_labels.txt").read_text().splitlines()
    with (
        TemporaryDirectory() as made,
        as_file(folder / "digits.onnx") as path,
        as_file(folder / "digits_calibration.npz") as calibration,
    ):
        int8 = Path(made) / "digits_int8.onnx"
        quantise_model(path, calibration, int8)
        return ModelFile(convert(int8, options=Options(labels=labels)), "digits_int8.nnm")


def original_scores(images: np.ndarray) -> np.ndarray:
    """What the original network says in onnxruntime: (n, 10)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(
        (files("host_tools.demo") / "digits.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    return np.concatenate([session.run(["scores"], {"image": image})[0] for image in images])


def pictures(images: np.ndarray, labels: np.ndarray, predictions: np.ndarray) -> Table:
    """Digits side by side with what they are and what the device says."""
    table = Table(box=None, padding=(0, 1))
    for _ in images:
        table.add_column(no_wrap=True)
    table.add_row(*(Text(_picture(image.reshape(8, 8))) for image in images))
    table.add_row(
        *(
            Text(f"{guess} (is {label})", style="green" if guess == label else "bold red")
            for guess, label in zip(predictions, labels, strict=True)
        )
    )
    return table


def _picture(pixels: np.ndarray) -> str:
    return "\n".join("".join(_SHADES[int(value / 16 * 4 + 0.5)] * 2 for value in row) for row in pixels)
