"""Reads ncnn's text graph, `.param`.

    7767517
    layers blobs
    Type name inputs outputs input... output... key=value...

A value is an integer, a float (it has a point or an e), an array (`-233kk=n,a,b` or `kk=a,b`) or a string.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack, unpack
from typing import NoReturn

from host_tools.graph import ConversionError
from host_tools.importers.refusals import Unsupported

MAGIC = 7767517
_ARRAY_KEY = -23300
_MAX_KEY = 31  # ncnn reads keys 0 to 31
_SMALLEST_NORMAL_BITS = 1 << 23  # of a float32; what is smaller would be next to 0
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

Number = int | float
Value = int | float | str | tuple[Number, ...]


@dataclass
class ParamLayer:
    """One line of the file."""

    kind: str
    name: str
    inputs: list[str]
    outputs: list[str]
    params: dict[int, Value]
    line: int

    def integer(self, key: int, default: int) -> int:
        value = self.params.get(key, default)
        if not isinstance(value, int):
            raise Unsupported(f"its parameter {key} is {value!r}; an integer is expected")
        return value

    def number(self, key: int, default: float) -> float:
        value = self.params.get(key)
        if value is None:
            return default
        if isinstance(value, (str, tuple)):
            raise Unsupported(f"its parameter {key} is {value!r}; a number is expected")
        return _as_float(value)

    def integers(self, key: int) -> tuple[int, ...]:
        """An array of integers; empty where it is not given."""
        value = self.params.get(key, ())
        if not isinstance(value, tuple) or not all(isinstance(v, int) for v in value):
            raise Unsupported(f"its parameter {key} is {value!r}; an array of integers is expected")
        return tuple(int(v) for v in value)

    def numbers(self, key: int) -> tuple[float, ...]:
        """An array of floats; empty where it is not given."""
        value = self.params.get(key, ())
        if not isinstance(value, tuple):
            raise Unsupported(f"its parameter {key} is {value!r}; an array of numbers is expected")
        return tuple(_as_float(v) for v in value)


def _as_float(value: Number) -> float:
    """An integer where a float is wanted is that number, or if it is too large to be meant, a float's bits.

    Some writers of ncnn gave bits, and its readers of that time took every integer for bits; now it reads a
    number.
    """
    if isinstance(value, float) or abs(value) < _SMALLEST_NORMAL_BITS:
        return float(value)
    return float(unpack("<f", pack("<I", value & 0xFFFFFFFF))[0])


@dataclass
class ParamFile:
    path: Path
    layers: list[ParamLayer] = field(default_factory=list)

    def fail(self, line: int, problem: str) -> NoReturn:
        raise ConversionError(f"{self.path.name}, line {line}: {problem}")


def read_param(path: Path) -> ParamFile:
    """The layers of the file, with their wiring checked; raises ConversionError with file and line."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as problem:
        raise ConversionError(f"{path.name}: not a text .param file ({problem})") from problem
    file = ParamFile(path)
    lines = [(i, line.split()) for i, line in enumerate(re.split(r"\r\n|\n", text), 1)]
    lines = [(i, words) for i, words in lines if words]
    if not lines or lines[0][1] != [str(MAGIC)]:
        file.fail(1, f"not an ncnn .param file: it should begin with {MAGIC}")
    if len(lines) < 2 or len(lines[1][1]) != 2:
        file.fail(lines[min(1, len(lines) - 1)][0], "the number of layers and the number of blobs should stand here")
    number, words = lines[1]
    layer_count, blob_count = (_integer(file, number, word, "a count") for word in words)
    file.layers = [_layer(file, i, words) for i, words in lines[2:]]
    if len(file.layers) != layer_count:
        file.fail(number, f"{layer_count} layers are announced, but {len(file.layers)} follow")
    blobs = _check_wiring(file)
    if blobs != blob_count:
        file.fail(number, f"{blob_count} blobs are announced, but the layers make {blobs}")
    return file


def _layer(file: ParamFile, line: int, words: list[str]) -> ParamLayer:
    if len(words) < 4:
        file.fail(line, "a layer needs a type, a name, and how many inputs and outputs it has")
    kind, name = words[:2]
    n_in, n_out = (_integer(file, line, word, "a number of blobs") for word in words[2:4])
    operands = words[4 : 4 + n_in + n_out]
    if (
        n_in < 0
        or n_out < 0
        or len(operands) != n_in + n_out
        or any("=" in w and w[0] in "-0123456789" for w in operands)
    ):
        file.fail(
            line,
            f"{kind} {name!r} announces {n_in} inputs and {n_out} outputs, but does not name as many blobs",
        )
    params: dict[int, Value] = {}
    for word in words[4 + n_in + n_out :]:
        key, value = _parameter(file, line, word)
        if key in params:
            file.fail(line, f"parameter {key} of {kind} {name!r} is given twice")
        params[key] = value
    return ParamLayer(kind, name, operands[:n_in], operands[n_in:], params, line)


def _parameter(file: ParamFile, line: int, word: str) -> tuple[int, Value]:
    key_text, equals, value = word.partition("=")
    if not equals:
        file.fail(line, f"{word!r} is not a parameter (key=value)")
    key = _integer(file, line, key_text, "a parameter's key")
    counted = key <= _ARRAY_KEY
    if counted:
        key = _ARRAY_KEY - key
    if not 0 <= key <= _MAX_KEY:
        file.fail(line, f"{word!r}: keys go from 0 to {_MAX_KEY}")
    if not counted and (value[:1].isalpha() or value[:1] == '"'):
        return key, value.strip('"')
    parts = value.split(",")
    if counted:
        if _integer(file, line, parts[0], "an array's length") != len(parts) - 1:
            file.fail(line, f"{word!r}: the array announces {parts[0]} elements and has {len(parts) - 1}")
        return key, tuple(_number(file, line, part) for part in parts[1:])
    if len(parts) > 1:
        return key, tuple(_number(file, line, part) for part in parts if part)
    return key, _number(file, line, value)


def _number(file: ParamFile, line: int, text: str) -> Number:
    if _INTEGER.fullmatch(text) and len(text) < 16:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    file.fail(line, f"{text!r} is not a number")


def _integer(file: ParamFile, line: int, text: str, what: str) -> int:
    if not _INTEGER.fullmatch(text) or len(text) > 15:
        file.fail(line, f"{text!r} is not {what}")
    return int(text)


def _check_wiring(file: ParamFile) -> int:
    """Every blob is made once, before it is read; returns how many there are."""
    made: dict[str, int] = {}
    for layer in file.layers:
        for name in layer.inputs:
            if name not in made:
                file.fail(layer.line, f"{layer.kind} {layer.name!r} reads {name!r}, which no layer before it makes")
        for name in layer.outputs:
            if name in made:
                file.fail(layer.line, f"blob {name!r} is made twice, first on line {made[name]}")
            made[name] = layer.line
    return len(made)
