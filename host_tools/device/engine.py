"""Puts the engine, the package `nnmicro`, onto a device: compiled where the device loads that, never twice.

What is on the device is compared by hash, file by file, before anything is sent; a manifest beside the files
is written last, so a push that broke off is recognised and finished by the next one.
"""

from __future__ import annotations

import ast
import hashlib
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import nnmicro
from firmware import engine as frozen_engine
from host_tools.device.build import parse_build
from host_tools.device.device import Device
from host_tools.device.engine_files import compiled, sources
from host_tools.device.engine_there import EngineThere, Kernels, ask_engine
from host_tools.device.errors import DeviceError
from host_tools.device.files import Progress
from host_tools.device.on_device import program

FOLDER = "/lib/nnmicro"
SHADOW_FOLDER = "/nnmicro"  # in the root, which is searched before the modules that are frozen in
NATIVE = "/lib/_nnmicro.mpy"
LAYERS = ("reference/", "vector/")  # what a frozen engine beside kernels in C may lack, and finds in FOLDER
MANIFEST = "manifest.json"
_SHADOW_MARK = "put-here-by-push-shadow"
_SILENCE_S = 300.0


@dataclass(frozen=True)
class EngineReport:
    """What became of the engine: of its `files` on the device `sent` had to be sent; `removed` were stale.

    `format` is `mpy`, `py`, or `frozen` (the firmware's own is used: no module was sent); `verified_by` says whether
    the device hashed its files or only the manifest was compared; `warnings` are sentences for the user. `version`,
    `origin` (`frozen` or a file) and `model_format` are the device's answers about the engine that it imports now,
    `kernel_abi` that of its `_nnmicro`, `native` the family of a native module that was put there, `backend` what the
    files were chosen for (None: everything).
    """

    path: str
    format: str
    files: int
    sent: int
    removed: int
    bytes: int
    wire_bytes: int
    seconds: float
    verified_by: str
    warnings: list[str] = field(default_factory=list)
    version: str | None = None
    origin: str | None = None
    model_format: int | None = None
    kernel_abi: int | None = None
    native: str | None = None
    backend: str | None = None


def push_engine(
    device: Device,
    *,
    modules: Iterable[str] | None = None,
    native: bytes | None = None,
    shadow: bool = False,
    progress: Progress | None = None,
) -> EngineReport:
    """Bring the engine on `device` up to date, and soft-reset it if anything changed.

    `modules` names what is wanted, as `net` or `reference` (a folder) or `reference.conv`; packages' `__init__` come
    along. Without it everything is pushed. Modules of this very engine that are there already stay, for other models;
    what else is in the engine's folder is removed. `native` is a native module to put beside it as `_nnmicro`.

    The engine goes to `/lib/nnmicro`; with `shadow` to `/nnmicro`, which is found before an engine that is frozen into
    the firmware. Without `shadow` a frozen one is used: what of the wanted layers in Python it looks for in
    `/lib/nnmicro` goes there, and nothing else. An engine that a push with `shadow` left is then removed.
    DeviceError where it is another engine than this one and lacks such layers.
    """
    started, sent_before = time.monotonic(), device.bytes_sent
    warnings: list[str] = []
    changed = not shadow and remove_shadow(device)
    there, kernels = ask_engine(device)
    uses_frozen = there is not None and there.is_frozen and not shadow
    folder = SHADOW_FOLDER if shadow else FOLDER
    files: dict[str, bytes] = {}
    missing: list[str] = []
    stale: list[str] = []
    if uses_frozen:
        assert there is not None
        warnings += _frozen_warnings(there, kernels)
        if there.layers_are_files:
            layers = _layers(modules)
            if is_this_one(there, kernels):
                files, missing, stale = _push_package(device, folder, layers, warnings, progress)
            elif layers:
                raise DeviceError(
                    f"{warnings[-1]} It lacks {', '.join(sorted(layers))}, and takes them of its own only."
                )
    else:
        if shadow:
            device.makedirs(folder)
            device.write_file(b"", f"{folder}/{_SHADOW_MARK}")  # first: what breaks off can be told and removed
        files, missing, stale = _push_package(device, folder, sources(modules), warnings, progress)
    changed |= bool(missing or stale)
    sent, removed = len(missing), len(stale)
    if native is not None:
        device.makedirs(NATIVE.rpartition("/")[0])
        was_there = device.write_file(native, NATIVE, progress).skipped
        sent += not was_there
        changed |= not was_there
    if changed:
        device.soft_reset()
        there, kernels = ask_engine(device)
    origin = there.origin if there else None
    if not uses_frozen and origin is not None and not origin.startswith(folder + "/"):
        warnings.append(f"The device imports the engine from {origin}, not from {folder}: remove what is there.")
    return EngineReport(
        path=".frozen/nnmicro" if uses_frozen else folder,
        format="frozen" if uses_frozen else "mpy" if any(name.endswith(".mpy") for name in files) else "py",
        files=len(files) + (native is not None),
        sent=sent,
        removed=removed,
        bytes=sum(map(len, files.values())) + len(native or b""),
        wire_bytes=device.bytes_sent - sent_before,
        seconds=time.monotonic() - started,
        verified_by="device" if device.description.has_hashlib else "manifest",
        warnings=warnings,
        version=there.version if there else None,
        origin=origin,
        model_format=there.model_format if there else None,
        kernel_abi=kernels.abi if kernels else None,
    )


def is_this_one(there: EngineThere, kernels: Kernels | None) -> bool:
    """Whether a frozen engine is this very engine: by the hash that our firmware tells, else by its version."""
    build = parse_build(f"{kernels.build} {kernels.abi}") if kernels else None
    if build is not None and build.engine is not None:
        return build.engine == frozen_engine.identity()
    return there.version == nnmicro.__version__


def _frozen_warnings(there: EngineThere, kernels: Kernels | None) -> list[str]:
    """A sentence where the firmware has another engine frozen in than this one."""
    if is_this_one(there, kernels):
        return []
    theirs, ours = there.version, nnmicro.__version__
    build = parse_build(f"{kernels.build} {kernels.abi}") if kernels else None
    if build is not None and build.engine is not None:
        theirs, ours = f"{theirs}, {build.engine}", f"{ours}, {frozen_engine.identity()}"
    return [
        f"The firmware has another engine frozen in (nnmicro {theirs}) than this nnmicro ({ours}), and runs that one. "
        "--shadow puts this one before it; `nnmicro flash` brings the board's firmware up to date."
    ]


def remove_native(device: Device) -> bool:
    """Remove the native module that a push has put there; whether there was one."""
    if not device.exists(NATIVE):
        return False
    device.remove(NATIVE)
    return True


def remove_shadow(device: Device) -> bool:
    """Remove what a push with `shadow` put into the root, whole or not, and soft-reset; whether there was any."""
    if not device.exists(f"{SHADOW_FOLDER}/{_SHADOW_MARK}"):
        return False
    found = _on_device(device, SHADOW_FOLDER)
    # The mark goes last, and what is imported goes first.
    for name in sorted(found, key=lambda name: (name == _SHADOW_MARK, not name.startswith("__init__"))):
        if name != _SHADOW_MARK:
            device.remove(f"{SHADOW_FOLDER}/{name}")
    folders = {name.rpartition("/")[0] for name in found if "/" in name}
    for name in sorted(folders, reverse=True):
        _remove_folder(device, f"{SHADOW_FOLDER}/{name}")
    device.remove(f"{SHADOW_FOLDER}/{_SHADOW_MARK}")
    _remove_folder(device, SHADOW_FOLDER)
    device.soft_reset()
    return True


def _remove_folder(device: Device, path: str) -> None:
    device.exec(f"import os\nos.rmdir({path!r})\n")


def _layers(modules: Iterable[str] | None) -> dict[str, bytes]:
    """Of what is wanted of the engine, the sources that one without layers in Python lacks."""
    return {path: text for path, text in sources(modules).items() if path.startswith(LAYERS)}


def _push_package(
    device: Device, folder: str, chosen: dict[str, bytes], warnings: list[str], progress: Progress | None
) -> tuple[dict[str, bytes], list[str], list[str]]:
    """(files that belong there, those of them that were sent, others that were removed), by names below `folder`."""
    there = _on_device(device, folder)
    has_manifest = there.pop(MANIFEST, None) is not None
    there.pop(_SHADOW_MARK, None)
    files = compiled(chosen, device.description, warnings)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    kept = _still_ours(device, {name: there[name] for name in set(there) - set(files)}, chosen)
    missing = sorted(name for name, digest in digests.items() if there.get(name) != digest)
    stale = sorted(set(there) - set(files) - set(kept))
    files |= kept
    if missing or stale or (files and not has_manifest):
        _bring_up_to_date(device, folder, files, missing, stale, has_manifest, progress)
        _write_manifest(device, folder, files)
    return files, missing, stale


def _still_ours(device: Device, others: dict[str, str], chosen: dict[str, bytes]) -> dict[str, bytes]:
    """Those of the files on the device that are modules of this very engine: other models need them."""
    names = {name.rpartition(".")[0] for name in others}
    rest = {path: text for path, text in sources(None).items() if path.rpartition(".")[0] in names}
    files = compiled({path: text for path, text in rest.items() if path not in chosen}, device.description, [])
    return {name: text for name, text in files.items() if others.get(name) == hashlib.sha256(text).hexdigest()}


def _bring_up_to_date(
    device: Device,
    folder: str,
    files: dict[str, bytes],
    missing: list[str],
    stale: list[str],
    has_manifest: bool,
    progress: Progress | None,
) -> None:
    if has_manifest:
        device.remove(f"{folder}/{MANIFEST}")
    # Before anything is sent: a flash that is nearly full needs the room, and foo.py would win over foo.mpy.
    for name in stale:
        device.remove(f"{folder}/{name}")
    for each in sorted({f"{folder}/{name}".rpartition("/")[0] for name in missing} | {folder}):
        device.makedirs(each)
    # Under their names: without the manifest they are no engine yet.
    device.write_files({f"{folder}/{name}": files[name] for name in missing}, progress, directly=True)


def _write_manifest(device: Device, folder: str, files: dict[str, bytes]) -> None:
    entries = {name: [len(files[name]), hashlib.sha256(files[name]).hexdigest()] for name in sorted(files)}
    device.write_file(json.dumps(entries, separators=(",", ":")).encode(), f"{folder}/{MANIFEST}")


def _on_device(device: Device, folder: str) -> dict[str, str]:
    """The hash of every file in an engine's folder on the device.

    A device without hashlib is believed by its manifest where the sizes agree: reading everything back would
    take longer than sending it.
    """
    answer = device.exec(program("hashes") + f"_hashes({folder!r}, '')\ndel _hashes\n", timeout=_SILENCE_S)
    found: dict[str, tuple[int, str]] = {}
    try:
        for line in answer.decode().splitlines():
            name, size, digest = ast.literal_eval(line)
            found[str(name)] = (int(size), str(digest))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        raise DeviceError(f"The device's list of {folder} makes no sense: {answer[:200]!r}.") from None
    if found and not any(digest for _, digest in found.values()):
        manifest = _manifest(device, folder) if MANIFEST in found else {}
        for name, (size, _) in found.items():
            if manifest.get(name, ("", ""))[0] == size:
                found[name] = (size, str(manifest[name][1]))
    return {name: digest for name, (_, digest) in found.items()}


def _manifest(device: Device, folder: str) -> dict[str, list[object]]:
    try:
        content = json.loads(device.read_file(f"{folder}/{MANIFEST}"))
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    return {name: entry for name, entry in content.items() if isinstance(entry, list) and len(entry) == 2}
