"""Train the demonstration network on scikit-learn's handwritten digits and export it to ONNX.

    python -m host_tools.demo.train_digits --out digits

The network is the table `NETWORK`; training, the ONNX export and the count of multiply-accumulates read it.
Everything random starts from a fixed seed, and nothing is chosen by looking at the held-out scans.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import onnx
    import torch

NEEDED = ("torch", "sklearn", "onnx", "onnxruntime")
PIP_LINE = "pip install torch==2.13.0 scikit-learn onnx onnxruntime"

CLASSES = 10
HELD_OUT_OF_EACH_CLASS = 36
CALIBRATION_OF_EACH_CLASS = 10
SPLIT_SEED = 2024
FOLD_SEED = 1
TRAINING_SEED = 0

EPOCHS = 50
BATCH = 64
LEARNING_RATE = 1e-2
WEIGHT_DECAY = 1e-2
LABEL_SMOOTHING = 0.05
SHIFT = 0.5  # pixels, each way, in each direction
BRIGHTEST = 16  # a power of two, so that moving this scale into the first weights rounds nothing
NORM_EPSILON = 1e-5

OPSET = 13  # the oldest with these operators in their present form: most readers know it
IR_VERSION = 7
AGREEMENT = 1e-5


@dataclass(frozen=True)
class Conv:
    """A convolution without bias, a batch normalization and, unless `relu` is off, a ReLU."""

    name: str
    source: str
    channels_in: int
    channels_out: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    relu: bool = True

    @property
    def result(self) -> str:
        return f"{self.name}/relu" if self.relu else f"{self.name}/norm"


@dataclass(frozen=True)
class Add:
    """The end of a residual block: the block's input plus what the block made of it."""

    name: str
    left: str
    right: str

    @property
    def result(self) -> str:
        return self.name


# After these come a global average pool, a flattening and a linear layer with the ten scores.
NETWORK: tuple[Conv | Add, ...] = (
    Conv("stem", "image", 1, 8, kernel=3, padding=1),
    Conv("block1/depthwise", "stem/relu", 8, 8, kernel=3, padding=1, groups=8),
    Conv("block1/pointwise", "block1/depthwise/relu", 8, 8, kernel=1, relu=False),
    Add("block1/add", "stem/relu", "block1/pointwise/norm"),
    Conv("down", "block1/add", 8, 20, kernel=3, stride=2, padding=1, groups=2),
    Conv("block2/depthwise", "down/relu", 20, 20, kernel=3, padding=1, groups=20),
    Conv("block2/pointwise", "block2/depthwise/relu", 20, 20, kernel=1, relu=False),
    Add("block2/add", "down/relu", "block2/pointwise/norm"),
    Conv("mix", "block2/add", 20, 24, kernel=3, groups=2),
)
FEATURES = 24


# ---- data: no torch needed ----


def load_scans() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's scans, uint8 (1797, 8, 8) with values 0..16, and their labels, uint8 (1797,)."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images.astype(np.uint8), digits.target.astype(np.uint8)


def split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indexes of the training scans and of the held-out ones, both ascending.

    The same number of each class is held out. `RandomState` is used because NumPy promises that its numbers
    for a seed never change, which it does not for the newer generators.
    """
    random = np.random.RandomState(SPLIT_SEED)
    held_out = [
        random.permutation(np.flatnonzero(labels == digit))[:HELD_OUT_OF_EACH_CLASS] for digit in range(CLASSES)
    ]
    chosen = np.sort(np.concatenate(held_out))
    return np.setdiff1d(np.arange(len(labels)), chosen), chosen


def calibration(labels: np.ndarray) -> np.ndarray:
    """Return the indexes of the scans to measure activations on when quantising: the first training scans of
    each class, ascending.
    """
    training, _ = split(labels)
    firsts = [training[labels[training] == digit][:CALIBRATION_OF_EACH_CLASS] for digit in range(CLASSES)]
    return np.sort(np.concatenate(firsts))


def folds(indexes: np.ndarray, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield `count` pairs of indexes to train on and to validate on, all taken from `indexes`."""
    shuffled = np.random.RandomState(FOLD_SEED).permutation(indexes)
    for number in range(count):
        validation = shuffled[number::count]
        yield np.setdiff1d(indexes, validation), validation


def multiply_accumulates(size: int = 8) -> dict[str, int]:
    """Return the multiply-accumulates of each layer that has any, for an image of `size` x `size` pixels."""
    counts: dict[str, int] = {}
    sizes = {"image": size}
    for layer in NETWORK:
        if isinstance(layer, Add):
            sizes[layer.result] = sizes[layer.left]
            continue
        side = (sizes[layer.source] + 2 * layer.padding - layer.kernel) // layer.stride + 1
        sizes[layer.result] = side
        weights = layer.channels_out * (layer.channels_in // layer.groups) * layer.kernel**2
        counts[f"{layer.name}/conv"] = side * side * weights
    counts["classifier"] = FEATURES * CLASSES
    return counts


# ---- the network in PyTorch ----


def build() -> torch.nn.ModuleDict:
    """Return the untrained parts of the network, named as their nodes in the ONNX file."""
    from torch import nn

    parts = nn.ModuleDict()
    for layer in NETWORK:
        if isinstance(layer, Conv):
            parts[f"{layer.name}/conv"] = nn.Conv2d(
                layer.channels_in,
                layer.channels_out,
                layer.kernel,
                layer.stride,
                layer.padding,
                groups=layer.groups,
                bias=False,
            )
            parts[f"{layer.name}/norm"] = nn.BatchNorm2d(layer.channels_out, eps=NORM_EPSILON)
    parts["classifier"] = nn.Linear(FEATURES, CLASSES)
    return parts


def scores_of(parts: torch.nn.ModuleDict, images: torch.Tensor) -> torch.Tensor:
    """Return the scores (N, 10) for `images` (N, 1, 8, 8)."""
    blobs = {"image": images}
    for layer in NETWORK:
        if isinstance(layer, Add):
            blobs[layer.result] = blobs[layer.left] + blobs[layer.right]
            continue
        blob = parts[f"{layer.name}/norm"](parts[f"{layer.name}/conv"](blobs[layer.source]))
        blobs[layer.result] = blob.relu() if layer.relu else blob
    return parts["classifier"](blobs[NETWORK[-1].result].mean(dim=(2, 3)))


def shifted(images: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Return `images`, each moved by its own fraction of a pixel, at most `SHIFT`; zeros come in."""
    import torch
    from torch.nn import functional

    count, side = len(images), images.shape[-1]
    moves = torch.eye(2, 3).repeat(count, 1, 1)
    # affine_grid measures from -1 to 1 across the image: one pixel is 2 / side.
    moves[:, :, 2] = (torch.rand(count, 2, generator=random) * 2 - 1) * SHIFT * 2 / side
    grid = functional.affine_grid(moves, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, align_corners=False)


def train(images: np.ndarray, labels: np.ndarray, progress: bool = True) -> torch.nn.ModuleDict:
    """Train on uint8 `images` (N, 8, 8) and return the network, which takes raw pixel values 0..16."""
    import torch
    from torch.nn import functional

    torch.manual_seed(TRAINING_SEED)
    # One thread adds up in one order, so that training repeats; so small a network gains nothing from more.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    random = torch.Generator().manual_seed(TRAINING_SEED)

    inputs = torch.from_numpy(images.astype(np.float32) / BRIGHTEST)[:, None]
    targets = torch.from_numpy(labels.astype(np.int64))
    parts = build().train()
    batches = len(inputs) // BATCH
    optimizer = torch.optim.AdamW(parts.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=EPOCHS * batches)
    for epoch in range(1, EPOCHS + 1):
        order = torch.randperm(len(inputs), generator=random)
        total = 0.0
        for batch in range(batches):
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            scores = scores_of(parts, shifted(inputs[chosen], random))
            loss = functional.cross_entropy(scores, targets[chosen], label_smoothing=LABEL_SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        if progress and epoch % 5 == 0:
            print(f"epoch {epoch:3} of {EPOCHS}: loss {total / batches:.4f}", flush=True)

    with torch.no_grad():
        parts["stem/conv"].weight /= BRIGHTEST
    return parts.eval()


def predict(parts: torch.nn.ModuleDict, images: np.ndarray) -> np.ndarray:
    """Return the scores, float32 (N, 10), for uint8 `images` (N, 8, 8)."""
    import torch

    with torch.no_grad():
        scores: np.ndarray = scores_of(parts, torch.from_numpy(images.astype(np.float32))[:, None]).numpy()
    return scores


# ---- the ONNX file ----


def to_onnx(parts: torch.nn.ModuleDict) -> onnx.ModelProto:
    """Return the trained network as an ONNX model whose tensors are named after the nodes that make them."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []

    def node(kind: str, inputs: list[str], name: str, output: str = "", **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output or name], name=name, **attributes))
        return output or name

    def weight(name: str, values: torch.Tensor) -> str:
        weights.append(numpy_helper.from_array(values.detach().numpy().astype(np.float32), name))
        return name

    for layer in NETWORK:
        if isinstance(layer, Add):
            node("Add", [layer.left, layer.right], layer.name)
            continue
        conv, norm = parts[f"{layer.name}/conv"], parts[f"{layer.name}/norm"]
        blob = node(
            "Conv",
            [layer.source, weight(f"{layer.name}/conv/weight", conv.weight)],
            f"{layer.name}/conv",
            kernel_shape=[layer.kernel] * 2,
            strides=[layer.stride] * 2,
            pads=[layer.padding] * 4,
            group=layer.groups,
        )
        statistics = {
            "scale": norm.weight,
            "bias": norm.bias,
            "mean": norm.running_mean,
            "variance": norm.running_var,
        }
        names = [weight(f"{layer.name}/norm/{key}", values) for key, values in statistics.items()]
        blob = node("BatchNormalization", [blob, *names], f"{layer.name}/norm", epsilon=NORM_EPSILON)
        if layer.relu:
            node("Relu", [blob], f"{layer.name}/relu")

    pooled = node("GlobalAveragePool", [NETWORK[-1].result], "pool")
    features = node("Flatten", [pooled], "flatten", axis=1)
    linear = parts["classifier"]
    names = [weight("classifier/weight", linear.weight), weight("classifier/bias", linear.bias)]
    node("Gemm", [features, *names], "classifier", "scores", transB=1)

    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, CLASSES])],
        weights,
    )
    model = helper.make_model(
        graph,
        producer_name="nnmicro train_digits",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def onnx_scores(model: bytes, images: np.ndarray) -> np.ndarray:
    """Return ONNX Runtime's scores, float32 (N, 10), for uint8 `images` (N, 8, 8), given one at a time."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    pixels = images.astype(np.float32)[:, None, None]
    return np.concatenate([session.run(["scores"], {"image": image})[0] for image in pixels])


# ---- the command ----


def cross_validate(images: np.ndarray, labels: np.ndarray, count: int) -> None:
    """Print the accuracy of `count` trainings, each on all but one part of the training scans."""
    right = total = 0
    for number, (part, validation) in enumerate(folds(split(labels)[0], count), 1):
        found = predict(train(images[part], labels[part], progress=False), images[validation]).argmax(axis=1)
        right += int((found == labels[validation]).sum())
        total += len(validation)
        print(f"fold {number} of {count}: {right} of {total} right so far", flush=True)
    print(f"Cross-validated accuracy, training scans only: {right} of {total} ({100 * right / total:.2f} %)")


def write_demo(images: np.ndarray, labels: np.ndarray, out: Path) -> None:
    """Train on the training scans and write the network, the held-out scans and the labels into `out`."""
    training, held_out = split(labels)
    print(
        f"{len(training)} scans to train on, {len(held_out)} held out; "
        f"{sum(multiply_accumulates().values())} multiply-accumulates for an image"
    )
    parts = train(images[training], labels[training])
    model = to_onnx(parts).SerializeToString()
    scores = onnx_scores(model, images[held_out])
    difference = float(np.abs(scores - predict(parts, images[held_out])).max())
    if difference > AGREEMENT:
        raise SystemExit(
            f"ONNX Runtime and PyTorch differ by {difference:.2g} on the held-out scans, more than the "
            f"{AGREEMENT:g} that rounding explains; nothing was written. Check the versions: {PIP_LINE}"
        )

    out.mkdir(parents=True, exist_ok=True)
    (out / "digits.onnx").write_bytes(model)
    (out / "digits_labels.txt").write_text("".join(f"{digit}\n" for digit in range(CLASSES)))
    np.savez_compressed(
        out / "digits_heldout.npz",
        images=images[held_out],
        labels=labels[held_out],
        indexes=held_out.astype(np.uint16),
    )
    write_calibration(images, labels, out)
    right = int((scores.argmax(axis=1) == labels[held_out]).sum())
    print(f"ONNX Runtime and PyTorch agree to {difference:.1e}")
    print(f"Held-out accuracy: {right} of {len(held_out)} ({100 * right / len(held_out):.2f} %)")
    print(
        f"Wrote digits.onnx ({len(model)} bytes), digits_heldout.npz, digits_calibration.npz and digits_labels.txt "
        f"into {out}"
    )


def write_calibration(images: np.ndarray, labels: np.ndarray, out: Path) -> None:
    """Write the calibration set, under the name of the network's input, into `out`."""
    chosen = calibration(labels)
    np.savez_compressed(out / "digits_calibration.npz", image=images[chosen], indexes=chosen.astype(np.uint16))


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m host_tools.demo.train_digits",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=(
            "Train a small convolutional network on 1437 scans of handwritten digits (8 x 8 pixels,\n"
            "values 0..16), measure it on 360 others that training never saw, and export it to ONNX.\n"
            "Takes under a minute."
        ),
        epilog=(
            "It writes four files:\n"
            "  digits.onnx         the network: image (1, 1, 8, 8), raw pixel values -> scores (1, 10)\n"
            "  digits_heldout.npz  the held-out scans: images, labels, indexes into sklearn's load_digits\n"
            "  digits_calibration.npz  training scans to quantise with: image, indexes as above\n"
            "  digits_labels.txt   the ten names, one a line\n\n"
            "The seeds are fixed: the same versions on the same kind of computer give the same network.\n"
            "To try a change of the network or of its training, judge it with --cross-validate 5, which\n"
            "uses only the training scans; the held-out ones are for the end.\n\n"
            f"It needs more than nnmicro itself does:\n  {PIP_LINE}"
        ),
    )
    parser.add_argument(
        "--out", type=Path, default=Path("digits"), metavar="DIR", help="folder to write (default: digits)"
    )
    parser.add_argument(
        "--cross-validate", type=int, metavar="K", help="print the accuracy of K folds and write nothing"
    )
    return parser


def main(given: list[str] | None = None) -> None:
    parser = arguments()
    options = parser.parse_args(given)
    if options.cross_validate is not None and options.cross_validate < 2:
        parser.error(f"--cross-validate takes at least 2 folds, and {options.cross_validate} was given")
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"Training needs {', '.join(missing)}, which Python does not find here. Install it:\n  {PIP_LINE}")
    images, labels = load_scans()
    if options.cross_validate:
        cross_validate(images, labels, options.cross_validate)
    else:
        write_demo(images, labels, options.out)


if __name__ == "__main__":
    main()
