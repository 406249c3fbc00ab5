"""nnmicro convert"""

from __future__ import annotations

import enum
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

import boards

from ..convert import Options, convert_and_pack
from ..fit.streamed import Fitted, fitted
from ..frameworks import export
from ..golden import Golden
from ..model_file import ModelFile
from ..packing import Packed
from ..placement_solver import is_installed
from ..preprocessing import Preprocessing
from ..streaming.convert import Streaming
from ..streaming.plan import AUTO, MAX
from .core_option import CORE_HELP, Core, core_wanted, packing_notes
from .info import complete_board, show, show_verdict
from .terminal import messages, mistakes_are_sentences, plain, print_json, progress, results, warn

if TYPE_CHECKING:
    from ..quantise import QuantisationReport

NAME = "convert"


class StreamMode(enum.Enum):
    """`--stream`"""

    auto = AUTO
    off = "off"
    max = MAX


EXAMPLES = (
    "Examples: nnmicro convert digits.onnx -o digits.nnm    |    nnmicro convert net.param net.bin -o net.nnm    |    "
    "nnmicro convert big.onnx -o big.nnm --input-shape image=1,3,96,96    |    "
    "nnmicro convert kws.tflite -o kws.nnm --mean 127.5 --scale 0.0078125 --golden 3    |    "
    "nnmicro convert digits.onnx -o digits.nnm --quantize digits_calibration.npz    |    "
    "nnmicro convert net.keras    |    nnmicro convert net.py:make"
)


def command(
    model: Annotated[
        Path,
        typer.Argument(
            help="A trained network: .onnx, .tflite, ncnn's .param; where TensorFlow is installed .keras, .h5 or a "
            "SavedModel; where PyTorch is, .pt2 or FILE.py:FUNCTION, which returns a module and an example input.",
            show_default=False,
        ),
    ],
    weights: Annotated[
        Path | None, typer.Argument(help="ncnn's .bin; the one beside the .param if left out.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The file to write; default: MODEL with .nnm.")
    ] = None,
    input_shape: Annotated[
        list[str] | None,
        typer.Option("--input-shape", metavar="N=1,1,8,8", help="Shape of an input; may be given several times."),
    ] = None,
    output_blob: Annotated[
        list[str] | None,
        typer.Option(
            "--output-blob",
            metavar="N",
            help="Cut the network here: this blob becomes an output, what follows is dropped.",
        ),
    ] = None,
    zero_weights: Annotated[
        bool, typer.Option("--zero-weights", help="A .param without .bin: weights of zero, to see sizes and memory.")
    ] = False,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="F", help="A text file with one label a line, stored in the model."),
    ] = None,
    mean: Annotated[
        list[str] | None,
        typer.Option(
            "--mean",
            metavar="M",
            help="An input takes bytes, and computes with (byte - M) * S: 127.5, one for each "
            "channel as 103.9,116.8,123.7, or for one of several inputs N=127.5.",
        ),
    ] = None,
    scale: Annotated[list[str] | None, typer.Option("--scale", metavar="S", help="See --mean; 1 if left out.")] = None,
    golden: Annotated[
        int | None,
        typer.Option(
            "--golden",
            metavar="N",
            min=1,
            help="Store N inputs and the original's outputs, for verify and net.selftest().",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="S", min=0, help="Of the random inputs of --golden.")] = 0,
    golden_inputs: Annotated[
        Path | None,
        typer.Option("--golden-inputs", metavar="F.npz", help="Inputs of the golden vectors, instead of random ones."),
    ] = None,
    quantize: Annotated[
        Path | None,
        typer.Option(
            "--quantize",
            metavar="CALIB",
            help="Quantise an ONNX model to int8; CALIB is typical inputs: an .npz file of arrays named after the "
            "inputs, or a folder of .npy files.",
        ),
    ] = None,
    integer_inputs: Annotated[
        bool,
        typer.Option(
            "--integer-inputs",
            help="Take inputs that the network quantises first as integers, a quarter of the memory; real values given "
            "to them are quantised on the way in.",
        ),
    ] = False,
    stream: Annotated[
        StreamMode | None,
        typer.Option(
            "--stream",
            help="Run layers row by row with a few rows of each blob in memory. max: the smallest arena; auto: a small "
            "one at few more kernel calls, or one that --room has room for; off (the default): whole tensors.",
            show_default=False,
        ),
    ] = None,
    feed: Annotated[
        list[str] | None,
        typer.Option(
            "--feed",
            metavar="INPUT",
            help="This input is given row by row (ex.feed), and is never in memory as a whole. Streams.",
        ),
    ] = None,
    room: Annotated[
        int | None,
        typer.Option("--room", metavar="BYTES", min=0, help="Stream as much as an arena of so many bytes needs."),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            metavar="B",
            help="Stream as much as makes it fit this board (`nnmicro boards` lists them), and no more; and lay the "
            "weights out for its core, as --core does.",
            autocompletion=complete_board,
            show_default=False,
        ),
    ] = None,
    core: Annotated[Core | None, typer.Option("--core", help=CORE_HELP, show_default=False)] = None,
    stock: Annotated[
        bool, typer.Option("--stock", help="With --board: MicroPython as its makers build it, not nnmicro's firmware.")
    ] = False,
    no_fuse: Annotated[
        bool, typer.Option("--no-fuse", help="Keep every layer and blob of the source (for debugging).")
    ] = False,
    strip_names: Annotated[
        bool, typer.Option("--strip-names", help="Leave names out: smaller, blobs are known by index.")
    ] = False,
    python: Annotated[
        Path | None,
        typer.Option(
            "--python", metavar="P", help="The Python that has TensorFlow or PyTorch, where it is not this one."
        ),
    ] = None,
    keep_exported: Annotated[
        Path | None,
        typer.Option(
            "--keep-exported",
            metavar="F",
            help="Keep what TensorFlow or PyTorch exported on the way, for verify --against.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Convert a trained network into an .nnm file, with its memory planned."""
    if quantize and (golden or golden_inputs):
        # Its vectors come from onnxruntime, whose float rounding is a step or two away from the int8 kernels'.
        raise typer.BadParameter("golden vectors of a model quantised here are not supported", param_hint="--golden")
    if board is None and stock:
        raise typer.BadParameter("--stock is about a board: give --board")
    if board is not None and (stream not in (None, StreamMode.auto) or room is not None):
        raise typer.BadParameter("it streams as much as the board needs: use --stream auto", param_hint="--board")
    with mistakes_are_sentences():
        options = Options(
            input_shapes=dict(_shape(text) for text in input_shape or []),
            outputs=output_blob or [],
            zero_weights=zero_weights,
            fuse=not no_fuse,
            integer_inputs=integer_inputs,
            names=not strip_names,
            labels=labels.read_text().splitlines() if labels else [],
            preprocessing=_preprocessing(mean or [], scale or []),
            golden=Golden(golden or 0, seed, golden_inputs) if golden or golden_inputs else None,
            stream=_streaming(stream, feed or [], room),
            core=core_wanted(core, board),
        )
        place = boards.load(board) if board is not None else None
        found: Fitted | None = None
        packed: dict[bytes, Packed] = {}  # by the file: streaming is tried until one fits

        def made(stream: Streaming | None, done: Callable[[], None] | None = None) -> bytes:
            result = convert_and_pack(source, weights, replace(options, stream=stream), done)
            packed[result.data] = result
            return result.data

        with TemporaryDirectory() as folder:
            source, report = export(model, Path(folder), python, lambda text: messages.print(f"{text} …")), None
            if keep_exported:
                _keep(model, source, keep_exported)
            if quantize:
                source, report = _quantise(source, quantize, options, Path(folder))
            if place:
                with messages.status(f"converting {model.name} for {place.name}"):
                    found = fitted(made, model.name, place, stock=stock, fed=feed or [])
                data = found.model.data
            elif golden:
                with progress(f"{model.name} in its own runtime", golden) as bar:
                    data = made(options.stream, lambda: bar.advance(bar.task_ids[0]))
            else:
                with messages.status(f"converting {model.name}"):
                    data = made(options.stream)
        converted = ModelFile(data, model.name)
        target = out or model.with_suffix(".nnm")
        target.write_bytes(data)
        warnings = planning_notes(converted) + packing_notes(packed[data], options.core)
        for text in warnings:
            warn(text)
        if as_json:
            figures = {"quantisation": report.to_dict()} if report else {}
            judged = {**found.verdict.describe(), "chosen": found.why} if found else {}
            print_json({**converted.describe(), **judged, **figures, "warnings": warnings})
        else:
            if report:
                messages.print(report.table())
            messages.print(f"wrote {target}")
            show(converted)
            if found:
                show_verdict(found.verdict)
                results.print(plain(found.why))


def planning_notes(model: ModelFile) -> list[str]:
    """What the user may want to do something about."""
    gap = model.net.arena_size - model.net.lower_bound
    if gap and not is_installed():
        return [
            f"the arena may be up to {gap:,} bytes larger than it has to be; the solver that would look further is "
            "not installed: pip install ortools"
        ]
    return []


def _keep(model: Path, exported: Path, target: Path) -> None:
    if exported == model:
        raise ValueError(
            f"--keep-exported is for models that TensorFlow or PyTorch exports; {model.name} is read as it is"
        )
    if target.suffix != exported.suffix:
        raise ValueError(f"--keep-exported {target.name}: what is exported is {exported.suffix}")
    shutil.copyfile(exported, target)


def _quantise(model: Path, calibration: Path, options: Options, folder: Path) -> tuple[Path, QuantisationReport]:
    """The quantised model as a file in `folder`, which is then converted in the original's place."""
    from ..quantise import quantise_model  # takes onnxruntime a second to import

    made = folder / "quantised" / model.name  # beside the source, which may lie in the folder, too
    made.parent.mkdir()
    with progress(f"reading {model.name}", 1) as bar:
        _, report = quantise_model(
            model,
            calibration,
            made,
            input_shapes=options.input_shapes,
            outputs=options.outputs,
            progress=lambda what, done, total: bar.update(
                bar.task_ids[0], description=f"{what} {model.name}", completed=done, total=total
            ),
        )
    return made, report


def _streaming(mode: StreamMode | None, fed: list[str], room: int | None) -> Streaming | None:
    """What the three options together ask for."""
    if mode is StreamMode.off and (fed or room is not None):
        raise typer.BadParameter("--feed and --room need streaming", param_hint="--stream off")
    if mode is StreamMode.max and room is not None:
        raise typer.BadParameter(
            "--room asks for no more streaming than needed: use --stream auto", param_hint="--room"
        )
    if mode is StreamMode.off or (mode is None and not fed and room is None):
        return None
    return Streaming((mode or StreamMode.auto).value, fed, room)


def _preprocessing(mean: list[str], scale: list[str]) -> dict[str, Preprocessing]:
    """`127.5`, `1,2,3` or `name=127.5` of both options, by input; "" is the only input."""
    means = dict(_factors(text, "--mean") for text in mean)
    scales = dict(_factors(text, "--scale") for text in scale)
    return {name: Preprocessing(means.get(name, (0.0,)), scales.get(name, (1.0,))) for name in {**means, **scales}}


def _factors(text: str, option: str) -> tuple[str, tuple[float, ...]]:
    name, _, numbers = text.rpartition("=")
    try:
        return name, tuple(float(number) for number in numbers.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not of the form 127.5, 1,2,3 or NAME=127.5", param_hint=option) from None


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    """`name=1,3,8,8` as a name and a shape."""
    name, found, sizes = text.rpartition("=")
    try:
        shape = tuple(int(size) for size in sizes.split(","))
    except ValueError:
        shape = ()
    if not found or not name or not shape or any(size < 1 for size in shape):
        raise typer.BadParameter(f"{text!r} is not of the form NAME=1,3,8,8", param_hint="--input-shape")
    return name, shape
